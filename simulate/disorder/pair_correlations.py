"""Warren–Cowley parameters read off a box of sites, by counting pairs of A 64 sites at a time."""

from typing import Final

import numpy as np
from numba import njit

from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SHELL_CUTOFF
from dsfu.simulate.disorder.site_bits import WordArray, popcount, rotated

_WIDTH: Final = 2 * SHELL_CUTOFF + 1

_LONGEST_ROW: Final = 64
"""Sites along z, as one word holds them."""


def pair_counts(occupied: BoolArray) -> IntArray:
    """Number of sites r of a periodic box with A both at r and at r + v, for every v = (u, v, w) of ``ALPHA_SHAPE``."""
    box = _checked_box(occupied)
    octets = np.zeros((*box.shape[:2], _LONGEST_ROW // 8), np.uint8)
    packed = np.packbits(box, axis=2, bitorder="little")
    octets[:, :, : packed.shape[2]] = packed
    return np.asarray(pair_counts_of_rows(octets.view("<u8")[:, :, 0].astype(np.uint64), box.shape[2]))


@njit(nogil=True, cache=True)
def pair_counts_of_rows(rows: WordArray, edge: int) -> IntArray:
    """`pair_counts` of a box kept as bits: bit z of rows[x, y] says whether A is on site (x, y, z), 0 ≤ z < edge."""
    count_x, count_y = rows.shape
    counts = np.empty(ALPHA_SHAPE, np.int64)
    # All rows moved along z, and repeated at either end of y, so that those of all y follow one another in memory: the
    # innermost loop is then done on as many words at once as the processor has room for.
    moved = np.empty((count_x, count_y + 2 * SHELL_CUTOFF), np.uint64)
    for w in range(_WIDTH):
        for x in range(count_x):
            for y in range(moved.shape[1]):
                moved[x, y] = rotated(rows[x, (y - SHELL_CUTOFF) % count_y], (SHELL_CUTOFF - w) % edge, edge)
        for u in range(SHELL_CUTOFF, _WIDTH):
            for v in range(_WIDTH):
                total = 0
                for x in range(count_x):
                    x2 = (x + u - SHELL_CUTOFF) % count_x
                    for y in range(count_y):
                        total += popcount(rows[x, y] & moved[x2, y + v])
                counts[u, v, w] = total
                counts[_WIDTH - 1 - u, _WIDTH - 1 - v, _WIDTH - 1 - w] = total  # of −v, which is the same pairs
    return counts


def pair_counts_by_counting(occupied: BoolArray) -> IntArray:
    """The same numbers by shifting the box along every vector: the slow reference for ``pair_counts``."""
    box = _checked_box(occupied)
    counts = np.empty(ALPHA_SHAPE, dtype=np.int64)
    for index in np.ndindex(ALPHA_SHAPE):
        shift = tuple(SHELL_CUTOFF - i for i in index)
        counts[index] = np.count_nonzero(box & np.roll(box, shift, axis=(0, 1, 2)))
    return counts


def alpha_from_counts(counts: IntArray, sites: int, sites_a: int) -> FloatArray:
    """Warren–Cowley parameters from A–A pair counts: α_v = (P_v^AA − m_A²) / (m_A m_B), with the box's own m_A.

    In terms of whole numbers, (N n_v − n_A²) / (n_A n_B), which is 1 at the origin to the last bit. Counts summed over
    several boxes (axes before the last three are averaged over) are divided once.

    The composition is that of the box, so a random box has α of −1/(N − 1) on average and not 0: −4·10⁻⁶ at 64³ sites,
    a five-hundredth of the noise of one box, and not corrected for.
    """
    boxes = counts.size // int(np.prod(ALPHA_SHAPE))
    total = counts.reshape(-1, *ALPHA_SHAPE).sum(axis=0)
    return np.asarray((sites * total - boxes * sites_a**2) / (boxes * sites_a * (sites - sites_a)), dtype=np.float64)


def mirror_images(counts: IntArray) -> IntArray:
    """Counts (11, 11, 11) and their images (4, 11, 11, 11) with the sign of u, v, or both changed.

    With inversion, which every box's counts have, these are all equivalents of a vector in an ensemble that has the
    mirrors of its three axes.
    """
    return np.stack([counts, counts[::-1], counts[:, ::-1], counts[::-1, ::-1]])


def alpha_of_box(occupied: BoolArray) -> FloatArray:
    """Warren–Cowley parameters of a periodic box of sites, True where A is: (11, 11, 11), see ``contract``."""
    box = _checked_box(occupied)
    sites_a = int(np.count_nonzero(box))
    if sites_a in (0, box.size):
        raise ValueError(f"occupied has {sites_a} A sites of {box.size}: expected both species")
    return alpha_from_counts(pair_counts(box), box.size, sites_a)


def _checked_box(occupied: BoolArray) -> BoolArray:
    box = np.asarray(occupied)
    if box.dtype != np.bool_ or box.ndim != 3 or min(box.shape) < _WIDTH or box.shape[2] > _LONGEST_ROW:
        raise ValueError(
            f"occupied has dtype {box.dtype} and shape {box.shape}: expected a boolean box of at least "
            f"{_WIDTH} sites along each axis, so that v and -v are different sites, and at most {_LONGEST_ROW} along z"
        )
    return box
