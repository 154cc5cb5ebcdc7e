from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from dsfu.pipeline.problems.disorder.report.sample_sheet import (
    colour_table,
    draw_sample_sheet,
    layer_words,
    offset_words,
    root_scaled,
    write_sample_sheet,
)
from dsfu.pipeline.problems.disorder.report.store_view import SampleView, StoreView
from tests.pipeline.fake_store import fake_store


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> StoreView:
    store = fake_store(tmp_path_factory.mktemp("sheet") / "store")
    store.close(store.spec(threshold=0.03))
    return StoreView(store.files.url)


@pytest.fixture(scope="module")
def sample(view: StoreView) -> SampleView:
    return view.splits["train"].sample(2)


def test_square_root_scale():
    plane = np.array([[0, 1], [4, 16]], np.float32)
    np.testing.assert_array_equal(root_scaled(plane), np.array([[0, 0.25], [0.5, 1]], np.float32))
    assert not root_scaled(np.zeros((2, 2), np.float32)).any()


def test_words(sample: SampleView):
    assert layer_words(sample) == "hk plane, l = 0"
    assert [offset_words(offset) for offset in (0.0, 1.5, 0.73482, -2.0)] == ["0", "1.5", "0.73", "−2"]


def test_four_planes_with_dead_pixels_left_out(sample: SampleView):
    scattering, form_factor, sro, mask = draw_sample_sheet([sample]).axes[:4]
    shown = scattering.images[0].get_array()
    assert shown is not None
    np.testing.assert_array_equal(np.ma.getmaskarray(shown), ~sample.live)
    np.testing.assert_allclose(shown[sample.live], root_scaled(sample.scattering)[sample.live])
    np.testing.assert_array_equal(form_factor.images[0].get_array(), root_scaled(sample.form_factor))
    np.testing.assert_array_equal(sro.images[0].get_array(), root_scaled(sample.sro))
    np.testing.assert_array_equal(mask.images[0].get_array(), sample.live)


def test_axes_are_in_inverse_angstrom_with_the_middle_pixel_at_zero(sample: SampleView):
    axes = draw_sample_sheet([sample]).axes[0]
    pixels, step = len(sample.live), 2 * sample.q_max / len(sample.live)
    left, right, bottom, top = axes.images[0].get_extent()
    assert (left, right) == (bottom, top)
    assert left + (pixels // 2 + 0.5) * step == pytest.approx(0.0)
    assert right - left == pytest.approx(2 * sample.q_max)
    assert axes.images[0].origin == "lower"
    assert axes.get_ylabel() == "$Q_y$ (1/Å)"


def test_titles_say_what_it_is(sample: SampleView):
    words = " ".join(text.get_text() for text in draw_sample_sheet([sample]).axes[0].texts)
    for part in (sample.pair, "hk", "l = 0", f"{sample.fraction_a:.2f}", "Monte Carlo", "train"):
        assert part in words


def test_a_sheet_is_a_picture(view: StoreView, tmp_path: Path):
    path = write_sample_sheet(view, tmp_path / "new folder" / "sheet.png", 3)
    picture = imread(path)
    assert picture.shape[0] > 500
    assert picture.shape[1] > 1000
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 20


@pytest.mark.parametrize(("suffix", "start"), [("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_other_kinds_of_pictures(view: StoreView, tmp_path: Path, suffix: str, start: bytes):
    assert write_sample_sheet(view, tmp_path / f"sheet.{suffix}", 1).read_bytes().startswith(start)


def test_nothing_to_draw():
    assert not any(axes.images for axes in draw_sample_sheet([]).axes)


def test_colours_grow_brighter():
    brightness = colour_table() @ np.array([0.2126, 0.7152, 0.0722])
    assert colour_table().shape == (256, 3)
    assert (np.diff(brightness) > -1.0).all()
    assert brightness[-1] - brightness[0] > 200
