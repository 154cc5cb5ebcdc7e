"""Fit bond length, B, the sharper first peak and strain of one shape to the data, by damped least squares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from dsfu.model.problems.particles.fit_space import FitSpace
from dsfu.model.problems.particles.shape_table import BIN, binned_distances
from dsfu.model.problems.particles.sine_sums import column_of, one_sum
from dsfu.simulate.arrays import Float32Array, FloatArray
from dsfu.simulate.form_factors import EIGHT_PI_SQUARED
from dsfu.simulate.particles.distances import pair_distances

_B_RANGE: Final = (0.02, 6.0)
_MOST_STRAIN: Final = 0.03
_MOST_CHANGE: Final = 0.04  # of b from where it was matched: grids are ten times finer
_STEPS: Final = np.array([1e-4, 1e-2, 1e-2, 2e-3])
LONGEST_STRETCH: Final = float(np.exp(_MOST_CHANGE + _STEPS[0]) * (1 + np.sqrt(3) * (_MOST_STRAIN + _STEPS[3])))
"""How many times the bond length that was matched a refinement ever asks for."""
_REMEMBERED: Final = 3

_CORRELATED: Final = 2.3
"""In b: pairs up to this have a B of their own each. Beyond, less than a fifth of what bonds lack is lacking."""


def pair_b_iso(distances: FloatArray, b_iso: float, b_bonds: float) -> FloatArray:
    """B of pairs at distances in b: neighbours move together, and the less the farther apart (δ₂ of PDFgui)."""
    return np.asarray(np.maximum(b_iso - (b_iso - b_bonds) / np.maximum(distances, 0.8) ** 2, 0.0))


Unbroadened = Callable[[FloatArray], FloatArray]
"""x = Q·b → the sum of a shape at unit scale."""


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
class Forward:
    """One shape in one space: from parameters to reduced coordinates."""

    space: FitSpace
    plain: Unbroadened
    near: FloatArray
    near_weights: FloatArray
    memory: dict[tuple[float, float], tuple[FloatArray, FloatArray]] = field(default_factory=dict)

    def __call__(self, parameters: FloatArray) -> FloatArray:
        log_b, log_iso, log_bonds, strain = map(float, parameters)
        total, waves = self._sums(log_b, abs(strain))
        # σ² = 2B / 8π² for a pair, so exp(−σ²Q²/2) = exp(−B Q² / 8π²).
        square = self.space.q**2 / EIGHT_PI_SQUARED
        b_iso = float(np.exp(log_iso))
        less = b_iso - pair_b_iso(self.near, b_iso, float(np.exp(log_bonds)))
        sharper = (waves * np.expm1(np.outer(square, less))).sum(axis=1)
        return np.asarray((total + sharper) * np.exp(-b_iso * square) @ self.space.exact_transform)

    def _sums(self, log_b: float, strain: float) -> tuple[FloatArray, FloatArray]:
        """Of all pairs, and of each near one: nothing of B is in them, so that steps of B find them in memory."""
        if (log_b, strain) in self.memory:
            return self.memory[log_b, strain]
        x = self.space.q * float(np.exp(log_b))
        if strain > 1e-5:  # three bond lengths stand for a normal distribution
            # Gauss–Hermite: at 0 and ±√3 standard deviations, with weights 2/3 and 1/6.
            spread = np.sqrt(3) * strain
            each = [self.plain(x * (1 + s)) / (1 + s) for s in (-spread, 0.0, spread)]
            total = each[0] / 6 + each[1] * 2 / 3 + each[2] / 6
        else:
            total = self.plain(x)
        if len(self.memory) >= _REMEMBERED:
            self.memory.pop(next(iter(self.memory)))
        self.memory[log_b, strain] = total, np.sin(np.outer(x, self.near)) * self.near_weights
        return self.memory[log_b, strain]


def forward_of(
    space: FitSpace, column: Float32Array | Unbroadened, distances: FloatArray, counts: FloatArray, atoms: int
) -> Forward:
    """The forward model of a shape, from its column of sums or a function, and its distances."""
    plain: Unbroadened = column if callable(column) else partial(one_sum, column)
    near = distances < _CORRELATED
    d, m = distances[near], counts[near]
    groups = np.round(d, 2)
    which = np.unique(groups, return_inverse=True)[1]  # sines of distances that differ by less than 0.01 b are one
    total = np.bincount(which, m)
    mean = np.bincount(which, m * d) / total
    return Forward(space, plain, mean, 2 / atoms * total / mean)


def refine(forward: Forward, bond: float, b_iso: float, rounds: int = 12, strained: bool = True) -> Refined:
    """Levenberg–Marquardt from a bond length and B; the scale is solved for at each step."""
    data = forward.space.data.astype(np.float64)
    own = np.array([np.log(bond), np.log(b_iso), np.log(b_iso), 0.0])
    free = 4 if strained else 3
    damping = 1e-2
    fit, misfit = _scaled(forward(own), data)
    jacobian = np.zeros((len(data), free))
    for _ in range(rounds):
        for i in range(free):
            moved = own.copy()
            moved[i] += _STEPS[i]
            jacobian[:, i] = (_scaled(forward(moved), data)[0] - fit) / _STEPS[i]
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ (data - fit)
        for _ in range(4):
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-9), gradient)
            trial = _inside(own + np.append(step, np.zeros(4 - free)), bond)
            new_fit, new = _scaled(forward(trial), data)
            if new < misfit:
                break
            damping *= 6
        if new >= misfit:
            break
        gained = misfit - new
        own, fit, misfit, damping = trial, new_fit, new, max(damping / 5, 1e-8)
        if gained < 1e-4 * misfit:
            break
    return _refined(forward, own, fit, misfit, jacobian)


def refine_atoms(positions: FloatArray, space: FitSpace, before: Refined) -> Refined:
    """Fit atoms that are in no table, from the b and B of a fit of others like them."""
    bins, places, counts = binned_distances(pair_distances(positions))
    distances = (bins + places) * BIN
    column = column_of(distances, counts, len(positions), float(space.q[-1]) * before.bond * 1.2)
    forward = forward_of(space, column, distances, counts, len(positions))
    return refine(forward, before.bond, before.b_iso, 8)


def _refined(forward: Forward, own: FloatArray, fit: FloatArray, misfit: float, jacobian: FloatArray) -> Refined:
    # (JᵀJ)⁻¹ times the variance that the misfit leaves to each degree of freedom.
    variance = misfit / max(len(fit) - jacobian.shape[1] - 1, 1)
    errors = np.sqrt(np.diag(np.linalg.pinv(jacobian.T @ jacobian)) * variance)
    plain = forward(own)
    power = float(plain @ plain)
    b, b_iso, b_bonds = np.exp(own[:3])
    return Refined(
        bond=float(b),
        b_iso=float(b_iso),
        b_bonds=float(b_bonds),
        strain=float(abs(own[3])),
        scale=float(plain @ fit) / max(power, 1e-30),
        rw=float(np.sqrt(max(misfit + forward.space.outside, 0.0))),
        fit=fit,
        uncertainties=(float(b * errors[0]), float(b_iso * errors[1])),
    )


def _inside(own: FloatArray, bond: float) -> FloatArray:
    low, high = np.log(_B_RANGE)
    near = np.log(bond) + np.clip(own[0] - np.log(bond), -_MOST_CHANGE, _MOST_CHANGE)
    return np.array([near, np.clip(own[1], low, high), np.clip(own[2], low, high), np.clip(own[3], 0, _MOST_STRAIN)])


def _scaled(plain: FloatArray, data: FloatArray) -> tuple[FloatArray, float]:
    """The fit at its best scale, which is not negative, and the squared misfit."""
    scale = max(0.0, float(plain @ data) / max(float(plain @ plain), 1e-30))
    fit = scale * plain
    return fit, float(((data - fit) ** 2).sum())
