"""The objective of a fit: misfit of all planes plus priors, as a function of a vector of variables for each problem.

Problems are independent and have ``planes`` planes each. A problem's vector holds, in this order, the coefficients of
its I_SRO (those of all planes follow from them by a linear map), and for each plane the whitened coefficients of G
(cosines, sines), a background, and two stretches of the lattice.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dsfu.model.measured.solver.misfit import PixelMisfit
from dsfu.model.measured.solver.series import Series

EXTRAS = 3
"""Variables of a plane besides its factors: a background and two stretches."""

STRETCH_UNIT = 1e-3
"""What a variable of 1 means for a stretch of the lattice."""

BACKGROUND_UNIT = 1e-2
"""What a variable of 1 means for the background, relative to the plane's maximum."""


NEGATIVE_PRICE = 0.1
"""Price of negative I_FF, relative to that of a deviation of the same size from data of intensity 1/4."""

DEPTH_PRICE = 2e-5
"""Price of negative S · mean of I_FF, in the same unit: so low that it decides only where the data say nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pixels:
    """Planes on one grid of pixels: (problems · planes, y, x) each."""

    falloff: Tensor
    data: Tensor
    weight: Tensor
    price: Tensor
    depth_price: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Coefficients:
    """Everything that the variables stand for, for all planes of all problems."""

    sro_cosines: Tensor
    sro_sines: Tensor
    smooth_cosines: Tensor
    smooth_sines: Tensor
    background: Tensor
    stretch: Tensor


class Model:
    """From variables to coefficients.

    Parameters
    ----------
    sro_map
        (problems · planes, 2 · terms, sro variables), or None where each plane has variables of its own and they are
        its coefficients, cosines and then sines.
    sro_constant
        (problems · planes, 2 · terms): added to the coefficients.
    sro_free
        (problems, sro variables): 1 for what may change, 0 for what may not.
    smooth_deviation
        (problems · planes, 2 · terms): the prior's standard deviation of each coefficient of G; 0 if it may not change.
    """

    def __init__(
        self,
        *,
        planes: int,
        sro_map: Tensor | None,
        sro_constant: Tensor,
        sro_free: Tensor,
        sro_deviation: float,
        smooth_deviation: Tensor,
        with_background: bool,
        with_stretch: bool,
    ) -> None:
        self.planes = planes
        self.problems, self.sro_size = sro_free.shape
        self.smooth_size = smooth_deviation.shape[1]
        self._sro_map, self.sro_constant, self.sro_free = sro_map, sro_constant, sro_free
        self.sro_deviation, self.smooth_deviation = sro_deviation, smooth_deviation
        self._extras = torch.zeros(EXTRAS, dtype=sro_free.dtype, device=sro_free.device)
        self._extras[0] = BACKGROUND_UNIT if with_background else 0.0
        self._extras[1:] = STRETCH_UNIT if with_stretch else 0.0
        self.with_background, self.with_stretch = with_background, with_stretch

    @property
    def size(self) -> int:
        return self.sro_size + self.planes * (self.smooth_size + EXTRAS)

    def coefficients(self, variables: Tensor) -> Coefficients:
        order = variables[:, : self.sro_size] * self.sro_free
        if self._sro_map is None:
            sro = order + self.sro_constant
        else:
            maps = self._sro_map.view(self.problems, -1, self.sro_size)
            sro = torch.bmm(maps, order[:, :, None]).view(self.problems * self.planes, -1) + self.sro_constant
        own = variables[:, self.sro_size :].reshape(self.problems * self.planes, -1)
        smooth = own[:, : self.smooth_size] * self.smooth_deviation
        extras = own[:, self.smooth_size :] * self._extras
        half, half_smooth = sro.shape[1] // 2, self.smooth_size // 2
        return Coefficients(
            sro_cosines=sro[:, :half],
            sro_sines=sro[:, half:],
            smooth_cosines=smooth[:, :half_smooth],
            smooth_sines=smooth[:, half_smooth:],
            background=extras[:, :1, None],
            stretch=extras[:, 1:].double(),
        )

    def order_curvature(self, plane: int, curvature: Tensor) -> Tensor:
        """Of a plane's coefficients of I_SRO (2 terms, without padding), turned into that of a problem's variables."""
        terms, half = curvature.shape[0] // 2, self.sro_constant.shape[1] // 2
        # Cosines and sines are each padded to the plane with the most terms.
        at = torch.cat([torch.arange(terms), torch.arange(terms) + half]).to(curvature.device)
        if self._sro_map is not None:
            rows = self._sro_map[plane][at].double()
            return rows.T @ curvature @ rows
        out = torch.zeros(2 * half, 2 * half, dtype=curvature.dtype, device=curvature.device)
        out[at[:, None], at[None]] = curvature
        return out

    def prior(self, variables: Tensor) -> Tensor:
        """½ Σ (variable / standard deviation)² of each problem; those of G are whitened."""
        order = (variables[:, : self.sro_size] / self.sro_deviation).square().sum(1)
        return 0.5 * (order + variables[:, self.sro_size :].square().sum(1))


class Objective:
    """Values (problems,) and gradients (problems, n) at variables (problems, n)."""

    def __init__(self, model: Model, sro: Series, smooth: Series, pixels: Pixels) -> None:
        self.model, self.sro, self.smooth, self.pixels = model, sro, smooth, pixels
        self.evaluations = 0

    def planes(self, variables: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """G and S (planes, y, x), not clipped, and the background (planes, 1, 1)."""
        at = self.model.coefficients(variables)
        stretch = at.stretch if self.model.with_stretch else None
        return (
            self.smooth(at.smooth_cosines, at.smooth_sines),
            self.sro(at.sro_cosines, at.sro_sines, stretch),
            at.background,
        )

    def __call__(self, variables: Tensor) -> tuple[Tensor, Tensor]:
        self.evaluations += 1
        variables = variables.detach().requires_grad_()
        smooth, order, background = self.planes(variables)
        apply: Any = PixelMisfit.apply
        p = self.pixels
        misfit = apply(smooth, order, background, p.falloff, p.data, p.weight, p.price, p.depth_price)
        value = misfit.view(self.model.problems, -1).sum(1) + self.model.prior(variables)
        (gradient,) = torch.autograd.grad(value.sum(), variables)
        return value.detach(), gradient
