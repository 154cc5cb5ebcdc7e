"""The fit of all voxels at once.

The posterior is maximised by Gauss–Newton steps with the whole normal matrix: anything less leaves α wrong by several
standard uncertainties, because all α together and the width of I_FF are hard to tell apart. With I_FF's coefficients
first in the matrix, the end of its Cholesky factor is that of the inverse covariance of the rest, I_FF marginalised.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.linalg as linalg
import torch
from scipy.linalg import lapack
from scipy.optimize import nnls

from dsfu.model.measured.volume.fit_sums import LEAST_VARIANCE, factor_of, local_mean, sum_of
from dsfu.model.measured.volume.model import VolumeModel, sums_of_products
from dsfu.model.measured.volume.prior import FormFactorPrior
from dsfu.simulate.arrays import FloatArray, IntArray

ALPHA_DEVIATION: Final = 0.3
"""Of the prior on each α: nearly none where there are data, and what is left where there are none."""

_LEAST_OF_LOCAL: Final = 0.3
_IMITATED: Final = 1e-4
"""Share of a pattern's weight that is left when all that is fitted is free, below which it is not looked for."""

_NEAR: Final = 0.98
"""Share of the loss that a step leaves from which on its normal matrix does for the next one, too."""

_AT_ONCE: Final = 2**17
"""Voxels of which many patterns are held a second time."""

_HELD: Final = 1e18
"""Precision of what must not move."""

MoreNoise = Callable[["VolumeFit", list[torch.Tensor], FloatArray], FloatArray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Linearised:
    """The fit near its optimum, in unwhitened parameters: ½ xᵀ H x − gᵀ x + constant, without the prior."""

    matrix: FloatArray
    target: FloatArray


@dataclass(eq=False)
class VolumeFit(VolumeModel):
    """One fit of folded voxels."""

    steps: int = field(init=False, default=0)
    converged: bool = field(init=False, default=False)
    near_factor: FloatArray | None = field(init=False, default=None)
    """Of the last steps, see `factored`; none where they went far."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._local = local_mean(self._counts, self._weight)
        self._w = self._weight / self._local
        we = self._w * self._falloff
        # The mean of I_FF / E by least squares, as if there were no order.
        self.scale = float((self._counts * we).sum().double() / (we * self._falloff).sum().double())
        self.set_prior(self.prior)
        self.parameters[0] = self.scale

    def set_prior(self, prior: FormFactorPrior) -> None:
        """Take another prior for the coefficients there are."""
        self.prior = prior
        p, a, b = self.sizes
        deviations = prior.deviations(self.vectors, self.periods, self.voxels.cell) * self.scale
        self._deviations = np.concatenate([deviations, np.ones(a + b)])
        self._precision = np.concatenate([[0.0], np.ones(p - 1), np.full(a, ALPHA_DEVIATION**-2), np.zeros(b)])

    @property
    def weights(self) -> torch.Tensor:
        """1 / variance of the voxels, as the fit takes it; 0 where nothing was measured."""
        return self._w

    @property
    def deviations(self) -> FloatArray:
        """Of the parameters, what one of the whitened ones is."""
        return self._deviations

    def loss(self, parameters: FloatArray | None = None) -> float:
        """Half of χ² and of the prior's."""
        x = self.parameters if parameters is None else parameters
        residual = self.model(x) - self._counts
        return 0.5 * sum_of(self._w * residual * residual) + 0.5 * self._prior_of(x)

    def chi_square(self) -> float:
        """Per voxel, with the variance that the model itself has; one for noise alone, even where voxels share it."""
        model = self.model()
        live = self._weight > 0
        terms = self._weight / model.clamp_min(LEAST_VARIANCE) * (model - self._counts) ** 2
        return sum_of(terms) / float(live.sum()) / self.voxels.expected_chi_square

    def _prior_of(self, x: FloatArray) -> float:
        white = x / self._deviations
        b = self.parts(x)[2]
        return float((self._precision * white**2).sum() + b @ self.columns.precision @ b)

    def reweight(self, model: npt.NDArray[np.float32] | None = None) -> None:
        """Take the variance from a model, this one's if none is given, kept from falling far below what is around."""
        expected = self.model() if model is None else torch.from_numpy(np.ascontiguousarray(model))
        variance = torch.maximum(expected, _LEAST_OF_LOCAL * self._local).clamp_min(LEAST_VARIANCE)
        self._w = self._weight / variance

    def linearised(self) -> Linearised:
        """The data's part of the fit as a quadratic form."""
        # ½ xᵀ M x − target·x has this gradient at the present parameters.
        matrix = self._matrix(self._w)
        return Linearised(matrix=matrix, target=matrix @ self.parameters - self._gradient(self._w))

    def _with_prior(self, matrix: FloatArray, free: IntArray | None = None) -> FloatArray:
        """Whitened, the prior added, in place; of all parameters, or of those that are free."""
        first = len(matrix) - self.sizes[2]
        chosen = slice(None) if free is None else free
        matrix *= self._deviations[chosen, None]
        matrix *= self._deviations[chosen]
        diagonal = np.arange(len(matrix))
        matrix[diagonal, diagonal] += self._precision[chosen]
        matrix[first:, first:] += self.columns.precision
        matrix[diagonal[first:], diagonal[first:]] *= 1 + 1e-5
        return matrix

    def newton(self, most: int, watch: "Callable[[VolumeFit, float], None] | None" = None) -> float:
        """Steps until the loss no longer falls; the loss."""
        loss = self.loss()
        self.converged = False
        factor: FloatArray | None = None
        for number in range(most):
            before = loss
            fresh = factor is None
            factor = self.factored() if factor is None else factor
            step = self._step(factor)
            length = 1.0
            while (loss := self.loss(self.parameters + length * step)) >= before + 1e-6 * abs(before) and length > 0.02:
                length *= 0.4
            if loss >= before + 1e-6 * abs(before):
                loss, factor = before, None
                if fresh:
                    self.converged = True
                    break
                continue
            if length < 1 or loss < _NEAR * before:
                factor = None  # far from the optimum its normal matrix is another one
            self.parameters = self.parameters + length * step
            self.steps += 1
            if watch is not None:
                watch(self, loss)
            fell = before - loss
            if length == 1 and loss > 0.9 * before:
                self.reweight()
                if number > 0 and fell < max(0.5, 1e-6 * before):
                    loss, self.converged = self.loss(), True
                    break
                loss = self.loss()
        self.near_factor = factor
        return loss

    def settle(self, factor: FloatArray) -> None:
        """Two more steps by the factor of a place near the optimum: patterns that are nearly imitated feel the rest.

        Of a good crystal "order varies" had 3.35 before, with α off by .17 of their uncertainties, and 1.38 after.
        """
        for _ in range(2):
            step = self._step(factor)
            if self.loss(self.parameters + step) > self.loss() * (1 + 1e-6):
                break
            self.parameters = self.parameters + step

    def _step(self, factor: FloatArray, free: IntArray | None = None) -> FloatArray:
        """A Gauss–Newton step under which no column becomes negative, by the factor of a normal matrix."""
        x = self.parameters / self._deviations
        gradient = self._gradient(self._w) * self._deviations + self._precision * x
        b = self.sizes[2]
        gradient[len(x) - b :] += self.columns.precision @ x[len(x) - b :]
        chosen = slice(None) if free is None else free
        x, gradient = x[chosen], gradient[chosen]
        first = len(x) - b
        solved = linalg.solve_triangular(factor, -gradient, lower=True, check_finite=False)
        if b:
            # With the columns last, the factor's end is that of their normal matrix, all else minimised.
            last = np.tril(factor[first:, first:]).T
            amplitudes, _ = nnls(last, solved[first:] + last @ x[first:])
            solved[first:] = last @ (amplitudes - x[first:])
        step = np.zeros(len(self._deviations))
        step[chosen] = linalg.solve_triangular(factor, solved, lower=True, trans=1, check_finite=False)
        return np.asarray(step * self._deviations)

    def start(self) -> None:
        """I_FF and the background, of which the model is linear, to fit best with α as they are; at first I_SRO = 1."""
        p, a, b = self.sizes
        free = np.concatenate([np.arange(p), np.arange(p + a, p + a + b)])
        factor = factor_of(self._with_prior(self._matrix_without_order(self._w), free))
        self.parameters = self.parameters + self._step(factor, free)

    def start_without_columns(self) -> None:
        """From nothing, with as little background as the data allow: where a larger one does as well, it is not it."""
        columns = self.columns
        self.columns = replace(columns, precision=_HELD * np.eye(len(columns)))
        self.parameters = np.zeros(sum(self.sizes))
        self.parameters[0] = self.scale
        self.start()
        self.newton(8)
        self.columns = columns

    def start_from(self, alpha: FloatArray, columns: FloatArray, model: npt.NDArray[np.float32] | None = None) -> None:
        """From α that are known, and I_FF fitted to them; with a model of the same voxels for their variance."""
        if model is not None:
            self.reweight(model)
        p, a, b = self.sizes
        self.parameters[p : p + a] = alpha
        self.parameters[p + a : p + a + len(columns)] = columns[:b]
        self.start()
        self.reweight()

    def go_on_from(
        self, form_factor: FloatArray, alpha: FloatArray, columns: FloatArray, model: npt.NDArray[np.float32]
    ) -> None:
        """From all of a fit of the same voxels and prior, with its model for their variance."""
        self.parameters = np.concatenate([form_factor, alpha, columns, np.zeros(self.sizes[2] - len(columns))])
        self.reweight(model)

    def factored(self) -> FloatArray:
        """Cholesky factor of the whitened normal matrix with the prior."""
        return factor_of(self._with_prior(self._matrix(self._w)))

    def amplitudes_of(
        self, patterns: list[torch.Tensor], factor: FloatArray, more: "MoreNoise | None" = None
    ) -> tuple[FloatArray, FloatArray]:
        """How much of some patterns the residuals hold, and the covariance, all that is fitted marginalised.

        Parameters
        ----------
        patterns
            On the grid of the voxels; they would be added to the model times amplitudes expected to be small.
        factor
            As `factored` gives it at the optimum.
        more
            Gives the covariance that more than noise adds to sums with the patterns, all that is fitted taken out.
        """
        form_factor, order, extra = self.factors()
        rest = self._w * (self._counts - form_factor * order - extra)
        by_p = self._falloff * order
        products = np.stack([self._products(self._w * each, by_p, form_factor) for each in patterns], axis=1)
        solved = linalg.solve_triangular(factor, products * self._deviations[:, None], lower=True, check_finite=False)
        power = self._weighted_products(patterns)
        # what the fit can imitate is left out: in single precision nothing is known of it
        unit = 1 / np.sqrt(np.maximum(np.diag(power), 1e-300))
        # Their power less what fitted parameters take of it: the Schur complement, all that is fitted marginalised.
        shares, axes = linalg.eigh((power - solved.T @ solved) * unit[:, None] * unit)
        axes = axes[:, shares > _IMITATED] * unit[:, None]
        root = axes / np.sqrt(shares[shares > _IMITATED])
        score = np.array([sum_of(rest * each) for each in patterns])
        covariance = root @ root.T
        values = covariance @ score
        if more is not None:
            covariance += covariance @ more(self, patterns, solved) @ covariance
        return values, covariance

    def _weighted_products(self, patterns: list[torch.Tensor]) -> FloatArray:
        """Σ over the voxels of weight · pattern · pattern, each with each, some layers of h after the other."""
        layers = max(1, _AT_ONCE * len(self._w) // self._w.numel())
        total = np.zeros((len(patterns),) * 2)
        for start in range(0, len(self._w), layers):
            end = start + layers
            some = torch.stack([each[start:end] for each in patterns]).flatten(1)
            total += sums_of_products(some, some * self._w[start:end].reshape(1, -1))
        return total

    def covariance(self, factor: FloatArray | None = None) -> FloatArray:
        """Of α and the columns' amplitudes, I_FF marginalised."""
        p = self.sizes[0]
        factor = self.factored() if factor is None else factor
        lower, _ = lapack.dpotri(factor[p:, p:], lower=True)
        return np.asarray(np.tril(lower) + np.tril(lower, -1).T)

    def form_factor_uncertainties(self, factor: FloatArray) -> FloatArray:
        """Of I_FF's coefficients, all else marginalised."""
        p = self.sizes[0]
        inverse, _ = lapack.dpotri(factor, lower=True)
        return np.asarray(np.sqrt(np.diag(inverse)[:p]) * self._deviations[:p])

    def order_covariance(self) -> FloatArray:
        """Of the order alone, scaled by χ² where that is above one."""
        n = self.sizes[1]
        return np.asarray(self.covariance()[:n, :n] * max(self.chi_square(), 1.0))

    def residuals(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Observed − model, its weight (1/variance), and the diffuse model."""
        form_factor, order, extra = self.factors()
        model = form_factor * order + extra
        weight = self._weight / model.clamp_min(LEAST_VARIANCE)
        rest = torch.where(self._weight > 0, self._counts - model, torch.zeros(()))
        return rest.numpy(), weight.numpy(), (form_factor * order).numpy()
