"""Against sums over waves, written out."""

import numpy as np
import pytest
import torch

from dsfu.model.measured.factorise.patterson_grid import PattersonGrid
from dsfu.model.measured.solver.patterson import falloff, patterson_terms
from dsfu.simulate.disorder.planes import Plane, layer
from dsfu.simulate.lattice import Cell

CELL = Cell(5.0, 6.0, 7.0, 90.0, 100.0, 90.0)
WIDTH, OVERSAMPLING = 0.42, 1.6


def planes() -> list[Plane]:
    return [layer(CELL, "b", 0, 6.0, 48), layer(CELL, "b", 1, 6.0, 48), layer(CELL, "a", 2, 5.0, 33)]


def waves(plane: Plane) -> np.ndarray:
    """(2 terms, y, x): E cos q·r, then E sin q·r where that is a variable and nothing where it is not."""
    terms = patterson_terms(plane, CELL, WIDTH, OVERSAMPLING).terms
    y, x = np.meshgrid(plane.offsets, plane.offsets, indexing="ij")
    angles = terms.vectors[:, 0, None, None] * x + terms.vectors[:, 1, None, None] * y
    every: np.ndarray = falloff(plane) * np.concatenate(
        [np.cos(angles), np.sin(angles) * terms.has_sine[:, None, None]]
    )
    return every


@pytest.mark.parametrize("plane", planes(), ids=["through the origin", "above it", "another"])
def test_the_series_its_transposed_and_its_curvature(plane: Plane):
    grid, every = PattersonGrid(plane, CELL, WIDTH, OVERSAMPLING), waves(plane)
    given = np.random.default_rng(1).normal(size=len(every)) * (grid.deviation > 0).numpy().reshape(-1)
    as_given = torch.as_tensor(given).float().view(2, -1)
    weight = np.random.default_rng(2).random(every.shape[1:])
    series = np.tensordot(given, every, 1)
    onto = np.tensordot(every, weight, 2)
    curved = np.tensordot(every, weight * series, 2)
    np.testing.assert_allclose(
        grid.at(as_given) / np.abs(series).max(), series / np.abs(series).max(), rtol=0, atol=1e-4
    )
    found = grid.onto(torch.as_tensor(weight).float()).reshape(-1)
    np.testing.assert_allclose(found / np.abs(onto).max(), onto / np.abs(onto).max(), rtol=0, atol=1e-4)
    found = grid.curvature(torch.as_tensor(weight).float())(as_given).reshape(-1)
    np.testing.assert_allclose(found / np.abs(curved).max(), curved / np.abs(curved).max(), rtol=0, atol=1e-4)


def test_power_is_averaged_over_neighbours_and_mirror_images():
    plane = layer(CELL, "b", 1, 6.0, 48)
    grid = PattersonGrid(plane, CELL, WIDTH, OVERSAMPLING)
    vectors = patterson_terms(plane, CELL, WIDTH, OVERSAMPLING).terms.vectors
    on_axis = int(np.argmin(np.abs(vectors - [1.0, 0.0]).sum(axis=1)))
    single = torch.zeros(2, len(vectors))
    single[1, on_axis] = 3.0
    power = grid.neighbourhood_power(single, 0.2)
    assert np.argmax(power[0]) == on_axis
    step = np.diff(np.unique(vectors[:, 1])).min()
    above, below = (
        np.linalg.norm(vectors - [x, step], axis=1).argmin() for x in vectors[on_axis, 0] * np.array([1, -1])
    )
    assert power[0, above] == pytest.approx(power[0, below])  # what is below is kept as its mirror image
    assert power[0, above] > 0.1
    far = np.minimum(*(np.linalg.norm(vectors - sign * vectors[on_axis], axis=1) for sign in (1, -1)))
    assert power[0, far > 1.0].max() < 0.01
    assert grid.neighbourhood_power(single, 1e-6)[0, on_axis] == pytest.approx(9.0 / 2)


def test_sines_of_a_plane_through_the_origin_are_no_variables():
    grid = PattersonGrid(layer(CELL, "b", 0, 6.0, 48), CELL, WIDTH, OVERSAMPLING)
    assert (grid.deviation[1] == 0).all()
    assert (grid.deviation[0] > 0).all()
