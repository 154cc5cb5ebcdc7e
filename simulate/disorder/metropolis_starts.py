"""Boxes to start a simulation from: one with less order than the equilibrium has, and one with more.

A simulation that starts from disorder has its order grow, one that starts from order has it melt. Where the two meet,
nothing is left of either start. That is why there are two, and why each is extreme but has the right composition and,
roughly, the right anisotropy.
"""

from math import sqrt
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.disorder.site_bits import SHIFT_32, WordArray
from dsfu.simulate.random_stream import RandomStream, random_word

_STACKINGS: Final = 64
"""Random stackings of planes from which the best is taken."""

_ONE = np.uint64(1)
_TWO_32: Final = float(1 << 32)
_ALL_BITS: Final = (1 << 64) - 1


def disordered_start(edge: int, sites_a: int, axis: int, alpha: float, stream: RandomStream) -> WordArray:
    """Rows of independent chains along one axis: the maximum-entropy box for the target of that axis alone."""
    rows = np.zeros((edge, edge), dtype=np.uint64)
    fraction_a = sites_a / edge**3
    # α of neighbours says that P(A after A) = m_A + α m_B and P(A after B) = m_A (1 − α).
    after_a, after_b = fraction_a + alpha * (1 - fraction_a), fraction_a * (1 - alpha)
    thresholds = [_threshold(p) for p in (fraction_a, after_a, after_b)]
    _fill_chains(rows, axis, np.array(thresholds, dtype=np.uint64), np.uint64(stream.child("chains").key))
    _correct_composition(rows, sites_a, np.uint64(stream.child("composition").key))
    return rows


def ordered_start(edge: int, sites_a: int, targets: FloatArray, order: FloatArray, stream: RandomStream) -> WordArray:
    """One domain of all that is rare, alternating along axes of repulsion, disturbed to the anisotropy of the targets.

    Parameters
    ----------
    targets
        (3,) α of the nearest neighbours along the axes.
    order
        (3,) each target as a share of the most extreme one of its sign, 0 to 1.
    """
    axes = np.argsort(-order, kind="stable")
    repels = targets[axes] < 0
    flip = 2 * sites_a > edge**3
    count = edge**3 - sites_a if flip else sites_a
    rows = np.zeros((edge, edge), dtype=np.uint64)
    side = _domain_side(edge, count * (2 if repels.any() else 1))
    on_planes = _sites_on_planes(edge, count, side, repels)
    _place_domain(rows, count, side, axes, repels, *_scrambled_rows(order[axes], on_planes, stream))
    if flip:
        rows ^= np.uint64(_ALL_BITS >> (64 - edge))
    return rows


def _threshold(probability: float) -> int:
    return int(min(max(probability, 0.0), 1.0) * _TWO_32)


def _domain_side(edge: int, sites: int) -> int:
    """Edge of a cube of so many sites; of the box, where a slab has less surface than a cube."""
    if 3 * sites > edge**3:
        return edge
    return next(side for side in range(2, edge + 1, 2) if side**3 >= sites)


def _scrambled_rows(order: FloatArray, sites_on_planes: IntArray, stream: RandomStream) -> tuple[IntArray, IntArray]:
    """Where each row of the domain goes and how far it is shifted along itself.

    Planes, and then rows, are moved so that order along the three axes is in the proportion of ``order``, which falls
    from the axis of the rows over the second axis to the third.
    """
    edge = sites_on_planes.size
    second = order[1] / order[0] if order[0] > 0 else 0.0
    third = order[2] / order[1] if order[1] > 0 else 0.0
    planes = _stacking(sites_on_planes, third, stream.child("planes"))
    plane_shifts = _shifts(planes, edge, stream.child("plane shifts"))
    rows = planes[:, np.newaxis] * edge + (np.arange(edge) + plane_shifts[:, np.newaxis]) % edge
    moves = _partly_permuted(edge * edge, second, stream.child("rows"))
    return rows.ravel()[moves], _shifts(moves, edge, stream.child("row shifts"))


def _stacking(sites_on_planes: IntArray, share: float, stream: RandomStream) -> IntArray:
    """Where each plane goes, so that of the order between planes that share remains.

    Planes that are full or empty cannot be rearranged by single swaps later, and there are few of them: so of several
    random stackings, the one whose order is closest to the share is taken.
    """

    def order(sites: IntArray) -> int:
        return int((sites * np.roll(sites, 1)).sum())

    without = int(sites_on_planes.sum()) ** 2 / sites_on_planes.size
    wanted = without + share * (order(sites_on_planes) - without)
    stackings = [_partly_permuted(sites_on_planes.size, share, stream.child(i)) for i in range(_STACKINGS)]
    return min(stackings, key=lambda stacking: abs(order(sites_on_planes[np.argsort(stacking)]) - wanted))


def _partly_permuted(count: int, share: float, stream: RandomStream) -> IntArray:
    """A permutation that leaves that share of neighbouring pairs in place, thus its root of the members."""
    order = np.arange(count)
    kept = (stream.words(count) >> SHIFT_32) < np.uint64(_threshold(sqrt(share)))
    moved = np.flatnonzero(~kept)
    order[moved] = moved[np.argsort(stream.words(moved.size), kind="stable")]
    return order


def _shifts(permutation: IntArray, edge: int, stream: RandomStream) -> IntArray:
    """A random shift for each member that is moved, so that a domain smaller than the box is spread over all of it."""
    shifts = (stream.words(permutation.size) % np.uint64(edge)).astype(np.int64)
    return np.where(permutation == np.arange(permutation.size), 0, shifts)


def _sites_on_planes(edge: int, count: int, side: int, repels: npt.NDArray[np.bool_]) -> IntArray:
    """Number of the domain's sites on each plane of its third axis."""
    capacity = np.full(edge, side * side)
    if repels[:2].any():
        capacity //= 2
    elif repels[2]:
        capacity[1::2] = 0
    filled = np.minimum(np.cumsum(capacity), count)
    return np.asarray(np.diff(filled, prepend=0))


@njit(nogil=True, cache=True)
def _fill_chains(rows: WordArray, axis: int, thresholds: WordArray, key: np.uint64) -> None:
    edge = rows.shape[0]
    counter = np.uint64(0)
    for i in range(edge):
        for j in range(edge):
            threshold = thresholds[0]
            for k in range(edge):
                is_a = (random_word(key, counter) >> SHIFT_32) < threshold
                counter += _ONE
                threshold = thresholds[1] if is_a else thresholds[2]
                if is_a:
                    _flip(rows, axis, i, j, k)


@njit(inline="always")
def _flip(rows: WordArray, axis: int, i: int, j: int, k: int) -> None:
    """Change the species of the site at k along ``axis`` and at i, j along the other two in their order."""
    if axis == 0:
        rows[k, i] ^= _ONE << np.uint64(j)
    elif axis == 1:
        rows[i, k] ^= _ONE << np.uint64(j)
    else:
        rows[i, j] ^= _ONE << np.uint64(k)


@njit(nogil=True, cache=True)
def _correct_composition(rows: WordArray, sites_a: int, key: np.uint64) -> None:
    """Turn over sites at random until there are so many A."""
    edge = np.uint64(rows.shape[0])
    missing = sites_a
    for row in rows.ravel():
        while row != np.uint64(0):
            # Takes away the lowest bit that is set.
            row &= row - _ONE
            missing -= 1
    counter = np.uint64(0)
    while missing != 0:
        word = random_word(key, counter)
        counter += _ONE
        x, y, z = word % edge, (word >> np.uint64(20)) % edge, (word >> np.uint64(40)) % edge
        is_a = (rows[x, y] >> z) & _ONE == _ONE
        if is_a == (missing < 0):
            rows[x, y] ^= _ONE << z
            missing += 1 if missing < 0 else -1


@njit(nogil=True, cache=True)
def _place_domain(
    rows: WordArray,
    count: int,
    side: int,
    axes: IntArray,
    repels: npt.NDArray[np.bool_],
    row_goes_to: IntArray,
    row_shifts: IntArray,
) -> None:
    edge = rows.shape[0]
    site = np.zeros(3, dtype=np.int64)
    for third in range(edge):
        for second in range(side):
            goes_to, shift = row_goes_to[third * edge + second], row_shifts[third * edge + second]
            site[axes[1]], site[axes[2]] = goes_to % edge, goes_to // edge
            for first in range(side):
                # A checkerboard along axes where A repels A, filled along the others: alternate sites are left to B.
                parity = first * repels[0] + second * repels[1] + third * repels[2]
                if count > 0 and parity % 2 == 0:
                    site[axes[0]] = (first + shift) % edge
                    rows[site[0], site[1]] |= _ONE << np.uint64(site[2])
                    count -= 1
