"""Work through a volume in slabs along its first axis, so that what a step needs besides the volume stays small."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from dsfu.simulate.arrays import IntArray

VOXELS_AT_ONCE: Final = 2_000_000
"""Voxels that a slab has at most (one layer at least): some tens of MB in all that is computed for them."""


def slabs(shape: tuple[int, int, int], voxels_at_once: float = VOXELS_AT_ONCE) -> Iterator[slice]:
    """Slices of the first axis that cover it."""
    layers = max(1, int(voxels_at_once // max(1, shape[1] * shape[2])))
    for first in range(0, shape[0], layers):
        yield slice(first, min(first + layers, shape[0]))


def with_halo(slab: slice, halo: int, length: int) -> tuple[slice, slice]:
    """The slab with so many layers more on both sides, where there are any, and where the slab lies inside of that."""
    first, last = max(0, slab.start - halo), min(length, slab.stop + halo)
    return slice(first, last), slice(slab.start - first, slab.stop - first)


def thinned(shape: tuple[int, int, int], wanted: int) -> IntArray:
    """Flat indices of about ``wanted`` voxels, evenly spread; all of them if there are no more."""
    voxels = int(np.prod(shape, dtype=np.int64))
    if voxels <= wanted:
        return np.arange(voxels)
    # Evenly spaced indices would lie on a few lattice planes of the array; these do not.
    golden = (np.sqrt(5) - 1) / 2
    return np.asarray(np.arange(wanted) * golden % 1 * voxels, np.int64)
