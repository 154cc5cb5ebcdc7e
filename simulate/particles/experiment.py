"""From F(Q) to the pair distribution function G(r), as an experiment with limits of Q, damping, noise and slow baseline
would give it: G(r) = (2/π) ∫ F(Q) sin(Qr) dQ · exp(−(r·q_damp)²/2).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import Float32Array, FloatArray
from dsfu.simulate.checks import number_between


@dataclass(frozen=True, kw_only=True)
class PdfExperiment:
    """What was measured: limits of Q and r, damping. The defaults are those of the published data set.

    Attributes
    ----------
    q_min, q_max
        Limits of the integral in 1/Å.
    q_damp
        Damping by the resolution of the instrument, in 1/Å.
    r_step, points
        r = 0, r_step, 2 r_step … in Å.
    longest
        The longest distance in Å of the particles to be simulated: it decides how fine Q has to be.
    """

    q_min: float = 0.7
    q_max: float = 25.0
    q_damp: float = 0.0
    r_step: float = 0.01
    points: int = 3000
    longest: float = 70.0

    def __post_init__(self) -> None:
        number_between("q_max", self.q_max, 0, 200, open_low=True)
        number_between("q_min", self.q_min, 0, self.q_max)
        number_between("q_damp", self.q_damp, 0, 1)
        number_between("r_step", self.r_step, 0, 10, open_low=True)
        number_between("longest", self.longest, 0, 10_000, open_low=True)
        if self.points < 2:
            raise ValueError(f"points = {self.points}: expected at least 2")

    @cached_property
    def r(self) -> FloatArray:
        """Where G is, in Å."""
        return np.asarray(self.r_step * np.arange(self.points))

    @cached_property
    def q_step(self) -> float:
        """ΔQ in 1/Å. A sum over steps repeats G after 2π/ΔQ: what repeats must not reach into the range of r."""
        return float(2 * np.pi / (float(self.r[-1]) + self.longest + 10.0))

    @cached_property
    def q_points(self) -> int:
        """How many Q from 0 to the first at or beyond q_max."""
        return int(np.ceil(self.q_max / self.q_step - 1e-9)) + 1

    @cached_property
    def transform(self) -> Float32Array:
        """The integral as a matrix, (q_points, points): G = F @ transform."""
        q = self.q_step * np.arange(self.q_points)
        weights = _trapezoid(self.q_points, self.q_step, self.q_min, self.q_max)
        damping = np.exp(-((self.r * self.q_damp) ** 2) / 2)
        return np.asarray(2 / np.pi * weights[:, None] * np.sin(np.outer(q, self.r)) * damping, np.float32)

    def pdf(self, structure_function: npt.ArrayLike) -> Float32Array:
        """G in 1/Å² of F at the Q of this experiment, (…, q_points) → (…, points)."""
        values = np.asarray(structure_function, np.float32)
        if values.shape[-1] != self.q_points:
            raise ValueError(f"F has {values.shape[-1]} values of Q: expected {self.q_points}")
        return np.asarray(values @ self.transform)


def longest_for(extent: float) -> float:
    """A `PdfExperiment.longest` for a particle of this extent in Å: 70, 140, 280 …, whatever else is simulated."""
    longest = 70.0
    while longest < extent:
        longest *= 2
    return longest


def _trapezoid(points: int, step: float, low: float, high: float) -> FloatArray:
    """Weights of an integral from low to high over values at 0, step, 2 step …, taken as straight between them."""
    weights = np.zeros(points)
    edges = np.clip(np.stack([np.arange(points - 1), np.arange(1, points)]) * step, low, high)
    # Of each step the part between the limits, 0 ≤ start ≤ t ≤ end ≤ 1; there the integrand is f_j (1 − t) + f_j+1 t.
    start, end = edges / step - np.arange(points - 1)
    later = (end**2 - start**2) / 2
    weights[1:] += step * later
    weights[:-1] += step * (end - start - later)
    return weights


def with_noise(pdf: npt.ArrayLike, deviation: float, seed: int) -> Float32Array:
    """G with white noise, whose standard deviation is a share of G's maximum."""
    values = np.asarray(pdf, np.float32)
    number_between("deviation", deviation, 0, 100)
    noise = np.random.Generator(np.random.Philox(seed)).standard_normal(values.shape)
    return np.asarray(values + deviation * values.max(-1, keepdims=True) * noise, np.float32)


def with_baseline(pdf: npt.ArrayLike, r: npt.ArrayLike, size: float, seed: int, q_max: float = 1.0) -> Float32Array:
    """G with a slow baseline: eight sine waves of random Q below q_max; at most ``size`` of G's maximum."""
    values, where = np.asarray(pdf, np.float32), np.asarray(r, np.float64)
    draw = np.random.Generator(np.random.Philox(seed))
    waves = draw.standard_normal(8) @ np.sin(np.outer(draw.uniform(0, q_max, 8), where))
    return np.asarray(values + size * values.max(-1, keepdims=True) * waves / np.abs(waves).max(), np.float32)
