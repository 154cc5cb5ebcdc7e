"""Linear interpolation in a reconstruction that knows which voxels are live, and carries uncertainties along."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from dsfu.model.measured.reconstruction import RealArray, Reconstruction
from dsfu.simulate.contract import FloatArray, IntArray

IndexArray = npt.NDArray[np.signedinteger[Any]]

OFF_LAYER: Final = 0.02
"""How far a point may lie from a layer of one voxel, in reciprocal lattice units; half a voxel at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampled:
    """Values at points. ``live_share`` is the share of each point's weight that lies on live voxels, 0 to 1.

    ``values`` are means over the live voxels alone, and 0 where there are none; ``sigma`` is None where unknown.
    """

    values: FloatArray
    live_share: FloatArray
    sigma: FloatArray | None


def corners(reconstruction: Reconstruction, indices: FloatArray) -> tuple[IntArray, FloatArray]:
    """Flat indices and weights, (points, 8) each, of the voxels around points at voxel indices (points, 3).

    Voxels outside the grid get the weight 0, so that the weights of a point sum to 1 only where all are inside.
    """
    flat = np.zeros((len(indices), 1), np.int64)
    weights = np.ones((len(indices), 1))
    tolerances = np.minimum(0.5, OFF_LAYER / np.linalg.norm(reconstruction.steps, axis=1))
    for axis, length in enumerate(reconstruction.shape):
        place, of_axis = _along(indices[:, axis], length, float(tolerances[axis]))
        flat = (flat[:, :, np.newaxis] * length + place[:, np.newaxis, :]).reshape(len(indices), -1)
        weights = (weights[:, :, np.newaxis] * of_axis[:, np.newaxis, :]).reshape(len(indices), -1)
    return flat, weights


def _along(positions: FloatArray, length: int, tolerance: float) -> tuple[IntArray, FloatArray]:
    """Voxels below and above each position along one axis, (points, 2), and their weights."""
    if length == 1:
        on_layer = (np.abs(positions) <= tolerance).astype(np.float64)
        return np.zeros((len(positions), 1), np.int64), on_layer[:, np.newaxis]
    below = np.floor(np.clip(positions, -1.0, float(length)))
    fraction = positions - below
    both = below.astype(np.int64)[:, np.newaxis] + np.arange(2)
    weights = np.stack([1 - fraction, fraction], axis=1)
    weights[(both < 0) | (both >= length) | (fraction < 0)[:, np.newaxis] | (fraction > 1)[:, np.newaxis]] = 0.0
    return np.clip(both, 0, length - 1), weights


def averaged(reconstruction: Reconstruction, indices: FloatArray) -> Sampled:
    """Means over groups of points at voxel indices (groups, points, 3): every point of a group weighs the same.

    Points of one group share voxels, so uncertainties add voxel by voxel, not point by point.
    """
    groups, points, _ = indices.shape
    flat, weights = corners(reconstruction, indices.reshape(-1, 3))
    starts = np.arange(groups + 1) * (points * flat.shape[1])
    matrix = sparse.csr_array(
        ((weights / points).ravel(), flat.ravel(), starts), shape=(groups, int(np.prod(reconstruction.shape)))
    )
    matrix.sum_duplicates()
    live = _taken(reconstruction.live, matrix.indices)
    of_live = np.where(live, matrix.data, 0.0)
    share = _sums(of_live, matrix.indptr)
    total = np.where(share > 0, share, 1.0)
    # What stands in dead voxels may be NaN, which no weight of 0 takes away.
    intensity = np.where(live, _taken(reconstruction.intensity, matrix.indices), 0.0)
    sigma = None
    if reconstruction.sigma is not None:
        of_voxels = np.where(live, _taken(reconstruction.sigma, matrix.indices), 0.0)
        sigma = np.sqrt(_sums((of_live * of_voxels) ** 2, matrix.indptr)) / total
    return Sampled(values=_sums(of_live * intensity, matrix.indptr) / total, live_share=share, sigma=sigma)


def _taken(values: npt.NDArray[Any], flat: IndexArray) -> npt.NDArray[Any]:
    """Elements at flat indices, without a copy of a whole volume that is not contiguous."""
    if values.flags.c_contiguous:
        return np.asarray(values.reshape(-1)[flat])
    return np.asarray(values[np.unravel_index(flat, values.shape)])


def _sums(data: RealArray, row_starts: IndexArray) -> FloatArray:
    """Sums of the rows of a sparse matrix, none of which is empty."""
    return np.add.reduceat(np.asarray(data, np.float64), row_starts[:-1])
