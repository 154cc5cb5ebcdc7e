"""Put a reconstruction on a grid whose axes are h, k and l, which is all that some formats can hold."""

import itertools

import numpy as np
from scipy.ndimage import map_coordinates

from dsfu.model.measured.data.axes import axes_of
from dsfu.model.measured.data.reconstruction import RealArray, Reconstruction, Step
from dsfu.simulate.arrays import BoolArray, FloatArray


def along_indices(reconstruction: Reconstruction) -> Reconstruction:
    """The same with array axes h, k, l in this order, growing; resampled by linear interpolation only where need be.

    A plane stays a plane (one voxel along one index) if one of h, k, l is the same everywhere on it; otherwise it
    becomes a volume, most of which is not live.
    """
    indices = [axis.index for axis in axes_of(reconstruction)]
    if indices == [0, 1, 2] and (np.diag(reconstruction.steps) > 0).all():
        return reconstruction
    if None not in indices and len(set(indices)) == 3:
        return _reordered(reconstruction, [indices.index(index) for index in range(3)])
    return _resampled(reconstruction)


def _reordered(reconstruction: Reconstruction, order: list[int]) -> Reconstruction:
    steps = np.diag(np.diag(reconstruction.steps[order]))
    backwards = np.diag(steps) < 0
    turn = tuple(int(axis) for axis in np.flatnonzero(backwards))
    last = np.where(backwards, np.array(reconstruction.shape)[order] - 1, 0)
    turned = {
        name: None if values is None else np.flip(values.transpose(order), turn)
        for name in ("intensity", "live", "sigma", "weight")
        for values in (getattr(reconstruction, name),)
    }
    step = Step(name="reorder axes", parameters={"axes": "hkl"})
    return reconstruction.after(step, origin=reconstruction.origin + last @ steps, steps=np.abs(steps), **turned)


def _resampled(reconstruction: Reconstruction) -> Reconstruction:
    origin, spacing, counts = _covering_grid(reconstruction)
    hkl = origin + spacing * np.moveaxis(np.indices(counts), 0, -1)
    voxels = np.moveaxis(reconstruction.voxels_of_hkl(hkl), -1, 0)
    for axis, count in enumerate(reconstruction.shape):
        if count == 1:  # a plane has no neighbours across it: what lies within half a step belongs to it
            inside = np.abs(voxels[axis]) < 0.5
            voxels[axis] = np.where(inside, 0.0, -10.0)
    weight = _interpolated(reconstruction.live.astype(np.float64), voxels)
    live: BoolArray = weight > 0.5
    intensity = _average(reconstruction.intensity, reconstruction.live, voxels, weight)
    sigma = reconstruction.sigma
    return reconstruction.after(
        Step(name="resample on h, k, l", parameters={"interpolation": "linear", "steps": spacing.tolist()}),
        intensity=intensity,
        live=live,
        origin=origin,
        steps=np.diag(spacing),
        sigma=None if sigma is None else _average(sigma, reconstruction.live, voxels, weight),
        weight=None,
    )


def _covering_grid(reconstruction: Reconstruction) -> tuple[FloatArray, FloatArray, tuple[int, int, int]]:
    """First voxel, spacing and numbers of voxels of a grid along h, k, l that covers all and is as fine."""
    corners = np.array(list(itertools.product(*((0, count - 1) for count in reconstruction.shape))))
    hkl = reconstruction.hkl_of_voxels(corners)
    extended = np.array(reconstruction.shape) > 1
    spacing = np.abs(reconstruction.steps[extended]).max(axis=0)
    low, high = hkl.min(axis=0), hkl.max(axis=0)
    constant = high - low < 1e-6
    spacing = np.where(constant, 1.0, np.where(spacing > 0, spacing, 1.0))
    first, second, third = (int(n) for n in np.where(constant, 1, np.floor((high - low) / spacing + 1e-6) + 1))
    return low, spacing, (first, second, third)


def _average(values: RealArray, live: BoolArray, voxels: FloatArray, weight: FloatArray) -> RealArray:
    total = _interpolated(np.where(live, values, 0).astype(np.float64), voxels)
    with np.errstate(all="ignore"):
        return np.asarray(total / weight, values.dtype)


def _interpolated(values: FloatArray, voxels: FloatArray) -> FloatArray:
    return np.asarray(map_coordinates(values, voxels, order=1, mode="constant", cval=0.0), np.float64)
