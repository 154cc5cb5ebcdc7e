"""Lines and bins against pymatgen's numbers, against a plain sum, and against what symmetry forbids."""

import json
from pathlib import Path

import numpy as np
import pytest

from dsfu.simulate.densities.crystals import UnitCell, unit_cell
from dsfu.simulate.densities.pattern import augmented, binned, powder_lines, reflections
from dsfu.simulate.densities.scattering_factors import dispersion
from dsfu.simulate.form_factors import it92

REFERENCE = json.loads((Path(__file__).parent / "pymatgen_patterns.json").read_text())


def named(name: str) -> UnitCell:
    kept = REFERENCE[name]
    return unit_cell(kept["lattice"], kept["positions"], kept["numbers"])


@pytest.mark.parametrize("name", [name for name in REFERENCE if name != "made by"])
def test_bins_are_those_of_pymatgen(name: str) -> None:
    expected = np.zeros(1024)
    expected[REFERENCE[name]["bins"]] = REFERENCE[name]["intensities"]
    assert np.abs(binned(powder_lines(named(name))) - expected).max() < 1e-5


def test_the_kernel_equals_a_plain_sum() -> None:
    crystal, wavelength = named("triclinic"), 1.54
    found = reflections(crystal, 0.3, wavelength=wavelength, b_iso=1.3)
    real, imaginary = dispersion(crystal.numbers, wavelength)
    for hkl, s, square in list(zip(found.hkl, found.s, found.square, strict=True))[::7]:
        mates = []
        for sign in (1, -1):
            total = 0j
            for x, z, fp, fpp in zip(crystal.positions, crystal.numbers, real, imaginary, strict=True):
                a, b, c = it92(int(z))
                f = (a * np.exp(-b * s * s)).sum() + c + fp + 1j * fpp
                total += f * np.exp(2j * np.pi * sign * hkl @ x)
            mates.append(abs(total) ** 2)
        assert square == pytest.approx(sum(mates) * np.exp(-2 * 1.3 * s * s), rel=1e-5)


def test_a_larger_cell_of_the_same_crystal_has_the_same_lines() -> None:
    small = named("NaCl")
    doubled = np.concatenate([small.positions / [2, 1, 1], small.positions / [2, 1, 1] + [0.5, 0, 0]])
    large = unit_cell(small.lattice * np.array([[2], [1], [1]]), doubled, np.tile(small.numbers, 2))
    assert np.abs(binned(powder_lines(small)) - binned(powder_lines(large))).max() < 1e-9


def test_face_centring_and_diamond_glides_forbid_what_they_should() -> None:
    salt = reflections(named("NaCl"), 0.8)
    seen = salt.hkl[salt.square > 1e-6] % 2
    assert (seen == seen[:, :1]).all()
    fcc = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    diamond = unit_cell(np.eye(3) * 5.43, np.concatenate([fcc, fcc + 0.25]), [14] * 8)
    found = reflections(diamond, 0.9)
    seen = found.hkl[found.square > 1e-6]
    even = seen[(seen % 2 == 0).all(axis=1)]
    assert len(even) > 10
    assert (even.sum(axis=1) % 4 == 0).all()


def test_augmentation_shifts_by_three_bins_at_most_and_moves_zeros_in() -> None:
    pattern, composition = binned(powder_lines(named("NaCl"))), np.eye(119)[[11, 17]].mean(axis=0)
    rng, shifts = np.random.default_rng(0), set()
    for _ in range(60):
        moved, noisy = augmented(pattern, composition, rng)
        shift = int(moved.argmax()) - int(pattern.argmax())
        shifts.add(shift)
        assert np.abs(moved - np.roll(pattern, shift)).max() < 6e-3
        assert (moved >= 0).all()
        assert (noisy >= 0).all()
    assert shifts == set(range(-3, 4))


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), 20.0])
def test_impossible_wavelengths_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="wavelength"):
        powder_lines(named("NaCl"), wrong)
