"""A grid whose h, k and l are stretched by a per cent or so against the lattice of the crystal: found and undone.

What the order repeats with is the lattice. The derivative of the model by the stretch of each axis gives it, all else
left free; a stretch of 1 % is more than a first derivative describes, so that it is taken out and looked for again.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.model.measured.volume.departures import stretched_lattice
from dsfu.model.measured.volume.settings import FARTHEST, VolumeSettings
from dsfu.model.measured.volume.solve import STRETCH_REFUSED, GridStretch, VolumeSolution, solve_volume
from dsfu.model.measured.volume.terms import period_of
from dsfu.model.measured.volume.verdict import VolumeVerdict, judge_volume
from dsfu.model.measured.volume.watch import Say
from dsfu.simulate.arrays import BoolArray, FloatArray

_ROUNDS: Final = 4
_SMALL: Final = 1e-4
"""What is left of a stretch that is not worth another fit: at h = 10, a fiftieth of a voxel of .05."""

_CLEAR: Final = 2.0
"""Standard uncertainties from which on a stretch is taken out."""

_MOST: Final = 0.015
"""Largest stretch taken out in one round, as a first derivative says nothing of more."""


_MOST_IN_ALL: Final = 0.025
"""Largest stretch that is believed: beyond it, Bragg peaks of index 6 are three voxels off. Two
crystals of 1.6³ cells with a cut-off too short ran to .06 where 0 and −.01 were true. Chosen, not calibrated."""


def solve_with_stretch(
    reconstruction: Reconstruction, settings: VolumeSettings, say: Say = lambda _: None
) -> tuple[VolumeSolution, VolumeVerdict]:
    """Take a volume apart; where told, or where the verdict finds another lattice, on a grid stretched to it."""
    first = solution = solve_volume(reconstruction, settings, say)
    verdict = judge_volume(solution)
    wanted = finds_another_lattice(verdict) if settings.stretch is None else settings.stretch
    total, free = np.ones(3), _free_axes(solution)
    wanted = wanted and bool(free.any()) and (settings.cutoff is None or solution.cutoff_enough)
    for _ in range(_ROUNDS if wanted else 0):
        found = _stretch_of(solution, free)
        if found is None or np.abs(found[0]).max() < _SMALL:
            break
        tried = total * (1 + np.clip(found[0], -_MOST, _MOST))
        if np.abs(tried - 1).max() > _MOST_IN_ALL:
            say(STRETCH_REFUSED)
            return replace(first, stretch_refused=True), verdict
        say(f"h, k and l are multiplied by {', '.join(f'{each:.4f}' for each in tried)}")
        other = solve_volume(stretched(reconstruction, tried), settings, say)
        if other.misfit >= solution.misfit:
            break
        total = tried
        solution = replace(other, stretch=GridStretch(factors=_as_three(tried), uncertainties=_as_three(found[1])))
    return (solution, judge_volume(solution)) if solution.stretch else (solution, verdict)


def finds_another_lattice(verdict: VolumeVerdict) -> bool:
    """Whether the verdict says that the order repeats with another lattice than h, k and l say."""
    return any(check.name == "lattice" and not check.passed for check in verdict.checks)


def stretched(reconstruction: Reconstruction, factors: FloatArray) -> Reconstruction:
    """The same intensities with h, k and l multiplied by three factors."""
    step = Step(name="stretch", parameters={"factors": [float(each) for each in factors]})
    return reconstruction.after(step, origin=reconstruction.origin * factors, steps=reconstruction.steps * factors)


def _stretch_of(solution: VolumeSolution, free: BoolArray) -> tuple[FloatArray, FloatArray] | None:
    """Relative stretch of h, k and l that the residuals clearly ask for, else 0, and its standard uncertainty."""
    found = stretched_lattice(solution.fit, solution.factor)
    if found is None:
        return None
    values, uncertainties = np.zeros(3), np.zeros(3)
    several = [axis for axis, values_of in enumerate(solution.fit.voxels.axes) if len(values_of) > 1]
    values[several], uncertainties[several] = found.values, found.uncertainties
    seen = free & (np.abs(values) > _CLEAR * uncertainties)
    return np.where(seen, values, 0.0), np.where(free, uncertainties, 0.0)


def _free_axes(solution: VolumeSolution) -> BoolArray:
    """Axes that may be stretched: not those of one value, or in steps that join vectors within reach of the order.

    A stretch would part what such a grid cannot tell apart, as α of v and v + 2 where an index goes in steps of a half.
    """
    axes = solution.voxels.axes
    return np.array([len(axis) > 1 and not 0 < period_of(axis) <= 2 * FARTHEST for axis in axes])


def _as_three(values: FloatArray) -> tuple[float, float, float]:
    first, second, third = (float(each) for each in values)
    return first, second, third
