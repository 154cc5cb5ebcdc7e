"""Holes are where the peaks are, and the diffuse scattering between them is as it was."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.prepare.bragg import allowed_reflections, without_bragg_peaks
from dsfu.model.measured.prepare.karen import without_outliers
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell
from tests.model.measured.prepare.made import HEXAGONAL, TRICLINIC, made


def diffuse(hkl: FloatArray) -> FloatArray:
    """Broad maxima halfway between the lattice points, with a fall-off."""
    return np.asarray((3 - np.cos(2 * np.pi * hkl).sum(axis=-1)) * 100 * np.exp(-0.05 * (hkl**2).sum(axis=-1)) + 20)


def peaks(hkl: FloatArray) -> FloatArray:
    nearest = np.rint(hkl)
    height = 1e5 * (1 + nearest[..., 0] ** 2)
    return np.asarray(height * np.exp(-((hkl - nearest) ** 2).sum(axis=-1) / 2 / 0.02**2))


def both(hkl: FloatArray) -> FloatArray:
    return diffuse(hkl) + peaks(hkl)


@pytest.mark.parametrize("voxels", [(57, 57, 29), (113, 113, 1)])
def test_punching_leaves_the_diffuse_scattering(voxels: tuple[int, int, int]) -> None:
    volume = made(both, half=(1.4, 1.4, 0.7), voxels=voxels, dtype=np.float32)
    truth = made(diffuse, half=(1.4, 1.4, 0.7), voxels=voxels).intensity
    punched = without_bragg_peaks(volume, radius=0.13)
    np.testing.assert_allclose(punched.intensity[punched.live], truth[punched.live], rtol=1e-3)
    filled = without_bragg_peaks(volume, radius=0.13, fill=True)
    again = filled.live & ~punched.live
    assert filled.live.all()
    assert np.abs(filled.intensity - truth)[again].max() < 0.01 * truth.max()
    assert filled.history[-1].parameters["filled"] == np.count_nonzero(again) > 0
    assert filled.weight is not None
    np.testing.assert_array_equal((filled.weight == 0) & filled.live, again)


@pytest.mark.parametrize(("voxels", "width"), [((57, 57, 29), 9), ((113, 113, 1), 15)])
def test_outliers_are_the_peaks(voxels: tuple[int, int, int], width: int) -> None:
    """Peaks that are narrower than the window, diffuse maxima that are wider, and noise of 1 %."""

    def gentle(hkl: FloatArray) -> FloatArray:
        return np.asarray(200 + 20 * np.cos(2 * np.pi * hkl).sum(axis=-1))

    truth = made(gentle, half=(1.4, 1.4, 0.7), voxels=voxels).intensity
    volume = made(peaks, half=(1.4, 1.4, 0.7), voxels=voxels)
    noise = np.random.default_rng(0).normal(0, 2, voxels)
    noisy = replace(volume, intensity=(truth + volume.intensity + noise).astype(np.float32))
    cleaned = without_outliers(noisy, width=width)
    assert not cleaned.live[volume.intensity > 0.5 * truth].any()
    assert cleaned.live[volume.intensity < 1].mean() > 0.99
    filled = without_outliers(noisy, width=width, fill=True)
    assert np.count_nonzero(filled.live) > np.count_nonzero(cleaned.live)
    error = (filled.intensity - truth)[filled.live & ~cleaned.live]
    assert np.sqrt(np.mean(error**2)) < 0.05 * 200
    assert np.mean(filled.intensity[filled.live]) == pytest.approx(np.mean(truth[filled.live]), rel=0.01)


def test_filled_voxels_are_less_certain() -> None:
    volume = made(both, half=(1.4, 1.4, 0.7), voxels=(57, 57, 29))
    noisy = volume.intensity + np.random.default_rng(0).normal(0, 10, volume.shape)
    filled = without_bragg_peaks(replace(volume, intensity=noisy, sigma=0 * noisy + 5), radius=0.13, fill=True)
    assert filled.sigma is not None
    assert filled.weight is not None
    assert (filled.sigma[filled.weight > 0] == 5).all()
    assert 8 < np.median(filled.sigma[filled.weight == 0]) < 20  # the scatter, not what was stated


@pytest.mark.parametrize(
    "name", ["P 1", "C 1 2 1", "F m -3 m", "I 4/m m m", "R -3 m:H", "P 1 21/c 1", "P 63/m m c", "F d -3 m"]
)
def test_conditions_are_those_of_structures(name: str) -> None:
    """Against structure factors of an atom in a general position."""
    group = gemmi.find_spacegroup_by_name(name)
    hkl = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3, indexing="ij"), axis=-1)
    atom = np.array([0.1234, 0.2613, 0.3717])
    positions = np.array([operation.apply_to_xyz(atom.tolist()) for operation in group.operations()])
    strength = np.abs(np.exp(2j * np.pi * hkl @ positions.T).sum(axis=-1))
    np.testing.assert_array_equal(allowed_reflections(name)(hkl), strength > 1e-6)
    if name[0] in "CFIR" and name in ("C 1 2 1", "F m -3 m", "I 4/m m m", "R -3 m:H"):
        np.testing.assert_array_equal(allowed_reflections(name[0])(hkl), strength > 1e-6)


def test_only_allowed_peaks_are_punched() -> None:
    volume = made(both, half=(2, 2, 2), voxels=(41, 41, 41))
    holes = ~without_bragg_peaks(volume, radius=(0.15, 0.25, 0.05), conditions="I").live
    hkl = volume.hkl_of_voxels(np.argwhere(holes))
    nearest = np.rint(hkl)
    assert (nearest.sum(axis=1) % 2 == 0).all()
    assert len(np.unique(nearest, axis=0)) == 63  # of the 125 lattice points, those with h + k + l even
    inner = hkl[(np.abs(nearest) < 2).all(axis=1)] - nearest[(np.abs(nearest) < 2).all(axis=1)]
    assert np.abs(inner).max(axis=0) == pytest.approx([0.1, 0.2, 0.0], abs=1e-9)  # voxels are 0.1 apart


@pytest.mark.parametrize("cell", [TRICLINIC, HEXAGONAL])
def test_holes_in_angstrom_are_round(cell: Cell) -> None:
    volume = made(both, half=(1, 1, 1), voxels=(51, 51, 51), cell=cell)
    assert volume.cell is not None
    hkl = volume.hkl_of_voxels(np.indices(volume.shape).transpose(1, 2, 3, 0))
    holes = ~without_bragg_peaks(volume, radius=0.2, per_angstrom=True).live
    neighbours = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 1, 1, 1, 3)
    distance = np.linalg.norm(volume.cell.q_of_hkl(hkl - neighbours), axis=-1).min(axis=0)
    np.testing.assert_array_equal(holes, distance <= 0.2)


def test_holes_that_leave_nothing_are_refused() -> None:
    volume = made(both, voxels=(11, 11, 11))
    for arguments in ({"radius": 0.5}, {"radius": 0.6, "per_angstrom": True}, {"radius": -0.1}, {"radius": (0.1, 0.2)}):
        with pytest.raises(InputError):
            without_bragg_peaks(volume, **arguments)
    with pytest.raises(InputError, match="centring"):
        without_bragg_peaks(volume, conditions="Q")
