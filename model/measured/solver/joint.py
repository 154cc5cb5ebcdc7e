"""The fit of several planes brought to its end: Gauss–Newton steps with all coefficients of all planes in one matrix.

The optimiser that fits each plane's I_FF by itself leaves all α wrong together: the scales of planes and the means of
their I_SRO hang together only by I_FF being one function (`sections`), and what hangs together by so little no
gradient finds. The α's covariance is the end of the inverse of that matrix, I_FF and its scales marginalised.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy.linalg as linalg
import torch

from dsfu.model.measured.solver.objective import BACKGROUND_UNIT
from dsfu.model.measured.solver.plane_normals import normal_equations, some_pixels
from dsfu.model.measured.solver.sections import STRENGTH, crossing_matrix, layers_of
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from dsfu.model.measured.solver.fit import PlaneFit

_MOST: Final = 2400
"""Coefficients of I_FF of all planes together: the matrix of more takes too long. Chosen."""

_WIDE: Final = 0.02
_STEPS: Final = 16
_STRENGTHENED: Final = (3, 7)
"""After so many steps the prior's strength is taken anew."""

_MOST_CHANGE: Final = 10.0
_FELL: Final = 0.02
"""Half of χ²: less is no part of a standard uncertainty."""

_SHORTEST: Final = 0.01
_LEAST_MEAN: Final = 0.05

_SCALE: Final = 0.05
"""By how much, relatively, I_FF as a whole may differ from layer to layer beyond what a Patterson function
of Gaussian coefficients does: molecules that differ only far from Q = 0 do. Chosen with three crystals."""


@dataclass(eq=False)
class JointFit:
    """Several planes of one crystal, near the optimum.

    Attributes
    ----------
    variables
        As those of `PlaneFit`, of its one problem.
    weights
        (planes, y, x): 1 / variance, 0 where dead.
    width
        Of the prior of the Patterson function relative to the cell.
    """

    fit: "PlaneFit"
    variables: torch.Tensor
    weights: FloatArray
    width: float
    factor: FloatArray | None = field(init=False, default=None)
    strength: float = field(init=False, default=STRENGTH)

    def __post_init__(self) -> None:
        planes, settings = self.fit.planes, self.fit.settings
        self.layers = layers_of(planes, self.width, _MOST, _WIDE)
        starts = np.cumsum([0, *(each.size for each in self.layers)])
        self._starts = starts[:-1]
        self.size = int(starts[-1])
        self.slots: list[IntArray] = [np.zeros(0, np.int64)] * len(planes)
        self.chosen: list[IntArray] = list(self.slots)
        for group, start in zip(self.layers, self._starts, strict=True):
            for place, number in enumerate(group.numbers):
                self.slots[number] = start + group.slots(place)
                self.chosen[number] = group.chosen
        self._maps = [plane.lattice.map_from_alpha().reshape(-1, len(plane.lattice.members))[:, 1:] for plane in planes]
        self._to_means = np.array([each[0] for each in self._maps])
        self.alphas = self._maps[0].shape[1]
        self.determined = np.zeros(len(planes))
        self._blocks = [np.zeros((0, 0))] * len(planes)
        self._by_scale = np.zeros((0, len(planes)))
        self.backgrounds = len(planes) if settings.background else 0
        self._crossings = crossing_matrix(planes, self.width, self.slots, self.chosen)
        self._stretches = self.fit.model.coefficients(self.variables).stretch.detach().cpu().numpy()

    def coefficients(self) -> FloatArray:
        """Those of I_FF that are refined, α, and backgrounds relative to each plane's scale."""
        x = self.variables[0].double().cpu().numpy()
        model = self.fit.model
        own = x[model.sro_size :].reshape(len(self.fit.planes), -1)
        found = np.zeros(self.size + self.alphas + self.backgrounds)
        for number, places in enumerate(self._places()):
            found[self.slots[number]] = own[number, places] * self._deviations(number)
        found[self.size : self.size + self.alphas] = x[1 : 1 + self.alphas]
        if self.backgrounds:
            found[self.size + self.alphas :] = own[:, model.smooth_size] * BACKGROUND_UNIT
        return found

    def _places(self) -> list[IntArray]:
        half = self.fit.model.smooth_size // 2
        return [np.concatenate([chosen, chosen + half]) for chosen in self.chosen]

    def _deviations(self, number: int) -> FloatArray:
        plane = self.fit.planes[number]
        return np.tile(plane.mean * plane.patterson.deviation[self.chosen[number]], 2)

    def with_coefficients(self, values: FloatArray) -> torch.Tensor:
        """Variables with these coefficients."""
        model = self.fit.model
        x = self.variables.clone()
        own = x[:, model.sro_size :].view(len(self.fit.planes), -1)
        for number, places in enumerate(self._places()):
            at = values[self.slots[number]] / self._deviations(number)
            own[number, torch.as_tensor(places)] = torch.as_tensor(at).to(x)
        x[0, 1 : 1 + self.alphas] = torch.as_tensor(values[self.size : self.size + self.alphas]).to(x)
        if self.backgrounds:
            backgrounds = values[self.size + self.alphas :]
            own[:, model.smooth_size] = torch.as_tensor(backgrounds / BACKGROUND_UNIT).to(x)
        return x

    def loss(self, variables: torch.Tensor, white: FloatArray, values: FloatArray) -> float:
        """Half of χ² and of the priors."""
        rest, used, _, _ = self._residuals(variables)
        alpha = values[self.size : self.size + self.alphas]
        crossing = values[: self.size] @ self._crossings @ values[: self.size]
        prior = white @ white + alpha @ alpha / self.fit.model.sro_deviation**2 + crossing
        # The data fix I_FF times the mean of I_SRO. With the products held, the room for the determined coefficients of
        # I_FF goes as mean^−determined, and its logarithm is what marginalising them leaves.
        prior += 2 * self.determined @ np.log(self._means(alpha))
        return 0.5 * float((self.weights * used * rest**2).sum()) + 0.5 * float(prior)

    def _means(self, alpha: FloatArray) -> FloatArray:
        """Of I_SRO on each plane, over a period."""
        return np.maximum(1 + self._to_means @ alpha, _LEAST_MEAN)

    def _residuals(self, variables: torch.Tensor) -> tuple[FloatArray, BoolArray, FloatArray, FloatArray]:
        """Model − data, what says something, and E · G and S."""
        smooth, order, background = self.fit.at(variables)
        planes = self.fit.planes
        form_factor = np.stack([plane.falloff for plane in planes]) * smooth
        data = np.stack([plane.data for plane in planes]) - background[:, None, None]
        used = ~((order < 0) & (data <= 0))  # clipped there
        return form_factor * order - data, used, form_factor, order

    def stay(self) -> None:
        """Only what the covariance needs."""
        matrix = self._matrix(self.coefficients())
        self.factor = np.asarray(linalg.cholesky(matrix, lower=True, overwrite_a=True, check_finite=False))

    def run(self) -> None:
        """Steps until the loss no longer falls, the strength of I_FF's prior by its evidence."""
        values = self.coefficients()
        white = self._whitened(values[: self.size])
        values[: self.size] = self._mixed(white)
        self.variables = self.with_coefficients(values)
        loss = self.loss(self.variables, white, values)
        for number in range(_STEPS):
            self.factor = np.asarray(
                linalg.cholesky(self._matrix(values), lower=True, overwrite_a=True, check_finite=False)
            )
            if number in _STRENGTHENED:
                white = white / self._strengthen(white)
                loss = self.loss(self.variables, white, values)
                continue
            gradient = self._gradient(white, values)
            step = -linalg.cho_solve((self.factor, True), gradient, check_finite=False)
            length, before = 1.0, loss
            while length > _SHORTEST:
                tried_white = white + length * step[: self.size]
                tried = np.concatenate([self._mixed(tried_white), values[self.size :] + length * step[self.size :]])
                variables = self.with_coefficients(tried)
                loss = self.loss(variables, tried_white, tried)
                if loss < before:
                    white, values, self.variables = tried_white, tried, variables
                    break
                length *= 0.4
            loss = min(loss, before)
            if before - loss < _FELL and number > max(_STRENGTHENED):
                break

    def _strengthen(self, white: FloatArray) -> float:
        """Let the prior be as wide as the coefficients that the data determine are; the factor."""
        assert self.factor is not None
        # Under a prior of 1 a coefficient that the data do not touch keeps the variance 1: what is missing, summed, is
        # how many are determined. The prior's new width is their root mean square (MacKay, Neural Comput. 4, 415,
        # 1992).
        inverse, _ = linalg.lapack.dpotri(np.tril(self.factor[: self.size, : self.size]), lower=1)
        left = np.diag(inverse)
        determined = self.size - float(left.sum())
        factor = float(np.sqrt(np.clip(white @ white / max(determined, 1.0), 1 / _MOST_CHANGE**2, _MOST_CHANGE**2)))
        self.layers = [replace(each, roots=each.roots * factor) for each in self.layers]
        self.strength *= factor
        full = inverse + np.tril(inverse, -1).T
        covariance = self._mixed(self._mixed(full).T) / factor**2
        self.determined = np.array(
            [
                float((covariance[np.ix_(at, at)] * block).sum())
                for at, block in zip(self.slots, self._blocks, strict=True)
            ]
        )
        return factor

    def alpha_covariance(self) -> FloatArray:
        """Of all members, the origin with zeros; everything else marginalised."""
        assert self.factor is not None
        # The end of a Cholesky factor is that of the Schur complement: all that stands before is marginalised.
        rest = np.tril(self.factor[self.size :, self.size :])
        inverse = linalg.solve_triangular(rest, np.eye(len(rest)), lower=True)
        found = np.zeros((self.alphas + 1,) * 2)
        moved = linalg.cho_solve((self.factor, True), self._by_scale, check_finite=False)[self.size :][: self.alphas]
        known = (inverse.T @ inverse)[: self.alphas, : self.alphas]
        found[1:, 1:] = known + _SCALE**2 * moved @ moved.T
        return found

    def _mixed(self, white: FloatArray, *, back: bool = False) -> FloatArray:
        parts = [
            each.mixed(white[start : start + each.size], back=back)
            for each, start in zip(self.layers, self._starts, strict=True)
        ]
        return np.concatenate(parts)

    def _whitened(self, values: FloatArray) -> FloatArray:
        """Unit normal numbers that give some coefficients, as nearly as the prior allows."""
        found = []
        for each, start in zip(self.layers, self._starts, strict=True):
            some = values[start : start + each.size].reshape(len(each.chosen), -1)
            found.append(np.einsum("tab,tb->ta", np.linalg.pinv(each.roots, rcond=1e-2), some).ravel())
        return np.concatenate(found)

    def _gradient(self, white: FloatArray, values: FloatArray) -> FloatArray:
        """Of the loss, by whitened coefficients, α, backgrounds and scales."""
        model, n, m = self.fit.model, self.size, self.alphas
        _, used, _, _ = self._residuals(self.variables)
        planes = self.fit.planes
        # χ²/2 = Σ w (I_FF · I_SRO + background − data)², its gradient by automatic differentiation.
        x = self.variables.detach().requires_grad_()
        at = model.coefficients(x)
        sro, smooth = self.fit.series(1)
        stretch = at.stretch.detach() if model.with_stretch else None
        falloff, data = (
            self.fit.tensor(np.stack(each)) for each in ([one.falloff for one in planes], [one.data for one in planes])
        )
        molecules = falloff * smooth(at.smooth_cosines, at.smooth_sines)
        rest = molecules * sro(at.sro_cosines, at.sro_sines, stretch) + at.background - data
        chi_square = 0.5 * (self.fit.tensor(self.weights * used) * rest.square()).sum()
        (found,) = torch.autograd.grad(chi_square, x)
        by_variables = found[0].double().cpu().numpy()
        # By the chain rule through what whitens the coefficients: deviations of each, mixed by the crossings.
        own = by_variables[model.sro_size :].reshape(len(planes), -1)
        gradient = np.zeros(len(values))
        for number, places in enumerate(self._places()):
            gradient[self.slots[number]] = own[number, places] / self._deviations(number)
        # The prior of whitened coefficients is of unit variance: its gradient is they themselves.
        gradient[:n] = self._mixed(gradient[:n] + self._crossings @ values[:n], back=True) + white
        alpha = values[n : n + m]
        # α: a Gaussian prior of each, and one of the means along directions that the data determine.
        gradient[n : n + m] = by_variables[1 : 1 + m] + alpha / model.sro_deviation**2
        gradient[n : n + m] += (self.determined / self._means(alpha)) @ self._to_means
        if self.backgrounds:
            gradient[n + m :] = own[:, model.smooth_size] / BACKGROUND_UNIT
        return gradient

    def _matrix(self, values: FloatArray) -> FloatArray:
        """The normal matrix, from some of the pixels of large planes."""
        n, m = self.size, self.alphas
        matrix, by_scale = np.zeros((len(values), len(values))), np.zeros((len(values), len(self.fit.planes)))
        _, used, form_factor, order = self._residuals(self.variables)
        for number, plane in enumerate(self.fit.planes):
            at = np.concatenate([self.slots[number], np.arange(n, n + m)])
            if self.backgrounds:
                at = np.append(at, n + m + number)
            block, slope = normal_equations(
                plane,
                chosen=self.chosen[number],
                alpha_map=self._maps[number],
                stretch=self._stretches[number],
                weight=some_pixels(self.weights[number] * used[number]),
                form_factor=form_factor[number],
                order=order[number],
                with_background=bool(self.backgrounds),
            )
            own = len(self.slots[number])
            self._blocks[number] = block[:own, :own]
            by_scale[at, number] = slope
            matrix[np.ix_(at, at)] += block
        matrix[:n, :n] += self._crossings
        # Coefficients are roots times whitened ones: the roots' transposes from both sides.
        matrix[:n] = self._mixed(matrix[:n], back=True)
        matrix[:, :n] = self._mixed(np.ascontiguousarray(matrix[:, :n].T), back=True).T
        alphas, backgrounds = np.full(m, self.fit.model.sro_deviation**-2), np.full(self.backgrounds, 1e-6)
        matrix[np.diag_indices(len(values))] += np.concatenate([np.ones(n), alphas, backgrounds])
        by_scale[:n] = self._mixed(by_scale[:n], back=True)
        self._by_scale = by_scale
        return matrix
