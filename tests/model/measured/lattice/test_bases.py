"""Bases of lattices, held to what any reduction must do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.model.measured.lattice.bases import are_same, area, beside, coarser_lattices, idealised, is_coarser, reduced

LENGTHS = st.floats(2.0, 20.0)
ANGLES = st.floats(60.0, 120.0)
WHOLE = st.integers(-3, 3)


def basis_of(first: float, second: float, angle: float, turn: float = 0.0) -> np.ndarray:
    between = np.radians(angle)
    basis = np.array([[first, 0.0], [second * np.cos(between), second * np.sin(between)]])
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.asarray(basis @ np.array([[cosine, sine], [-sine, cosine]]))


@given(LENGTHS, LENGTHS, ANGLES, st.floats(0, 6.3), WHOLE, WHOLE)
def test_any_basis_of_a_lattice_is_reduced_to_its_shortest_vectors(first, second, angle, turn, one, other):
    change = np.array([[1, one], [0, 1]]) @ np.array([[1, 0], [other, 1]])
    start = basis_of(first, second, angle, turn)
    found = reduced(change @ start)
    assert are_same(found, start, 1e-6)
    assert np.linalg.det(found) == pytest.approx(area(start))
    short, long = sorted(np.hypot(*found.T))
    every = np.array([[u, v] for u in range(-12, 13) for v in range(-12, 13) if (u, v) != (0, 0)]) @ start
    lengths = np.sort(np.hypot(*every.T))
    assert short == pytest.approx(lengths[0])
    assert found[0] @ found[1] <= 1e-9 * short * long


@pytest.mark.parametrize(
    ("first", "second", "angle", "kind"),
    [
        (5.0, 7.0, 90.8, "rectangular"),
        (5.0, 7.0, 92.0, "oblique"),
        (6.0, 6.05, 119.4, "hexagonal"),
        (6.0, 6.5, 120.0, "oblique"),
    ],
)
@pytest.mark.parametrize("turn", [0.0, 0.37, 2.9])
def test_what_is_nearly_right_is_made_right_in_any_orientation(first, second, angle, kind, turn):
    start = basis_of(first, second, angle, turn)
    found, said = idealised(start)
    assert said == kind
    between = np.degrees(np.arccos(found[0] @ found[1] / np.prod(np.hypot(*found.T))))
    if kind != "oblique":
        assert between == pytest.approx(90.0 if kind == "rectangular" else 120.0, abs=1e-6)
    assert are_same(found, start, 0.03)


def test_a_finer_lattice_is_another_one():
    start = basis_of(5.0, 7.0, 90.0)
    assert not are_same(start * [[0.5], [1.0]], start, 0.01)
    assert not are_same(start * 1.02, start, 0.01)
    assert are_same(start * 1.005, start, 0.01)


def test_the_lattice_that_some_vectors_span():
    even = np.array([[2.0, 0.0], [0.0, 2.0], [4.0, 2.0]])
    np.testing.assert_array_equal(coarser_lattices(even)[0], [[2, 0], [0, 2]])
    centred = np.array([[1.0, 1.0], [1.0, -1.0], [2.0, 0.0]])
    np.testing.assert_array_equal(coarser_lattices(centred), [[[1, 1], [0, 2]]])
    by_two_and_three = np.array([[2.0, 0.0], [0.0, 3.0], [2.0, 3.0]])
    np.testing.assert_array_equal(coarser_lattices(by_two_and_three)[0], [[2, 0], [0, 3]])
    assert coarser_lattices(np.array([[1.0, 0.0], [0.0, 1.0]])) == []
    assert coarser_lattices(np.zeros((0, 2))) == []


def test_a_lattice_of_some_vectors_of_another_is_the_coarser_one():
    fine = basis_of(5.0, 7.0, 100.0)
    centred = np.array([[1.0, 1.0], [1.0, -1.0]]) @ fine
    assert is_coarser(centred * 1.005, fine, 0.06)
    assert not is_coarser(fine, centred, 0.06)
    assert not is_coarser(fine * 1.01, fine, 0.06)
    assert not is_coarser(fine * [[1.5], [1.0]], fine, 0.06)


@pytest.mark.parametrize("vector", [(1, 0), (0, -1), (2, 4), (3, -2), (-5, 6)])
def test_a_vector_beside_a_row_spans_the_lattice_with_it(vector):
    primitive = np.array(vector) / np.gcd(*vector)
    assert np.linalg.det(np.stack([primitive, beside(np.array(vector, np.float64))])) == pytest.approx(1)
