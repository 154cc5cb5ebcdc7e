"""How wide Bragg peaks are along h, k and l: a detector's resolution is one in 1/Å, and so wider along a long axis."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from dsfu.simulate.arrays import BoolArray, FloatArray

USUAL: Final = 0.0255
"""Standard deviation, in reciprocal lattice units, of peaks .06 wide at half maximum: radii of holes are for these."""

_WIDEST: Final = 0.08
"""No peak: diffuse scattering that has its maxima at lattice points. Holes for wider ones would reach each other."""

_IN_VOXELS: Final = 0.3
"""Least standard deviation, in voxels, that samples can tell: one voxel from its middle such a peak has .004 left."""

_NARROWEST: Final = 0.005
"""Along the narrowest direction, so that holes keep some width there. Chosen, not calibrated."""


def metric_of_peaks(
    offsets: FloatArray, excess: FloatArray, points: npt.NDArray[np.signedinteger], longest_edge: float
) -> FloatArray | None:
    """The matrix by which squares of distances are measured, so that peaks are round and no wider than usual.

    None if they are wider than Bragg peaks are.

    Gaussians of one shape, each with a height of its own, are fitted to strong peaks. Moments would not do: where peaks
    are narrower than voxels, they depend on where a peak's middle lies between voxels.

    Parameters
    ----------
    offsets
        (n, 3): hkl of voxels around strong peaks less those of their lattice points.
    excess
        (n,): intensity above what is around the peak.
    points
        (n,): number of the lattice point.
    longest_edge
        Of a voxel, in reciprocal lattice units.
    """
    seen = np.ptp(offsets, axis=0) > 0  # of a plane one direction is not
    if not seen.any():
        return np.eye(3)
    _, peak = np.unique(points, return_inverse=True)
    strength = np.sqrt(np.maximum(np.bincount(peak, np.maximum(excess, 0)), 1.0))
    lower = np.tril_indices(3)

    def left(values: FloatArray) -> FloatArray:
        root = np.zeros((3, 3))
        root[lower] = values
        shape = np.exp(-0.5 * ((offsets @ root) ** 2).sum(axis=1))
        power = np.maximum(np.bincount(peak, shape**2), 1e-9)
        heights = np.bincount(peak, shape * excess) / power
        return np.asarray((excess - heights[peak] * shape) / strength[peak])

    start = (np.eye(3) / USUAL)[lower]
    root = np.zeros((3, 3))
    root[lower] = least_squares(left, start, x_scale=1 / USUAL, max_nfev=40).x
    part = np.ix_(seen, seen)
    inverse, axes = np.linalg.eigh((root @ root.T)[part])
    if inverse.min() < _WIDEST**-2:
        return None
    least = min(max(_IN_VOXELS * longest_edge, _NARROWEST), _WIDEST)
    inverse = np.minimum(inverse, least**-2)
    metric = np.eye(3)
    metric[part] = axes * (inverse * min(USUAL**2, 1 / inverse.min())) @ axes.T
    return metric


def peak_distance(axes: Sequence[FloatArray], metric: FloatArray) -> npt.NDArray[np.float32]:
    """Of each voxel from the nearest lattice point, as `metric` measures it."""
    h = np.meshgrid(*axes, indexing="ij", sparse=True)
    d = [(x - np.round(x)).astype(np.float32) for x in h]
    square = sum(np.float32(metric[i, j]) * d[i] * d[j] for i in range(3) for j in range(3))
    return np.asarray(np.sqrt(np.maximum(square, 0)), np.float32)


def around(axes: Sequence[FloatArray], chosen: BoolArray) -> FloatArray:
    """(n, 3): offsets of chosen voxels from their nearest lattice points."""
    places = np.argwhere(chosen)
    return np.stack([axis[i] - np.round(axis[i]) for axis, i in zip(axes, places.T, strict=True)], axis=1)
