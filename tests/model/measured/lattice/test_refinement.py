"""A lattice that is a little wrong is moved to where it was: on intensities written out as waves."""

import numpy as np
import pytest

from dsfu.model.measured.lattice.bases import are_same
from dsfu.model.measured.lattice.refinement import OrderSeries, moved
from tests.model.measured.lattice.test_search import BESIDE, COEFFICIENTS, TURNED, form_factor, measured, ordered

INDICES = np.array(list(COEFFICIENTS), np.float64)
SIZES = 2 * np.array(list(COEFFICIENTS.values()))
SERIES = OrderSeries(indices=INDICES, cosines=SIZES, sines=np.zeros(len(SIZES)))


def wrong(basis: np.ndarray, stretch: float, degrees: float) -> np.ndarray:
    """One edge longer, the other shorter, and the whole turned."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(basis * np.array([[1 + stretch], [1 - stretch]]) @ turn)


@pytest.mark.parametrize("basis", TURNED)
@pytest.mark.parametrize(("noise", "within"), [(0.0, 2e-4), (0.05, 1e-3)])
def test_edges_and_orientation_come_back(basis, noise, within):
    start = wrong(basis, 0.005, 0.3)
    assert not are_same(start, basis, 0.004)
    assert are_same(moved(measured(basis, noise), start, SERIES, form_factor(), ordered(start)), basis, within)


def test_a_plane_whose_q_zero_is_beside_a_pixel_moves_the_same_way():
    basis = np.array([[6.0, 0.5], [0.3, 8.5]])
    start = wrong(basis, 0.005, 0.3)
    data = measured(basis, plane=BESIDE)
    assert are_same(moved(data, start, SERIES, form_factor(), ordered(start, plane=BESIDE)), basis, 2e-4)


def test_what_order_along_one_direction_says_nothing_of_stays():
    basis = np.array([[6.0, 0.0], [0.0, 8.5]])
    row = {(1, 0): 0.3, (2, 0): 0.15}
    series = OrderSeries(indices=np.array([[1.0, 0], [2, 0]]), cosines=np.array([0.6, 0.3]), sines=np.zeros(2))
    start = basis * [[1.004], [1.02]]
    found = moved(measured(basis, order=row), start, series, form_factor(), ordered(start, row))
    assert found[0] == pytest.approx(basis[0], abs=0.002)
    assert found[1] == pytest.approx(start[1], abs=0.01)


def test_a_plane_without_order_moves_nothing():
    basis = np.array([[6.0, 0.0], [0.0, 8.5]])
    nothing = OrderSeries(indices=INDICES, cosines=0 * SIZES, sines=0 * SIZES)
    assert moved(measured(basis), basis, nothing, form_factor(), ordered(basis, {})) is basis
