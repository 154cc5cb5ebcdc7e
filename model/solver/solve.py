"""Factorise planes of diffuse scattering without training: given the lattice, I_D = I_FF · I_SRO can be taken apart.

I_SRO is a Fourier series on the lattice, I_FF a smooth function of limited band; both are fitted together.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dsfu.model.measured.plane import MeasuredPlane
from dsfu.model.solver.fit import Fit
from dsfu.model.solver.prepared import prepare
from dsfu.model.solver.results import solution_of
from dsfu.model.solver.settings import Settings
from dsfu.model.solver.solution import Misfit, PlaneSolution, Solution

__all__ = ["Misfit", "PlaneSolution", "Settings", "Solution", "solve", "solve_many"]

DEFAULT = Settings()

_GPU_BATCH = 64

_CLEARLY_BETTER = 0.8
"""A wider prior fits better by itself, so it has to by a good deal."""


def solve(planes: Sequence[MeasuredPlane], settings: Settings = DEFAULT) -> Solution:
    """Factorise the planes of one crystal together: they share its α.

    Parameters
    ----------
    planes
        One or more planes with the same cell and the same number of pixels.
    """
    return solve_many([planes], settings)[0]


def solve_many(crystals: Sequence[Sequence[MeasuredPlane]], settings: Settings = DEFAULT) -> list[Solution]:
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


def _batches(crystals: Sequence[Sequence[MeasuredPlane]], settings: Settings) -> Iterator[list[int]]:
    """Numbers of the crystals to be fitted together: of one plane each, with the same number of pixels."""
    size = settings.batch or (1 if settings.device == "cpu" else _GPU_BATCH)
    alike: dict[tuple[int, int], list[int]] = {}
    for i, crystal in enumerate(crystals):
        alike.setdefault((len(crystal), crystal[0].plane.pixels), []).append(i)
    for (planes, _), numbers in alike.items():
        together = size if planes == 1 else 1
        for first in range(0, len(numbers), together):
            yield numbers[first : first + together]


def _solve_batch(crystals: Sequence[Sequence[MeasuredPlane]], settings: Settings) -> list[Solution]:
    """Fit all, then again with a wider prior those that did not come out well."""
    best: dict[int, Solution] = {}
    waiting = list(range(len(crystals)))
    for widened, width in enumerate(settings.widths):
        started = time.perf_counter()
        fit = Fit([[prepare(plane, settings.cutoff, width) for plane in crystals[i]] for i in waiting], settings)
        fitted = fit.run()
        seconds = (time.perf_counter() - started) / len(waiting)
        for place, number in enumerate(waiting):
            new = solution_of(fit, fitted, place, widened, seconds)
            best[number] = _better(best[number], new) if number in best else new
        waiting = [i for i in waiting if not best[i].converged]
        if not waiting:
            break
    return [best[i] for i in range(len(crystals))]


def _better(old: Solution, new: Solution) -> Solution:
    chosen = new if new.misfit.structured < _CLEARLY_BETTER * old.misfit.structured else old
    return replace(chosen, seconds=old.seconds + new.seconds, iterations=old.iterations + new.iterations)
