"""How curved the objective of a fit of planes is, each factor by itself: what its optimiser is preconditioned with."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dsfu.model.measured.solver.noise import INDEPENDENT
from dsfu.model.measured.solver.objective import BACKGROUND_UNIT, DEPTH_PRICE, EXTRAS, NEGATIVE_PRICE, STRETCH_UNIT
from dsfu.model.measured.solver.patterson import grid_step
from dsfu.model.measured.solver.preconditioner import (
    Preconditioner,
    block_of,
    order_curvature,
    smooth_curvature,
    smooth_diagonal,
    wide_terms,
)
from dsfu.model.measured.solver.settings import Stage
from dsfu.simulate.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from dsfu.model.measured.solver.fit import PlaneFit

_TOGETHER = 8
"""Waves of G that are in no block are not independent: what each adds by itself is taken so many times. Chosen of 2, 4,
8 and 16 by the number of steps on four images."""


def preconditioner_of(fit: "PlaneFit", variables: Tensor, stage: Stage, weights: FloatArray) -> Preconditioner:
    """From the curvature at some variables, with weights (planes, y, x) of the pixels."""
    smooth, order, _ = fit.at(variables)
    model, blocks = fit.model, []
    diagonal = _diagonal(fit, variables, smooth, order, weights)
    for problem in range(model.problems):
        numbers = range(problem * model.planes, (problem + 1) * model.planes)
        of_order = sum(_order_curvature(fit, i, smooth[i], order[i], weights[i], stage) for i in numbers)
        free = np.flatnonzero(model.sro_free[problem].cpu().numpy())
        prior = torch.eye(len(free), dtype=torch.float64, device=variables.device) / model.sro_deviation**2
        blocks.append(block_of(problem, free, torch.as_tensor(of_order)[free][:, free] + prior, variables))
        for place, i in enumerate(numbers):
            first = model.sro_size + place * (model.smooth_size + EXTRAS)
            at, curvature, alone = _smooth_curvature(fit, i, smooth[i], order[i], weights[i], stage)
            blocks.append(block_of(problem, at + first, curvature, variables))
            diagonal[problem, first : first + model.smooth_size] += alone
    return Preconditioner(blocks, diagonal)


def _diagonal(fit: "PlaneFit", variables: Tensor, smooth: FloatArray, order: FloatArray, weights: FloatArray) -> Tensor:
    """Curvature along backgrounds and stretches; 1, that of the prior, along everything else."""
    model = fit.model
    diagonal = torch.ones_like(variables)
    extras = diagonal[:, model.sro_size :].view(len(fit.planes), -1)[:, model.smooth_size :]
    if model.with_background:
        extras[:, 0] += fit.tensor(BACKGROUND_UNIT**2 * weights.sum(axis=(1, 2)))
    if model.with_stretch:
        falloff = np.stack([plane.falloff for plane in fit.planes])
        form_factor = falloff * np.maximum(smooth, 0) * (order > 0)
        for axis in (0, 1):
            slope = _slope(fit, variables, axis)
            extras[:, 1 + axis] += fit.tensor((weights * np.square(form_factor * slope)).sum(axis=(1, 2)))
    return diagonal


def _slope(fit: "PlaneFit", variables: Tensor, axis: int) -> FloatArray:
    """How S changes with a variable that stretches the lattice: (planes, y, x)."""
    at = fit.model.coefficients(variables)
    values = []
    for sign in (0.5, -0.5):
        stretch = at.stretch.clone()
        stretch[:, axis] += sign * STRETCH_UNIT
        values.append(fit.series(1)[0](at.sro_cosines, at.sro_sines, stretch))
    return np.asarray((values[0] - values[1]).double().cpu().numpy())


def _smooth_curvature(
    fit: "PlaneFit", number: int, smooth: FloatArray, order: FloatArray, weight: FloatArray, stage: Stage
) -> tuple[IntArray, Tensor, Tensor]:
    """Of the variables of G: those in the block, the curvature among them, and what the data add to each by itself."""
    plane = fit.planes[number]
    unit = INDEPENDENT / stage.tolerance**2
    # ½ w (E G S − J)² has the second derivative w E² S² by G; where G is negative, its price adds to that.
    total = weight * np.maximum(order, 0) ** 2 + NEGATIVE_PRICE * unit * (smooth < 0)
    chosen = wide_terms(plane.patterson)
    terms, offsets = plane.patterson.terms, plane.measured.plane.offsets
    weights = torch.as_tensor(plane.falloff**2 * total, device=fit.settings.device)
    step = grid_step(plane.measured.plane)
    curvature = smooth_curvature(terms, step, offsets, weights, chosen)
    deviation = fit.model.smooth_deviation[number].double()
    half = fit.model.smooth_size // 2
    at = np.where(chosen < len(terms), chosen, chosen - len(terms) + half)
    own = deviation[torch.as_tensor(at)]
    curvature = curvature * torch.outer(own, own) + torch.eye(len(at), dtype=torch.float64, device=own.device)
    alone = torch.zeros_like(deviation)
    alone.view(2, half)[:, : len(terms)] = smooth_diagonal(terms, step, offsets, weights).view(2, -1)
    return at, curvature, (_TOGETHER * alone * deviation.square()).to(fit.dtype)


def _order_curvature(
    fit: "PlaneFit", number: int, smooth: FloatArray, order: FloatArray, weight: FloatArray, stage: Stage
) -> Tensor:
    """Among the variables of I_SRO."""
    plane = fit.planes[number]
    depth = DEPTH_PRICE * INDEPENDENT / stage.tolerance**2 * plane.mean**2
    total = np.where(order > 0, weight * np.square(plane.falloff * np.maximum(smooth, 0)), depth)
    weights = torch.as_tensor(total, device=fit.settings.device)
    found = order_curvature(plane.lattice.terms, plane.measured.plane.offsets, weights)
    return fit.model.order_curvature(number, found)
