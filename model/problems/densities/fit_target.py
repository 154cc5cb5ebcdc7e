"""What a fit compares with: points of a measured pattern, weights, and a smooth curve that the background left."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from dsfu.model.problems.densities.powder import Signal
from dsfu.simulate.arrays import FloatArray

_POINTS: Final = 3000
"""Points of the pattern that a fit looks at. Chosen: some ten per peak on usual ranges."""

_PER_WIDTH: Final = 5
"""Points a FWHM that a fit looks at where there are as many, for sharper peaks than these points hold. Chosen."""

_MOST_POINTS: Final = 12000
"""Points that a fit looks at, however sharp peaks are. Chosen."""

_KNOTS: Final = 12.0
"""FWHM between knots of what the background left: as near as peaks that overlap allow. Chosen."""

_MOST_PIECES: Final = 12
"""Pieces of that curve: a halo of glass is some fifth of a range wide."""


@dataclass(frozen=True)
class Agreement:
    """Weighted squares: of what a fit leaves, of the net intensities, and what noise alone leaves, with its spread."""

    left: float
    whole: float
    noise: float = 0.0
    spread: float = 0.0


class FitTarget:
    """Points of a measured pattern as fits see them. Scale and a smooth curve are solved for, whatever the model is."""

    def __init__(self, signal: Signal, coarse: int) -> None:
        stride = coarse * _stride(signal)
        points = len(signal.net) // stride * stride
        self.two_theta = signal.two_theta[:points].reshape(-1, stride).mean(axis=1)
        self.net = signal.net[:points].reshape(-1, stride).mean(axis=1)
        sigma = signal.sigma[:points].reshape(-1, stride).mean(axis=1)
        # What a perfect fit leaves of Σ|net|: the mean of |noise| is √(2/π) of its standard deviation.
        self.noise_sum = float(0.798 * sigma.sum() / np.sqrt(stride))
        # Counting noise alone would let the strongest peak's shape decide: model errors are some 3 % of the height.
        model_error = (0.03 * np.maximum(self.net, 0)) ** 2 + (2e-3 * self.net.max()) ** 2
        self.weight = 1 / np.sqrt(sigma**2 / stride + model_error)
        noise = sigma**2 / stride * self.weight**2
        self._noise = float(noise.sum()), float(np.sqrt(2 * (noise**2).sum()))
        self._smooth = _smooth_columns(self.two_theta, _KNOTS * signal.fwhm)
        self._taken, self._triangle = np.linalg.qr(self._smooth * self.weight[:, None])
        self.wanted = self.without(self.net * self.weight)

    def without(self, columns: FloatArray) -> FloatArray:
        """Weighted columns without what the smooth curve can take up."""
        return np.asarray(columns - self._taken @ (self._taken.T @ columns))

    def scale(self, bare: FloatArray) -> float:
        """How much of a pattern fits best, not negative."""
        return max(float(bare @ self.wanted) / max(float(bare @ bare), 1e-300), 0.0)

    def explained(self, pattern: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The net intensities without the smooth curve, and the pattern times its best scale."""
        weighted = pattern * self.weight
        calculated = self.scale(self.without(weighted)) * pattern
        left = self._taken.T @ ((self.net - calculated) * self.weight)
        return self.net - self._smooth @ np.linalg.solve(self._triangle, left), calculated

    def agreement(self, net: FloatArray, calculated: FloatArray) -> Agreement:
        """How well intensities agree, with the weights of the fit."""
        left, whole = ((self.weight * np.stack([net - calculated, net])) ** 2).sum(axis=1)
        return Agreement(float(left), float(whole), *self._noise)

    def r_factors(self, net: FloatArray, calculated: FloatArray) -> tuple[float, float]:
        """Σ|net − calculated| / Σ|net|, and what noise alone would leave of it."""
        whole = max(float(np.abs(net).sum()), 1e-12)
        return float(np.abs(net - calculated).sum() / whole), self.noise_sum / whole


@lru_cache(maxsize=4)
def fit_target(signal: Signal, coarse: int = 1) -> FitTarget:
    """The points of a signal; ``coarse``: of how many one is made."""
    return FitTarget(signal, coarse)


def _stride(signal: Signal) -> int:
    """How many points of the signal become one of a fit."""
    points = len(signal.net)
    sharp = max(int(signal.fwhm / signal.step / _PER_WIDTH), -(-points // _MOST_POINTS))
    return max(1, min(round(points / _POINTS), sharp))


def _smooth_columns(angles: FloatArray, spacing: float) -> FloatArray:
    """Cubic B-splines with knots about so many degrees apart: (points, some)."""
    span = float(angles[-1] - angles[0])
    pieces = int(np.clip(span / spacing, 1, _MOST_PIECES))
    place = (angles - angles[0]) / span * pieces
    # How far a point is from the middle of each spline, in units of the knots' distance; none reaches beyond two.
    away = np.abs(place[:, None] - np.arange(-1, pieces + 2))
    inner, outer = 4 - 6 * away**2 + 3 * away**3, np.maximum(2 - away, 0) ** 3
    return np.asarray(np.where(away < 1, inner, outer) / 6)
