"""An image keeps its own pixels where it can, and Q = 0 stays where it was found."""

from dataclasses import replace

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.prepare.centring import with_own_centre
from dsfu.model.measured.prepare.cutting import cut
from dsfu.model.measured.prepare.own_grid import on_own_grid
from dsfu.simulate.arrays import FloatArray


def image(values: FloatArray, centre: tuple[float, float], sigma: FloatArray | None = None) -> Reconstruction:
    """(y, x), nothing known of its scale; ``centre``: the pixel (y, x) of Q = 0."""
    return Reconstruction(
        intensity=values[None],
        live=np.isfinite(values)[None],
        origin=np.array([0.0, -centre[0], -centre[1]]),
        steps=np.eye(3),
        cell=None,
        sigma=None if sigma is None else sigma[None],
        indexed=False,
    )


def test_nothing_is_interpolated() -> None:
    values = np.random.default_rng(1).uniform(size=(40, 40))
    found = cut(image(values, (20, 20), 0.1 * values))
    np.testing.assert_array_equal(found.intensity, values)
    np.testing.assert_array_equal(found.sigma, 0.1 * values)
    assert found.live.all()
    assert found.plane.step == 1.0
    assert not found.scale_known


@pytest.mark.parametrize("centre", [(11.0, 20.0), (14.6, 17.3), (12.5, 19.5)])
def test_every_pixel_is_as_far_from_q_zero_as_it_was(centre: tuple[float, float]) -> None:
    values = np.random.default_rng(2).uniform(1, 2, size=(25, 40))
    values[3, 4] = np.nan
    found = cut(image(values, centre))
    rows, columns = np.nonzero(found.live)
    assert len(rows) == 25 * 40 - 1
    at = found.plane.q[rows, columns]
    y, x = (np.rint(place).astype(int) for place in (at[:, 1] + centre[0], at[:, 0] + centre[1]))
    np.testing.assert_allclose(at[:, :2], np.column_stack([x - centre[1], y - centre[0]]), atol=1e-9)
    np.testing.assert_array_equal(found.intensity[rows, columns], values[y, x])
    assert not found.intensity[~found.live].any()


def test_what_is_larger_or_wanted_on_other_pixels_is_resampled() -> None:
    small = image(np.ones((30, 30)), (15, 15))
    assert cut(small, pixels=64).plane.pixels == 64
    assert cut(small, q_max=10.0).plane.pixels == 256
    assert cut(image(np.ones((300, 300)), (150, 150))).plane.pixels == 256
    assert on_own_grid(small, 29) is None
    assert on_own_grid(replace(small, origin=np.array([0, 3.0, 0])), 256) is None  # Q = 0 is outside


def test_a_plane_that_is_named_is_that_plane() -> None:
    """The image is 0kl here; hk0 crosses it on a line."""
    whole = image(np.ones((40, 40)), (20, 20))
    found = cut(whole, "0kl")
    assert (found.name, found.plane.pixels) == ("0kl", 256)
    with pytest.raises(InputError, match="of its pixels are live"):
        cut(whole, "hk0")


def test_an_image_with_hardly_a_live_pixel_is_refused() -> None:
    values = np.full((40, 40), np.nan)
    values[:3, :10] = 1.0
    with pytest.raises(InputError, match=r"1\.9 % of its pixels are live"):
        cut(image(values, (20, 20)))


def test_found_centre_is_kept_to_a_part_of_a_pixel() -> None:
    y, x = np.mgrid[:60, :60] - np.array([29.8, 30.3])[:, None, None]
    values = np.exp(-(x**2 + y**2) / 500) * (2 + np.cos(0.9 * x + 0.3 * y) + np.cos(0.8 * y - 0.2 * x))
    found = cut(with_own_centre(image(values, (29.5, 29.5))))
    at_zero = found.plane.pixels // 2 - found.plane.centre[:2] / found.plane.step
    framed = np.argwhere(found.live)[0]
    np.testing.assert_allclose(at_zero[::-1] - framed, [29.8, 30.3], atol=0.03)
