"""Curvatures against sums over pixels written out, and against second derivatives of the objective."""

import numpy as np
import torch

from dsfu.model.measured.solver.patterson import grid_step, patterson_terms
from dsfu.model.measured.solver.preconditioner import (
    Preconditioner,
    block_of,
    order_curvature,
    smooth_curvature,
    smooth_diagonal,
    wide_terms,
)
from dsfu.model.measured.solver.series import Terms
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.lattice import Cell

PIXELS = 32


def waves(terms: Terms, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    angles = np.column_stack([x, y]) @ terms.vectors.T + terms.phases
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


def test_curvature_along_the_form_factor_is_the_sum_over_pixels() -> None:
    cell = Cell(5, 4, 6, 90, 105, 90)
    plane = layer(cell, "b", 0.3, 3.0, PIXELS)
    patterson = patterson_terms(plane, cell, 0.42)
    chosen = wide_terms(patterson)
    weight = np.random.default_rng(1).uniform(0, 2, (PIXELS, PIXELS))
    found = smooth_curvature(patterson.terms, grid_step(plane), plane.offsets, torch.as_tensor(weight), chosen)
    x, y = (each.ravel() for each in np.meshgrid(plane.offsets, plane.offsets))
    design = waves(patterson.terms, x, y)[:, chosen]
    np.testing.assert_allclose(found.numpy(), design.T @ (weight.ravel()[:, None] * design), atol=1e-8)
    assert (chosen >= len(patterson.terms)).sum() == (chosen < len(patterson.terms)).sum() - 1
    alone = smooth_diagonal(patterson.terms, grid_step(plane), plane.offsets, torch.as_tensor(weight)).numpy()
    np.testing.assert_allclose(alone, weight.ravel() @ waves(patterson.terms, x, y) ** 2, atol=1e-8)


def test_only_so_many_coefficients_of_a_large_cell_are_in_its_block() -> None:
    cell = Cell(14.1, 14.1, 6.92, 90, 90, 120)
    patterson = patterson_terms(layer(cell, "c", 1, 7.0, 128), cell, 0.7)
    chosen = wide_terms(patterson)
    assert len(chosen) == 2000
    assert (np.diff(chosen) > 0).all()
    count, both = len(patterson.terms), np.r_[patterson.deviation, patterson.deviation * patterson.terms.has_sine]
    assert both[chosen].min() >= np.delete(both, chosen).max()
    assert set(chosen[chosen >= count] - count) <= set(chosen[chosen < count])


def test_curvature_along_short_range_order_is_the_sum_over_pixels() -> None:
    rng = np.random.default_rng(2)
    terms = Terms(vectors=rng.normal(size=(7, 2)), phases=rng.normal(size=7), has_sine=np.ones(7, np.bool_))
    offsets, weight = rng.normal(size=12), rng.uniform(0, 2, (12, 12))
    found = order_curvature(terms, offsets, torch.as_tensor(weight)).numpy()
    x, y = (each.ravel() for each in np.meshgrid(offsets, offsets))
    design = waves(terms, x, y)
    np.testing.assert_allclose(found, design.T @ (weight.ravel()[:, None] * design), rtol=1e-4, atol=1e-3)


def test_a_preconditioner_takes_a_quadratic_to_its_minimum_in_one_step() -> None:
    rng = np.random.default_rng(3)
    roots = rng.normal(size=(2, 4, 4))
    curvature = torch.as_tensor(roots @ roots.transpose(0, 2, 1) + np.eye(4))
    like = torch.zeros(2, 5, dtype=torch.float64)
    places = np.array([0, 2, 3, 4])
    blocks = [block_of(i, places, curvature[i], like) for i in range(2)]
    diagonal = torch.full((2, 5), 8.0, dtype=torch.float64)
    start = torch.as_tensor(rng.normal(size=(2, 5)))
    gradient = 8 * start
    for i in range(2):
        gradient[i, places] = curvature[i] @ start[i, places]
    np.testing.assert_allclose(Preconditioner(blocks, diagonal)(gradient).numpy(), start.numpy(), atol=1e-10)
