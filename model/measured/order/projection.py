"""I_SRO of a layer projected into one reciprocal cell: what a refinement sees, on a picture of a few thousand bins."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.measured.order.planes import SroPlane, SroSettings, used_pixels
from dsfu.simulate.arrays import FloatArray, IntArray

_FEWEST_BINS: Final = 12
_MOST_BINS: Final = 64
_PIXELS_EACH: Final = 80
"""Pixels in a bin on average, equivalents included."""

_ONE_LAYER: Final = 1e-3
"""Spread of an index over a plane, in reciprocal lattice units, up to which it is constant."""


@dataclass(frozen=True, eq=False)
class Projection:
    """Averages over bins of one reciprocal cell.

    Attributes
    ----------
    fixed, index
        Which of h, k, l (0, 1, 2) is constant on the layer, and its value.
    mean, spread
        (bins, bins): mean and standard deviation of what falls into each bin; NaN where nothing does. Indexed by the
        two other indices in the order h, k, l; a bin i holds indices from i / bins to (i + 1) / bins.
    count
        (bins, bins): how many pixels, equivalents included.
    hkl
        (bins, bins, 3): mean index of each bin's pixels, its middle where there are none.
    """

    fixed: int
    index: float
    mean: FloatArray
    spread: FloatArray
    count: IntArray
    hkl: FloatArray


def fixed_index(plane: SroPlane) -> int | None:
    """Which of h, k, l is constant on a plane; None if none is."""
    corners = plane.plane.hkl(plane.cell)[:: plane.plane.pixels - 1, :: plane.plane.pixels - 1].reshape(-1, 3)
    constant = np.flatnonzero(np.ptp(corners, axis=0) < _ONE_LAYER)
    return int(constant[0]) if len(constant) else None


def project(plane: SroPlane, settings: SroSettings, group: IntArray) -> Projection | None:
    """Project a layer into one cell, with its symmetry applied; None if the plane is not a layer."""
    fixed = fixed_index(plane)
    if fixed is None:
        return None
    pixels = used_pixels([plane], settings)
    index = float(pixels.hkl[:, fixed].mean())
    free = [i for i in range(3) if i != fixed]
    images = [each for each in (pixels.hkl @ operator for operator in group) if _same_layer(each[:, fixed], index)]
    bins = int(np.clip(np.sqrt(len(images) * len(pixels) / _PIXELS_EACH), _FEWEST_BINS, _MOST_BINS))
    size = bins * bins
    # Of each bin: Σ w, Σ w I_SRO, Σ w I_SRO², how many pixels, and Σ w times their place.
    weight, first, second = np.zeros(size), np.zeros(size), np.zeros(size)
    count, inside = np.zeros(size, np.int64), np.zeros((size, 2))
    for image in images:
        folded = image[:, free] % 1.0
        number = np.minimum((folded * bins).astype(np.int64), bins - 1)
        at = number[:, 0] * bins + number[:, 1]
        weight += np.bincount(at, pixels.weight, size)
        first += np.bincount(at, pixels.weight * pixels.sro, size)
        second += np.bincount(at, pixels.weight * pixels.sro**2, size)
        count += np.bincount(at, minlength=size)
        inside += np.column_stack([np.bincount(at, pixels.weight * folded[:, i], size) for i in (0, 1)])
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = first / weight
        spread = np.sqrt(np.maximum(second / weight - mean**2, 0.0))
        places = inside / weight[:, None]
    # A bin stands where its pixels do in the mean; an empty one, in its middle.
    hkl = np.full((size, 3), index)
    middles = (np.stack(np.unravel_index(np.arange(size), (bins, bins)), axis=1) + 0.5) / bins
    hkl[:, free] = np.where(np.isfinite(places), places, middles)
    shape = (bins, bins)
    return Projection(
        fixed, index, mean.reshape(shape), spread.reshape(shape), count.reshape(shape), hkl.reshape(*shape, 3)
    )


def _same_layer(indices: FloatArray, index: float) -> bool:
    away = (indices - index + 0.5) % 1.0 - 0.5
    return bool(np.abs(away).max() < _ONE_LAYER)
