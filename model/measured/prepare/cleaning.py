"""What cannot be right: values that are no numbers, and hot pixels. And what can be: negative values."""

from itertools import product
from typing import Final

import numpy as np

from dsfu.model.measured.data.reconstruction import RealArray, Reconstruction, Step
from dsfu.model.measured.prepare.robust import (
    WindowGrid,
    gaps_filled,
    median_and_deviation,
    quantile_of_sorted,
)
from dsfu.model.measured.prepare.slabs import slabs, thinned, with_halo
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray
from dsfu.simulate.constants import SIGMA_PER_MAD

NOISE_WINDOW: Final = 16
"""Voxels along each side of the windows in which the noise is estimated."""

LEAST_NEIGHBOURS: Final = 4
"""Live neighbours that a voxel must have to be called hot."""

_CANDIDATES_AT_ONCE: Final = 50_000


def without_invalid(reconstruction: Reconstruction) -> Reconstruction:
    """Voxels whose intensity or uncertainty is no finite number are not live. Dead voxels get the intensity 0."""
    live = reconstruction.live & np.isfinite(reconstruction.intensity)
    if reconstruction.sigma is not None:
        live &= np.isfinite(reconstruction.sigma)
    removed = int(np.count_nonzero(reconstruction.live)) - int(np.count_nonzero(live))
    step = Step(name="without invalid", parameters={"voxels": removed})
    return reconstruction.after(step, intensity=np.where(live, reconstruction.intensity, 0), live=live)


def without_negative(reconstruction: Reconstruction) -> Reconstruction:
    """Negative intensities set to zero.

    Not done unless asked for: negative values are what noise around zero looks like once a background is subtracted,
    and a fit that never sees them is biased.
    """
    negative = reconstruction.live & (reconstruction.intensity < 0)
    step = Step(name="without negative", parameters={"voxels": int(np.count_nonzero(negative))})
    return reconstruction.after(step, intensity=np.where(negative, 0, reconstruction.intensity))


def without_hot_pixels(reconstruction: Reconstruction, *, factor: float = 8.0) -> Reconstruction:
    """Hot pixels are not live.

    A voxel is hot if it exceeds all of its live neighbours (26 in a volume, 8 in a plane) but one by more than
    ``factor`` times the scale of its neighbourhood: the robust spread of the neighbours, the noise in a window around
    it, or its own σ where that is known, whichever is larger. One neighbour is let off because hot pixels come in
    pairs; not two, because every voxel of a rod of diffuse scattering has two neighbours that are as bright as itself.
    """
    if not factor > 0:
        raise ValueError(f"factor = {factor}: expected more than 0")
    noise_grid = WindowGrid.over(reconstruction.shape, NOISE_WINDOW, NOISE_WINDOW)
    noise = _noise_of_windows(reconstruction, noise_grid)
    live = reconstruction.live.copy()
    neighbours = _neighbours(reconstruction.shape)
    for slab in slabs(reconstruction.shape):
        floor = noise_grid.at_voxels(noise, slab).astype(reconstruction.intensity.dtype)
        if reconstruction.sigma is not None:
            floor = np.fmax(floor, reconstruction.sigma[slab])
        candidates = _candidates(reconstruction, slab, factor * floor)
        hot = _hot(
            reconstruction, candidates, neighbours, floor[candidates[:, 0] - slab.start, *candidates.T[1:]], factor
        )
        live[tuple(candidates[hot].T)] = False
    removed = int(np.count_nonzero(reconstruction.live)) - int(np.count_nonzero(live))
    return reconstruction.after(
        Step(name="without hot pixels", parameters={"factor": factor, "voxels": removed}), live=live
    )


def _neighbours(shape: tuple[int, int, int]) -> IntArray:
    """Steps to them; the opposite of the first is the last, and so on."""
    steps = [(-1, 0, 1) if length > 1 else (0,) for length in shape]
    return np.array([step for step in product(*steps) if any(step)], np.int64).reshape(-1, 3)


def _noise_of_windows(reconstruction: Reconstruction, grid: WindowGrid) -> FloatArray:
    """Standard deviation of the noise in each window, from the 90 % quantile of second differences along an axis.

    Second differences, so that smooth intensity does not count as noise; that quantile and not the median, because
    most differences of a sparse count are 0. Where it is 0 all the same, the median intensity of what is positive
    stands in, so that single counts are not taken for hot pixels.
    """
    axis = int(np.argmax(reconstruction.shape))
    if reconstruction.shape[axis] < 3:
        return np.full([len(each) for each in grid.centres], _typical_intensity(reconstruction))
    inner = tuple(slice(1, -1) if i == axis else slice(None) for i in range(3))
    second, all_live = np.zeros_like(reconstruction.intensity), np.zeros_like(reconstruction.live)
    before, after = (
        tuple(s if i == axis else slice(None) for i in range(3)) for s in (slice(None, -2), slice(2, None))
    )
    intensity, live = reconstruction.intensity, reconstruction.live
    with np.errstate(invalid="ignore", over="ignore"):
        np.add(intensity[before], intensity[after], out=second[inner])
        second[inner] /= 2
        second[inner] -= intensity[inner]
    all_live[inner] = live[before] & live[inner] & live[after]
    quantile = grid.statistics(
        np.abs(second, out=second), all_live, lambda rows: quantile_of_sorted(np.sort(rows, axis=-1), 0.9)
    )[0]
    # Normal noise of standard deviation 1 gives √(3/2) times the normal quantile 1.645.
    noise = gaps_filled(quantile) / (np.sqrt(1.5) * 1.6449)
    quiet = ~(noise > 0)
    return np.where(quiet, _typical_intensity(reconstruction) if quiet.any() else 0.0, noise)


def _typical_intensity(reconstruction: Reconstruction) -> float:
    chosen = np.unravel_index(thinned(reconstruction.shape, 100_000), reconstruction.shape)
    values = reconstruction.intensity[chosen][reconstruction.live[chosen]]
    positive = values[values > 0]
    return float(np.median(positive)) if positive.size else 0.0


def _candidates(reconstruction: Reconstruction, slab: slice, excess: RealArray) -> IntArray:
    """Voxels (n, 3) that exceed all but one of the neighbours on their faces by so much: hot ones are among them."""
    around, inside = with_halo(slab, 1, reconstruction.shape[0])
    live = reconstruction.live[around]
    values = np.where(live, reconstruction.intensity[around], -np.inf)
    here = values[inside]
    rivals = np.zeros(here.shape, np.uint8)
    for axis in (axis for axis, length in enumerate(values.shape) if length > 1):
        for step in (-1, 1):
            # Beyond the edge np.roll brings in the other side; there a neighbour must not count.
            neighbour = np.roll(values, step, axis)
            neighbour[(slice(None),) * axis + (0 if step == 1 else -1,)] = -np.inf
            with np.errstate(invalid="ignore"):
                rivals += here - neighbour[inside] <= excess
    found = np.argwhere(live[inside] & (rivals <= 1))
    found[:, 0] += slab.start
    return found


def _hot(
    reconstruction: Reconstruction, candidates: IntArray, neighbours: IntArray, floor: RealArray, factor: float
) -> BoolArray:
    parts = [np.zeros(0, np.bool_)]
    shape = np.array(reconstruction.shape)
    for first in range(0, len(candidates), _CANDIDATES_AT_ONCE):
        chosen = candidates[first : first + _CANDIDATES_AT_ONCE]
        places = chosen[:, np.newaxis] + neighbours
        inside = ((places >= 0) & (places < shape)).all(axis=-1)
        where = tuple(np.moveaxis(np.clip(places, 0, shape - 1), -1, 0))
        around = np.where(inside & reconstruction.live[where], reconstruction.intensity[where], np.nan)
        # Where a rod ends at a dead zone or at the edge, it would have gone on: what is opposite stands in.
        counts = np.isfinite(around).sum(axis=-1)
        around = np.where(np.isnan(around), around[:, ::-1], around)
        _, deviation = median_and_deviation(around)
        scale = np.fmax(SIGMA_PER_MAD * deviation, floor[first : first + _CANDIDATES_AT_ONCE])
        second_brightest = np.sort(np.where(np.isnan(around), -np.inf, around), axis=-1)[:, -2]
        excess = reconstruction.intensity[tuple(chosen.T)] - second_brightest
        parts.append((counts >= LEAST_NEIGHBOURS) & (excess > factor * scale))
    return np.concatenate(parts)
