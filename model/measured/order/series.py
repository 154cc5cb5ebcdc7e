"""The cosine series of short-range order, and what planes can tell of its coefficients.

I_SRO(hkl) = Σ_o α_o Σ_{v in o} cos 2π(hu + kv + lw): one term, a column of the least-squares problem, for each orbit o
of equivalent lattice vectors. On a single plane of reciprocal space some columns are multiples or sums of others; then
only combinations of their α are determined.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.errors import InputError
from dsfu.model.measured.symmetry.orbits import Orbits
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.lattice import Cell

MOST_VECTORS: Final = 20_000
"""Lattice vectors that a refinement takes at the most; a mistyped cutoff makes millions."""

DEPENDENT: Final = 1e-9
"""Share of a column's square that is rounding."""

NEARLY_DEPENDENT: Final = (1e-6, 1e-4)
"""Shares that are tried where some parameter is not determined: at the last, 1 % of a shell may be in the wrong sum."""

_ABSENT: Final = 1e-10
"""Share of the largest column's square under which a column is rounding: a cosine that is zero on all these planes."""

_NO_PART: Final = 1e-4
"""Coefficients below this are rounding."""


def lattice_vectors(
    cell: Cell, *, cutoff: int = 5, cutoff_angstrom: float | None = None, within: str = "abc"
) -> IntArray:
    """Lattice vectors (n, 3), both of ±v and the origin.

    Parameters
    ----------
    cutoff
        Largest |u|, |v|, |w|; not used if there is a length.
    cutoff_angstrom
        Greatest length in Å.
    within
        The axes along which vectors may have a component.
    """
    if cutoff_angstrom is None:
        largest = [cutoff] * 3
    else:  # |u| = |v · a*| / 2π ≤ |v| |a*| / 2π
        largest = np.floor(cutoff_angstrom * np.linalg.norm(cell.reciprocal, axis=1) / (2 * np.pi) + 1e-9).tolist()
    ranges = [int(n) if axis in within else 0 for n, axis in zip(largest, "abc", strict=True)]
    if np.prod([2 * n + 1 for n in ranges]) > MOST_VECTORS:
        raise InputError(
            f"the cutoff takes in lattice vectors up to ±({', '.join(map(str, ranges))})",
            expected=f"at most {MOST_VECTORS} vectors",
            remedy="choose a shorter cutoff",
        )
    grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in ranges), indexing="ij"), axis=-1).reshape(-1, 3)
    if cutoff_angstrom is not None:
        grid = grid[np.linalg.norm(grid @ cell.vectors, axis=1) <= cutoff_angstrom * (1 + 1e-9)]
    return np.asarray(grid, np.int64)


@dataclass(frozen=True, eq=False)
class OrbitSeries:
    """One cosine for each orbit, and the sums of cosines that are the columns."""

    orbits: Orbits

    def columns(self, hkl: npt.ArrayLike, chosen: IntArray | None = None) -> FloatArray:
        """(points, orbits): Σ_{v in orbit} cos 2π hkl·v at points (n, 3); of chosen orbits, or of all."""
        which = np.arange(len(self.orbits)) if chosen is None else chosen
        halves = [_half(self.orbits.members[i]) for i in which]
        starts = np.cumsum([0, *(len(half) for half, _ in halves[:-1])])
        vectors = np.concatenate([half for half, _ in halves])
        factors = np.array([factor for _, factor in halves])
        cosines = np.cos(2 * np.pi * (np.asarray(hkl, np.float64).reshape(-1, 3) @ vectors.T))
        return np.asarray(np.add.reduceat(cosines, starts, axis=1) * factors, np.float64)


def _half(orbit: IntArray) -> tuple[IntArray, float]:
    """One of each ±v of an orbit, and how many times its cosine counts."""
    positive = np.array([v > [0, 0, 0] for v in orbit.tolist()])
    if not positive.any():
        return orbit, 1.0
    return orbit[positive], len(orbit) / float(positive.sum())


@dataclass(frozen=True, eq=False)
class Determined:
    """What can be told of the coefficients.

    Attributes
    ----------
    basis
        Numbers of the columns that are refined, the shortest vectors first.
    others
        Numbers of the columns that lie in the span of those, or are zero.
    parts
        (basis, others): what is refined as coefficient b is β_b + Σ_j parts[b, j] β_j.
    """

    basis: IntArray
    others: IntArray
    parts: FloatArray

    @property
    def alone(self) -> npt.NDArray[np.bool_]:
        """(basis,): whether the coefficient is that of its own column only."""
        return np.asarray(~self.parts.any(axis=1))


def determined(gram: FloatArray, dependent: float = DEPENDENT) -> Determined:
    """Find columns that others can stand for, from the products of all columns (n, n); earlier columns go first.

    Parameters
    ----------
    dependent
        Share of a column's square that is not in the span of others, under which it counts as in it.
    """
    absent = np.diag(gram) <= _ABSENT * np.diag(gram).max()
    sizes = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    scaled = gram / np.outer(sizes, sizes)
    left = scaled.copy()
    basis: list[int] = []
    others: list[int] = []
    for i in range(len(scaled)):
        pivot = left[i, i]
        if absent[i] or pivot <= dependent:
            others.append(i)
            continue
        basis.append(i)
        row = left[i].copy()
        left -= np.outer(row, row / pivot)
    chosen, rest = np.array(basis, np.int64), np.array(others, np.int64)
    parts = np.linalg.solve(scaled[np.ix_(chosen, chosen)], scaled[np.ix_(chosen, rest)])
    parts *= sizes[rest] / sizes[chosen][:, None]
    parts[:, absent[rest]] = 0.0
    parts[np.abs(parts) < _NO_PART] = 0.0
    return Determined(chosen, rest, parts)
