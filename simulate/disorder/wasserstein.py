"""The Wasserstein distance W_2 itself, decided in two steps: a lower bound on short vectors, and POT where that fails.

A plane is summed over a grid of 16 × 16 cells; the distance of two planes is W_2 between these sums, exactly, or that
to the twin if it is smaller. It is in widths of the part of a plane that is symmetric about its centre (255 of 256
pixels).

The bound. A plan that moves intensity by displacements d moves its projection on a direction u by u · d. Over
directions j · 180° / n, with n > 1, the mean of (u_j · d)² is |d|²/2 whatever d is. The mean over directions of the
squared W_2 of the projections is therefore at most W_2²/2: √2 times the sliced distance is never above W_2. Means over
equal shares of the intensity, of which the vectors are made, make it smaller still; rounding to int16 changes it by
`ROUNDING` at most.

A vector holds what both steps need: EMBEDDING_SIZE numbers for the bound, then the share of each cell in two numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.checks import number_between
from dsfu.simulate.disorder.embedding import (
    DIRECTIONS,
    EMBEDDING_DTYPE,
    EMBEDDING_SIZE,
    LEVELS,
    SLICED_UNIT,
    STEP,
    EmbeddingArray,
    checked_planes,
    halves,
    vector_distances,
)
from dsfu.simulate.disorder.selection import Selection
from dsfu.simulate.disorder.transport import exact, normalised, points_of

GRID: Final = 16
"""Cells along each side: POT takes 4 ms for two planes of 256 cells, and 0.2 s for two of 1024."""

BOUND_UNIT: Final = sqrt(2) * SLICED_UNIT
"""The distance below which W_2 cannot be, for a Euclidean distance of 1 between vectors."""

ROUNDING: Final = sqrt(2) * STEP * sqrt(2)
"""By how much rounding may make the bound too large: one step in every component."""

_HALF: Final = 2**14
"""A share is kept as two int16: whole parts of 2⁻¹⁴, and parts of 2⁻²⁸ that are left."""


@dataclass(frozen=True, eq=False)
class DecidedSelection(Selection):
    """A selection with what the first step said.

    Attributes
    ----------
    candidate_of
        (planes,): number of the plane kept before that is nearest by the bound, if that is below the threshold; else
        −1.
    candidate_distance
        (planes,): the bound of that; else NaN.
    transports
        How often POT was asked.
    """

    candidate_of: IntArray
    candidate_distance: FloatArray
    transports: int


def embed_cells(intensities: npt.ArrayLike) -> EmbeddingArray:
    """Vectors (planes, EMBEDDING_SIZE + 2 cells) of planes (planes, pixels, pixels)."""
    planes = checked_planes("intensities", intensities)
    grid = min(GRID, planes.shape[1] - 1 + planes.shape[1] % 2)
    shares = np.stack([normalised(plane, grid) for plane in planes]) if len(planes) else np.zeros((0, grid, grid))
    kept = np.rint(shares.reshape(len(planes), grid**2) * _HALF**2).astype(np.int64)
    upper, lower = np.divmod(kept, _HALF)
    vectors = [halves(_quantiles(_decoded(upper, lower), grid)), upper, lower]
    return np.concatenate(vectors, axis=1).astype(EMBEDDING_DTYPE)


def shares_of(vectors: EmbeddingArray) -> FloatArray:
    """Share of each cell (planes, grid, grid), of unit sum, from vectors of `embed_cells`."""
    cells = (vectors.shape[1] - EMBEDDING_SIZE) // 2
    upper, lower = (
        vectors[:, EMBEDDING_SIZE + k * cells : EMBEDDING_SIZE + (k + 1) * cells].astype(np.int64) for k in (0, 1)
    )
    return _decoded(upper, lower).reshape(len(vectors), isqrt(cells), isqrt(cells))


def select_exactly(vectors: EmbeddingArray, threshold: float) -> DecidedSelection:
    """Select planes, taken as they come, of which no two are nearer to one another than the threshold by W_2.

    A plane is compared by POT with those kept before it that the bound does not rule out, the nearest by the bound
    first, until the bound of the next is above the distance found.
    """
    limit = number_between("threshold", threshold, 0.0, np.inf)
    shares, bounding = shares_of(vectors), vectors[:, :EMBEDDING_SIZE]
    count = len(vectors)
    nearest, candidate = np.full(count, -1), np.full(count, -1)
    found, bound = np.full(count, np.nan), np.full(count, np.nan)
    kept: list[int] = []
    transports = 0
    for plane in range(count):
        bounds = vector_distances(bounding[plane : plane + 1], bounding[kept], BOUND_UNIT)[0]
        inside = np.flatnonzero(bounds - ROUNDING < limit)
        ordered = inside[np.argsort(bounds[inside], kind="stable")]
        if len(ordered) and bounds[ordered[0]] < limit:
            candidate[plane], bound[plane] = kept[ordered[0]], bounds[ordered[0]]
        least, of, asked = _nearest(shares, plane, [kept[k] for k in ordered], bounds[ordered], limit)
        transports += asked
        if of < 0:
            kept.append(plane)
        else:
            nearest[plane], found[plane] = of, least
    return DecidedSelection(nearest < 0, nearest, found, candidate, bound, transports)


def _nearest(
    shares: FloatArray, plane: int, others: Sequence[int], bounds: FloatArray, limit: float
) -> tuple[float, int, int]:
    """Distance to the nearest of others nearer than the limit, its number or −1, and how often POT was asked."""
    least, of, asked = limit, -1, 0
    for other, bound in zip(others, bounds, strict=True):
        if bound - ROUNDING >= least:
            break
        same, turned = shares[other], shares[other][::-1, ::-1]
        square = min(exact(shares[plane], same), exact(shares[plane], turned))
        asked += 2
        if (distance := sqrt(max(square, 0.0))) < least:
            least, of = distance, other
    return least, of, asked


def _decoded(upper: npt.NDArray[np.int64], lower: npt.NDArray[np.int64]) -> FloatArray:
    shares = (upper * _HALF + lower).astype(np.float64)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float64)


def _quantiles(shares: FloatArray, grid: int) -> FloatArray:
    """Quantile functions (planes, DIRECTIONS, LEVELS) of the projections of shares (planes, cells), as points."""
    points = points_of(grid)
    edges = np.linspace(0.0, 1.0, LEVELS + 1)
    out = np.empty((len(shares), DIRECTIONS, LEVELS))
    for j in range(DIRECTIONS):
        angle = np.pi * j / DIRECTIONS
        along = points @ np.array([np.cos(angle), np.sin(angle)])
        order = np.argsort(along, kind="stable")
        # ∫₀ᵗ q of the quantile function q is linear in t within a cell; its differences between edges are the means.
        masses = shares[:, order]
        reached, moments = (np.cumsum(each, axis=1) for each in (masses, masses * along[order]))
        for n in range(len(shares)):
            integral = np.interp(edges, np.append(0.0, reached[n]), np.append(0.0, moments[n]))
            out[n, j] = np.diff(integral) * LEVELS
    return out
