"""Hot pixels go, everything that is diffuse stays."""

from dataclasses import replace

import numpy as np
import pytest

from dsfu.model.measured.prepare.cleaning import without_hot_pixels, without_invalid, without_negative
from dsfu.simulate.arrays import FloatArray
from tests.model.measured.prepare.made import made


def smooth(hkl: FloatArray) -> FloatArray:
    """Waves of 0.5 in 1 on 100, positive everywhere; the shortest has a period of 1/3."""
    waves = np.cos(2 * np.pi * hkl).prod(axis=-1) + np.cos(2 * np.pi * hkl @ [2.0, 1.0, 0.0])
    return np.asarray(100 + 25 * waves + 5 * np.cos(6 * np.pi * hkl[..., 1]))


SHAPES = ((61, 61, 61), (121, 121, 1))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_hot_pixels_are_found_and_nothing_else(shape: tuple[int, int, int], noise: float) -> None:
    volume = made(smooth, voxels=shape, half=(1.5, 1.5, 1.5), dtype=np.float32)
    rng = np.random.default_rng(0)
    intensity = volume.intensity + rng.normal(0, 1, shape) * noise * 5
    hot = rng.random(shape) < 1e-3
    intensity[hot] += 10 ** rng.uniform(2.5, 7, np.count_nonzero(hot))
    found = without_hot_pixels(replace(volume, intensity=intensity.astype(np.float32)))
    assert not found.live[hot].any()
    assert np.count_nonzero(~found.live & ~hot) <= 1e-5 * hot.size
    assert found.history[-1].parameters["voxels"] == np.count_nonzero(~found.live)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_enormous_pixel_does_not_hide_the_others(shape: tuple[int, int, int]) -> None:
    """The scale is robust: no maximum enters it."""
    volume = made(smooth, voxels=shape, half=(1.5, 1.5, 1.5))
    intensity = volume.intensity.copy()
    intensity[20, 20, 0], intensity[40, 40, 0] = 1e30, 2000.0
    found = without_hot_pixels(replace(volume, intensity=intensity))
    assert np.argwhere(~found.live).tolist() == [[20, 20, 0], [40, 40, 0]]


def test_two_neighbours_can_both_be_hot() -> None:
    volume = made(smooth, voxels=(61, 61, 1))
    intensity = volume.intensity.copy()
    intensity[20, 20:22, 0] = 1e5
    assert np.argwhere(~without_hot_pixels(replace(volume, intensity=intensity)).live)[:, 1].tolist() == [20, 21]


def test_rods_of_diffuse_scattering_one_voxel_wide_stay() -> None:
    volume = made(lambda hkl: 0 * hkl[..., 0], voxels=(41, 41, 41))
    rng = np.random.default_rng(2)
    intensity = rng.normal(10, 1, volume.shape)
    intensity[20, 20, :] += 500
    intensity[np.arange(41), np.arange(41)[::-1], 7] += 500
    intensity[20, 20, 7] -= 500
    assert without_hot_pixels(replace(volume, intensity=intensity)).live.all()


def test_a_narrow_maximum_stays() -> None:
    """A Gaussian with a standard deviation of one voxel."""
    volume = made(lambda hkl: 10 + 1e4 * np.exp(-((hkl / 0.1) ** 2).sum(axis=-1) / 2), voxels=(61, 61, 61))
    assert without_hot_pixels(volume).live.all()


def test_sparse_counts_stay() -> None:
    """One photon in a hundred voxels: the median and every robust spread are 0, and yet a photon is not hot."""
    volume = made(lambda hkl: 0 * hkl[..., 0], voxels=(61, 61, 61))
    counts = np.random.default_rng(1).poisson(0.01, volume.shape).astype(np.float32)
    assert without_hot_pixels(replace(volume, intensity=counts)).live.all()
    counts[30, 30, 30] = 40
    assert np.argwhere(~without_hot_pixels(replace(volume, intensity=counts)).live).tolist() == [[30, 30, 30]]


def test_known_uncertainties_protect() -> None:
    volume = made(smooth, voxels=(61, 61, 1))
    intensity = volume.intensity.copy()
    intensity[30, 30, 0] += 1000
    assert not without_hot_pixels(replace(volume, intensity=intensity, sigma=0 * intensity + 1)).live[30, 30, 0]
    assert without_hot_pixels(replace(volume, intensity=intensity, sigma=0 * intensity + 300)).live[30, 30, 0]


def test_values_that_are_no_numbers_are_not_live() -> None:
    volume = made(smooth, voxels=(5, 5, 5))
    intensity, sigma = volume.intensity.copy(), np.ones(volume.shape)
    intensity[0, 0, 0], intensity[1, 0, 0], sigma[2, 0, 0] = np.nan, np.inf, np.nan
    found = without_invalid(replace(volume, intensity=intensity, sigma=sigma))
    assert np.argwhere(~found.live).tolist() == [[0, 0, 0], [1, 0, 0], [2, 0, 0]]
    assert np.isfinite(found.intensity).all()
    assert found.history[-1].parameters == {"voxels": 3}


def test_negative_values_are_clipped_only_on_request() -> None:
    volume = made(lambda hkl: hkl[..., 0], voxels=(5, 5, 5))
    assert (without_hot_pixels(without_invalid(volume)).intensity < 0).any()
    clipped = without_negative(volume)
    np.testing.assert_array_equal(clipped.intensity, np.maximum(volume.intensity, 0))
    assert clipped.history[-1].parameters == {"voxels": 50}
