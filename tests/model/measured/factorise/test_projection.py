"""A network's I_SRO put on a lattice, on orders that are formulas."""

import numpy as np
import pytest

from dsfu.model.measured.factorise.projection import project
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.planes import Plane, layer
from dsfu.simulate.lattice import Cell

CELLS = {
    "hexagonal": Cell(7.0, 7.0, 5.0, 90, 90, 120),
    "triclinic": Cell(6.0, 7.0, 8.0, 80, 95, 110),
}
VECTORS = np.array([[1, 0, 0], [0, 1, 1], [1, -2, 1], [2, 1, 0]])
VALUES = np.array([0.15, -0.1, 0.08, 0.05])


def order(plane: Plane, cell: Cell) -> FloatArray:
    phases = 2 * np.pi * plane.hkl(cell) @ VECTORS.T
    return np.asarray(1 + 2 * np.cos(phases) @ VALUES)


@pytest.mark.parametrize("index", [0.0, 0.5, 0.3])
@pytest.mark.parametrize("name", CELLS)
def test_order_on_the_lattice_stays_as_it_is(name: str, index: float) -> None:
    cell = CELLS[name]
    plane = layer(cell, "c", index, 5.0, 48)
    truth = order(plane, cell)
    found = project(truth.astype(np.float32), plane, cell, 3)
    np.testing.assert_allclose(found.sro, np.maximum(truth, 0), atol=1e-3)
    assert found.captured > 0.9999


def test_errors_that_no_order_makes_go_away() -> None:
    """White noise is left with the share of its variance that the fit has coefficients for."""
    cell = CELLS["hexagonal"]
    plane = layer(cell, "c", 1.0, 5.0, 96)
    truth = order(plane, cell)
    noise = np.random.default_rng(3).normal(0, 0.3, truth.shape)
    found = project((truth + noise).astype(np.float32), plane, cell, 3)
    before, after = np.square(noise).mean(), np.square(found.sro - truth).mean()
    assert after < before / 50
    assert found.captured == pytest.approx(truth.var() / (truth.var() + noise.var()), abs=0.03)


def test_a_wave_of_no_lattice_vector_is_not_described() -> None:
    cell = CELLS["hexagonal"]
    plane = layer(cell, "c", 1.0, 5.0, 96)
    foreign = 1 + 0.5 * np.cos(plane.q @ [3.1, 1.3, 0.0])
    found = project(foreign.astype(np.float32), plane, cell, 3)
    assert found.captured < 0.1
    assert found.sro.min() >= 0
    assert found.sro.mean() == pytest.approx(foreign.mean(), rel=1e-5)


def test_a_plane_without_order_is_one() -> None:
    cell = CELLS["triclinic"]
    plane = layer(cell, "a", 0.3, 5.0, 48)
    found = project(np.ones((48, 48), np.float32), plane, cell, 4)
    np.testing.assert_allclose(found.sro, 1, atol=1e-5)
