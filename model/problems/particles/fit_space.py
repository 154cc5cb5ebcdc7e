"""What of a measured G(r) a particle can explain: coordinates in which fits are plain sums of squares.

G of any particle is F(Q) times a matrix; the range of r and Q_max leave it some hundreds of independent numbers. The
data and the matrix are projected on those. Slow waves (Q < ``q_slow``) are taken out of both first: no metal has a
Bragg peak there, and all that experiments add slowly (a baseline, the part below Q_min, ligands) is there.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from dsfu.model.problems.particles.reading import MeasuredPdf
from dsfu.simulate.arrays import Float32Array, FloatArray

MOST_POINTS: Final = 3000
_Q_STEP: Final = 0.085
"""G repeats after 2π/0.085 = 74 Å: beyond the range of r and the distances of a table together."""

_SMALLEST: Final = 1e-6
"""Directions whose eigenvalue is below this share of the largest are left out: the transform hardly reaches them."""


@dataclass(frozen=True, eq=False)
class FitSpace:
    """The data in reduced coordinates.

    Attributes
    ----------
    q
        Values of Q in 1/Å at which F is wanted.
    transform
        (Q, coordinates): F @ transform is a particle in reduced coordinates.
    data
        The measured G in them, of length 1 in all: ``outside`` is the share of its square that no particle reaches.
    r, curve, basis
        Where the fit is, what is left of G without slow waves, and (coordinates, r) to draw fits.
    size
        Length of the curve, in 1/Å²: scales are given in its units.
    """

    q: FloatArray
    transform: Float32Array
    data: Float32Array
    outside: float
    r: FloatArray
    curve: FloatArray
    basis: FloatArray
    size: float

    @cached_property
    def exact_transform(self) -> FloatArray:
        """`transform` in float64, converted once and not at each of a thousand steps of a fit."""
        return self.transform.astype(np.float64)

    @cached_property
    def exact_data(self) -> FloatArray:
        """`data` in float64."""
        return self.data.astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class FitLimits:
    """Ranges of r in Å and Q in 1/Å, the damping; whether F(Q) went through Lorch's window (sin x)/x, x = πQ/Qmax."""

    r_min: float
    r_max: float
    q_min: float
    q_max: float
    q_damp: float
    q_slow: float = 1.2
    is_windowed: bool = False


def q_grid(q_min: float, q_max: float) -> tuple[FloatArray, FloatArray]:
    """Q on which G(r) is summed, and how much of each step lies between the limits: what a sum is weighted with."""
    q = np.arange(0, q_max + _Q_STEP, _Q_STEP)
    return q, np.clip(np.minimum(q + _Q_STEP / 2, q_max) - np.maximum(q - _Q_STEP / 2, q_min), 0, None)


def fit_space(measured: MeasuredPdf, limits: FitLimits) -> FitSpace:
    """Project the data."""
    r, g, step = _thinned(measured, limits)
    q, weights = q_grid(limits.q_min, limits.q_max)
    if limits.is_windowed:
        weights = weights * np.sinc(q / limits.q_max)
    # G(r) = 2/π ∫ Q [S(Q) − 1] sin(Qr) dQ, times the instrument's damping; sinc is the mean over a bin of r.
    matrix = 2 / np.pi * weights[:, None] * np.sin(np.outer(q, r))
    matrix *= np.exp(-((r * limits.q_damp) ** 2) / 2) * np.sinc(q * step / (2 * np.pi))[:, None]
    slow = slow_waves(r, limits.q_slow)
    # Slow waves are what an imperfect background leaves: both data and model lose them.
    curve = g - slow.T @ (slow @ g)
    matrix -= (matrix @ slow.T) @ slow
    # M = U S Vᵀ by the eigenvectors of M Mᵀ: F @ (U S) are coordinates, and V draws them over r.
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    kept = values > _SMALLEST * values[-1]
    roots = np.sqrt(values[kept])
    basis = (vectors[:, kept].T @ matrix) / roots[:, None]
    size = float(np.linalg.norm(curve)) or 1.0
    data = basis @ curve / size
    return FitSpace(
        q=q,
        transform=np.asarray(vectors[:, kept] * roots, np.float32),
        data=np.asarray(data, np.float32),
        outside=max(0.0, 1.0 - float(data @ data)),
        r=r,
        curve=curve,
        basis=basis,
        size=size,
    )


def noise_floor(space: FitSpace) -> float:
    """R_w that white noise alone would leave inside the space, from what lies outside of it."""
    outside = max(len(space.r) - len(space.data), 1)
    return float(np.sqrt(space.outside / outside * len(space.data)))


def _thinned(measured: MeasuredPdf, limits: FitLimits) -> tuple[FloatArray, FloatArray, float]:
    """The range of the fit; many points are averaged over neighbours, over how wide a step is returned."""
    inside = (measured.r >= limits.r_min) & (measured.r <= limits.r_max)
    r, g = measured.r[inside], measured.g[inside]
    group = -(-len(r) // MOST_POINTS)
    if group == 1:
        return r, g, 0.0
    whole = len(r) // group * group
    r, g = (each[:whole].reshape(-1, group).mean(axis=1) for each in (r, g))
    return r, g, float(r[1] - r[0])


def slow_waves(r: FloatArray, q_slow: float) -> FloatArray:
    """Orthonormal functions of r that span all waves with Q up to q_slow, as rows."""
    if q_slow <= 0:
        return np.zeros((0, len(r)))
    q = np.arange(0, q_slow + 1e-9, np.pi / (2 * float(r[-1] - r[0])))
    waves = np.concatenate([np.sin(np.outer(q[1:], r)), np.cos(np.outer(q, r))])
    rows, sizes, _ = np.linalg.svd(waves @ waves.T)
    kept = sizes > 1e-4 * sizes[0]
    return np.asarray((rows[:, kept].T @ waves) / np.sqrt(sizes[kept])[:, None])
