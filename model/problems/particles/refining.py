"""Fit bond length, B, the sharper first peak and strain of one shape to the data, by damped least squares."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from dsfu.model.problems.particles.fit_space import FitSpace
from dsfu.model.problems.particles.shape_table import BIN, REACH, binned_distances
from dsfu.model.problems.particles.sine_sums import OneSum, column_of
from dsfu.simulate.arrays import Float32Array, FloatArray
from dsfu.simulate.form_factors import EIGHT_PI_SQUARED
from dsfu.simulate.particles.distances import pair_distances

_B_RANGE: Final = (0.02, 6.0)
_MOST_STRAIN: Final = 0.03
_MOST_CHANGE: Final = 0.04  # of b from where it was matched: grids are ten times finer
_STEPS: Final = (1e-4, 2e-3)
"""Of ln b and strain."""
LONGEST_STRETCH: Final = float(np.exp(_MOST_CHANGE + _STEPS[0]) * (1 + np.sqrt(3) * (_MOST_STRAIN + _STEPS[1])))
"""How many times the bond length that was matched a refinement ever asks for."""
_CORRELATED: Final = 2.3
"""In b: pairs up to this have a B of their own each. Beyond, less than a fifth of what bonds lack is lacking."""


_NEAREST: Final = 0.8
"""In b: no pair is nearer."""


def pair_b_iso(distances: FloatArray, b_iso: float, b_bonds: float) -> FloatArray:
    """B of pairs at distances in b: neighbours move together, and the less the farther apart (δ₂ of PDFgui)."""
    return np.asarray(np.maximum(b_iso - (b_iso - b_bonds) / np.maximum(distances, _NEAREST) ** 2, 0.0))


@dataclass(frozen=True, eq=False)
class Refined:
    """A fit.

    Attributes
    ----------
    bond, b_iso, b_bonds, strain
        b in Å; B in Å² of far pairs and of nearest neighbours; relative standard deviation of b in the sample.
    scale, rw
        Of the fit in reduced coordinates; root of the misfit's share of the data's square, what no particle reaches
        included.
    fit
        In reduced coordinates.
    uncertainties
        Of b and B: from the misfit, as if it were noise.
    """

    bond: float
    b_iso: float
    b_bonds: float
    strain: float
    scale: float
    rw: float
    fit: FloatArray
    uncertainties: tuple[float, float]


@dataclass(frozen=True, eq=False)
class _Point:
    """A shape at some parameters: sums over Q before anything of B, the sharpening of near pairs, and damping by B.

    ``waves`` and ``sharper`` are (Q, kinds of near pairs); ``coordinates`` what the data are compared with.
    """

    own: FloatArray
    total: FloatArray
    waves: FloatArray
    sharper: FloatArray
    damping: FloatArray
    coordinates: FloatArray


@dataclass(frozen=True, eq=False)
class Forward:
    """One shape in one space: from parameters (ln b, ln B, ln B of bonds, strain) to reduced coordinates."""

    space: FitSpace
    plain: OneSum
    near: FloatArray
    near_weights: FloatArray

    def at(self, own: FloatArray) -> _Point:
        """The shape with some parameters."""
        x = self.space.q * float(np.exp(own[0]))
        total, waves = self._strained(x[None], own[3:])[0], self._waves(x)
        # σ² = 2B / 8π² for a pair, so exp(−σ²Q²/2) = exp(−B Q² / 8π²).
        b_iso, b_bonds = float(np.exp(own[1])), float(np.exp(own[2]))
        less = b_iso - pair_b_iso(self.near, b_iso, b_bonds)
        sharper, damping = np.exp(np.outer(self._square, less)), np.exp(-b_iso * self._square)
        sums = total + (waves * (sharper - 1)).sum(axis=1)
        return _Point(own, total, waves, sharper, damping, (sums * damping) @ self.space.exact_transform)

    def slopes(self, point: _Point) -> FloatArray:
        """(parameters, coordinates): derivatives, of b and strain by a step, of B and that of bonds exactly."""
        log_b, b_iso, b_bonds = point.own[0], *np.exp(point.own[1:3])
        x = self.space.q * np.exp(log_b + np.array([[_STEPS[0]], [0.0]]))
        further, wider = self._strained(x, np.array([point.own[3], point.own[3] + _STEPS[1]]))
        near = ((self._waves(x[0]) - point.waves) * (point.sharper - 1)).sum(axis=1)
        # Of exp(less · square), where less = (B − B of bonds) / d².
        weight = (point.waves * point.sharper / np.maximum(self.near, _NEAREST) ** 2).sum(axis=1)
        sums = point.total + (point.waves * (point.sharper - 1)).sum(axis=1)
        each = [
            (further - point.total + near) / _STEPS[0],
            b_iso * self._square * (weight - sums),
            -b_bonds * self._square * weight,
            (wider - point.total) / _STEPS[1],
        ]
        return np.asarray((np.stack(each) * point.damping) @ self.space.exact_transform)

    @cached_property
    def _square(self) -> FloatArray:
        return self.space.q**2 / EIGHT_PI_SQUARED

    def _strained(self, x: FloatArray, strain: FloatArray) -> FloatArray:
        """(rows, Q): the sum over all pairs, of rows of x with a strain each."""
        # Three bond lengths stand for a normal distribution (Gauss–Hermite): at 0 and ±√3 standard deviations.
        scales = 1 + np.sqrt(3) * strain[:, None] * np.array([-1.0, 0.0, 1.0])
        each = self.plain(x[:, None] * scales[:, :, None])
        return np.asarray((np.array([1 / 6, 2 / 3, 1 / 6]) / scales)[:, None] @ each)[:, 0]

    def _waves(self, x: FloatArray) -> FloatArray:
        return np.asarray(np.sin(np.outer(x, self.near)) * self.near_weights)


def forward_of(space: FitSpace, column: Float32Array, distances: FloatArray, counts: FloatArray, atoms: int) -> Forward:
    """The forward model of a shape, from its column of sums and its distances."""
    near = distances < _CORRELATED
    d, m = distances[near], counts[near]
    groups = np.round(d, 2)
    which = np.unique(groups, return_inverse=True)[1]  # sines of distances that differ by less than 0.01 b are one
    total = np.bincount(which, m)
    mean = np.bincount(which, m * d) / total
    return Forward(space, OneSum(column), mean, 2 / atoms * total / mean)


def refine(forward: Forward, bond: float, b_iso: float, rounds: int = 12) -> Refined:
    """Levenberg–Marquardt from a bond length and B; the scale is solved for at each step."""
    return _refine(forward, np.array([np.log(bond), np.log(b_iso), np.log(b_iso), 0.0]), rounds)


def _refine(forward: Forward, own: FloatArray, rounds: int) -> Refined:
    data = forward.space.exact_data
    bond, damping = own[0], 1e-2
    point = forward.at(own)
    fit, misfit = _scaled(point.coordinates, data)
    slopes = np.zeros((len(own), len(data)))
    for _ in range(rounds):
        # Of the fit at its best scale: that scale follows from each step.
        slopes = _scaled_slopes(point.coordinates, forward.slopes(point), data)
        normal, gradient = slopes @ slopes.T, slopes @ (data - fit)
        for _ in range(4):
            # (JᵀJ + λ diag JᵀJ) step = Jᵀ (data − fit); λ grows until a step is better, and falls after it.
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-9), gradient)
            trial = forward.at(_inside(point.own + step, bond))
            new_fit, new = _scaled(trial.coordinates, data)
            if new < misfit:
                break
            damping *= 6
        if new >= misfit:
            break
        gained = misfit - new
        point, fit, misfit, damping = trial, new_fit, new, max(damping / 5, 1e-8)
        if gained < 1e-4 * misfit:
            break
    return _refined(forward, point, fit, misfit, slopes)


def refine_atoms(positions: FloatArray, space: FitSpace, before: Refined) -> Refined:
    """Fit atoms that are in no table, from a fit of others like them."""
    bins, places, counts = binned_distances(pair_distances(positions), REACH)
    return refine_distances((bins + places) * BIN, counts, len(positions), space, before)


def refine_distances(
    distances: FloatArray, counts: FloatArray, atoms: int, space: FitSpace, before: Refined
) -> Refined:
    """Fit pairs at distances below `REACH`, from a fit of others like them."""
    column = column_of(distances, counts, atoms, float(space.q[-1]) * before.bond * 1.2)
    start = np.array([*np.log([before.bond, before.b_iso, before.b_bonds]), before.strain])
    return _refine(forward_of(space, column, distances, counts, atoms), start, 8)


def _refined(forward: Forward, point: _Point, fit: FloatArray, misfit: float, slopes: FloatArray) -> Refined:
    # (JᵀJ)⁻¹ times the variance that the misfit leaves to each degree of freedom.
    variance = misfit / max(len(fit) - len(slopes) - 1, 1)
    errors = np.sqrt(np.diag(np.linalg.pinv(slopes @ slopes.T)) * variance)
    power = float(point.coordinates @ point.coordinates)
    b, b_iso, b_bonds = np.exp(point.own[:3])
    return Refined(
        bond=float(b),
        b_iso=float(b_iso),
        b_bonds=float(b_bonds),
        strain=float(abs(point.own[3])),
        scale=float(point.coordinates @ fit) / max(power, 1e-30),
        rw=float(np.sqrt(max(misfit + forward.space.outside, 0.0))),
        fit=fit,
        uncertainties=(float(b * errors[0]), float(b_iso * errors[1])),
    )


def _inside(own: FloatArray, log_bond: float) -> FloatArray:
    low, high = np.log(_B_RANGE)
    near = min(max(own[0], log_bond - _MOST_CHANGE), log_bond + _MOST_CHANGE)
    return np.array([near, *(min(max(each, low), high) for each in own[1:3]), min(max(own[3], 0.0), _MOST_STRAIN)])


def _scaled(plain: FloatArray, data: FloatArray) -> tuple[FloatArray, float]:
    """The fit at its best scale, which is not negative, and the squared misfit."""
    scale = max(0.0, float(plain @ data) / max(float(plain @ plain), 1e-30))
    fit = scale * plain
    left = data - fit
    return fit, float(left @ left)


def _scaled_slopes(plain: FloatArray, slopes: FloatArray, data: FloatArray) -> FloatArray:
    """Derivatives of the fit at its best scale, from those at scale 1."""
    power = max(float(plain @ plain), 1e-30)
    scale = max(0.0, float(plain @ data) / power)
    of_scale = slopes @ (data - 2 * scale * plain) / power if scale > 0 else np.zeros(len(slopes))
    return np.asarray(scale * slopes + of_scale[:, None] * plain)
