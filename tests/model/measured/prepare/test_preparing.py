"""Planes of which only the neighbourhood is cleaned, held to those of a volume that is cleaned as a whole."""

from dataclasses import replace

import numpy as np
import pytest

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.prepare.cropping import cropped, window_around
from dsfu.model.measured.prepare.cutting import cut
from dsfu.model.measured.prepare.preparing import prepared_planes
from dsfu.model.measured.prepare.recipe import CleaningRecipe
from dsfu.simulate.arrays import FloatArray
from tests.model.measured.prepare.made import HEXAGONAL, made


def peaks(hkl: FloatArray) -> FloatArray:
    diffuse = 20 + 5 * np.cos(2 * np.pi * hkl).sum(axis=-1)
    return np.asarray(diffuse + 1e4 * np.exp(-((hkl - np.rint(hkl)) ** 2).sum(axis=-1) / 2 / 0.04**2))


@pytest.fixture(scope="module")
def crystal() -> Reconstruction:
    """Long along c, so that a plane is a small part of it; noisy, with hot pixels and a gap."""
    volume = made(peaks, half=(1.5, 1.5, 5.0), voxels=(31, 31, 101), cell=HEXAGONAL)
    rng = np.random.default_rng(3)
    intensity = volume.intensity + rng.normal(0, 0.2, volume.shape)
    intensity[rng.integers(0, 31, 40), rng.integers(0, 31, 40), rng.integers(0, 101, 40)] = 1e6
    live = volume.live.copy()
    live[:, 12:14] = False
    return replace(volume, intensity=intensity, live=live, sigma=np.full(volume.shape, 0.2))


@pytest.mark.parametrize("spec", ["hk0", "hk1.53", "h0l"])
def test_planes_are_those_of_the_volume_that_is_cleaned_as_a_whole(crystal: Reconstruction, spec: str) -> None:
    recipe = CleaningRecipe(bragg="punch:0.2", background="flat:3")
    (found,) = prepared_planes(crystal, [spec], recipe, pixels=48)
    expected = cut(recipe.apply(crystal), spec, pixels=48)
    assert found.history[0].name == "cropped"
    assert found.plane.q_max == pytest.approx(expected.plane.q_max)
    np.testing.assert_array_equal(found.live, expected.live)
    np.testing.assert_allclose(found.intensity, expected.intensity, atol=1e-9)
    assert found.sigma is not None
    assert expected.sigma is not None
    np.testing.assert_allclose(found.sigma, expected.sigma, atol=1e-9)


@pytest.mark.parametrize(
    "recipe", [CleaningRecipe(laue="-1"), CleaningRecipe(background="flat:5%"), CleaningRecipe(background="radial:5%")]
)
def test_what_needs_all_of_it_gets_it(crystal: Reconstruction, recipe: CleaningRecipe) -> None:
    (found,) = prepared_planes(crystal, ["hk0"], recipe, pixels=16)
    assert "cropped" not in [step.name for step in found.history]
    np.testing.assert_array_equal(found.intensity, cut(recipe.apply(crystal), "hk0", pixels=16).intensity)


def test_a_window_has_all_points_and_stays_inside(crystal: Reconstruction) -> None:
    points = np.array([[3.2, 5.0, 50.0], [7.9, 60.0, 50.0]])
    window = window_around(crystal, points, 2, of_layer=0)
    assert window == (slice(1, 11), slice(3, 31), slice(50, 51))
    part = cropped(crystal, window)
    np.testing.assert_allclose(part.hkl_of_voxels([0, 0, 0]), crystal.hkl_of_voxels([1, 3, 50]))
    assert part.intensity[2, 4, 0] == crystal.intensity[3, 7, 50]
    outside = window_around(crystal, points + 1000, 2, of_layer=0)
    assert outside == (slice(30, 31), slice(30, 31), slice(100, 101))
