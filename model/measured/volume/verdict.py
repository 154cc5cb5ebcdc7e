"""Whether a volume is a product of two factors at all: sums of residuals that noise alone would leave at one.

Residuals on the reconstruction's own voxels, divided by their standard deviation, are summed with patterns that known
departures leave: over bins of |Q|, over each reciprocal cell, odd and even about each lattice point. The mean square of
such sums is 1, or a little less as the fit takes some, if nothing but noise is left. As it grows with counts, each is
paired with the size of what it found relative to the diffuse scattering; a check fails if both are beyond limits.

Limits: from a dozen crystals of tests/benchmarks/crystal_maker.py, with and without what breaks the assumptions.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.model.measured.judgement import Judgement
from dsfu.model.measured.volume.bragg import lattice_distance, lattice_points
from dsfu.model.measured.volume.departures import order_that_varies, stretched_lattice
from dsfu.model.measured.volume.likelier_causes import likelier_causes, several_sites
from dsfu.model.measured.volume.look_ahead import LEAST_CELLS
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.model.measured.volume.voxels import Voxels, fold_sum
from dsfu.simulate.arrays import FloatArray

LEAST_AMPLITUDE: Final = 0.005
"""What is less than this of the diffuse scattering is not held against the data: good crystals leave .003."""

_LEAST_AMPLITUDES: Final = {"order varies": 0.001, "lattice": 0.002}
"""Of these the amplitude is the change of α, and of the lattice's constants, relatively."""

_LIMITS: Final = {
    "|Q|": (2.0, "what is left depends on |Q|: rings of a powder or glass, or a background that is not smooth"),
    "cell by cell": (
        1.3,
        "the order differs from one reciprocal cell to the next: a second disordered site, or a wrong lattice",
    ),
    "near lattice points": (
        2.9,
        "more is left near lattice points: Bragg peaks, or thermal diffuse scattering",
    ),
    "even within cells": (1.3, "the order changes from cell to cell: a second disordered site, or displacements"),
    "odd within cells": (1.3, "intensities are not even about lattice points: displacements, a size effect"),
    "thermal": (25.0, "tails of Bragg peaks grow with |Q|² as thermal diffuse scattering does"),
    "order varies": (2.6, "α differ from one part of reciprocal space to another: a second disordered site"),
    "lattice": (8.0, "the order repeats with another lattice than h, k and l say: the cell or orientation is wrong"),
}
"""Largest mean square in good data, by check, and what it means if it is larger.

Near lattice points 144 good crystals had 2.64 at most, and 6 with Bragg residue of .1 had 3.1 at least.
"""

_COARSE_VOXEL: Final = 0.065
_COARSE_LIMITS: Final = {"near lattice points": 4.5}
"""Where voxels are coarser than this, in reciprocal lattice units, what one holds of a narrow peak depends on where its
middle lies: of good crystals with voxels of .08 two of twenty had 2.8 and 3.5, with .1 of Bragg residue it was 9."""

WIDTH_LIMIT: Final = 0.385
"""In cells: where the evidence wants a wider Patterson function, I_FF varies faster than molecules make it. Good
crystals wanted .26 to .35; those with 10 % of thermal diffuse scattering or of a second site, with a size effect of
.02 Å or with Bragg residue .39 to .50."""

_LEAST_VOXELS: Final = 200
_LEAST_GOOD: Final = 6
_BINS: Final = 40
_NEAR: Final = 0.22
_NOISY: Final = (0.5, 4.0)
"""χ² per voxel beyond this: the noise is not what the data say, and sums cannot be judged by it."""


@dataclass(frozen=True, kw_only=True)
class VolumeCheck:
    """One pattern looked for in the residuals.

    Attributes
    ----------
    ratio, limit
        Mean square of the standardised sums, about one for noise alone, and what is too large.
    amplitude
        What was found relative to the diffuse scattering, noise taken off; negative if there is less than noise.
    meaning
        What it says if the check fails.
    least_amplitude
        What is less than this of the diffuse scattering does not count.
    """

    name: str
    ratio: float
    limit: float
    amplitude: float
    meaning: str
    least_amplitude: float = LEAST_AMPLITUDE

    @property
    def passed(self) -> bool:
        return not (self.ratio > self.limit and self.amplitude > self.least_amplitude)


@dataclass(frozen=True, kw_only=True)
class VolumeVerdict:
    """Whether to believe what was fitted."""

    judgement: Judgement
    sentence: str
    checks: tuple[VolumeCheck, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Residuals:
    """Flat arrays over the folded grid, but for the shape.

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


def judge_volume(solution: VolumeSolution) -> VolumeVerdict:
    """The verdict on a solution."""
    found = _residuals(solution)
    checks: list[VolumeCheck] = []
    own_limits = _COARSE_LIMITS if _coarsest(solution) > _COARSE_VOXEL else {}
    for name, (usual_limit, meaning) in _LIMITS.items():
        measure = _MEASURES[name](found, solution)
        if measure is not None:
            ratio, amplitude = measure
            limit = own_limits.get(name, usual_limit)
            least = _LEAST_AMPLITUDES.get(name, LEAST_AMPLITUDE)
            checks.append(
                VolumeCheck(
                    name=name,
                    ratio=ratio,
                    limit=limit,
                    amplitude=amplitude,
                    meaning=meaning,
                    least_amplitude=least,
                )
            )
    meaning = (
        "I_FF varies faster over reciprocal space than molecules that fit into the cell can make it: thermal diffuse "
        "scattering, displacements, a second disordered site or Bragg residue"
    )
    if solution.settings.prior is None:
        width = solution.width
        checks.append(
            VolumeCheck(
                name="width of I_FF's Patterson",
                ratio=width,
                limit=WIDTH_LIMIT,
                amplitude=1.0,
                meaning=meaning,
                least_amplitude=0.0,
            )
        )
    return _verdict(solution, tuple(checks), int(_good_cells(found).sum()))


def _verdict(solution: VolumeSolution, checks: tuple[VolumeCheck, ...], cells: int) -> VolumeVerdict:
    failed = [check for check in checks if not check.passed]
    measured = solution.voxels.cells_measured()
    if measured < LEAST_CELLS:
        words = (
            f"Not judged: what was measured fills {measured:.1f} reciprocal cells, and {LEAST_CELLS:g} are needed to "
            "compare them and to find the width of I_FF; standard uncertainties allow for widths from .24 to .40 cells."
        )
        return VolumeVerdict(judgement="not judged", sentence=words, checks=checks)
    if any(solution.voxels.smoothed):
        words = (
            "Not judged: neighbouring voxels share noise, as smoothing or interpolation makes them. That changes α by "
            "more than their standard uncertainties: give the volume as it was before."
        )
        return VolumeVerdict(judgement="not judged", sentence=words, checks=checks)
    if failed:
        first = max(failed, key=lambda check: check.ratio / check.limit)
        words = f"The data contradict the model of two species on one site without displacements: {first.meaning}."
        words = f"{words} {likelier_causes(solution)}".strip()
        return VolumeVerdict(judgement="contradicts", sentence=words, checks=checks)
    if cells < _LEAST_GOOD:
        words = f"Not judged: only {cells} reciprocal cells were measured well enough to compare them."
        return VolumeVerdict(judgement="not judged", sentence=words, checks=checks)
    if not _NOISY[0] < solution.chi_square < _NOISY[1]:
        words = f"Not judged: χ² per voxel is {solution.chi_square:.2f}, so the noise is not what it seems."
        return VolumeVerdict(judgement="not judged", sentence=words, checks=checks)
    if several := several_sites(solution):
        return VolumeVerdict(judgement="not judged", sentence=f"Not judged: {several}", checks=checks)
    words = "The data agree with two species that share one site. That does not prove it: what is weak may not show."
    return VolumeVerdict(judgement="agrees", sentence=words, checks=checks)


def _coarsest(solution: VolumeSolution) -> float:
    """The longest edge of a voxel, in reciprocal lattice units."""
    return max(float(axis[1] - axis[0]) for axis in solution.voxels.axes if len(axis) > 1)


def _residuals(solution: VolumeSolution) -> _Residuals:
    fit = solution.fit
    rest, weight, diffuse = fit.residuals()
    distance, cell, cells = lattice_distance(fit.voxels.axes)
    in_shells = weight.ravel().astype(np.float64)
    return _Residuals(
        rest=rest.ravel().astype(np.float64),
        weight=in_shells * _weight_in_cells(fit.voxels, cells)[cell.ravel()],
        weight_in_shells=in_shells,
        diffuse=np.maximum(diffuse, 0).ravel().astype(np.float64),
        cell=cell.ravel(),
        distance=distance.ravel(),
        lengths=fit.voxels.lengths().ravel(),
        shape=fit.voxels.shape,
        cells=cells,
    )


def _weight_in_cells(voxels: Voxels, cells: int) -> FloatArray:
    """By what the weight of voxels in each cell is larger than in all: most of their copies lie in other cells."""
    points = lattice_points(voxels.axes, cells)
    images = points @ voxels.copying
    same = (images == points).all(axis=2)
    if voxels.folded:
        same |= (images == -points).all(axis=2)
    return np.asarray(len(voxels.copying) / same.sum(axis=0))


def _good_cells(found: _Residuals) -> npt.NDArray[np.bool_]:
    return np.asarray(np.bincount(found.cell, found.weight > 0, found.cells) > _LEAST_VOXELS)


def _mean_square(
    found: _Residuals, key: npt.NDArray[np.integer], pattern: FloatArray | float, keys: int, keep: npt.NDArray[np.bool_]
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


def _over_lengths(found: _Residuals, _: VolumeSolution) -> Measure:
    top = float(found.lengths[found.weight > 0].max())
    key = np.minimum((found.lengths / top * _BINS).astype(np.int32), _BINS)
    count = np.bincount(key, found.weight > 0, _BINS + 1)
    whole = replace(found, weight=found.weight_in_shells)
    return _mean_square(whole, key, 1.0, _BINS + 1, count > _LEAST_VOXELS)


def _over_cells(found: _Residuals, _: VolumeSolution) -> Measure:
    return _mean_square(found, found.cell, 1.0, found.cells, _good_cells(found))


def _near_points(found: _Residuals, _: VolumeSolution) -> Measure:
    return _mean_square(found, found.cell, (found.distance < _NEAR).astype(float), found.cells, _good_cells(found))


def _within_cells(wave: Callable[[FloatArray], FloatArray]) -> Callable[[_Residuals, VolumeSolution], Measure]:
    def measure(found: _Residuals, solution: VolumeSolution) -> Measure:
        axes = solution.fit.voxels.axes
        h = np.meshgrid(*axes, indexing="ij", sparse=True)
        offsets = [each - np.round(each) for each in h]
        good = _good_cells(found)
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


def _thermal(found: _Residuals, solution: VolumeSolution) -> Measure:
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


def _varies(_: _Residuals, solution: VolumeSolution) -> Measure:
    if _cut_short(solution) or not solution.scale_known:
        return None  # the scale of α bends the model by more than a first derivative says
    found = order_that_varies(solution.fit, solution.factor)
    return None if found is None else (found.chi_square / max(solution.chi_square, 1.0), found.amplitude)


def _lattice(_: _Residuals, solution: VolumeSolution) -> Measure:
    if _cut_short(solution):
        return None
    found = stretched_lattice(solution.fit, solution.factor)
    return None if found is None else (found.chi_square / max(solution.chi_square, 1.0), found.amplitude)


_MEASURES: Final[dict[str, Callable[[_Residuals, VolumeSolution], Measure]]] = {
    "|Q|": _over_lengths,
    "cell by cell": _over_cells,
    "near lattice points": _near_points,
    "even within cells": _within_cells(np.cos),
    "odd within cells": _within_cells(np.sin),
    "thermal": _thermal,
    "order varies": _varies,
    "lattice": _lattice,
}
