"""Least squares between bounds for residuals that are many and parameters that are few."""

from collections.abc import Callable
from typing import Final

import numpy as np

from dsfu.simulate.arrays import BoolArray, FloatArray

_ENOUGH: Final = 1e-4
"""Relative fall of the cost below which no further step is taken. Chosen: R falls by half of it, told to 1e-3."""

_TRIES: Final = 6
"""How often a step is shortened before the place is taken for the lowest. Chosen."""

_NOTHING: Final = 1e-14
"""Share of the largest diagonal element below which a parameter does nothing, and stays."""

_FIRST_DAMPING: Final = 1e-3
"""Of the diagonal of the normal matrix (Marquardt 1963)."""


def bounded_least_squares(
    residual: Callable[[FloatArray], FloatArray], jacobian: Callable[[FloatArray], FloatArray], start: FloatArray,
    low: FloatArray, high: FloatArray, steps: int,
) -> FloatArray:  # fmt: skip
    """Values that lower Σ 2(√(1 + r²) − 1) after at most so many steps.

    Normal equations, since a decomposition of thousands of rows costs more than the pattern itself, and far more where
    BLAS spreads so small a task over threads that others want. What lies at a bound and wants beyond is held.
    """
    values = np.clip(start, low, high)
    rest = residual(values)
    cost, damping = robust_cost(rest), _FIRST_DAMPING
    for _ in range(steps):
        slopes = jacobian(values)
        weighted = slopes / np.sqrt(1 + rest**2)[:, None]
        gradient, normal = weighted.T @ rest, weighted.T @ slopes
        free = ~((values <= low) & (gradient > 0) | (values >= high) & (gradient < 0))
        before = cost
        for _ in range(_TRIES):
            trial = np.clip(values + _step(normal, gradient, free, damping), low, high)
            other = residual(trial)
            if robust_cost(other) < cost:
                values, rest, cost, damping = trial, other, robust_cost(other), 0.3 * damping
                break
            damping *= 5
        if before - cost < _ENOUGH * before:
            break
    return values


def _step(normal: FloatArray, gradient: FloatArray, free: BoolArray, damping: float) -> FloatArray:
    step = np.zeros(len(gradient))
    diagonal = np.diag(normal)
    moves = free & (diagonal > _NOTHING * diagonal.max())
    # In units of the diagonal, parameters of any size are solved for alike.
    unit = 1 / np.sqrt(diagonal[moves])
    damped = normal[np.ix_(moves, moves)] * np.outer(unit, unit) + (damping + 1e-12) * np.eye(len(unit))
    step[moves] = -unit * np.linalg.solve(damped, unit * gradient[moves])
    return step


def robust_cost(rest: FloatArray) -> float:
    """Σ 2(√(1 + r²) − 1): squares of what is small, twice what is large."""
    return float(2 * (np.sqrt(1 + rest**2) - 1).sum())
