import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from dsfu.simulate.lattice import Cell, vegard_cell
from tests.simulate.strategies import cells, seeds


@given(cells())
def test_reciprocal_vectors_are_dual_with_two_pi(cell: Cell) -> None:
    np.testing.assert_allclose(cell.vectors @ cell.reciprocal.T, 2 * np.pi * np.eye(3), atol=1e-9)


@given(cells())
def test_vectors_have_the_given_lengths_and_angles(cell: Cell) -> None:
    a, b, c = cell.vectors
    np.testing.assert_allclose(np.linalg.norm(cell.vectors, axis=1), [cell.a, cell.b, cell.c])
    for first, second, angle in ((b, c, cell.alpha), (a, c, cell.beta), (a, b, cell.gamma)):
        cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
        assert np.degrees(np.arccos(cosine)) == pytest.approx(angle)
    assert cell.volume == pytest.approx(np.linalg.det(cell.vectors))


@given(cells(), seeds)
def test_cell_of_rotated_vectors_is_the_same_cell(cell: Cell, seed: int) -> None:
    turned = Rotation.random(rng=seed).apply(np.array(cell.vectors))
    np.testing.assert_allclose(Cell.from_vectors(turned).constants, cell.constants, rtol=1e-9)


@given(cells(), st.tuples(*[st.floats(-9, 9)] * 3))
def test_hkl_survives_the_way_through_q(cell: Cell, hkl: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(cell.hkl_of_q(cell.q_of_hkl(hkl)), hkl, atol=1e-9)


def test_hexagonal_cell_with_unique_b_has_b_along_y() -> None:
    cell = Cell(7.0, 3.5, 7.0, 90.0, 120.0, 90.0)
    np.testing.assert_array_equal(cell.vectors[1], [0.0, 3.5, 0.0])
    np.testing.assert_allclose(cell.vectors[2], [-3.5, 0.0, 7.0 * np.sqrt(3) / 2], atol=1e-12)


def test_vegard_weighs_each_species_with_its_own_fraction() -> None:
    mixed = vegard_cell(Cell(4.0, 4.0, 4.0), Cell(6.0, 8.0, 6.0), fraction_a=0.25)
    assert mixed.constants == (5.5, 7.0, 5.5, 90.0, 90.0, 90.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0.0, 1, 1), ["cell length a", "0.0"]),
        ((1, float("nan"), 1), ["cell length b", "nan"]),
        ((1, 1, 1, 90, 90, 190), ["cell angle gamma", "190"]),
        ((1, 1, 1, 30, 30, 70), ["30", "70", "less than the sum"]),
        ((1, 1, 1, 120, 120, 120), ["120", "volume"]),
        ((1, "wide", 1), ["cell length b", "wide", "number"]),
    ],
)
def test_impossible_cells_are_refused(arguments: tuple[float, ...], words: list[str]) -> None:
    with pytest.raises(ValueError) as error:
        Cell(*arguments)
    assert all(word in str(error.value) for word in words), error.value


def test_left_handed_and_flat_vectors_are_refused() -> None:
    with pytest.raises(ValueError, match="left-handed"):
        Cell.from_vectors([[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    with pytest.raises(ValueError, match="flat"):
        Cell.from_vectors([[1, 0, 0], [0, 1, 0], [1, 1, 0]])
