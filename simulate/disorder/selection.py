"""Which planes to keep so that no two are nearer to one another than a threshold.

Planes are taken in a given order; each is kept unless it is nearer than the threshold to one that was kept before. The
result is maximal (every plane left out repeats one that is kept), and depends on the order and on nothing else.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray
from dsfu.simulate.checks import finite_array, number_between
from dsfu.simulate.disorder.embedding import EMBEDDING_SIZE, EmbeddingArray, checked_vectors

_FEW: Final = 1000
"""Up to so many vectors, comparing all takes less time than preparing a search."""

_COORDINATES: Final = 8
"""Coordinates by which a search rules out pairs before it compares their whole vectors."""

_MOST_CELLS: Final = 1000
"""Largest number of cells along each of the two first coordinates."""

_SLACK: Final = 1 + 1e-6
"""Coordinates are rounded; the search makes sure that none of its bounds is too tight for it."""

_BLOCK: Final = 8192


@dataclass(frozen=True, eq=False)
class Selection:
    """What was kept, and what the others repeat.

    Attributes
    ----------
    kept
        (planes,): whether the plane is kept.
    duplicate_of
        (planes,): number of the nearest plane, of those kept before it, that a plane left out repeats; −1 if kept.
    distance
        (planes,): distance to that plane; NaN if kept.
    """

    kept: BoolArray
    duplicate_of: IntArray
    distance: FloatArray

    @property
    def share_removed(self) -> float:
        return 1 - float(self.kept.mean()) if len(self.kept) else 0.0


def select_by_vectors(
    vectors: EmbeddingArray, threshold: float, unit: float, order: npt.ArrayLike | None = None
) -> Selection:
    """Select planes by their vectors (planes, EMBEDDING_SIZE), so that kept ones are ``threshold`` or more apart.

    The decisions are exact, whether there are two hundred planes or two hundred thousand.

    Parameters
    ----------
    threshold
        A distance; 0 keeps everything.
    unit
        The distance for which a Euclidean distance of 1 between vectors stands.
    order
        Every plane's number once, in the order in which they are taken; by default as they come.
    """
    vectors = checked_vectors("vectors", vectors)
    limit = number_between("threshold", threshold, 0.0, np.inf) / unit
    taken = _checked_order(order, len(vectors))
    ordered = np.ascontiguousarray(vectors if order is None else vectors[taken])
    coordinates = _search_coordinates(ordered) if len(vectors) > _FEW else np.zeros((len(vectors), 2))
    nearest, squares = _take_in_turn(ordered, limit**2, coordinates, _cells(coordinates, limit))
    return _selection(taken, nearest, unit * np.sqrt(squares))


def select_by_distances(distances: npt.ArrayLike, threshold: float, order: npt.ArrayLike | None = None) -> Selection:
    """The same by a matrix (planes, planes) of distances of any metric."""
    matrix = finite_array("distances", distances, (None, None))
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"distances has shape {matrix.shape}: expected as many rows as columns")
    threshold = number_between("threshold", threshold, 0.0, np.inf)
    taken = _checked_order(order, len(matrix))
    nearest = np.full(len(matrix), -1)
    found = np.zeros(len(matrix))
    kept: list[int] = []
    for turn, plane in enumerate(taken):
        to_kept = matrix[plane, taken[kept]]
        if len(kept) and to_kept.min() < threshold:
            nearest[turn], found[turn] = kept[int(to_kept.argmin())], to_kept.min()
        else:
            kept.append(turn)
    return _selection(taken, nearest, found)


def _checked_order(order: npt.ArrayLike | None, count: int) -> IntArray:
    if order is None:
        return np.arange(count)
    taken = np.asarray(order)
    if taken.shape != (count,) or not np.array_equal(np.sort(taken), np.arange(count)):
        raise ValueError(f"order = {order!r}: expected every number from 0 to {count - 1} once")
    return taken.astype(np.int64)


def _selection(taken: IntArray, nearest: IntArray, found: FloatArray) -> Selection:
    """From turns to planes."""
    duplicate_of = np.full(len(taken), -1)
    distance = np.full(len(taken), np.nan)
    repeats = nearest >= 0
    duplicate_of[taken[repeats]] = taken[nearest[repeats]]
    distance[taken[repeats]] = found[repeats]
    return Selection(duplicate_of < 0, duplicate_of, distance)


def _search_coordinates(vectors: EmbeddingArray) -> FloatArray:
    """A few coordinates of each vector whose Euclidean distance is at most the distance of the vectors.

    Principal components of the half that a turn of the plane leaves alone, and the length of the other half, which a
    turn leaves alone too. The axes need not be the same on every machine: they decide what is looked at, and not what
    is found.
    """
    half = EMBEDDING_SIZE // 2
    some = vectors[:: max(1, len(vectors) // _BLOCK), :half].astype(np.float64)
    _, axes = np.linalg.eigh(np.cov(some, rowvar=False))
    axes = axes[:, :-_COORDINATES:-1]
    coordinates = np.empty((len(vectors), _COORDINATES))
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK].astype(np.float64)
        coordinates[start : start + _BLOCK, :-1] = block[:, :half] @ axes
        coordinates[start : start + _BLOCK, -1] = np.linalg.norm(block[:, half:], axis=1)
    return coordinates


def _cells(coordinates: FloatArray, limit: float) -> IntArray:
    """Cell (i, j) of each vector on a grid over the first two coordinates; neighbours within ``limit`` adjoin."""
    if not len(coordinates):
        return np.zeros((0, 2), np.int64)
    places = coordinates[:, :2] - coordinates[:, :2].min(axis=0)
    width = np.maximum(limit * _SLACK, places.max(axis=0) / _MOST_CELLS)
    return np.asarray(np.floor_divide(places, np.where(width > 0, width, 1.0)), dtype=np.int64)


@njit(nogil=True, cache=True)
def _take_in_turn(
    vectors: EmbeddingArray, limit_squared: float, coordinates: FloatArray, cells: IntArray
) -> tuple[IntArray, FloatArray]:
    """Turn of the nearest vector kept before, nearer than the limit, and its squared distance; −1 for kept ones.

    The kept vectors of a cell of the grid are a list, linked through ``following``. Only lists of adjoining cells are
    gone through, and the whole vectors are compared only where the coordinates do not rule it out.
    """
    count, half = vectors.shape[0], vectors.shape[1] // 2
    nearest = np.full(count, -1, np.int64)
    squares = np.zeros(count)
    following = np.full(count, -1, np.int64)
    wide = cells[:, 0].max() + 1 if count else 0
    high = cells[:, 1].max() + 1 if count else 0
    newest = np.full((wide, high), -1, np.int64)
    for turn in range(count):
        least = limit_squared
        found = -1
        for i in range(max(cells[turn, 0] - 1, 0), min(cells[turn, 0] + 2, wide)):
            for j in range(max(cells[turn, 1] - 1, 0), min(cells[turn, 1] + 2, high)):
                other = newest[i, j]
                while other >= 0:
                    if not _ruled_out(coordinates[turn], coordinates[other], least):
                        square = _squared_distance(vectors[turn], vectors[other], half, least)
                        if square < least or (square == least and found > other):
                            least, found = square, other
                    other = following[other]
        if found >= 0:
            nearest[turn], squares[turn] = found, least
        else:
            following[turn] = newest[cells[turn, 0], cells[turn, 1]]
            newest[cells[turn, 0], cells[turn, 1]] = turn
    return nearest, squares


@njit(nogil=True, cache=True)
def _ruled_out(one: FloatArray, other: FloatArray, limit_squared: float) -> bool:
    """Whether the coordinates alone are further apart than the limit."""
    bound = limit_squared * _SLACK + 1
    square = 0.0
    for k in range(one.shape[0]):
        square += (one[k] - other[k]) ** 2
        if square > bound:
            return True
    return False


@njit(nogil=True, cache=True)
def _squared_distance(one: EmbeddingArray, other: EmbeddingArray, half: int, limit_squared: float) -> float:
    """Square of the smaller distance from ``one`` to ``other`` and to its twin; infinite if half of it is too much."""
    even = np.int64(0)
    for k in range(half):
        difference = np.int64(one[k]) - np.int64(other[k])
        even += difference * difference
    if even > limit_squared:
        return np.inf
    same, turned = np.int64(0), np.int64(0)
    for k in range(half, 2 * half):
        difference = np.int64(one[k]) - np.int64(other[k])
        total = np.int64(one[k]) + np.int64(other[k])
        same += difference * difference
        turned += total * total
    return float(even + min(same, turned))
