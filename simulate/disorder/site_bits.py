"""A row of up to 64 sites as the bits of one word: what is done to all of them at once."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.extending import intrinsic

WordArray = npt.NDArray[np.uint64]
CountArray = npt.NDArray[np.int64]

ALL_BITS = np.uint64(0xFFFFFFFFFFFFFFFF)
SHIFT_32 = np.uint64(32)


@intrinsic
def popcount(typingctx: Any, word: Any) -> Any:
    """Number of set bits of a uint64, as int64: one machine instruction."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@njit(inline="always")
def rotated(word: np.uint64, by: int, edge: int) -> np.uint64:
    """A row moved by ``by`` sites towards higher z: bit z of the result is bit z − by of the row."""
    if by == 0:
        return word
    return ((word << np.uint64(by)) | (word >> np.uint64(edge - by))) & (ALL_BITS >> np.uint64(64 - edge))


@njit(nogil=True, cache=True)
def count_bonds(rows: WordArray) -> CountArray:
    """Number of A–A nearest-neighbour pairs along each axis."""
    edge = rows.shape[0]
    bonds = np.zeros(3, dtype=np.int64)
    for x in range(edge):
        for y in range(edge):
            row = rows[x, y]
            bonds[0] += popcount(row & rows[(x + 1) % edge, y])
            bonds[1] += popcount(row & rows[x, (y + 1) % edge])
            bonds[2] += popcount(row & rotated(row, 1, edge))
    return bonds
