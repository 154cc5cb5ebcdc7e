"""I_FF once more, with a prior that the plane itself teaches: what it is in dead zones hangs on that.

With I_SRO held, I_FF = E · G is a linear problem: G is a series whose coefficients are the Patterson function of the
molecules, on a grid of vectors r. The solver's prior of them knows nothing but the cell. In truth they are large where
vectors between atoms end and small elsewhere, and the live pixels tell where. So the prior's variance at r is set to
the square of what was found at r and beside it, and the fit is made again, some times over: large coefficients become
free, small ones are held, and dead zones are filled with what the large ones make of them. (The idea is that of
reweighted least squares for sparse spectra: Gorodnitsky & Rao, IEEE Trans. Signal Process. 45, 600 (1997).)

Where the fit before was negative, zero is added as an uncertain measurement. What a network guesses can be added as
data of their own, with a variance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from dsfu.model.measured.factorise.factors import PlaneFactors
from dsfu.model.measured.factorise.patterson_grid import PattersonGrid
from dsfu.model.measured.solver.noise import tolerated_variance
from dsfu.simulate.arrays import Float32Array, FloatArray

ROUNDS: Final = 8
"""How often the prior is taken from the fit before."""

NEIGHBOURHOOD_ANGSTROM: Final = 0.12
"""Over what distance squares of coefficients are averaged."""

_OVERSAMPLING: Final = 1.6
"""Finer than the solver's: the closer a vector between atoms is to one of the grid, the fewer are needed for it."""

_TOLERANCE: Final = 0.005
"""By how much √I of the model may be off, relative to the maximum; about as in the solver's last stage."""

_WEAK: Final = 0.005
"""Share of the largest I_SRO below which pixels say nothing of I_FF."""

_LEAST: Final = 1e-4
"""No coefficient's variance falls below this share of the largest, weighed by the first prior."""

_BELOW_ZERO: Final = 0.03
"""Standard deviation of the zero that is added where the fit before was negative, relative to the plane's scale."""

_STEPS_AT_ENDS: Final = 300
_STEPS_BETWEEN: Final = 80
"""Of the linear solver, in the first and the last round and in those between, which another follows anyway."""

_ACCURACY: Final = 3e-5


@dataclass(frozen=True, kw_only=True, eq=False)
class Guessed:
    """I_FF (y, x) as somebody guesses it, in the data's unit, and the variance of the guess; infinite for none."""

    form_factor: FloatArray
    variance: FloatArray


def refit(plane: PlaneFactors, width: float, guessed: Guessed | None = None, rounds: int = ROUNDS) -> Float32Array:
    """I_FF of a plane that the solver has taken apart, in the data's unit.

    Parameters
    ----------
    width
        Of the solver's prior, relative to the cell.
    """
    assert plane.cell is not None
    scale = float(np.quantile(plane.measured.intensity[plane.live], 0.999))
    target, weight = _data(plane, scale)
    if guessed is not None:
        target, weight = _with_guess(target, weight, guessed, scale)
    grid = PattersonGrid(plane.plane, plane.cell, width, _OVERSAMPLING)
    wanted = grid.onto(weight * target)
    first = grid.deviation * max(float(plane.form_factor[plane.live].mean()) / scale, 1e-6)
    deviation, found = first, torch.zeros_like(first)
    for number in range(rounds + 1):
        if number:
            deviation = _learnt(grid, found, first)
        # A measurement of 0 adds its weight, and nothing to the weighted data.
        weight_now = weight + (grid.at(found) < 0) / _BELOW_ZERO**2
        steps = _STEPS_BETWEEN if 0 < number < rounds else _STEPS_AT_ENDS
        found = _fitted(grid.curvature(weight_now), deviation, wanted, found, steps)
    return np.asarray(scale * grid.at(found).clamp_min(0).numpy(), np.float32)


def _data(plane: PlaneFactors, scale: float) -> tuple[Tensor, Tensor]:
    """(I − background) / I_SRO and its weight, (y, x), in the plane's scale."""
    sro = plane.sro.astype(np.float64)
    used = plane.live & (sro > _WEAK * sro.max())
    model = np.maximum(plane.form_factor * sro, 0) / scale
    observed = (plane.measured.intensity - plane.background) / scale
    variance = (
        tolerated_variance(model, _TOLERANCE) + plane.noise_variance / plane.measured.grain.independent / scale**2
    )
    # (I − b) / I_SRO has the variance of I over I_SRO².
    target = np.where(used, observed, 0) / np.where(used, sro, 1)
    weight = np.where(used, np.square(sro) / variance, 0)
    return torch.as_tensor(target).float(), torch.as_tensor(weight).float()


def _with_guess(target: Tensor, weight: Tensor, guessed: Guessed, scale: float) -> tuple[Tensor, Tensor]:
    """Data and guess as one, weighed by their inverse variances."""
    own = torch.as_tensor(scale**2 / np.maximum(guessed.variance, 1e-12 * scale**2)).float()
    value = torch.as_tensor(guessed.form_factor / scale).float()
    total = weight + own
    return (weight * target + own * value) / total.clamp_min(1e-30), total


def _fitted(
    curvature: Callable[[Tensor], Tensor], deviation: Tensor, wanted: Tensor, start: Tensor, steps: int
) -> Tensor:
    """Coefficients that minimise ½ c·curvature(c) − c·wanted + ½ Σ (c / deviation)², from a start on."""

    def whitened(variables: Tensor) -> Tensor:
        return variables + deviation * curvature(deviation * variables)

    variables = torch.where(deviation > 0, start / deviation.clamp_min(1e-20), 0.0)
    return deviation * (variables + conjugate_gradients(whitened, deviation * wanted - whitened(variables), steps))


def conjugate_gradients(
    matrix: Callable[[Tensor], Tensor], wanted: Tensor, steps: int = _STEPS_AT_ENDS, accuracy: float = _ACCURACY
) -> Tensor:
    """x with matrix(x) = wanted, as far as some steps go; tensors of any shape."""
    found, residual = torch.zeros_like(wanted), wanted.clone()
    direction, square = residual.clone(), float(residual.square().sum())
    enough = accuracy**2 * square
    for _ in range(steps):
        if square <= enough:
            break
        applied = matrix(direction)
        step = square / float((direction * applied).sum())
        found += step * direction
        residual -= step * applied
        square, before = float(residual.square().sum()), square
        # Fletcher and Reeves: the next direction is conjugate to all before.
        direction = residual + (square / before) * direction
    return found


def _learnt(grid: PattersonGrid, found: Tensor, first: Tensor) -> Tensor:
    """Standard deviations from coefficients; that of the constant term stays."""
    variance = grid.neighbourhood_power(found, NEIGHBOURHOOD_ANGSTROM)
    given = np.square(first.double().numpy())
    variance = np.maximum(variance, _LEAST * variance[:, 1:].max() * given / given[:, 1:].max())
    variance[:, 0] = given[:, 0]
    return torch.as_tensor(np.where(given > 0, np.sqrt(variance), 0.0)).float()
