"""From where a fit ended to what is told of it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dsfu.model.measured.solver.fit import Fitted, PlaneFit
from dsfu.model.measured.solver.noise import certain_misfit, structured_misfit
from dsfu.model.measured.solver.prepared import Prepared
from dsfu.model.measured.solver.solution import Misfit, PlaneSolution, Solution
from dsfu.model.measured.solver.uncertainty import covariance_of, information_of, sigma_of_form_factor, sigma_of_sro
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SHELL_CUTOFF

_LEVEL_FLOOR = 1e-3
"""Intensity, relative to the maximum, below which √I need not be resolved."""

_SHARED_BY = 16
"""Pixels over which what is wrong with a model, and not noise, extends."""

_DETERMINED_ABOVE = 0.02
"""Share of the largest I_SRO of a plane above which it fixes I_FF."""


def solution_of(fit: PlaneFit, fitted: Fitted, problem: int, widened: int, seconds: float) -> Solution:
    """The solution of one of the problems of a fit."""
    count = fit.model.planes
    numbers = slice(problem * count, (problem + 1) * count)
    planes = tuple(_plane_solution(fit.planes[i], fitted, i) for i in range(numbers.start, numbers.stop))
    misfit = _joint([plane.misfit for plane in planes])
    variables = fitted.variables[problem].double().cpu().numpy()
    first = fit.planes[numbers.start]
    if count == 1:
        vectors, alpha = first.lattice.vectors, None
        values, sines = _projected_alpha(fit.model.sro_size // 2, len(first.lattice), variables)
    else:
        vectors = first.lattice.members
        values, sines = np.r_[1.0, variables[1 : len(vectors)]], np.zeros(len(vectors))
        alpha = _full_alpha(vectors, values)
    solution = Solution(
        planes=planes,
        alpha_vectors=vectors,
        alpha_values=values,
        alpha_sines=sines,
        alpha_covariance=None,
        alpha=alpha,
        misfit=misfit,
        axis_scales=1 + fitted.stretch[numbers],
        iterations=fitted.evaluations,
        seconds=seconds,
        widened=widened,
        converged=misfit.certain <= fit.settings.widen_above,
    )
    return _with_uncertainty(solution, fit, fitted, numbers) if fit.settings.uncertainty else solution


def _with_uncertainty(solution: Solution, fit: PlaneFit, fitted: Fitted, numbers: slice) -> Solution:
    prepared = fit.planes[numbers]
    gathered = []
    for i, (plane, found) in enumerate(zip(prepared, solution.planes, strict=True), start=numbers.start):
        level = np.maximum(found.intensity / plane.scale, 0) + _LEVEL_FLOOR
        wrong = 4 * found.misfit.structured**2 * _SHARED_BY * level
        noise = fitted.variance[i] / plane.measured.grain.independent
        gathered.append(information_of(plane, fitted.smooth[i], fitted.order[i], noise + wrong))
    if len(prepared) == 1:
        size = len(prepared[0].lattice)
        free = np.r_[0.0, np.ones(size - 1), prepared[0].lattice.terms.has_sine]
        of_planes = [covariance_of(gathered[0].order, free, fit.model.sro_deviation)]
        covariance = of_planes[0][:size, :size] / 4  # each coefficient is twice an α
    else:
        maps = [plane.lattice.map_from_alpha().reshape(-1, len(solution.alpha_values)) for plane in prepared]
        assert fitted.alpha_covariance is not None
        covariance = fitted.alpha_covariance
        of_planes = [map_ @ covariance @ map_.T for map_ in maps]
    planes = tuple(
        replace(
            found,
            sigma_sro=sigma_of_sro(plane, each).astype(np.float32),
            sigma_form_factor=(plane.scale * sigma_of_form_factor(plane, known)).astype(np.float32),
        )
        for found, plane, each, known in zip(solution.planes, prepared, of_planes, gathered, strict=True)
    )
    return replace(solution, planes=planes, alpha_covariance=covariance)


def _plane_solution(plane: Prepared, fitted: Fitted, number: int) -> PlaneSolution:
    form_factor = plane.falloff * np.maximum(fitted.smooth[number], 0)
    sro = np.maximum(fitted.order[number], 0)
    background = float(fitted.background[number])
    model = form_factor * sro + background
    stretch_x, stretch_y = fitted.stretch[number].tolist()
    return PlaneSolution(
        form_factor=(form_factor * plane.scale).astype(np.float32),
        sro=sro.astype(np.float32),
        intensity=(model * plane.scale).astype(np.float32),
        sigma_form_factor=None,
        sigma_sro=None,
        background=background * plane.scale,
        scale=plane.scale,
        misfit=_misfit(plane, model),
        determined=plane.live & (sro > _DETERMINED_ABOVE * sro.max()),
        stretch=(stretch_x, stretch_y),
    )


def _misfit(plane: Prepared, model: FloatArray) -> Misfit:
    live = plane.live
    residual = np.where(live, plane.data - model, 0.0)
    chi_square = np.nan
    if plane.variance is not None:
        known = live & (plane.variance > 0)
        chi_square = float((residual[known] ** 2 / plane.variance[known]).mean()) if known.any() else np.nan
    return Misfit(
        relative=float(np.sqrt((residual**2).sum() / (plane.data[live] ** 2).sum())),
        structured=structured_misfit(residual, model, live, plane.measured.grain),
        certain=certain_misfit(residual, model, live, plane.measured.grain),
        reduced_chi_square=chi_square,
    )


def _joint(misfits: Sequence[Misfit]) -> Misfit:
    def root_mean_square(values: list[float]) -> float:
        return float(np.sqrt(np.mean(np.square(values))))

    return Misfit(
        relative=root_mean_square([each.relative for each in misfits]),
        structured=root_mean_square([each.structured for each in misfits]),
        certain=root_mean_square([each.certain for each in misfits]),
        reduced_chi_square=float(np.mean([each.reduced_chi_square for each in misfits])),
    )


def _projected_alpha(padded: int, terms: int, variables: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Half the coefficients of cosines and sines, which stand for v and −v; the origin's is 1."""
    values, sines = variables[:terms] / 2, variables[padded : padded + terms] / 2
    values[0], sines[0] = 1.0, 0.0
    return values, sines


def _full_alpha(vectors: IntArray, values: FloatArray) -> FloatArray:
    """The set of α as everything else in this project holds it, without what is beyond its cutoff."""
    alpha = np.zeros(ALPHA_SHAPE)
    inside = (np.abs(vectors) <= SHELL_CUTOFF).all(axis=1)
    for sign in (1, -1):
        alpha[tuple((sign * vectors[inside] + SHELL_CUTOFF).T)] = values[inside]
    return alpha
