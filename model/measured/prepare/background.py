"""Background that does not belong to the crystal: flat, or a function of |Q| alone."""

from itertools import pairwise
from typing import Final, Literal

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.model.measured.prepare.slabs import slabs, thinned
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell

SAMPLE: Final = 1_000_000
"""Voxels from which percentiles are taken, evenly spread; of larger volumes not all are looked at."""

LEAST_IN_SHELL: Final = 30
"""Voxels that a shell must have for its percentile to be believed."""


def without_flat_background(
    reconstruction: Reconstruction, *, level: float, of: Literal["intensity", "percentile"] = "intensity"
) -> Reconstruction:
    """A constant subtracted: an intensity, or a percentile of the live voxels. Uncertainties stay as they are."""
    constant = level
    if of == "percentile":
        _check_percentile(level)
        constant = float(np.percentile(_live_sample(reconstruction)[1], level))
    elif not np.isfinite(level):
        raise InputError(f"a flat background of {level}", expected="a finite intensity")
    intensity = reconstruction.intensity - np.asarray(constant, reconstruction.intensity.dtype)
    step = Step(name="without flat background", parameters={"level": level, "of": of, "subtracted": constant})
    return reconstruction.after(step, intensity=intensity)


def without_radial_background(
    reconstruction: Reconstruction, *, percentile: float = 5.0, shells: int = 100, smoothing: float = 2.0
) -> Reconstruction:
    """A low percentile of each shell of |Q| subtracted. Uncertainties stay as they are.

    Parameters
    ----------
    percentile
        Which percentile of the live voxels of a shell is the background. In noisy data a low one lies below it: the
        5th percentile by 1.6 standard deviations of a voxel.
    shells
        How many shells of equal thickness.
    smoothing
        Standard deviation of the Gaussian by which the background is smoothed, in shells.
    """
    _check_percentile(percentile)
    if shells < 2 or not smoothing >= 0:
        raise InputError(f"{shells} shells, smoothed by {smoothing}", expected="two shells or more, and 0 or more")
    if reconstruction.cell is None:
        raise InputError(
            "the cell is unknown, so shells of |Q| cannot be told", remedy="give --cell a,b,c,alpha,beta,gamma"
        )
    indices, values = _live_sample(reconstruction)
    radii = np.linalg.norm(reconstruction.cell.q_of_hkl(reconstruction.hkl_of_voxels(indices)), axis=1)
    centres, levels = _levels_of_shells(radii, values, percentile, shells, smoothing)
    intensity = np.empty_like(reconstruction.intensity)
    for slab in slabs(reconstruction.shape):
        background = np.interp(_radii(reconstruction, reconstruction.cell, slab), centres, levels)
        intensity[slab] = reconstruction.intensity[slab] - background
    step = Step(
        name="without radial background",
        parameters={
            "percentile": percentile,
            "shells": shells,
            "smoothing": smoothing,
            "q": centres.tolist(),
            "subtracted": levels.tolist(),
        },
    )
    return reconstruction.after(step, intensity=intensity)


def _check_percentile(percentile: float) -> None:
    if not 0 <= percentile <= 100:
        raise InputError(f"percentile {percentile}", expected="0 to 100")


def _live_sample(reconstruction: Reconstruction) -> tuple[FloatArray, FloatArray]:
    """Indices (n, 3) and intensities (n,) of live voxels, of all or of evenly spread ones."""
    where = np.unravel_index(thinned(reconstruction.shape, SAMPLE), reconstruction.shape)
    live = reconstruction.live[where]
    if not live.any():
        raise InputError("no voxel is live", where=reconstruction.source)
    indices = np.stack([each[live] for each in where], axis=1).astype(np.float64)
    return indices, reconstruction.intensity[where][live].astype(np.float64)


def _levels_of_shells(
    radii: FloatArray, values: FloatArray, percentile: float, shells: int, smoothing: float
) -> tuple[FloatArray, FloatArray]:
    """Mean radii of the shells that hold enough voxels, and their smoothed percentiles."""
    edges = np.linspace(radii.min(), radii.max() * (1 + 1e-9) + 1e-9, shells + 1)
    shell = np.searchsorted(edges, radii, side="right") - 1
    order = np.argsort(shell, kind="stable")
    starts = np.searchsorted(shell[order], np.arange(shells + 1))
    centres, levels, counts = [], [], []
    for first, last in pairwise(starts):
        if last - first >= min(LEAST_IN_SHELL, len(values)):
            inside = order[first:last]
            centres.append(radii[inside].mean())
            levels.append(np.percentile(values[inside], percentile))
            counts.append(last - first)
    if not centres:
        raise InputError("too few live voxels in every shell of |Q|", expected="fewer shells, or a flat background")
    width = max(smoothing, 1e-3) * (edges[1] - edges[0])
    return np.array(centres), _smoothed(np.array(centres), np.array(levels), np.sqrt(counts), width)


def _smoothed(positions: FloatArray, values: FloatArray, weights: FloatArray, width: float) -> FloatArray:
    """At every position the straight line that fits best under a Gaussian there: slopes and ends stay as they are."""
    distance = positions - positions[:, np.newaxis]
    kernel = weights * np.exp(-((distance / width) ** 2) / 2)
    # A straight line by weighted least squares: sums of the kernel times distances to the power of 0, 1 and 2.
    zeroth, first, second = (np.sum(kernel * distance**power, axis=1) for power in range(3))
    mean, slope = np.sum(kernel * values, axis=1), np.sum(kernel * distance * values, axis=1)
    determinant = zeroth * second - first**2
    straight = determinant > 1e-9 * zeroth**2 * width**2
    line = (second * mean - first * slope) / np.where(straight, determinant, 1.0)
    return np.asarray(np.where(straight, line, mean / zeroth))


def _radii(reconstruction: Reconstruction, cell: Cell, slab: slice) -> FloatArray:
    """|Q| of the voxels of a slab."""
    to_q = reconstruction.steps @ cell.reciprocal
    origin = cell.q_of_hkl(reconstruction.origin)
    squares = np.zeros(1)
    first, second, third = np.arange(slab.start, slab.stop), *map(np.arange, reconstruction.shape[1:])
    for axis in range(3):
        component = (
            (origin[axis] + first * to_q[0, axis])[:, np.newaxis, np.newaxis]
            + (second * to_q[1, axis])[:, np.newaxis]
            + third * to_q[2, axis]
        )
        squares = squares + component**2
    return np.asarray(np.sqrt(squares))
