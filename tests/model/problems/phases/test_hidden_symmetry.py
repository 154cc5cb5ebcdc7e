"""Symmetry that axes hide, and centrings and glide planes that only heavy atoms have; intensities are random."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest

from dsfu.model.problems.phases.crystal_data import ReflectionList
from dsfu.model.problems.phases.groups import absent_by, candidate_of, candidates
from dsfu.model.problems.phases.hidden_symmetry import hidden_symmetry
from dsfu.model.problems.phases.laue import find_centring, find_laue_class, forbidden_by
from dsfu.model.problems.phases.merging import merge

TETRAGONAL = gemmi.UnitCell(9.0, 9.0, 13.0, 90.0, 90.0, 90.0)
TO_PRIMITIVE = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2
"""Rows: axes of the primitive cell of an I lattice in those of the conventional one."""


def random_intensities(symbol: str, *, merged: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Indices, and |F|² that are equal where the group says so, with 3 % noise."""
    group, rng = gemmi.SpaceGroup(symbol), np.random.default_rng(seed)
    asu, operations = gemmi.ReciprocalAsu(group), group.operations()
    unique = gemmi.make_miller_array(TETRAGONAL, group, 1.2, 0.0, True)
    value = {tuple(h): x for h, x in zip(unique, rng.exponential(size=len(unique)), strict=True)}
    hkl = unique if merged else gemmi.make_miller_array(TETRAGONAL, gemmi.SpaceGroup("P 1"), 1.2, 0.0, False)
    kept = [h for h in hkl if not operations.is_systematically_absent(h)]
    intensity = np.array([value[tuple(asu.to_asu(h, operations)[0])] for h in kept])
    return np.array(kept, dtype=np.int64), intensity * (1 + 0.03 * rng.standard_normal(len(kept)))


def listed(hkl: np.ndarray, intensity: np.ndarray, cell: gemmi.UnitCell = TETRAGONAL) -> ReflectionList:
    return ReflectionList(hkl=hkl, intensity=intensity, sigma=0.03 * intensity + 0.01, cell=cell.parameters)


def of_primitive_cell(hkl: np.ndarray, intensity: np.ndarray) -> ReflectionList:
    axes = TO_PRIMITIVE @ np.diag([9.0, 9.0, 13.0])
    lengths = np.linalg.norm(axes, axis=1)
    cosines = [axes[i] @ axes[j] / (lengths[i] * lengths[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    cell = gemmi.UnitCell(*lengths, *np.degrees(np.arccos(cosines)))
    return listed(np.rint(hkl @ TO_PRIMITIVE.T).astype(np.int64), intensity, cell)


@pytest.mark.parametrize(
    ("symbol", "merged", "words"), [("I 4", False, "equivalents 0.0"), ("I 4/m m m", True, "% of the refl")]
)
def test_a_primitive_cell_hides_a_fourfold_axis(symbol: str, merged: bool, words: str) -> None:
    hkl, intensity = random_intensities(symbol, merged=merged)
    conventional, primitive = listed(hkl, intensity), of_primitive_cell(hkl, intensity)
    for data, expected in ((conventional, False), (primitive, True)):
        told = hidden_symmetry(data, merge(data, find_laue_class(data)))
        assert (words in told) == expected
        assert ("4/mmm by other axes" in told) == expected


def test_a_lattice_is_no_symmetry_without_intensities() -> None:
    """A triclinic crystal whose lattice happens to be tetragonal; and one of few reflections whose lattice is not."""
    hkl, intensity = random_intensities("I 1", merged=False)
    data = of_primitive_cell(hkl, intensity)
    assert hidden_symmetry(data, merge(data, find_laue_class(data))) == ""
    few = listed(hkl[::9], intensity[::9], gemmi.UnitCell(7.0, 8.0, 9.0, 80.0, 97.0, 105.0))
    assert hidden_symmetry(few, merge(few, find_laue_class(few))) == ""


@pytest.mark.parametrize(("true", "told"), [("P 4/m m m", True), ("P 4/m", False)])
def test_a_stated_group_may_be_too_low(true: str, told: bool) -> None:
    hkl, intensity = random_intensities(true, merged=False)
    data = replace(listed(hkl, intensity), space_group=gemmi.SpaceGroup("P 4"))
    sentence = hidden_symmetry(data, merge(data, find_laue_class(data)))
    assert ("the symmetry 4/mmm" in sentence) == told
    assert bool(sentence) == told


@pytest.mark.parametrize(("share", "noise", "centring"), [(0.03, 0.0, "P"), (0.0, 0.01, "I"), (0.0, 0.1, "I")])
def test_what_is_weak_and_not_absent_is_no_centring(share: float, noise: float, centring: str) -> None:
    """Heavy atoms on the points of a centred lattice, light ones that are not: .033 of the mean intensity."""
    hkl, intensity = random_intensities("P 4/m m m", merged=False)
    odd = hkl.sum(axis=1) % 2 == 1
    weak = share * intensity + noise * np.random.default_rng(1).standard_normal(len(hkl))
    intensity = np.where(odd, weak, intensity)
    sigma = np.where(odd, 0.002, 0.03 * intensity)  # of noise too small by five and by fifty
    data = ReflectionList(hkl=hkl, intensity=intensity, sigma=sigma, cell=TETRAGONAL.parameters)
    assert find_centring(data) == centring


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_a_glide_plane_is_not_hidden_by_absences_of_others(strength: float) -> None:
    """P-4n2 forbids 86 reflections that P4₂/nnm forbids too; the 41 others of that were strong, and it was taken."""
    hkl, intensity = random_intensities("P -4 n 2", merged=False)
    high, low = (candidate_of(gemmi.SpaceGroup(each)) for each in ("P 42/n n m:1", "P -4 n 2"))
    more = absent_by(hkl, high.turns, high.shifts) & ~absent_by(hkl, low.turns, low.shifts)
    data = listed(hkl, np.where(more, strength * intensity, intensity))
    names = {each.group.number for each in candidates(merge(data, find_laue_class(data)))}
    assert low.group.number in names
    assert (high.group.number in names) == (strength == 0.0)


@pytest.mark.parametrize(
    ("lengths", "centring", "lattice"),
    [((10.0, 17.3205081, 14.0), "C", "6/mmm"), ((5.0, 5.0, 7.0710678), "I", "m-3m")],
)
def test_a_centred_lattice_of_higher_symmetry(lengths: tuple[float, float, float], centring: str, lattice: str) -> None:
    """Its rotations have halves in them by these axes. Intensities are those of a crystal in 2/m, all measured."""
    a, b, c = lengths
    cell = gemmi.UnitCell(a, b, c, 90, 90, 90)
    hkl = gemmi.make_miller_array(cell, gemmi.SpaceGroup("P 1"), 1.1, 0.0, False).astype(np.int64)
    hkl = hkl[~forbidden_by(centring, hkl)]
    rng, group = np.random.default_rng(3), gemmi.SpaceGroup("P 1 2/m 1").operations()
    asu = gemmi.ReciprocalAsu(gemmi.SpaceGroup("P 1 2/m 1"))
    keys = [tuple(asu.to_asu(h, group)[0]) for h in hkl]
    value = {key: rng.exponential() for key in sorted(set(keys))}
    intensity = np.array([value[key] for key in keys]) * (1 + 0.03 * rng.standard_normal(len(hkl)))
    data = listed(hkl, intensity, cell)
    laue = find_laue_class(data)
    assert (laue.centring, len(laue.rotations)) == (centring, 4)
    assert lattice not in hidden_symmetry(data, merge(data, laue))


def test_a_hexagonal_crystal_by_the_axes_of_a_c_lattice() -> None:
    cell = gemmi.UnitCell(10.0, 17.3205081, 14.0, 90, 90, 90)
    hexagonal, group = gemmi.UnitCell(10.0, 10.0, 14.0, 90, 90, 120), gemmi.SpaceGroup("P 6/m")
    rng, asu, operations = np.random.default_rng(4), gemmi.ReciprocalAsu(group), group.operations()
    all_hkl = gemmi.make_miller_array(hexagonal, gemmi.SpaceGroup("P 1"), 1.2, 0.0, False)
    keys = [tuple(asu.to_asu(h, operations)[0]) for h in all_hkl]
    value = {key: rng.exponential() for key in sorted(set(keys))}
    intensity = np.array([value[key] for key in keys]) * (1 + 0.03 * rng.standard_normal(len(keys)))
    h, k, l = all_hkl.T  # noqa: E741
    data = listed(np.column_stack([h, h + 2 * k, l]).astype(np.int64), intensity, cell)  # b' = a + 2b
    laue = find_laue_class(data)
    assert laue.centring == "C"
    assert "6/mmm by other axes" in hidden_symmetry(data, merge(data, laue))


def test_forbidden_reflections_without_uncertainties_do_not_refuse_a_centring() -> None:
    hkl, intensity = random_intensities("I 4", merged=False)
    rng = np.random.default_rng(5)
    forbidden = np.add(hkl, [0, 0, 1])
    faint = np.abs(rng.normal(0, 0.003, len(forbidden)))
    data = ReflectionList(
        hkl=np.concatenate([hkl, forbidden]),
        intensity=np.concatenate([intensity, faint]),
        sigma=np.zeros(2 * len(hkl)),
        cell=TETRAGONAL.parameters,
    )
    assert find_centring(data) == "I"


@pytest.mark.parametrize(("half_wavelength", "centring"), [(True, "I"), (False, "P")])
def test_half_the_wavelength_refuses_no_centring(half_wavelength: bool, centring: str) -> None:
    """A filter leaves .5 % of it: h shows what 2h has. A superstructure shows as much, of its own."""
    hkl, intensity = random_intensities("I 4", merged=False)
    rng = np.random.default_rng(6)
    value = dict(zip(map(tuple, hkl.tolist()), intensity, strict=True))
    odd = np.add(hkl, [0, 0, 1])
    brought = 0.005 * np.array([value.get(tuple(2 * each), rng.exponential()) for each in odd])
    weak = brought if half_wavelength else rng.permutation(brought)
    measured = np.concatenate([intensity, weak])
    sigma = 0.0003 + 0.02 * measured
    data = ReflectionList(
        hkl=np.concatenate([hkl, odd]),
        intensity=measured + sigma * rng.standard_normal(len(measured)),
        sigma=sigma,
        cell=TETRAGONAL.parameters,
    )
    assert find_centring(data) == centring
