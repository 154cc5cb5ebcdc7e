"""I_FF once more, with a prior that the plane itself teaches: what it is in dead zones hangs on that.

With I_SRO held, I_FF = E · G is a linear problem: G is a series whose coefficients are the Patterson function of the
molecules, on a grid of vectors r. The solver's prior of them knows nothing but the cell. In truth they are large where
vectors between atoms end and small elsewhere, and the live pixels tell where. So the prior's variance at r is set to
the square of what was found at r and beside it, and the fit is made again, some times over: large coefficients become
free, small ones are held, and dead zones are filled with what the large ones make of them. (The idea is that of
reweighted least squares for sparse spectra: Gorodnitsky & Rao, IEEE Trans. Signal Process. 45, 600 (1997).)

What a network guesses can be added as data of their own, with a variance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from dsfu.model.factorise.factors import PlaneFactors
from dsfu.model.solver.noise import smoothed, variance_of
from dsfu.model.solver.patterson import falloff, patterson_terms
from dsfu.model.solver.series import Series
from dsfu.simulate.contract import Float32Array, FloatArray, IntArray
from dsfu.simulate.lattice import Cell
from dsfu.simulate.planes import Plane

ROUNDS: Final = 4
"""How often the prior is taken from the fit before."""

NEIGHBOURHOOD_ANGSTROM: Final = 0.2
"""Over what distance squares of coefficients are averaged."""

_TOLERANCE: Final = 0.01
"""As that of the solver's last stage: by how much √I of the model may be off, relative to the maximum."""

_INDEPENDENT: Final = 1 / 16
_FLOOR: Final = 1e-3
_WEAK: Final = 0.005
"""Share of the largest I_SRO below which pixels say nothing of I_FF."""

_LEAST: Final = 1e-4
"""No coefficient's variance falls below this share of the largest, weighed by the first prior."""

_STEPS: Final = 80
_ACCURACY: Final = 3e-4


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
    mean = max(float(plane.form_factor[plane.live].mean()) / scale, 1e-6)
    series = _PattersonSeries(plane.plane, plane.cell, width, mean)
    deviation, first = series.deviation, series.deviation
    found = torch.zeros_like(deviation)
    for number in range(rounds + 1):
        if number:
            deviation = series.learnt(found, first)
        found = _fitted(series, deviation, target, weight, found)
    values = series.at(found).clamp_min(0).numpy()
    return np.asarray(scale * values, np.float32)


def _data(plane: PlaneFactors, scale: float) -> tuple[Tensor, Tensor]:
    """(I − background) / I_SRO and its weight, (y, x), in the plane's scale."""
    sro = plane.sro.astype(np.float64)
    used = plane.live & (sro > _WEAK * sro.max())
    model = np.maximum(plane.form_factor * sro, 0) / scale
    observed = (plane.measured.intensity - plane.background) / scale
    if plane.measured.sigma is None:
        noise = variance_of(np.where(plane.live, observed - model, 0), model, plane.live)
    else:
        noise = smoothed(np.square(plane.measured.sigma / scale), plane.live, 5)
    allowed = 4 * _TOLERANCE**2 / _INDEPENDENT * (model + _FLOOR)
    target = np.where(used, observed, 0) / np.where(used, sro, 1)
    weight = np.where(used, np.square(sro) / (allowed + noise), 0)
    return torch.as_tensor(target).float(), torch.as_tensor(weight).float()


def _with_guess(target: Tensor, weight: Tensor, guessed: Guessed, scale: float) -> tuple[Tensor, Tensor]:
    """Data and guess as one, weighed by their inverse variances."""
    own = torch.as_tensor(scale**2 / np.maximum(guessed.variance, 1e-12 * scale**2)).float()
    value = torch.as_tensor(guessed.form_factor / scale).float()
    total = weight + own
    return (weight * target + own * value) / total.clamp_min(1e-30), total


def _fitted(series: "_PattersonSeries", deviation: Tensor, target: Tensor, weight: Tensor, start: Tensor) -> Tensor:
    """Coefficients that minimise Σ weight (E·G − target)² + Σ (coefficient / deviation)², from a start on."""

    def curvature(variables: Tensor) -> Tensor:
        return variables + deviation * series.onto(weight * series.at(deviation * variables))

    variables = torch.where(deviation > 0, start / deviation.clamp_min(1e-20), 0.0)
    residual = weight * (target - series.at(deviation * variables))
    gradient = deviation * series.onto(residual) - variables
    return deviation * (variables + conjugate_gradients(curvature, gradient))


def conjugate_gradients(
    matrix: Callable[[Tensor], Tensor], wanted: Tensor, steps: int = _STEPS, accuracy: float = _ACCURACY
) -> Tensor:
    """x with matrix(x) = wanted, as far as some steps go."""
    found, residual = torch.zeros_like(wanted), wanted.clone()
    direction, square = residual.clone(), float(residual @ residual)
    enough = accuracy**2 * square
    for _ in range(steps):
        if square <= enough:
            break
        applied = matrix(direction)
        step = square / float(direction @ applied)
        found += step * direction
        residual -= step * applied
        square, before = float(residual @ residual), square
        direction = residual + (square / before) * direction
    return found


class _PattersonSeries:
    """E · G on all pixels from the coefficients of G, first the cosines', then the sines', and back."""

    def __init__(self, plane: Plane, cell: Cell, width: float, mean: float) -> None:
        patterson = patterson_terms(plane, cell, width)
        self._count = len(patterson.terms)
        self._series = Series([patterson.terms], plane.offsets[None], torch.float32, "cpu")
        self._falloff = torch.as_tensor(falloff(plane)).float()
        self._has_sine = patterson.terms.has_sine
        vectors = np.abs(patterson.terms.vectors)
        self._step = float(vectors[vectors > 1e-9].min())
        self._places: IntArray = np.rint(patterson.terms.vectors / self._step).astype(np.int64)
        both = np.concatenate([patterson.deviation, patterson.deviation * self._has_sine])
        self.deviation = torch.as_tensor(mean * both).float()

    def at(self, coefficients: Tensor) -> Tensor:
        cosines, sines = coefficients[None, : self._count], coefficients[None, self._count :]
        return self._falloff * self._series(cosines, sines)[0]

    def onto(self, pixels: Tensor) -> Tensor:
        """The transposed of `at`."""
        nowhere = torch.zeros_like(self.deviation, requires_grad=True)
        (gradient,) = torch.autograd.grad(self.at(nowhere), nowhere, pixels)
        return gradient

    def learnt(self, coefficients: Tensor, first: Tensor) -> Tensor:
        """Standard deviations from coefficients; that of the constant term stays."""
        found = np.square(coefficients.double().numpy())
        power = self._averaged(found[: self._count] + found[self._count :])
        variance = np.concatenate([power, power * self._has_sine])
        given = np.square(first.double().numpy())
        variance = np.maximum(variance, _LEAST * variance[1:].max() * given / given[1:].max())
        variance[0] = given[0]
        return torch.as_tensor(np.where(given > 0, np.sqrt(variance), 0.0)).float()

    def _averaged(self, power: FloatArray) -> FloatArray:
        """Mean over the neighbourhood; half of the Patterson function is kept, the other is its mirror image."""
        reach = int(np.abs(self._places).max())
        on_grid, there = np.zeros((2, 2 * reach + 1, 2 * reach + 1))
        for sign in (1, -1):
            at = tuple((sign * self._places[1:, ::-1] + reach).T)
            on_grid[at], there[at] = power[1:], 1.0 + self._has_sine[1:]
        blur = NEIGHBOURHOOD_ANGSTROM / self._step
        mean = gaussian_filter(on_grid, blur) / np.maximum(gaussian_filter(there, blur), 1e-9)
        return np.asarray(mean[tuple((self._places[:, ::-1] + reach).T)], np.float64)
