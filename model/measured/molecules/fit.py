"""Least squares: scale and Debye–Waller factor for given structures, and everything at once by Gauss–Newton.

Uncertainties. From the Jacobian J: (JᵀWJ)⁻¹ times the squared goodness of fit, right where the errors of pixels are
independent. A form factor that comes from a factorisation is smooth, so its errors are not; therefore also
(JᵀWJ)⁻¹ (Σ_b g_b g_bᵀ) (JᵀWJ)⁻¹ with g_b = Σ JᵀW r over a block of pixels (a cluster-robust "sandwich"), which needs
no more than that blocks be independent. The larger of the two is given.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from dsfu.model.measured.molecules.model import FormFactorModel
from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.constants import SIGMA_PER_MAD

_DW_RANGE: Final = (-0.1, 1.0)
"""Å² between which D_w is looked for; below 0 only by error, and that should be seen."""

_HUBER: Final = 2.5
"""Residuals beyond so many of their robust standard deviations count less."""

_UNDETERMINED: Final = 1e-9
"""Eigenvalues of the normal matrix (unit diagonal) below this share of the largest are of what data do not fix."""

_MOST_DAMPING: Final = 1e12


@dataclass(frozen=True, kw_only=True, eq=False)
class MoleculeFit:
    """Where least squares ended.

    Attributes
    ----------
    values
        All parameters, those held as well.
    uncertainties
        Standard uncertainties; 0 of what was held, infinite of what the data do not determine.
    correlations
        (parameters, parameters); 0 where one of the two was held or is not determined.
    goodness_of_fit
        √(χ² / (pixels − parameters)); its absolute size has a meaning only if σ was known.
    converged
        Whether it stopped because nothing got better any more.
    """

    values: FloatArray
    uncertainties: FloatArray
    correlations: FloatArray
    goodness_of_fit: float
    converged: bool
    iterations: int


def fit_scales(model: FormFactorModel, values: FloatArray, free: BoolArray) -> tuple[FloatArray, FloatArray]:
    """The best scale, and of background and D_w those that are free, for structures as ``values`` puts them.

    Returns
    -------
    The values with these replaced, and I_FF at the live pixels.
    """
    layout = model.layout
    with torch.no_grad():
        difference = model.difference(torch.tensor(values)).numpy()
    backgrounds = values[layout.where("background")]
    with_background = bool(free[layout.where("background")].any())

    def solved(dw: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        return _linear(model, difference * np.exp(-dw * model.q_squared), backgrounds, with_background)

    def cost(dw: float) -> float:
        return float((model.weights * np.square(model.observed - solved(dw)[2])).sum())

    dw = float(values[layout.where("dw")][0])
    if free[layout.where("dw")].any():
        dw = float(minimize_scalar(cost, bounds=_DW_RANGE, method="bounded", options={"xatol": 1e-6}).x)
    best = values.copy()
    best[layout.where("dw")] = dw
    best[layout.where("scale")], best[layout.where("background")], calculated = solved(dw)
    return best, calculated


def _linear(
    model: FormFactorModel, shape: FloatArray, backgrounds: FloatArray, with_background: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scale (not negative) and background of each plane by linear least squares, and what they give."""
    count = len(model.observations)

    def sums(of: FloatArray) -> FloatArray:
        return np.bincount(model.plane_numbers, model.weights * of, count).astype(np.float64)

    total, shapes, squares, data, products = (
        sums(of) for of in (np.ones_like(shape), shape, shape * shape, model.observed, shape * model.observed)
    )
    if with_background:
        # Slope and intercept of a straight line: both sums about their weighted means.
        spread = squares - shapes**2 / total
        covariance = products - shapes * data / total
    else:
        spread = squares
        covariance = products - backgrounds * shapes
    scales = np.clip(np.divide(covariance, spread, out=np.zeros(count), where=spread > 0), 0, None)
    if with_background:
        backgrounds = (data - scales * shapes) / total
    return scales, backgrounds, scales[model.plane_numbers] * shape + backgrounds[model.plane_numbers]


def gauss_newton(
    model: FormFactorModel, start: FloatArray, free: BoolArray, *, robust: bool = True, most_iterations: int = 60
) -> MoleculeFit:
    """Least squares of all free parameters by damped Gauss–Newton (Levenberg–Marquardt).

    Parameters
    ----------
    robust
        Whether pixels that lie far off count less (Huber's weights).
    """
    state = _linearised(model, start, free, robust)
    damping, converged, iteration = 1e-3, False, 0
    while iteration < most_iterations and not converged and damping < _MOST_DAMPING:
        iteration += 1
        step = state.step(damping)
        trial = state.values.copy()
        trial[free] += step
        with torch.no_grad():
            calculated = model.intensity(torch.tensor(trial)).numpy()
        cost = state.cost(calculated)
        if np.isfinite(cost) and cost <= state.current_cost:
            converged = state.current_cost - cost <= 1e-9 * state.current_cost
            state = _linearised(model, trial, free, robust)
            damping = max(damping / 10, 1e-9)
        else:
            converged = state.negligible(step)
            damping *= 10
    return state.fit(converged, iteration)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Linearised:
    """The model about one point: residuals, Jacobian of the free parameters, and robust weights."""

    model: FormFactorModel
    values: FloatArray
    free: BoolArray
    residuals: FloatArray
    jacobian: FloatArray
    weights: FloatArray

    @property
    def current_cost(self) -> float:
        return float((self.weights * np.square(self.residuals)).sum())

    def cost(self, calculated: FloatArray) -> float:
        return float((self.weights * np.square(self.model.observed - calculated)).sum())

    def normal(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Normal matrix with unit diagonal, the gradient in the same measure, and the measure."""
        weighted = self.weights[:, None] * self.jacobian
        matrix, gradient = self.jacobian.T @ weighted, weighted.T @ self.residuals
        measure = np.sqrt(np.diag(matrix))
        # A parameter that nothing depends on gets a measure without end, so a step of 0.
        measure[measure <= 1e-12 * max(measure.max(initial=0.0), 1e-300)] = np.inf
        return matrix / np.outer(measure, measure), gradient / measure, measure

    def step(self, damping: float) -> FloatArray:
        matrix, gradient, measure = self.normal()
        return np.asarray(np.linalg.solve(matrix + damping * np.eye(len(matrix)), gradient) / measure)

    def negligible(self, step: FloatArray) -> bool:
        """Whether a step changes the calculated intensity by less than can matter."""
        change = (self.weights * np.square(self.jacobian @ step)).sum()
        return bool(change <= 1e-12 * self.current_cost)

    def fit(self, converged: bool, iterations: int) -> MoleculeFit:
        count = len(self.residuals) - int(self.free.sum())
        fit_squared = self.current_cost / max(count, 1)
        inverse, measure, undetermined = self._inverse()
        plain = inverse * fit_squared
        # The sandwich: what blocks of pixels say together, between two inverses.
        blocks = inverse @ self._block_scores(measure) @ inverse
        variances = np.maximum(np.diag(plain), np.diag(blocks))
        errors = np.where(undetermined, np.inf, np.sqrt(variances) / measure)
        deviations = np.where(undetermined | (np.diag(plain) <= 0), np.inf, np.sqrt(np.diag(plain)))
        size = len(self.free)
        uncertainties, correlations = np.zeros(size), np.zeros((size, size))
        uncertainties[self.free] = errors
        correlations[np.ix_(self.free, self.free)] = plain / np.outer(deviations, deviations)
        return MoleculeFit(
            values=self.values,
            uncertainties=uncertainties,
            correlations=correlations,
            goodness_of_fit=float(np.sqrt(fit_squared)),
            converged=converged,
            iterations=iterations,
        )

    def _inverse(self) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Pseudo-inverse of the normal matrix in its measure, and which parameters have a part in its null space."""
        matrix, _, measure = self.normal()
        eigenvalues, vectors = np.linalg.eigh(matrix)
        lost = eigenvalues <= _UNDETERMINED * max(eigenvalues.max(initial=0.0), 1e-300)
        kept = vectors[:, ~lost]
        # Part of a parameter in the null space, as the square of its cosine.
        undetermined = np.square(vectors[:, lost]).sum(axis=1) > 1e-4
        return (kept / eigenvalues[~lost]) @ kept.T, measure, undetermined

    def _block_scores(self, measure: FloatArray) -> FloatArray:
        """Σ_b g_b g_bᵀ in the measure of the normal matrix, with the usual correction for few blocks."""
        scores = (self.weights * self.residuals)[:, None] * self.jacobian / measure
        count = int(self.model.block_numbers.max()) + 1
        sums = np.stack([np.bincount(self.model.block_numbers, column, count) for column in scores.T], axis=1)
        return np.asarray(sums.T @ sums * (count / max(count - len(measure), 1)))


def _linearised(model: FormFactorModel, values: FloatArray, free: BoolArray, robust: bool) -> _Linearised:
    with torch.no_grad():
        residuals = model.observed - model.intensity(torch.tensor(values)).numpy()
    weights = model.weights * (_huber(residuals * np.sqrt(model.weights)) if robust else 1.0)
    return _Linearised(
        model=model,
        values=values.copy(),
        free=free,
        residuals=residuals,
        jacobian=model.jacobian(values, free),
        weights=weights,
    )


def _huber(normalised: FloatArray) -> FloatArray:
    """Weights that let residuals count linearly, not squared, beyond 2.5 of their robust standard deviations."""
    size = np.abs(normalised)
    limit = _HUBER * SIGMA_PER_MAD * float(np.median(size))
    return np.asarray(limit / np.maximum(size, limit)) if limit > 0 else np.ones_like(size)
