"""Backgrounds that were added are taken off again."""

from dataclasses import replace

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.prepare.background import without_flat_background, without_radial_background
from dsfu.simulate.arrays import FloatArray
from tests.model.measured.prepare.made import TRICLINIC, made


def air(q: FloatArray) -> FloatArray:
    return np.asarray(50 * np.exp(-q) + 10 + 3 * q)


def test_a_flat_background_is_a_number_or_a_percentile() -> None:
    volume = made(lambda hkl: np.maximum(np.cos(2 * np.pi * hkl).sum(axis=-1), 0) + 42, voxels=(31, 31, 31))
    given = without_flat_background(volume, level=40.0)
    np.testing.assert_allclose(given.intensity, volume.intensity - 40)
    found = without_flat_background(replace(volume, sigma=volume.intensity), level=5.0, of="percentile")
    assert found.intensity.min() == pytest.approx(0)
    assert found.history[-1].parameters["subtracted"] == pytest.approx(42)
    assert found.sigma is volume.intensity


@pytest.mark.parametrize("voxels", [(61, 61, 61), (201, 201, 1)])
def test_a_radial_background_is_found_under_the_diffuse_scattering(voxels: tuple[int, int, int]) -> None:
    """Sparse maxima: in every shell there are voxels with nothing but background."""

    def spots(hkl: FloatArray) -> FloatArray:
        return np.asarray(200 * np.exp(-8 * (1 - np.cos(2 * np.pi * hkl[..., :2])).sum(axis=-1)))

    def with_background(hkl: FloatArray) -> FloatArray:
        return spots(hkl) + air(np.linalg.norm(TRICLINIC.q_of_hkl(hkl), axis=-1))

    volume = made(with_background, voxels=voxels, dtype=np.float32)
    truth = made(spots, voxels=voxels)
    live = np.random.default_rng(0).random(voxels) > 0.3
    broken = replace(volume, intensity=np.where(live, volume.intensity, 1e9).astype(np.float32), live=live)
    found = without_radial_background(broken)
    q = np.linalg.norm(
        TRICLINIC.q_of_hkl(
            made(lambda hkl: hkl[..., 0], voxels=voxels).hkl_of_voxels(np.indices(voxels).transpose(1, 2, 3, 0))
        ),
        axis=-1,
    )
    middle = live & (q > 0.5) & (q < 2.5)
    assert found.intensity.dtype == np.float32
    assert np.abs(found.intensity - truth.intensity)[middle].max() < 2.0  # of 60 to 15
    assert np.median(np.abs(found.intensity - truth.intensity)[middle]) < 0.5


def test_the_step_says_what_was_subtracted() -> None:
    volume = made(lambda hkl: air(np.linalg.norm(TRICLINIC.q_of_hkl(hkl), axis=-1)), voxels=(41, 41, 41))
    parameters = without_radial_background(volume, percentile=50.0).history[-1].parameters
    q = np.array(parameters["q"])
    inner = (q > 0.3) & (q < q.max() - 0.3)
    np.testing.assert_allclose(np.array(parameters["subtracted"])[inner], air(q[inner]), rtol=0.03)


def test_what_makes_no_sense_is_refused() -> None:
    volume = made(lambda hkl: hkl[..., 0], voxels=(11, 11, 11))
    for wrong in (
        lambda: without_flat_background(volume, level=101, of="percentile"),
        lambda: without_flat_background(volume, level=float("nan")),
        lambda: without_radial_background(volume, percentile=-1),
        lambda: without_radial_background(replace(volume, cell=None)),
        lambda: without_radial_background(replace(volume, live=np.zeros(volume.shape, np.bool_))),
        lambda: without_radial_background(volume, shells=1),
    ):
        with pytest.raises(InputError):
            wrong()
