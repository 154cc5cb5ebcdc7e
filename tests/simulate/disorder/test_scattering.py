import gemmi
import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from hypothesis import given
from hypothesis import strategies as st

from dsfu.simulate.disorder import scattering
from dsfu.simulate.disorder.form_factor_kernels import TRIED_FIRST, form_factor_planes
from dsfu.simulate.disorder.planes import Plane, layer, plane_through
from dsfu.simulate.disorder.scattering import form_factor_of_planes, simulate_plane, simulate_planes, sro_of_planes
from dsfu.simulate.form_factors import form_factor
from dsfu.simulate.lattice import Cell
from dsfu.simulate.species import SPLITS, cell_of_pair, load_library, pairs
from tests.simulate.disorder import reference
from tests.simulate.strategies import cells, molecules, planes, random_alpha, seeds

TOLERANCE = 2e-6
"""Largest error allowed, relative to the maximum of the plane."""

NOISE_FLOOR = 1e-3
"""Electrons²: what is left of |F_A − F_B|² by rounding, where the two species are the same."""

fractions = st.sampled_from([0.0, 1.0]) | st.floats(0.01, 0.99)

LIBRARY_PAIRS = [pair for split in SPLITS for pair in pairs(load_library(), split)]

TRICLINIC = Cell(5.1, 6.3, 7.7, 82.0, 101.0, 113.0)


def only(vector: tuple[int, int, int], value: float) -> np.ndarray:
    alpha = np.zeros((11, 11, 11))
    alpha[5, 5, 5] = 1.0
    for sign in (1, -1):
        alpha[tuple(5 + sign * i for i in vector)] = value
    return alpha


# --- against the formulas written down as they stand ---------------------------------------------------------------


@given(st.data(), cells(), molecules(), molecules(), fractions, seeds)
def test_kernels_agree_with_the_formulas(data, cell, atoms_a, atoms_b, fraction_a, seed) -> None:
    plane = data.draw(planes(cell))
    alpha = random_alpha(seed)
    result = simulate_plane(atoms_a, atoms_b, fraction_a, cell, alpha, plane)
    form_factor_expected = reference.form_factor_intensity(atoms_a, atoms_b, fraction_a, plane)
    sro_expected = reference.sro_intensity(cell, alpha, plane)
    largest = max(form_factor_expected.max(), NOISE_FLOOR)
    assert np.abs(result.form_factor - form_factor_expected).max() <= TOLERANCE * largest
    assert np.abs(result.sro - np.maximum(sro_expected, 0)).max() <= TOLERANCE * np.abs(sro_expected).max()
    assert result.clipped_fraction == pytest.approx((sro_expected < 0).mean(), abs=2 / plane.pixels**2)
    assert result.form_factor.dtype == result.sro.dtype == np.float32


@given(st.data(), st.sampled_from(LIBRARY_PAIRS), fractions)
def test_pairs_of_the_library_agree_with_the_formulas(data, pair, fraction_a) -> None:
    """Real molecules, of up to 26 atoms, some nearly alike, in the cell that they would have."""
    one, other = pair
    plane = data.draw(planes(cell_of_pair(one, other, fraction_a)))
    (result,) = form_factor_of_planes(one.atoms, other.atoms, fraction_a, [plane])
    expected = reference.form_factor_intensity(one.atoms, other.atoms, fraction_a, plane)
    assert np.abs(result - expected).max() <= TOLERANCE * expected.max()


@pytest.mark.parametrize("pixels", [2, 3, 17, 64])
def test_odd_and_small_planes(pixels: int) -> None:
    plane = layer(TRICLINIC, "c", 1, 6.0, pixels)
    result = simulate_plane(molecule("CH3OH"), molecule("H2O"), 0.3, TRICLINIC, random_alpha(1), plane)
    expected = reference.form_factor_intensity(molecule("CH3OH"), molecule("H2O"), 0.3, plane)
    np.testing.assert_allclose(result.form_factor, expected, atol=TOLERANCE * expected.max())


@given(st.data(), cells(), molecules(), molecules(), seeds)
def test_planes_together_are_the_planes_one_by_one(data, cell, atoms_a, atoms_b, seed) -> None:
    alpha = random_alpha(seed)
    stack = [layer(cell, "b", k, 6.0, 16) for k in (0, 1, 0.5)] + [data.draw(planes(cell, 16)) for _ in range(2)]
    for together, plane in zip(simulate_planes(atoms_a, atoms_b, 0.4, cell, alpha, stack), stack, strict=True):
        alone = simulate_plane(atoms_a, atoms_b, 0.4, cell, alpha, plane)
        np.testing.assert_array_equal(together.form_factor, alone.form_factor)
        np.testing.assert_array_equal(together.sro, alone.sro)
        assert together.clipped_fraction == alone.clipped_fraction


def test_species_that_nearly_cancel_are_summed_in_double_precision() -> None:
    """|F_A − F_B| is a hundredth of |F_A| here: in single precision the error would be some 2e-5 of the maximum."""
    benzene = molecule("C6H6")
    nudged = benzene.copy()
    nudged.positions[0] += [0.02, 0.0, 0.0]
    plane = layer(TRICLINIC, "b", 0, 7.0, 64)
    (result,) = form_factor_of_planes(benzene, nudged, 0.5, [plane])
    expected = reference.form_factor_intensity(benzene, nudged, 0.5, plane)
    assert np.abs(result - expected).max() <= TOLERANCE * expected.max()


def sums_of(monkeypatch: pytest.MonkeyPatch) -> list[tuple[type, bool]]:
    """Filled as sums over atoms are made: the precision of each, and whether its plane was left unfinished."""
    sums: list[tuple[type, bool]] = []

    def summed(*arguments) -> None:
        form_factor_planes(*arguments)
        sums.append((arguments[-1], bool(arguments[-2].any())))

    monkeypatch.setattr(scattering, "form_factor_planes", summed)
    return sums


def test_a_plane_that_cancels_is_left_early(monkeypatch) -> None:
    sums = sums_of(monkeypatch)
    benzene = molecule("C6H6")
    nudged = benzene.copy()
    nudged.positions[0] += [0.02, 0.0, 0.0]
    form_factor_of_planes(benzene, nudged, 0.5, [layer(TRICLINIC, "b", 0, 7.0, 64)])
    assert sums == [(np.float32, True), (np.float64, False)]


def test_a_plane_that_is_left_and_does_not_cancel_is_summed_as_any_other(monkeypatch) -> None:
    """One atom moved so far that intensity is lowest, below the limit, on just the rows that are summed first."""
    step = 2 * 6.0 / 256
    far = Atoms("Au", [[0.0, 2 * np.pi / (2 * TRIED_FIRST * step), 0.0]])
    at = Plane(np.array([0.0, -step / 2, 0.0]), np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]), 6.0)
    sums = sums_of(monkeypatch)
    (result,) = form_factor_of_planes(Atoms("Au"), far, 0.5, [at])
    assert sums == [(np.float32, True), (np.float64, False), (np.float32, False)]
    monkeypatch.setattr(scattering, "CANCELLATION", 0.0)
    np.testing.assert_array_equal(result, form_factor_of_planes(Atoms("Au"), far, 0.5, [at])[0])
    assert sums[-1] == (np.float32, False)


def test_atoms_that_were_changed_are_other_atoms() -> None:
    """Sums of a pair are kept by what it is made of, not by the objects."""
    at, gold, pair = layer(TRICLINIC, "b", 1, 7.0, 32), Atoms("Au"), Atoms("CuAu", [(0, 0, 0), (0, 0, 2)])
    before = form_factor_of_planes(pair, gold, 0.5, [at])[0]
    pair.positions[1, 2] = 3
    moved = form_factor_of_planes(pair, gold, 0.5, [at])[0]
    pair.numbers[1] = 28
    other = form_factor_of_planes(pair, gold, 0.5, [at])[0]
    assert not np.array_equal(before, moved)
    assert not np.array_equal(moved, other)
    np.testing.assert_array_equal(
        other, form_factor_of_planes(Atoms("CuNi", [(0, 0, 0), (0, 0, 3)]), Atoms("Au"), 0.5, [at])[0]
    )


# --- analytic limits -----------------------------------------------------------------------------------------------


def test_two_single_atoms_give_the_difference_of_their_form_factors() -> None:
    plane = layer(TRICLINIC, "b", 1, 7.0, 32)
    (result,) = form_factor_of_planes(Atoms("Cu"), Atoms("Au"), 0.25, [plane])
    length = np.linalg.norm(plane.q, axis=-1)
    expected = 0.25 * 0.75 * (form_factor(29, length) - form_factor(79, length)) ** 2
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_no_correlations_give_a_flat_plane() -> None:
    for plane in (layer(TRICLINIC, "a", 0.3, 7.0), plane_through(TRICLINIC, [(0, 0, 0), (1, 1, 0), (0, 1, 1)], 7.0)):
        ((sro, clipped),) = sro_of_planes(TRICLINIC, only((0, 0, 0), 1.0), [plane])
        np.testing.assert_allclose(sro, 1.0, rtol=1e-6)
        assert clipped == 0


@given(st.data(), cells(), st.tuples(*[st.integers(-5, 5)] * 3).filter(any), st.floats(-0.5, 0.5))
def test_one_correlation_gives_one_cosine(data, cell, vector, value) -> None:
    plane = data.draw(planes(cell))
    ((sro, _),) = sro_of_planes(cell, only(vector, value), [plane])
    expected = 1 + 2 * value * np.cos(2 * np.pi * plane.hkl(cell) @ np.array(vector))
    np.testing.assert_allclose(sro, expected, atol=4e-6)


def test_negative_intensity_is_set_to_zero_and_counted() -> None:
    plane = layer(Cell(5, 5, 5), "b", 0, 2 * np.pi, 250)
    ((sro, clipped),) = sro_of_planes(Cell(5, 5, 5), only((1, 0, 0), 1.0), [plane])
    # The plane holds ten whole periods of 25 pixels; 1 + 2 cos(2πn / 25) is negative for n = 9 … 16.
    assert clipped == 8 / 25
    assert sro.min() == 0


def test_rounding_between_v_and_minus_v_is_averaged_out() -> None:
    """Up to 1e-6 is let pass; the series reads one of each ±v only, and which of them must not matter."""
    exact = only((1, 0, 0), 0.3)
    rounded = exact.copy()
    rounded[:5] += 4e-7
    rounded[6:] -= 4e-7
    plane = layer(TRICLINIC, "b", 0, 6.0, 32)
    (here, _), (there, _) = (sro_of_planes(TRICLINIC, alpha, [plane])[0] for alpha in (exact, rounded))
    np.testing.assert_allclose(there, here, atol=TOLERANCE)


# --- symmetries ----------------------------------------------------------------------------------------------------


@given(cells(), molecules(), molecules(), seeds)
def test_friedel_symmetry(cell, atoms_a, atoms_b, seed) -> None:
    plane = layer(cell, "b", 0, 6.0, 25)
    result = simulate_plane(atoms_a, atoms_b, 0.5, cell, random_alpha(seed), plane)
    for values in (result.form_factor, result.sro):
        np.testing.assert_allclose(values[::-1, ::-1], values, atol=TOLERANCE * max(values.max(), NOISE_FLOOR))


@given(st.data(), cells(), molecules(), molecules(), st.tuples(*[st.floats(-5, 5)] * 3))
def test_moving_both_species_changes_nothing(data, cell, atoms_a, atoms_b, shift) -> None:
    plane = data.draw(planes(cell))
    moved_a, moved_b = atoms_a.copy(), atoms_b.copy()
    moved_a.positions += shift
    moved_b.positions += shift
    (here,), (there,) = (form_factor_of_planes(a, b, 0.5, [plane]) for a, b in ((atoms_a, atoms_b), (moved_a, moved_b)))
    np.testing.assert_allclose(here, there, atol=2 * TOLERANCE * max(here.max(), NOISE_FLOOR))


def test_moving_one_species_makes_fringes() -> None:
    shift = np.array([1.5, 0.0, 0.7])
    plane = layer(TRICLINIC, "b", 0, 7.0, 32)
    moved = Atoms("Cu", positions=[shift])
    (result,) = form_factor_of_planes(Atoms("Cu"), moved, 0.5, [plane])
    f = form_factor(29, np.linalg.norm(plane.q, axis=-1))
    expected = 0.25 * f**2 * (2 - 2 * np.cos(plane.q @ shift))
    np.testing.assert_allclose(result, expected, atol=TOLERANCE * expected.max())


@given(st.data(), cells(), st.tuples(*[st.integers(-3, 3)] * 3), seeds)
def test_sro_repeats_with_the_reciprocal_lattice(data, cell, hkl, seed) -> None:
    plane = data.draw(planes(cell))
    moved = Plane(plane.centre + cell.q_of_hkl(hkl), plane.axis_x, plane.axis_y, plane.q_max, plane.pixels)
    ((here, _), (there, _)) = sro_of_planes(cell, random_alpha(seed), [plane, moved])
    np.testing.assert_allclose(here, there, atol=TOLERANCE * max(here.max(), 1.0))


# --- against an independent program --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["C6H6", "CH3CONH2", "CCl4"])
def test_form_factor_of_a_molecule_agrees_with_gemmi(name: str) -> None:
    """gemmi's structure factors of the molecule alone in a large box, at the box's own reciprocal lattice."""
    edge = 20.0
    atoms = molecule(name)
    crystal = gemmi.SmallStructure()
    crystal.cell = gemmi.UnitCell(edge, edge, edge, 90, 90, 90)
    crystal.spacegroup = gemmi.SpaceGroup("P 1")
    for symbol, position in zip(atoms.symbols, atoms.positions, strict=True):
        site = gemmi.SmallStructure.Site()
        site.label, site.type_symbol, site.occ, site.u_iso = symbol, symbol, 1.0, 0.0
        site.element = gemmi.Element(symbol)
        site.fract = gemmi.Fractional(*(position / edge).tolist())
        crystal.add_site(site)
    calculator = gemmi.StructureFactorCalculatorX(crystal.cell)
    plane = layer(Cell(edge, edge, edge), "b", 2, q_max=2 * np.pi / edge * 16, pixels=32)
    indices = np.rint(plane.hkl(Cell(edge, edge, edge))).astype(int)
    expected = np.array(
        [
            [abs(calculator.calculate_sf_from_small_structure(crystal, hkl.tolist())) ** 2 for hkl in row]
            for row in indices
        ]
    )
    (result,) = form_factor_of_planes(atoms, Atoms(), 0.5, [plane])
    np.testing.assert_allclose(result / 0.25, expected, atol=1e-5 * expected.max())


# --- bad input -----------------------------------------------------------------------------------------------------


def test_bad_arguments_are_named() -> None:
    plane = layer(TRICLINIC, "b", 0, 6.0, 8)
    water, fine = molecule("H2O"), only((1, 0, 0), 0.1)
    broken = water.copy()
    broken.positions[1, 2] = np.nan
    lopsided = fine.copy()
    lopsided[6, 5, 5] = 0.4
    cases = [
        ((broken, water, 0.5, TRICLINIC, fine, plane), r"atoms_a.positions\[1, 2\] = nan"),
        ((water, broken, 0.5, TRICLINIC, fine, plane), r"atoms_b.positions"),
        (
            (water, Atoms("X"), 0.5, TRICLINIC, fine, plane),
            r"atoms_b.numbers\[0\], atomic number 0: .*expected",
        ),
        (("H2O", water, 0.5, TRICLINIC, fine, plane), "atoms_a = 'H2O': expected an ase.Atoms"),
        ((water, water, 1.5, TRICLINIC, fine, plane), r"fraction_a = 1\.5.*\[0\.0, 1\.0\]"),
        ((water, water, float("nan"), TRICLINIC, fine, plane), "fraction_a = nan"),
        ((water, water, 0.5, TRICLINIC, fine[:10], plane), r"alpha has shape \(10, 11, 11\): expected \(11, 11, 11\)"),
        (
            (water, water, 0.5, TRICLINIC, lopsided, plane),
            r"alpha is 0\.1 at \(-1, 0, 0\) and 0\.4 at \(1, 0, 0\).*alpha\[-v\]",
        ),
        ((water, water, 0.5, TRICLINIC, np.zeros((11, 11, 11)), plane), r"alpha\[5, 5, 5\] = 0\.0: expected 1"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            simulate_plane(*arguments)
