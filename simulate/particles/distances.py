"""Distances between atoms by products of matrices: without scipy, whose import takes longer than many a fit."""

from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray

_NOTHING: Final = 1e-5
"""What is nearer than this is at one place: differences of squares are exact to some 1e-7 of a distance."""


def distances_between(some: FloatArray, others: FloatArray) -> FloatArray:
    """(some, others): from each to each."""
    middle = some.mean(axis=0)
    a, b = some - middle, others - middle
    # |a − b|² = a² + b² − 2 a·b
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * (a @ b.T)
    squares[squares < _NOTHING**2] = 0.0
    return np.asarray(np.sqrt(squares))


def pair_distances(positions: FloatArray) -> FloatArray:
    """Of each two atoms once."""
    upper = np.tri(len(positions), k=-1, dtype=np.bool_).T
    return np.asarray(distances_between(positions, positions)[upper])
