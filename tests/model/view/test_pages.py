"""Pages of the viewer on stores, factors and evaluations: filters, order, and the images that they show."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dsfu
from dsfu.errors import InputError
from dsfu.model.view.evaluations import DIFFERENCE, Ranked, evaluation_page
from dsfu.model.view.images import Scene
from dsfu.model.view.opening import page_of
from dsfu.model.view.stores import StoreBrowser, nearest_order
from tests.model.measured.factorise.crystals import clean_plane
from tests.model.problems.disorder.evaluation.stores import small_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory):
    return dsfu.open_store(small_store(tmp_path_factory.mktemp("view") / "store", materialise=True))


def test_samples_pass_filters_and_are_shown(store) -> None:
    browser = StoreBrowser(store)
    train = store.to_xarray("train")
    assert browser.sample.options == np.flatnonzero(train.kept.values).tolist()
    strongest = nearest_order(train)
    browser.order.value = (0.2, 1.0)
    chosen = browser.sample.options
    assert 0 < len(chosen) < train.sizes["sample"]
    assert (strongest[chosen] >= 0.2).all()
    (first,) = (source.data["image"][0] for name, source in browser.images.sources.items() if name == "I_FF")
    np.testing.assert_allclose(first, train.dsfu.form_factor(chosen[0]).values, rtol=1e-6)
    browser.group.value = "2"
    assert "samples pass" in browser.said.object
    browser.fraction.value = (0.99, 1.0)
    assert browser.said.object == "No sample passes these filters."
    assert page_of(store.data.url)() is not None


def test_nearest_order_is_that_of_the_sets(store) -> None:
    import xarray

    train = store.to_xarray("train")
    alpha = xarray.open_zarr(store.data.url, group="sro_sets", chunks=None, consolidated=False).alpha.values
    middle = alpha.shape[1] // 2
    for sample, found in enumerate(nearest_order(train)[:20]):
        own = alpha[int(train.sro_set[sample])]
        near = [own[middle + 1, middle, middle], own[middle, middle + 1, middle], own[middle, middle, middle + 1]]
        assert abs(found) == pytest.approx(np.abs(near).max())


def test_factors_of_planes(tmp_path: Path) -> None:
    factors = dsfu.factorise([clean_plane()], method="solver", cutoff=3, uncertainty=False)
    page = page_of(str(factors.save(tmp_path / "factors.h5")))()
    titles = [figure.object.title.text for figure in page[-1]]
    assert titles == ["observed", "model", "difference", "I_FF", "I_SRO", "from data"]
    ranges = {id(figure.object.x_range) for figure in page[-1]}
    assert len(ranges) == 1, "zoomed together"


def test_planes_go_from_best_to_worst() -> None:
    asked = []

    class Told:
        def of(self, sample: int):
            asked.append(sample)
            names = ("measured", "I_FF, answer", "I_FF, truth", "I_SRO, answer", "I_SRO, truth", DIFFERENCE)
            return Scene(x=(0, 1), y=(0, 1), labels=("x", "y")), {name: np.ones((4, 4)) for name in names}

    columns = {"sro.mse": np.array([0.3, np.nan, 0.1, 0.2]), "sro.ssim": np.array([4.0, 3.0, 2.0, 1.0])}
    answers: Any = Told()
    groups, order = np.array([0, 0, 2, 2]), np.array([-0.5, 0, 0.1, 0.6])
    ranked = Ranked(columns, np.array([10, 11, 12, 13]), answers, "told", groups=groups, order=order)
    for rank in (2, 3, 4):
        ranked.rank.value = rank
    assert asked == [12, 13, 10, 11]
    ranked.column.value = "sro.ssim"
    assert asked[-1] == 13
    assert "I_SRO, SSIM = 1" in ranked.said.object
    ranked.group.value = "0"
    assert asked[-1] == 11, "the worst of two that is left"
    ranked.reach.value = (-1, -0.2)
    assert asked[-1] == 10
    assert "1 of 1" in ranked.said.object
    ranked.group.value = "2"
    assert ranked.said.object == "No plane passes these filters."


def test_evaluations_of_other_problems_have_a_page_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "evaluation.html").write_text("")
    with pytest.raises(InputError, match="open .*evaluation.html"):
        page_of(str(tmp_path))


def test_damaged_evaluations_are_refused(tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_text("{}")
    (tmp_path / "planes.csv").write_text("sample,mse\n1,0.2\n")
    with pytest.raises(InputError, match="no evaluation that can be read"):
        evaluation_page(tmp_path)
