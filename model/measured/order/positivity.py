"""Least squares under conditions: a series that is nowhere negative, and parameters that a crystal can have.

All conditions are linear and without a constant, C β ≥ 0. Of the feasible coefficients the best are those nearest to
the unconstrained ones in the metric of the normal matrix, and by duality they follow from a nonnegative least-squares
problem with one unknown for each condition. Conditions are added where the series is still negative, until it is not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import nnls

from dsfu.model.measured.order.planes import SroPlane
from dsfu.model.measured.order.series import Determined, OrbitSeries
from dsfu.simulate.arrays import FloatArray

_ROUNDS: Final = 60
_NEW_EACH_ROUND: Final = 40
_LOOKED_AT: Final = 1000

_CLOSE: Final = 0.9
"""Cosine between the columns of two points from which they count as one place."""

_NEGATIVE: Final = 1e-6
"""How far below zero, relative to the mean of I_SRO, counts as not negative."""

_MOST_NUMBERS: Final = 2e7
"""Points times columns at which a series is looked at, at the most."""


def nearest_feasible(gram: FloatArray, beta: FloatArray, conditions: FloatArray) -> FloatArray:
    """The β' with conditions · β' ≥ 0 of which (β' − β)ᵀ gram (β' − β) is least."""
    scale = 1 / np.sqrt(np.maximum(np.diag(gram), 1e-300))
    ridge = 1e-13 * np.eye(len(gram))
    # With gram = L Lᵀ the metric is |z|² for z = Lᵀβ. Nearest to z₀ under Aᵀz ≥ 0 is z₀ + A λ with the λ ≥ 0 that makes
    # it shortest: a problem for nnls.
    lower = np.linalg.cholesky(gram * np.outer(scale, scale) + ridge)
    rows = conditions * scale
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    turned = solve_triangular(lower, rows.T, lower=True)  # columns: the conditions on z = lowerᵀ β / scale
    start = lower.T @ (beta / scale)
    size = max(float(np.linalg.norm(start)), 1e-300)
    pushes, _ = nnls(turned, -start / size, maxiter=30 * max(turned.shape))
    return np.asarray(scale * solve_triangular(lower.T, start + size * (turned @ pushes), lower=False))


@dataclass(frozen=True, eq=False)
class Feasible:
    """Coefficients that meet the conditions.

    Attributes
    ----------
    beta
        The coefficients.
    conditions
        (m, n): those that were needed on the way; None if none was violated.
    touching
        At how many points the series is held at zero.
    """

    beta: FloatArray
    conditions: FloatArray | None
    touching: int


def feasible(
    start: FloatArray, solve: Callable[[FloatArray], FloatArray], points: FloatArray, always: FloatArray
) -> Feasible:
    """Add conditions until none is violated.

    Parameters
    ----------
    start
        Coefficients without conditions.
    solve
        Gives the best coefficients under conditions (m, n).
    points
        (points, n): columns where the series may not be negative.
    always
        (m, n): conditions that hold from the start.
    """
    conditions = always
    beta = start
    tolerance = _NEGATIVE * abs(float(start[0]))
    if len(always) and (always @ beta).min() < -tolerance:
        beta = solve(always)
    for _ in range(_ROUNDS):
        values = points @ beta
        fresh = _most_violated(values, points, tolerance)
        if not fresh:
            break
        held = conditions[conditions @ beta < tolerance * 100] if len(conditions) > len(always) else conditions
        conditions = np.concatenate([held, points[fresh]])
        beta = solve(conditions)
    used = len(conditions) > 0 and bool((conditions @ start < -tolerance).any())
    return Feasible(beta, conditions if used else None, int((points @ beta < 10 * tolerance).sum()))


def _most_violated(values: FloatArray, points: FloatArray, tolerance: float) -> list[int]:
    """Points at which the series is negative, the worst first, none close to another."""
    chosen: list[int] = []
    for i in np.argsort(values)[:_LOOKED_AT]:
        if values[i] >= -tolerance or len(chosen) == _NEW_EACH_ROUND:
            break
        if chosen:
            near = points[chosen] @ points[i]
            if (near > _CLOSE * np.linalg.norm(points[chosen], axis=1) * np.linalg.norm(points[i])).any():
                continue
        chosen.append(int(i))
    return chosen


def bound_conditions(known: Determined, bounds: tuple[float, float] | None) -> FloatArray:
    """β_b − least · β_0 ≥ 0 and greatest · β_0 − β_b ≥ 0 for coefficients that are those of one orbit; β_0 ≥ 0."""
    size = len(known.basis)
    rows = []
    if bounds is not None and known.alone[0] and known.basis[0] == 0:
        for number in range(1, size):
            if known.alone[number]:
                for sign, bound in ((1.0, bounds[0]), (-1.0, bounds[1])):
                    row = np.zeros(size)
                    # β = s α with s = β_0 > 0: bounds on α are linear in β, and go through 0.
                    row[number], row[0] = sign, -sign * bound
                    rows.append(row)
    return np.array(rows).reshape(-1, size)


def points_of_the_cell(series: OrbitSeries, known: Determined) -> FloatArray:
    """Columns (points, basis) on a grid over one reciprocal cell, or half of it, as I_SRO(−Q) = I_SRO(Q)."""
    largest = np.abs(np.concatenate([series.orbits.members[i] for i in known.basis])).max(axis=0)
    density = 4.0
    while density > 2.0 and np.prod([density * n + 2 for n in largest if n]) / 2 * len(known.basis) > _MOST_NUMBERS:
        density -= 0.25
    # More than two points for the shortest wave along each axis, an even number of them: half of the cell is then
    # whole.
    counts = [2 * int(np.ceil((density * n + 2) / 2)) if n else 1 for n in largest]
    axes = [np.arange(n) / n for n in counts]
    halved = int(np.argmax(counts))
    axes[halved] = axes[halved][: counts[halved] // 2 + 1]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return _columns(series, hkl, known)


def points_of_planes(series: OrbitSeries, known: Determined, planes: list[SroPlane]) -> FloatArray:
    """Columns (points, basis) on the planes, dead pixels included, each point of the reciprocal cell about once."""
    hkl = np.concatenate([each.plane.hkl(each.cell)[::2, ::2].reshape(-1, 3) for each in planes])
    _, first = np.unique(np.round(hkl % 1.0 * 40).astype(np.int64), axis=0, return_index=True)
    return _columns(series, hkl[first], known)


def _columns(series: OrbitSeries, hkl: FloatArray, known: Determined) -> FloatArray:
    parts = [series.columns(hkl[start : start + 4096], known.basis) for start in range(0, len(hkl), 4096)]
    return np.concatenate(parts)
