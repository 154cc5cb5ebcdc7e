"""Where a map in P1 has its symmetry: the correlation of the map with its images under each rotation.

For x → R x + t, F(hR) = F(h) exp(−2πi h·t). So Q_R(t) = Σ conj(F(hR)) F(h) exp(−2πi h·t) / Σ|F|² is 1 at the right t of
a map with that symmetry, and one Fourier transform gives it for all t. A group whose origin lies at s in the map has
t = t_R + s − R s; the mean of Q over its operators is a map over s (SHELXT does alike: Sheldrick, Acta A71, 3, 2015).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import fft

from dsfu.model.problems.phases.crystal_data import ComplexArray, FloatArray, IntArray
from dsfu.model.problems.phases.groups import CandidateGroup

_MULTIPLE: Final = 12
"""Grids of the search are multiples of it, so that they hold translations by 1/2, 1/3, 1/4 and 1/6 exactly."""

_REFINE_ROUNDS: Final = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupFit:
    """A group placed in a map.

    Parameters
    ----------
    origin
        Where the group's origin lies in the map, fractional.
    mean, worst
        Correlation of the map with its images: over all operators but the identity, and of the worst of them. Both 1
        in groups without any.
    """

    candidate: CandidateGroup
    origin: FloatArray
    mean: float
    worst: float
    each: FloatArray


class SymmetryOfMap:
    """Correlations of a map with its images; each rotation's is computed once.

    Parameters
    ----------
    hkl, waves
        All indices of the sphere used, both of each pair ±h, and F there.
    """

    def __init__(self, hkl: IntArray, waves: ComplexArray) -> None:
        self._hkl, self._waves = hkl, waves
        highest = np.abs(hkl).max(axis=0)
        self._shape = tuple(int(-(-(2 * h + 2) // _MULTIPLE) * _MULTIPLE) for h in highest)
        # rotations mix axes of equal length: their grids must be equal, too, which equal highest indices make them
        self._reach = int(highest.max()) * 3 + 1
        size = 2 * self._reach + 1
        self._table = np.zeros((size,) * 3, dtype=np.complex64)
        self._table[tuple((hkl + self._reach).T)] = waves
        self._total = float(np.square(np.abs(waves)).sum())
        self._maps: dict[bytes, npt.NDArray[np.float32]] = {}
        self._products: dict[bytes, ComplexArray] = {}

    def fit(self, candidate: CandidateGroup) -> GroupFit:
        """The best origin of a group."""
        shape = np.array(self._shape)
        grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1).reshape(-1, 3)
        others = [i for i in range(len(candidate.turns)) if not (candidate.turns[i] == np.eye(3)).all()]
        if not others:
            return GroupFit(candidate=candidate, origin=np.zeros(3), mean=1.0, worst=1.0, each=np.ones(0))
        fraction = grid / shape
        total = np.zeros(len(grid), dtype=np.float32)
        for i in others:
            turn, shift = candidate.turns[i], candidate.shifts[i]
            # Of a group whose origin is at s the translation in the map is t + s − R s.
            place = fraction - fraction @ turn.T + shift
            index = np.round(place * shape).astype(np.int64) % shape
            total += self._map(turn)[tuple(index.T)]
        origin = fraction[int(total.argmax())]
        origin = self._refined(candidate, others, origin)
        each = self._each(candidate, others, origin)
        return GroupFit(candidate=candidate, origin=origin, mean=float(each.mean()), worst=float(each.min()), each=each)

    def _each(self, candidate: CandidateGroup, others: list[int], origin: FloatArray) -> FloatArray:
        values = []
        for i in others:
            turn, shift = candidate.turns[i], candidate.shifts[i]
            place = shift + origin - turn @ origin
            waves = self._product(turn) * np.exp(-2j * np.pi * (self._hkl @ place))
            values.append(float(waves.real.sum()) / self._total)
        return np.array(values)

    def _refined(self, candidate: CandidateGroup, others: list[int], origin: FloatArray) -> FloatArray:
        """Off the grid, by parabolas along the axes."""
        step = 0.5 / np.array(self._shape)
        best = self._each(candidate, others, origin).mean()
        for _ in range(_REFINE_ROUNDS):
            for axis in range(3):
                along = np.zeros(3)
                along[axis] = step[axis]
                left = self._each(candidate, others, origin - along).mean()
                right = self._each(candidate, others, origin + along).mean()
                curvature = left - 2 * best + right
                if curvature < -1e-9:
                    # The top of the parabola through three points.
                    trial = origin + along * np.clip(0.5 * (left - right) / curvature, -1, 1)
                    value = self._each(candidate, others, trial).mean()
                    if value > best:
                        origin, best = trial, value
            step = step / 2
        return origin

    def _product(self, turn: IntArray) -> ComplexArray:
        key = turn.tobytes()
        if key not in self._products:
            images = self._table[tuple((self._hkl @ turn + self._reach).T)]
            self._products[key] = np.conj(images) * self._waves
        return self._products[key]

    def _map(self, turn: IntArray) -> npt.NDArray[np.float32]:
        key = turn.tobytes()
        if key not in self._maps:
            waves = np.zeros(self._shape, dtype=np.complex64)
            waves[tuple((self._hkl % np.array(self._shape)).T)] = self._product(turn)
            self._maps[key] = np.asarray(fft.fftn(waves).real / self._total, dtype=np.float32)
        return self._maps[key]


def symmetrised(hkl: IntArray, waves: ComplexArray, fit: GroupFit) -> ComplexArray:
    """F with the group's origin at 0, averaged over the group: F(h) = mean of F(hR) exp(2πi h·t)."""
    moved = waves * np.exp(-2j * np.pi * (hkl @ fit.origin))
    reach = int(np.abs(hkl).max()) * 3 + 1
    # A table by h, k, l: what was not measured is 0 in it. A rotation makes an index at most three times as large.
    table = np.zeros((2 * reach + 1,) * 3, dtype=np.complex128)
    table[tuple((hkl + reach).T)] = moved
    total = np.zeros(len(hkl), dtype=np.complex128)
    for turn, shift in zip(fit.candidate.turns, fit.candidate.shifts, strict=True):
        total += table[tuple((hkl @ turn + reach).T)] * np.exp(2j * np.pi * (hkl @ shift))
    return total / len(fit.candidate.turns)
