"""From where a fit ended to what is told of it."""

from collections.abc import Sequence

import numpy as np

from dsfu.model.solver.fit import Fit, Fitted
from dsfu.model.solver.noise import structured_misfit
from dsfu.model.solver.prepared import Prepared
from dsfu.model.solver.solution import Misfit, PlaneSolution, Solution
from dsfu.simulate.contract import ALPHA_SHAPE, SHELL_CUTOFF, FloatArray, IntArray

_DETERMINED_ABOVE = 0.02
"""Share of the largest I_SRO of a plane above which it fixes I_FF."""


def solution_of(fit: Fit, fitted: Fitted, problem: int, widened: int, seconds: float) -> Solution:
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
    return Solution(
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
        converged=misfit.structured <= fit.settings.widen_above,
    )


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
        structured=structured_misfit(residual, model, live),
        reduced_chi_square=chi_square,
    )


def _joint(misfits: Sequence[Misfit]) -> Misfit:
    def root_mean_square(values: list[float]) -> float:
        return float(np.sqrt(np.mean(np.square(values))))

    return Misfit(
        relative=root_mean_square([each.relative for each in misfits]),
        structured=root_mean_square([each.structured for each in misfits]),
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
