"""What the verdict looks for: sums of residuals that noise alone leaves small, and departures of known shape."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.model.measured.volume.bragg import lattice_distance, lattice_points
from dsfu.model.measured.volume.departures import Departure, order_that_varies, stretched_lattice
from dsfu.model.measured.volume.displacements import any_displacements, size_effect
from dsfu.model.measured.volume.fit import MoreNoise, VolumeFit
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.model.measured.volume.voxels import Voxels, fold_sum
from dsfu.simulate.arrays import FloatArray

_LEAST_VOXELS: Final = 200
_BINS: Final = 40
_NEAR: Final = 0.22


@dataclass(frozen=True, kw_only=True, eq=False)
class Residuals:
    """What the fit leaves. Flat arrays over the folded grid, but for the shape.

    Where voxels are copies of each other, the weight is for means over cells, which hold some of them; a shell of one
    |Q| holds all, and they count as one.
    """

    rest: FloatArray
    weight: FloatArray
    weight_in_shells: FloatArray
    diffuse: FloatArray
    cell: npt.NDArray[np.int32]
    distance: npt.NDArray[np.float32]
    lengths: npt.NDArray[np.float32]
    shape: tuple[int, int, int]
    cells: int


def residuals_of(solution: VolumeSolution) -> Residuals:
    """The residuals of a solution, with the cell and the |Q| of each voxel."""
    fit = solution.fit
    rest, weight, diffuse = fit.residuals()
    distance, cell, cells = lattice_distance(fit.voxels.axes)
    in_shells = weight.ravel().astype(np.float64)
    return Residuals(
        rest=rest.ravel().astype(np.float64),
        weight=in_shells * weight_in_cells(fit.voxels, cells)[cell.ravel()],
        weight_in_shells=in_shells,
        diffuse=np.maximum(diffuse, 0).ravel().astype(np.float64),
        cell=cell.ravel(),
        distance=distance.ravel(),
        lengths=fit.voxels.lengths().ravel(),
        shape=fit.voxels.shape,
        cells=cells,
    )


def weight_in_cells(voxels: Voxels, cells: int) -> FloatArray:
    """By what the weight of voxels in each cell is larger than in all: most of their copies lie in other cells."""
    points = lattice_points(voxels.axes, cells)
    images = points @ voxels.copying
    same = (images == points).all(axis=2)
    if voxels.folded:
        same |= (images == -points).all(axis=2)
    return np.asarray(len(voxels.copying) / same.sum(axis=0))


def good_cells(found: Residuals) -> npt.NDArray[np.bool_]:
    """Which reciprocal cells were measured well enough to compare them."""
    return np.asarray(np.bincount(found.cell, found.weight > 0, found.cells) > _LEAST_VOXELS)


def _mean_square(
    found: Residuals, key: npt.NDArray[np.integer], pattern: FloatArray | float, keys: int, keep: npt.NDArray[np.bool_]
) -> tuple[float, float] | None:
    """Of standardised sums, one for each key; and what they found relative to the diffuse scattering."""
    pattern = np.asarray(pattern, np.float64)
    # Σ w r p has the variance Σ w p² if r is noise of variance 1/w.
    total = np.bincount(key, found.weight * found.rest * pattern, keys)
    power = np.bincount(key, found.weight * pattern**2 * np.ones_like(found.rest), keys)
    weight = np.bincount(key, found.weight, keys)
    used = keep & (power > 0.02 * weight) & (weight > 0)
    if used.sum() < 2:
        return None
    local = np.bincount(key, found.weight * found.diffuse, keys)[used] / weight[used]
    size = ((total[used] / power[used]) ** 2 - 1 / power[used]).mean()
    relative = float(np.sign(size) * np.sqrt(abs(size)) / np.sqrt((local**2).mean()))
    return float((total[used] ** 2 / power[used]).mean()), relative


Measure = tuple[float, float] | None


def _over_lengths(found: Residuals, _: VolumeSolution) -> Measure:
    top = float(found.lengths[found.weight > 0].max())
    key = np.minimum((found.lengths / top * _BINS).astype(np.int32), _BINS)
    count = np.bincount(key, found.weight > 0, _BINS + 1)
    whole = replace(found, weight=found.weight_in_shells)
    return _mean_square(whole, key, 1.0, _BINS + 1, count > _LEAST_VOXELS)


def _over_cells(found: Residuals, _: VolumeSolution) -> Measure:
    return _mean_square(found, found.cell, 1.0, found.cells, good_cells(found))


def _near_points(found: Residuals, _: VolumeSolution) -> Measure:
    return _mean_square(found, found.cell, (found.distance < _NEAR).astype(float), found.cells, good_cells(found))


def _within_cells(wave: Callable[[FloatArray], FloatArray]) -> Callable[[Residuals, VolumeSolution], Measure]:
    def measure(found: Residuals, solution: VolumeSolution) -> Measure:
        axes = solution.fit.voxels.axes
        h = np.meshgrid(*axes, indexing="ij", sparse=True)
        offsets = [each - np.round(each) for each in h]
        good = good_cells(found)
        values = []
        vectors = solution.terms.vectors
        for vector in vectors[(np.abs(vectors) <= 1).all(axis=1)]:
            phase = np.asarray(2 * np.pi * sum(int(n) * d for n, d in zip(vector, offsets, strict=True)))
            pattern = np.broadcast_to(wave(phase), found.shape).ravel()
            value = _mean_square(found, found.cell, pattern, found.cells, good)
            if value is not None:
                values.append(value)
        if not values:
            return None
        ratio, amplitude = np.mean(values, axis=0)
        return float(ratio), float(amplitude)

    return measure


def _thermal(found: Residuals, solution: VolumeSolution) -> Measure:
    """How much of P_H |Q|² / r² is in the residuals that tails of peaks leave, where P_H is a peak's integral."""
    peaks = solution.peaks
    if peaks is None:
        return None
    pattern = peaks.integral[peaks.cell_number] / np.maximum(peaks.distance, 0.05) ** 2
    if solution.fit.voxels.folded:
        pattern = 0.5 * fold_sum(pattern.astype(np.float32))
    flat = pattern.ravel().astype(np.float64) * found.lengths.astype(np.float64) ** 2
    known = solution.fit.columns.maps[solution.fit.columns.splines :].astype(np.float64)
    used = (found.weight > 0) & (found.distance < 0.5)
    root = np.sqrt(found.weight[used])
    design = np.stack([flat[used] * root, *(each[used] * root for each in known)])
    gram = design @ design.T
    target = design @ (found.rest[used] * root)
    # The tails that are fitted are taken out of the pattern: what is left of its power is a Schur complement.
    rest = gram[0, 1:] @ np.linalg.pinv(gram[1:, 1:])
    power = float(gram[0, 0] - rest @ gram[1:, 0])
    if power <= 1e-9 * gram[0, 0]:
        return None
    size = float(target[0] - rest @ target[1:]) / power
    amplitude = size * float((flat[used] * found.weight[used]).sum() / (found.diffuse[used] * found.weight[used]).sum())
    return max(size, 0.0) ** 2 * power, amplitude


def _cut_short(solution: VolumeSolution) -> bool:
    """Whether order that was told to be left out may look like what is wrong with the crystal."""
    return solution.settings.cutoff is not None and not solution.cutoff_enough


def _varies(_: Residuals, solution: VolumeSolution) -> Measure:
    if _cut_short(solution) or not solution.scale_known:
        return None  # the scale of α bends the model by more than a first derivative says
    found = order_that_varies(solution.fit, solution.factor, solution.more_noise)
    return None if found is None else (found.chi_square / max(solution.chi_square, 1.0), found.amplitude)


def _lattice(_: Residuals, solution: VolumeSolution) -> Measure:
    if _cut_short(solution):
        return None
    found = stretched_lattice(solution.fit, solution.factor, solution.more_noise)
    return None if found is None else (found.chi_square / max(solution.chi_square, 1.0), found.amplitude)


def _displaced(
    test: Callable[[VolumeFit, FloatArray, MoreNoise | None], Departure | None],
) -> Callable[[Residuals, VolumeSolution], Measure]:
    def measure(_: Residuals, solution: VolumeSolution) -> Measure:
        if _cut_short(solution):
            return None
        found = test(solution.fit, solution.factor, solution.more_noise)
        if found is None:
            return None
        # of waves −8π x h sin 2πh·v of I_FF
        usual_h = np.sqrt(np.mean([(axis**2).mean() for axis in solution.voxels.axes]))
        return found.chi_square / max(solution.chi_square, 1.0), float(8 * np.pi * usual_h * found.amplitude)

    return measure


MEASURES: Final[dict[str, Callable[[Residuals, VolumeSolution], Measure]]] = {
    "|Q|": _over_lengths,
    "cell by cell": _over_cells,
    "near lattice points": _near_points,
    "even within cells": _within_cells(np.cos),
    "odd within cells": _within_cells(np.sin),
    "thermal": _thermal,
    "order varies": _varies,
    "lattice": _lattice,
    "size effect": _displaced(size_effect),
    "displacements": _displaced(any_displacements),
}
"""How each check is measured: a mean square and a relative amplitude; None where the data cannot tell."""
