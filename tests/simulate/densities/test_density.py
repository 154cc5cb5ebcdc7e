"""Densities: how many electrons, where they are, and the plain Fourier sum."""

import numpy as np
import pytest

from dsfu.simulate.densities.crystals import unit_cell
from dsfu.simulate.densities.density import B_ISO, density
from dsfu.simulate.densities.scattering_factors import valence_electrons
from dsfu.simulate.form_factors import it92

FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
NACL = unit_cell(np.eye(3) * 5.64, np.concatenate([FCC, FCC + 0.5]), np.repeat([11, 17], 4))
SKEW = unit_cell([5.1, 5.9, 7.3, 81, 97, 104], [[0.1, 0.22, 0.35], [0.6, 0.71, 0.15]], [29, 16])


@pytest.mark.parametrize("crystal", [NACL, SKEW])
def test_all_electrons_are_there(crystal) -> None:
    assert density(crystal).mean() * crystal.volume == pytest.approx(crystal.numbers.sum(), rel=5e-4)


def test_valence_electrons_are_those_counted() -> None:
    assert density(NACL, electrons="valence").mean() * NACL.volume == pytest.approx(4 * (1 + 7), rel=1e-3)
    counted = {z: valence_electrons(z) for z in (3, 8, 26, 30, 31, 51, 57, 64, 72, 78, 82, 92)}
    assert counted == {3: 1, 8: 6, 26: 8, 30: 12, 31: 3, 51: 5, 57: 3, 64: 3, 72: 4, 78: 10, 82: 4, 92: 3}


def test_it_equals_a_sum_of_gaussian_atoms() -> None:
    """Each IT92 Gaussian with B transforms to a Gaussian in space: periodic images of both atoms, summed there."""
    found = density(SKEW, 40)
    grid = np.stack(np.meshgrid(*[np.arange(40) / 40] * 3, indexing="ij"), -1)[::9, ::9, ::9]
    expected = np.zeros(grid.shape[:3])
    for x, z in zip(SKEW.positions, SKEW.numbers, strict=True):
        a, b, c = it92(int(z))
        for shift in np.ndindex(5, 5, 5):
            r2 = (((grid - x + np.array(shift) - 2) @ SKEW.lattice) ** 2).sum(-1)
            for amplitude, width in zip([*a, c], [*b, 0], strict=True):
                w = (width + B_ISO) / (4 * np.pi**2)
                expected += amplitude * (np.pi * w) ** -1.5 * np.exp(-r2 / w)
    assert np.abs(found[::9, ::9, ::9] - expected).max() < 2e-3 * found.max()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirror_image_has_the_mirrored_density(axis: int) -> None:
    """Atoms off the grid, an even number of points: h = n/2 and −n/2 share a place, and must count alike."""
    where, kinds = np.array([[0.113, 0.27, 0.41], [0.57, 0.839, 0.2], [0.31, 0.64, 0.77]]), [8, 26, 14]
    mirrored = where.copy()
    mirrored[:, axis] *= -1
    one, other = (density(unit_cell(np.diag([6.0, 5.0, 7.0]), each, kinds), 20) for each in (where, mirrored))
    turned = np.roll(np.flip(other, axis), 1, axis)
    assert np.abs(one - turned).max() < 1e-6 * one.max()


def test_the_maximum_lies_on_the_heavier_atom() -> None:
    place = np.array(np.unravel_index(density(SKEW).argmax(), (50, 50, 50))) / 50
    assert np.abs(place - SKEW.positions[0]).max() < 0.02


def test_odd_wishes_are_refused() -> None:
    with pytest.raises(ValueError, match="points"):
        density(NACL, 2)
    with pytest.raises(ValueError, match="b_iso"):
        density(NACL, b_iso=-1)
