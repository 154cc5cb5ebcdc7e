"""Refinement of Warren–Cowley parameters from I_SRO, by linear least squares.

On every pixel that is used, s · Σ_v α_v cos(Q·v) is fitted to I_SRO, with α_v = α_Rv for the operators R of the
symmetry and α_0 = 1, which fixes the scale s. The problem is linear in s·α_v.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.order.blocks import blocks
from dsfu.model.measured.order.fit import OrderSolution, Sums, normal_equations, scales_are_determined, solve
from dsfu.model.measured.order.notes import companions, notes_on
from dsfu.model.measured.order.planes import OrderPixels, SroPlane, SroSettings, used_pixels
from dsfu.model.measured.order.positivity import bound_conditions, feasible, points_of_planes, points_of_the_cell
from dsfu.model.measured.order.result import Shell, SroFit, SroRefinement, as_vector
from dsfu.model.measured.order.series import (
    DEPENDENT,
    NEARLY_DEPENDENT,
    Determined,
    OrbitSeries,
    determined,
    lattice_vectors,
)
from dsfu.model.measured.order.uncertainty import Uncertainty, relative, uncertainty
from dsfu.model.measured.symmetry.groups import laue_operators
from dsfu.model.measured.symmetry.orbits import Orbits, orbits_of
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray
from dsfu.simulate.lattice import Cell

_CLIPPING_ROUNDS: Final = 30


def refine_sro(planes: Sequence[SroPlane], settings: SroSettings | None = None) -> SroRefinement:
    """Refine the Warren–Cowley parameters of a crystal from I_SRO on one or several planes."""
    settings = settings or SroSettings()
    cell = _common_cell(planes)
    group = compatible_operators(settings, cell)
    vectors = lattice_vectors(
        cell, cutoff=settings.cutoff, cutoff_angstrom=settings.cutoff_angstrom, within=settings.within
    )
    orbits = orbits_of(vectors, group, cell)
    if len(orbits) < 2:
        raise InputError("no vector lies within the cutoff", expected="at least one", remedy="choose a longer cutoff")
    problem = _Problem(list(planes), settings, used_pixels(planes, settings), OrbitSeries(orbits), group)
    found = _refine(problem)
    for dependent in NEARLY_DEPENDENT:
        if all(shell.determined for shell in found.shells):
            break
        found = _refine(replace(problem, dependent=dependent))
    return found


def compatible_operators(settings: SroSettings, cell: Cell) -> IntArray:
    """Operators of the symmetry that leave the axes without order among themselves."""
    group = laue_operators(settings.symmetry, cell)
    within = ["abc".index(axis) for axis in settings.within]
    without = ["abc".index(axis) for axis in settings.no_order_along]
    return np.asarray(group[~group[:, without][:, :, within].any(axis=(1, 2))])


def _common_cell(planes: Sequence[SroPlane]) -> Cell:
    if not planes:
        raise ValueError("planes: there are none; expected at least one")
    cell = planes[0].cell
    for each in planes[1:]:
        if not np.allclose(each.cell.constants, cell.constants, rtol=1e-6):
            raise InputError(
                f"its cell {each.cell.constants} is not that of the first plane, {cell.constants}",
                where=each.name,
                expected="planes of one crystal",
            )
    return cell


@dataclass(frozen=True, eq=False)
class _Problem:
    """What is to be solved."""

    planes: list[SroPlane]
    settings: SroSettings
    pixels: OrderPixels
    series: OrbitSeries
    group: IntArray
    dependent: float = DEPENDENT

    @cached_property
    def block(self) -> IntArray:
        return blocks(self.planes, self.pixels, self.series, self.group, self.settings.blocks)


@dataclass(frozen=True, eq=False)
class _Outcome:
    """A solved problem with all that led to it."""

    sums: Sums
    known: Determined
    solution: OrderSolution
    free: OrderSolution
    conditions: FloatArray | None
    touching: int
    use: BoolArray


def _refine(problem: _Problem) -> SroRefinement:
    settings, orbits = problem.settings, problem.series.orbits
    outcome = _solve(problem, np.ones(len(problem.pixels), np.bool_))
    if settings.negative == "clipped":
        outcome = _without_clipped(problem, outcome)
    beta = outcome.solution.beta
    if not beta[0] > 0:
        raise InputError(
            f"the mean of I_SRO comes out as {beta[0]:.3g}",
            expected="a positive mean",
            remedy="look at the planes: has too much been subtracted? Are there too few pixels for the cutoff?",
        )
    fit, variance = _statistics(problem, outcome)
    errors = uncertainty(outcome.sums, outcome.solution, settings.own_scales, outcome.conditions, variance)
    fit = replace(fit, effective_pixels=fit.pixels / max(errors.inflation, 1.0))
    shells = _shells(orbits, outcome.known, beta, errors)
    return SroRefinement(
        source="I_SRO",
        cell=problem.planes[0].cell,
        symmetry=settings.symmetry,
        shells=shells,
        members=tuple(orbits.members[orbit] for orbit in outcome.known.basis[1:]),
        covariance=errors.covariance,
        fit=fit,
        notes=notes_on(settings, orbits, outcome.known, shells, fit),
    )


def _solve(problem: _Problem, use: BoolArray) -> _Outcome:
    planes, settings, series = problem.planes, problem.settings, problem.series
    everything = Sums.over(problem.pixels, problem.block, series, use)
    known = determined(everything.gram.sum(axis=0), problem.dependent)
    if known.basis[0] != 0 or len(known.basis) < 2:
        raise InputError(
            "the pixels do not determine a single parameter", remedy="use more planes, or a shorter cutoff"
        )
    sums = everything.of(known.basis)
    free = solve(sums, len(planes), settings.own_scales)
    if settings.own_scales and not scales_are_determined(sums, free):
        raise InputError(
            "the scales of the planes are not determined: no two of them have enough in common",
            expected="planes that cross, or one scale for all",
            remedy="refine the planes one by one, or with --one-scale if they were scaled together",
        )
    always = bound_conditions(known, settings.bounds)
    points = np.zeros((0, len(known.basis)))
    if settings.negative == "forbidden" and free.beta[0] > 0:
        points = points_of_the_cell(series, known) if known.alone.all() else points_of_planes(series, known, planes)

    def constrained(conditions: FloatArray) -> FloatArray:
        return solve(sums, len(planes), settings.own_scales, conditions).beta

    found = feasible(free.beta, constrained, points, always)
    solution = free
    if found.conditions is not None:
        solution = solve(sums, len(planes), settings.own_scales, found.conditions)
    return _Outcome(sums, known, solution, free, found.conditions, found.touching, use)


def _without_clipped(problem: _Problem, outcome: _Outcome) -> _Outcome:
    """Leave out zeros of the data where the series is negative, until they stay the same: a convex problem."""
    zero = problem.pixels.sro <= 0
    for _ in range(_CLIPPING_ROUNDS):
        use = ~(zero & (_model(problem, outcome) < 0))
        if np.array_equal(use, outcome.use):
            break
        outcome = _solve(problem, use)
    return outcome


def _model(problem: _Problem, outcome: _Outcome) -> FloatArray:
    pixels, beta, chosen = problem.pixels, outcome.solution.beta, outcome.known.basis
    starts = range(0, len(pixels), 4096)
    parts = [problem.series.columns(pixels.hkl[start : start + 4096], chosen) @ beta for start in starts]
    return np.asarray(np.concatenate(parts) * outcome.solution.scales[pixels.plane])


def _statistics(problem: _Problem, outcome: _Outcome) -> tuple[SroFit, float]:
    """How well it fits, and the variance of a pixel of weight 1."""
    use, pixels = outcome.use, problem.pixels
    observed, weight = pixels.sro[use], pixels.weight[use]
    residual = observed - _model(problem, outcome)[use]
    parameters = len(outcome.solution.beta) + (len(problem.planes) - 1 if problem.settings.own_scales else 0)
    chi_squared = float(weight @ residual**2)
    # χ² over the degrees of freedom: 1 if stated σ are right, and else the variance of a pixel of weight 1.
    reduced = chi_squared / max(int(use.sum()) - parameters, 1)
    known_sigma = all(each.sigma is not None for each in problem.planes)
    cost = _misfit(outcome.sums, outcome.solution) - _misfit(outcome.sums, outcome.free)
    fit = SroFit(
        pixels=int(use.sum()),
        effective_pixels=float(use.sum()),
        weak=pixels.weak,
        scales=tuple((outcome.solution.beta[0] * outcome.solution.scales).tolist()),
        r_value=float(np.abs(residual).sum() / max(float(np.abs(observed).sum()), 1e-300)),
        weighted_r=float(np.sqrt(chi_squared / max(float(weight @ observed**2), 1e-300))),
        goodness_of_fit=float(np.sqrt(reduced)) if known_sigma else None,
        touching=outcome.touching if outcome.conditions is not None else 0,
        cost_of_conditions=cost / chi_squared if outcome.conditions is not None and chi_squared > 0 else 0.0,
    )
    return fit, reduced


def _misfit(sums: Sums, solution: OrderSolution) -> float:
    return normal_equations(sums, solution.scales).misfit(solution.beta)


def _shells(orbits: Orbits, known: Determined, beta: FloatArray, errors: Uncertainty) -> tuple[Shell, ...]:
    alphas, deviations = relative(beta), np.sqrt(np.diag(errors.covariance))
    return tuple(
        Shell(
            vector=as_vector(orbits.representatives[orbit]),
            length_angstrom=float(orbits.lengths[orbit]),
            multiplicity=len(orbits.members[orbit]),
            alpha=float(alphas[number - 1]),
            uncertainty=float(deviations[number - 1]),
            together_with=companions(orbits, known, number),
        )
        for number, orbit in enumerate(known.basis)
        if number > 0
    )
