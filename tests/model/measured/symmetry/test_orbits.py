"""Operators against gemmi's, orbits against counting, averages against a plain sum."""

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.errors import InputError
from dsfu.model.measured.order.series import lattice_vectors
from dsfu.model.measured.symmetry.groups import LAUE_CLASSES, laue_operators
from dsfu.model.measured.symmetry.orbits import orbits_of, symmetrise
from dsfu.simulate.disorder.oscillator import shells
from dsfu.simulate.lattice import Cell

STANDARD = {
    "-1": "P -1",
    "2/m": "P 1 2/m 1",
    "mmm": "P m m m",
    "4/m": "P 4/m",
    "4/mmm": "P 4/m m m",
    "-3": "P -3",
    "-3m1": "P -3 m 1",
    "-31m": "P -3 1 m",
    "-3:R": "R -3:R",
    "-3m:R": "R -3 m:R",
    "6/m": "P 6/m",
    "6/mmm": "P 6/m m m",
    "m-3": "P m -3",
    "m-3m": "P m -3 m",
}
HEXAGONAL = Cell(8.0, 8.0, 5.0, gamma=120.0)


def as_set(group):
    return {tuple(np.asarray(each).ravel().tolist()) for each in group}


def of_gemmi(symbol):
    group = gemmi.SpaceGroup(symbol).operations()
    return as_set(np.array(each.rot) // each.DEN for each in group.sym_ops)


@pytest.mark.parametrize("name", LAUE_CLASSES)
def test_laue_classes_are_those_of_gemmi(name):
    assert as_set(laue_operators(name)) == of_gemmi(STANDARD[name])


def test_every_space_group_has_the_operators_of_its_laue_class():
    for group in gemmi.spacegroup_table_itb():
        rotations = {tuple(np.array(each.rot).ravel() // each.DEN) for each in group.operations().sym_ops}
        ours = as_set(laue_operators(group.xhm()))
        assert rotations <= ours
        assert len(ours) in (len(rotations), 2 * len(rotations)), group.xhm()


def test_the_unique_axis_follows_the_cell():
    b_unique = Cell(8.0, 5.0, 8.0, beta=120.0)
    metric = b_unique.vectors @ b_unique.vectors.T
    for name in ("6/m", "6/mmm", "p6mm", "-31m"):
        group = laue_operators(name, b_unique)
        np.testing.assert_allclose(np.swapaxes(group, 1, 2) @ metric @ group, np.broadcast_to(metric, group.shape))
        np.testing.assert_array_equal(np.abs(group[:, 1, 1]), 1)
    assert as_set(laue_operators("4/m:a", Cell(5.0, 8.0, 8.0))) == as_set(laue_operators("4/m", Cell(5.0, 8.0, 8.0)))


def test_plane_groups_are_about_the_unique_axis():
    assert as_set(laue_operators("p6mm", HEXAGONAL)) == as_set(laue_operators("6/mmm"))
    assert as_set(laue_operators("p2")) == as_set(laue_operators("2/m:c"))


@pytest.mark.parametrize("name", ["6/mmmm", "foo", "", "mmm:c", "4/m:x", "231"])
def test_unknown_symmetries_are_refused(name):
    with pytest.raises(InputError, match="symmetry"):
        laue_operators(name)


def test_a_symmetry_that_the_cell_has_not_is_refused_with_those_that_it_has():
    with pytest.raises(InputError, match="does not have this symmetry") as caught:
        laue_operators("m-3m", HEXAGONAL)
    assert "6/mmm" in str(caught.value)
    assert "4/mmm" not in str(caught.value)


def test_hexagonal_orbits_are_the_shells_of_the_oscillator_sets():
    cell = Cell(8.0, 5.0, 8.0, beta=120.0)
    orbits = orbits_of(lattice_vectors(cell, within="ac"), laue_operators("6/m:b", cell), cell)
    found = {frozenset((u, w) for u, _, w in orbit.tolist()) for orbit in orbits.members[1:]}
    assert found == {frozenset(shell) for shell in shells("hexagonal")}
    assert orbits.left_out == 121 - 1 - 6 * 15


def test_orbits_in_the_order_and_with_the_names_of_the_paper():
    orbits = orbits_of(lattice_vectors(HEXAGONAL, within="ab"), laue_operators("6/m"), HEXAGONAL)
    names = ["".join(map(str, name[:2])) for name in orbits.representatives.tolist()]
    assert set(names[1:]) == {f"{u}{v}" for u in range(1, 6) for v in range(u)}  # the rows of its table
    assert names[:4] == ["00", "10", "21", "20"]
    np.testing.assert_array_less(-1e-9, np.diff(orbits.lengths))


@given(st.sampled_from(sorted(LAUE_CLASSES)), st.floats(3.0, 12.0))
def test_whole_shells_within_a_length_are_never_cut(name, length):
    cell = Cell(5.0, 5.0, 5.0, gamma=120.0) if name[:2] in ("-3", "6/") and ":R" not in name else Cell(5.0, 5.0, 5.0)
    vectors = lattice_vectors(cell, cutoff_angstrom=length)
    orbits = orbits_of(vectors, laue_operators(name, cell), cell)
    assert orbits.left_out == 0
    assert sum(map(len, orbits.members)) == len(vectors)


@given(st.integers(0, 1000))
def test_averages_and_their_covariance_are_those_of_sums_over_orbits(seed):
    rng = np.random.default_rng(seed)
    vectors = lattice_vectors(HEXAGONAL, cutoff=2, within="ab")
    chosen = vectors[rng.permutation(len(vectors))[:12]]
    values, root = rng.normal(size=12), rng.normal(size=(12, 12))
    found = symmetrise(chosen, values, root @ root.T, laue_operators("6/mmm"), HEXAGONAL)
    for i, orbit in enumerate(found.orbits.members):
        inside = [j for j, v in enumerate(chosen.tolist()) if v in orbit.tolist()]
        assert found.values[i] == pytest.approx(values[inside].mean())
        variance = (root @ root.T)[np.ix_(inside, inside)].sum() / len(inside) ** 2
        assert found.covariance[i, i] == pytest.approx(variance)


def test_asymmetry_is_one_for_noise_and_more_for_a_broken_symmetry():
    rng = np.random.default_rng(0)
    vectors = lattice_vectors(HEXAGONAL, within="ab")
    noise = rng.normal(size=len(vectors)) * 0.01
    covariance = np.eye(len(vectors)) * 1e-4
    group = laue_operators("6/m")
    assert symmetrise(vectors, noise, covariance, group, HEXAGONAL).asymmetry == pytest.approx(1.0, abs=0.35)
    broken = noise + 0.05 * (vectors[:, 0] == 0)
    found = symmetrise(vectors, broken, covariance, group, HEXAGONAL).asymmetry
    assert found is not None
    assert found > 2
    assert symmetrise(vectors, noise, covariance, laue_operators("-1")[:1], HEXAGONAL).asymmetry is None
