"""Average what symmetry makes equivalent."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.model.measured.prepare.interpolation import Interpolator
from dsfu.model.measured.prepare.plane_spec import own_plane
from dsfu.model.measured.prepare.resampling import at_points
from dsfu.model.measured.prepare.slabs import VOXELS_AT_ONCE, slabs
from dsfu.model.measured.symmetry.groups import Symmetry, symmetry_of
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

_ON_GRID: Final = 0.01
"""A grid that an operator maps onto itself but for this many voxels, anywhere on it, needs no interpolation."""

_LIVE_ENOUGH: Final = 0.5
"""Share of an interpolated equivalent's weight that has to be on live voxels."""


def averaged_over_symmetry(reconstruction: Reconstruction, symmetry: Symmetry | str) -> Reconstruction:
    """Every voxel becomes the mean of all its equivalents that are live, so that gaps fill up where symmetry allows.

    Equivalents count by how often they were measured, where that is known (``weight``), and all the same otherwise:
    weights from counting statistics would pull the mean down. Where an operator does not map the grid onto itself,
    equivalents are interpolated linearly. A voxel on a symmetry element, which is equivalent to itself, is no better
    known for that. The step records the agreement of equivalents, R_int = Σ|I − ⟨I⟩| / Σ|I|; NaN if there are none.

    Parameters
    ----------
    symmetry
        A Laue class, plane group or space group such as "6/mmm": see `symmetry_of`.
    """
    if isinstance(symmetry, str):
        own = own_plane(reconstruction)
        symmetry = symmetry_of(symmetry, reconstruction.cell, own.axis if own else None)
    maps = [_IndexMap.of(reconstruction, operator) for operator in symmetry.operators]
    intensity, live = np.zeros_like(reconstruction.intensity), np.zeros_like(reconstruction.live)
    sigma = None if reconstruction.sigma is None else np.zeros_like(reconstruction.sigma)
    weight = None if reconstruction.weight is None else np.zeros_like(reconstruction.weight)
    agreement = np.zeros(2)
    for slab in slabs(reconstruction.shape, VOXELS_AT_ONCE / len(maps)):
        mean = _mean_of_slab(reconstruction, maps, slab)
        intensity[slab], live[slab] = mean.intensity, mean.live
        agreement += mean.deviation, mean.total
        if sigma is not None:
            sigma[slab] = mean.sigma
        if weight is not None:
            weight[slab] = mean.weight
    step = Step(
        name="averaged over symmetry",
        parameters={
            "symmetry": symmetry.name,
            "operators": len(maps),
            "interpolated": not all(each.exact for each in maps),
            "r_int": float(agreement[0] / agreement[1]) if agreement[1] else float("nan"),
        },
    )
    return reconstruction.after(step, intensity=intensity, live=live, sigma=sigma, weight=weight)


@dataclass(frozen=True, kw_only=True, eq=False)
class _IndexMap:
    """Where an operator takes voxel indices: indices @ matrix + shift."""

    matrix: FloatArray
    shift: FloatArray
    exact: bool

    @classmethod
    def of(cls, reconstruction: Reconstruction, operator: IntArray) -> "_IndexMap":
        inverse = np.linalg.inv(reconstruction.steps)
        matrix = reconstruction.steps @ operator @ inverse
        shift = (reconstruction.origin @ operator - reconstruction.origin) @ inverse
        # Along an axis of one voxel the index stays 0, so the step there, which may be made up, need not fit.
        used = np.array(reconstruction.shape) > 1
        matrix = np.where(used[:, np.newaxis], matrix, np.eye(3))
        drift = np.abs(matrix - np.rint(matrix)).sum(axis=0) * max(reconstruction.shape)
        exact = bool((drift + np.abs(shift - np.rint(shift)) <= _ON_GRID).all())
        return cls(matrix=np.rint(matrix) if exact else matrix, shift=np.rint(shift) if exact else shift, exact=exact)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Equivalents:
    """Of voxels: what one operator makes of them; or, after `_stacked`, all of them, (operators, voxels)."""

    values: FloatArray
    live: BoolArray
    weights: FloatArray
    variances: FloatArray
    itself: BoolArray


@dataclass(frozen=True, kw_only=True, eq=False)
class _Mean:
    intensity: FloatArray
    live: BoolArray
    weight: FloatArray
    sigma: FloatArray
    deviation: float
    total: float


def _mean_of_slab(reconstruction: Reconstruction, maps: list[_IndexMap], slab: slice) -> _Mean:
    shape = (slab.stop - slab.start, *reconstruction.shape[1:])
    spans = [np.arange(slab.start, slab.stop), *map(np.arange, shape[1:])]
    indices = np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, 3)
    found = _stacked([_equivalents(reconstruction, each, indices) for each in maps])
    live = found.live.any(axis=0)
    measured = found.weights.sum(axis=0)
    # Filled voxels weigh nothing against measured ones, but are better than a hole.
    weights = np.where(measured > 0, found.weights, found.live)
    total = np.where(live, weights.sum(axis=0), 1.0)
    mean = (weights * found.values).sum(axis=0) / total
    # Each distinct equivalent is there as often as operators leave the voxel in place.
    copies = found.itself.sum(axis=0)
    compared = found.live & (found.live.sum(axis=0) > copies)
    return _Mean(
        intensity=mean.reshape(shape),
        live=live.reshape(shape),
        weight=(measured / copies).reshape(shape),
        sigma=(np.sqrt(copies * (weights**2 * found.variances).sum(axis=0)) / total).reshape(shape),
        deviation=float((np.abs(found.values - mean) * compared).sum()),
        total=float((np.abs(found.values) * compared).sum()),
    )


def _stacked(samples: list[_Equivalents]) -> _Equivalents:
    return _Equivalents(
        values=np.stack([each.values for each in samples]),
        live=np.stack([each.live for each in samples]),
        weights=np.stack([each.weights for each in samples]),
        variances=np.stack([each.variances for each in samples]),
        itself=np.stack([each.itself for each in samples]),
    )


def _equivalents(reconstruction: Reconstruction, index_map: _IndexMap, indices: IntArray) -> _Equivalents:
    places = indices @ index_map.matrix + index_map.shift
    last = np.array(reconstruction.shape) - 1
    nearest = np.rint(places).astype(np.int64)
    inside = np.asarray(((nearest >= 0) & (nearest <= last)).all(axis=1))
    where = tuple(np.clip(nearest, 0, last).T)
    if index_map.exact:
        live = inside & reconstruction.live[where]
        values = np.where(live, reconstruction.intensity[where], 0.0)
        sigma = 0.0 if reconstruction.sigma is None else np.where(live, reconstruction.sigma[where], 0.0)
        share = live.astype(np.float64)
    else:
        sampled = at_points(Interpolator.of(reconstruction, 2), places)
        live = sampled.live_share >= _LIVE_ENOUGH
        values, share = sampled.values, np.where(live, sampled.live_share, 0.0)
        sigma = 0.0 if sampled.sigma is None else sampled.sigma
    measured = 1.0 if reconstruction.weight is None else np.where(live, reconstruction.weight[where], 0.0)
    return _Equivalents(
        values=values,
        live=live,
        weights=share * measured,
        variances=np.broadcast_to(np.square(sigma), live.shape),
        itself=np.asarray((np.abs(places - indices) < 0.5).all(axis=1)),
    )
