"""Interpolation between voxels that damps as little as it may, and knows which voxels are live.

Along each axis a point is interpolated by the polynomial through the six voxels around it, as long as these are live;
beside dead ones by that through four, and at last through two, which is linear interpolation. In between, the weights
blend, so that nothing jumps. They do not depend on the intensity, hence uncertainties can be propagated exactly.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

Taps = Literal[2, 4, 6]

OFF_LAYER: Final = 0.02
"""How far a point may lie from a layer of one voxel, in reciprocal lattice units; half a voxel at most."""

_ON_VOXEL: Final = 1e-6
_WEIGHTS_AT_ONCE: Final = 2_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """What points are made of.

    Attributes
    ----------
    matrix
        (points, voxels), sparse: rows sum to 1 over live voxels, or are empty where no voxel around the point is live.
    live_share
        (points,): share of each point's weight in linear interpolation that lies on live voxels, 0 to 1.
    """

    matrix: sparse.csr_array
    live_share: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Interpolator:
    """Interpolates in one reconstruction.

    Attributes
    ----------
    taps
        Voxels along each axis from which a point is made, where they are live.
    intact
        For stencils of 4 and 6: voxels in whose surroundings nothing is dead. Between two voxels, one of which is
        intact, the whole stencil is live.
    """

    reconstruction: Reconstruction
    taps: Taps
    intact: dict[int, BoolArray]

    @classmethod
    def of(cls, reconstruction: Reconstruction, taps: Taps) -> Self:
        intact = {}
        for size in range(4, taps + 1, 2):
            live = reconstruction.live.view(np.uint8)
            for axis, length in enumerate(reconstruction.shape):
                if length > 1:
                    live = ndimage.minimum_filter1d(live, size + 1, axis, mode="constant", cval=0)
            intact[size] = live.view(np.bool_)
        return cls(reconstruction=reconstruction, taps=taps, intact=intact)

    def weights(self, indices: FloatArray) -> Weights:
        """For points at voxel indices (points, 3)."""
        at_once = max(1, _WEIGHTS_AT_ONCE // self.taps**3)
        parts = [self._weights(indices[first : first + at_once]) for first in range(0, max(1, len(indices)), at_once)]
        if len(parts) == 1:
            return parts[0]
        return Weights(
            matrix=sparse.csr_array(sparse.vstack([each.matrix for each in parts], format="csr")),
            live_share=np.concatenate([each.live_share for each in parts]),
        )

    def _weights(self, indices: FloatArray) -> Weights:
        shape = self.reconstruction.shape
        tolerances = np.minimum(0.5, OFF_LAYER / np.linalg.norm(self.reconstruction.steps, axis=1))
        axes = [
            _along(indices[:, axis], length, float(tolerances[axis]), self.taps) for axis, length in enumerate(shape)
        ]
        middle, inside = _flat([_middle(voxels) for voxels, _ in axes], shape)
        linear = _of_stencil([(_middle(voxels), {2: _middle(of_sizes[2])}) for voxels, of_sizes in axes], 2)
        live_share = np.asarray((linear * (inside & taken(self.reconstruction.live, middle))).sum(axis=1))
        trust = {
            size: np.asarray((linear * (inside & taken(intact, middle))).sum(axis=1))
            for size, intact in self.intact.items()
        }
        flat, inside = _flat([voxels for voxels, _ in axes], shape)
        weights = _of_stencil(axes, self.taps)
        doubtful = np.flatnonzero(trust[self.taps] < 1) if trust else np.arange(len(indices))
        live = inside[doubtful] & taken(self.reconstruction.live, flat[doubtful])
        weights[doubtful] = _blended(axes, {size: each[doubtful] for size, each in trust.items()}, doubtful) * live
        total = weights.sum(axis=1, keepdims=True)
        np.divide(weights, total, out=weights, where=total > 0)
        return Weights(matrix=_compressed(weights, flat, int(np.prod(shape))), live_share=live_share)


def _blended(
    axes: list[tuple[IntArray, dict[int, FloatArray]]], trust: dict[int, FloatArray], points: IntArray
) -> FloatArray:
    """Stencils of some points: the largest as far as it is to be trusted, and smaller ones for the rest."""
    chosen = [(voxels[points], {size: each[points] for size, each in of_sizes.items()}) for voxels, of_sizes in axes]
    weights = _of_stencil(chosen, 2)
    for size, share in trust.items():
        weights = weights + share[:, np.newaxis] * (_of_stencil(chosen, size) - weights)
    return weights


def _flat(voxels: list[IntArray], shape: tuple[int, int, int]) -> tuple[IntArray, BoolArray]:
    """Flat indices of the voxels of stencils, and whether they are inside of the grid."""
    flat, inside = np.zeros((len(voxels[0]), 1), np.int64), np.ones((len(voxels[0]), 1), np.bool_)
    for length, along in zip(shape, voxels, strict=True):
        flat = _outer(flat * length, np.clip(along, 0, length - 1), np.add)
        inside = _outer(inside, (along >= 0) & (along < length), np.logical_and)
    return flat, inside


def _middle(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The two in the middle of a stencil."""
    extra = max(0, values.shape[1] - 2) // 2
    return values[:, extra : values.shape[1] - extra]


def _along(positions: FloatArray, length: int, tolerance: float, taps: Taps) -> tuple[IntArray, dict[int, FloatArray]]:
    """Voxels around each position along one axis, (points, taps), and their weights in stencils of each size."""
    if length == 1:
        on_layer = (np.abs(positions) <= tolerance).astype(np.float64)[:, np.newaxis]
        return np.zeros((len(positions), 1), np.int64), dict.fromkeys((2, 4, 6), on_layer)
    nearest = np.rint(positions)
    if (np.abs(positions - nearest) <= _ON_VOXEL).all():
        voxels = np.clip(nearest, -1, length).astype(np.int64)[:, np.newaxis]
        return voxels, dict.fromkeys((2, 4, 6), np.ones(voxels.shape))
    below = np.floor(positions)
    fraction = positions - below
    first = np.clip(below, -taps, length + taps).astype(np.int64) + 1 - taps // 2
    voxels = first[:, np.newaxis] + np.arange(taps)
    return voxels, {size: _lagrange(fraction, size, taps) for size in (2, 4, 6) if size <= taps}


def lagrange_weights(fraction: FloatArray, taps: Taps) -> FloatArray:
    """Weights (points, taps) of the voxels around points that lie at this fraction between the middle two."""
    return _lagrange(fraction, taps, taps)


def _lagrange(fraction: FloatArray, size: int, taps: int) -> FloatArray:
    """Weights, (points, taps), of the polynomial through the middle ``size`` voxels; the others get 0."""
    weights = np.zeros((len(fraction), taps))
    nodes = range(1 - size // 2, 1 + size // 2)
    for node in nodes:
        factors = [(fraction - other) / (node - other) for other in nodes if other != node]
        weights[:, node + taps // 2 - 1] = np.prod(factors, axis=0)
    return weights


def _of_stencil(axes: list[tuple[IntArray, dict[int, FloatArray]]], size: int) -> FloatArray:
    weights = np.ones((len(axes[0][0]), 1))
    for _, of_sizes in axes:
        weights = _outer(weights, of_sizes[size], np.multiply)
    return weights


def _outer(first: npt.NDArray[Any], second: npt.NDArray[Any], combine: np.ufunc) -> npt.NDArray[Any]:
    both = combine(first[:, :, np.newaxis], second[:, np.newaxis, :])
    return np.asarray(both.reshape(len(first), first.shape[1] * second.shape[1]))


def _compressed(weights: FloatArray, flat: IntArray, voxels: int) -> sparse.csr_array:
    used = weights != 0
    starts = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    return sparse.csr_array((weights[used], flat[used], starts), shape=(len(weights), voxels))


def taken(values: npt.NDArray[Any], flat: npt.NDArray[np.integer[Any]]) -> npt.NDArray[Any]:
    """Elements at flat indices, without a copy of a whole volume that is not contiguous."""
    if values.flags.c_contiguous:
        return np.asarray(values.reshape(-1)[flat])
    return np.asarray(values[np.unravel_index(flat, values.shape)])
