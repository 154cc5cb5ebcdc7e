"""Factorise planes of diffuse scattering without training: given the lattice, I_D = I_FF · I_SRO can be taken apart.

I_SRO is a Fourier series on the lattice, I_FF a smooth function of limited band; both are fitted together.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.solver.fit import PlaneFit
from dsfu.model.measured.solver.prepared import prepare
from dsfu.model.measured.solver.results import solution_of
from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.model.measured.solver.solution import Misfit, PlaneSolution, Solution

__all__ = ["Misfit", "PlaneSolution", "Solution", "SolverSettings", "solve", "solve_many"]

DEFAULT = SolverSettings()

_GPU_BATCH = 64

_LOST = 0.05
"""Structured misfit of a fit that went astray; data of another kind are seldom above it."""

_CLEARLY_BETTER = 0.8
"""A wider prior fits better by itself, so it has to by a good deal."""


def solve(planes: Sequence[MeasuredPlane], settings: SolverSettings = DEFAULT) -> Solution:
    """Factorise the planes of one crystal together: they share its α.

    Parameters
    ----------
    planes
        One or more planes with the same cell and the same number of pixels.
    """
    return solve_many([planes], settings)[0]


def solve_many(crystals: Sequence[Sequence[MeasuredPlane]], settings: SolverSettings = DEFAULT) -> list[Solution]:
    """Factorise the planes of many crystals, which have nothing to do with one another; in batches on a GPU."""
    for i, crystal in enumerate(crystals):
        sizes = sorted({plane.plane.pixels for plane in crystal})
        if len(sizes) != 1:
            raise ValueError(f"crystals[{i}]: planes of {sizes} pixels; expected some planes, all of one size")
    solutions: dict[int, Solution] = {}
    for numbers in _batches(crystals, settings):
        batch = _solve_batch([crystals[i] for i in numbers], settings)
        solutions.update(zip(numbers, batch, strict=True))
    return [solutions[i] for i in range(len(crystals))]


def _batches(crystals: Sequence[Sequence[MeasuredPlane]], settings: SolverSettings) -> Iterator[list[int]]:
    """Numbers of the crystals to be fitted together: of one plane each, with the same number of pixels."""
    size = settings.batch or (1 if settings.device == "cpu" else _GPU_BATCH)
    alike: dict[tuple[int, int], list[int]] = {}
    for i, crystal in enumerate(crystals):
        alike.setdefault((len(crystal), crystal[0].plane.pixels), []).append(i)
    for (planes, _), numbers in alike.items():
        together = size if planes == 1 else 1
        for first in range(0, len(numbers), together):
            yield numbers[first : first + together]


def _solve_batch(crystals: Sequence[Sequence[MeasuredPlane]], settings: SolverSettings) -> list[Solution]:
    """Fit all, then again with a wider prior those that did not come out well, as long as that helps."""
    best: dict[int, Solution] = {}
    waiting = list(range(len(crystals)))
    for widened in range(len(settings.widths)):
        found = _fitted(crystals, waiting, widened, settings)
        lost = [i for i in waiting if found[i].misfit.structured > _LOST]
        if lost and settings.again_if_lost:
            again = _fitted(crystals, lost, widened, on_all_pixels(settings))
            found |= {i: _better(found[i], again[i]) for i in lost}
        helped = [i for i in waiting if i not in best or found[i].misfit.structured < best[i].misfit.structured]
        best |= {i: _better(best[i], found[i]) if i in best else found[i] for i in waiting}
        waiting = [i for i in helped if not best[i].converged]
        if not waiting:
            break
    return [best[i] for i in range(len(crystals))]


def _fitted(
    crystals: Sequence[Sequence[MeasuredPlane]], numbers: Sequence[int], widened: int, settings: SolverSettings
) -> dict[int, Solution]:
    started = time.perf_counter()
    width = settings.widths[widened]
    fit = PlaneFit(
        [[prepare(plane, settings.cutoff, width) for plane in crystals[i]] for i in numbers], settings, width
    )
    fitted = fit.run()
    seconds = (time.perf_counter() - started) / len(numbers)
    return {i: solution_of(fit, fitted, place, widened, seconds) for place, i in enumerate(numbers)}


def on_all_pixels(settings: SolverSettings) -> SolverSettings:
    """Peaks of I_SRO hardly wider than a pixel are lost on every other one."""
    careful, careful_joint = (
        tuple(replace(stage, every=1) for stage in stages) for stages in (settings.stages, settings.joint_stages)
    )
    return replace(settings, stages=careful, joint_stages=careful_joint)


def _better(old: Solution, new: Solution) -> Solution:
    chosen = new if new.misfit.structured < _CLEARLY_BETTER * old.misfit.structured else old
    return replace(chosen, seconds=old.seconds + new.seconds, iterations=old.iterations + new.iterations)
