"""Where the power of a periodic picture lies: at the vectors of its lattice. From a picture to candidate lattices.

I_SRO is a sum of waves cos Q·v over lattice vectors v, so its Fourier transform has peaks at them. The strongest peaks,
and their halves, are paired; a pair spans a lattice; what counts is the share of all power at the first vectors of it.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from scipy.ndimage import map_coordinates, maximum_filter
from scipy.optimize import minimize

from dsfu.model.measured.data.reconstruction import RealArray
from dsfu.model.measured.lattice.bases import are_same, longest, reduced
from dsfu.simulate.arrays import BoolArray, FloatArray

PADDED: Final = 1024
"""Points of the Fourier transform along each side: planes of 256 pixels are interpolated four times."""

SHORTEST: Final = 2.6
"""Å: no two molecules or atoms on sites of one kind are nearer. Aluminium's are 2.86 Å apart."""

FARTHEST_PEAK: Final = 16.0
"""Å: peaks beyond are not looked at."""

_PEAKS: Final = 14
_KEPT: Final = 12
_REACH: Final = 5
_NOISE_LEVELS: Final = 3.0
"""A vector has to have so many times the median power to speak for a lattice that has it."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Power of a picture over vectors in Å.

    Attributes
    ----------
    power
        (PADDED, PADDED), the origin at the centre, its sum 1.
    unit
        Å between its points.
    lobe
        Power of a whole peak relative to its height, for the window used.
    """

    power: FloatArray
    unit: float
    lobe: float

    def captured(self, basis: FloatArray) -> float:
        """Share of the power at the first lattice vectors."""
        x, y = (_INDICES @ basis / self.unit).T
        inside = np.hypot(x, y) < PADDED // 2 - 2
        at = np.stack([y[inside], x[inside]]) + PADDED // 2
        return float(2 * self.lobe * map_coordinates(self.power, at, order=1, mode="constant").sum())


@dataclass(frozen=True, eq=False)
class LatticeCandidate:
    """A lattice and the share of the power that its vectors have, after what noise would have there."""

    basis: FloatArray
    share: float


def spectrum_of(picture: RealArray, step: float, live: BoolArray | None = None) -> Spectrum:
    """The power spectrum of a picture whose pixels are ``step`` 1/Å apart, seen through a Hann window."""
    side = picture.shape[0]
    # Hann's window, so that the edges of the picture make no streaks; its zeros at either end are left out.
    window = np.outer(np.hanning(side + 2)[1:-1], np.hanning(side + 2)[1:-1])
    if live is not None:
        window = window * live
    values = np.asarray(picture, np.float64)
    mean = (values * window).sum() / window.sum()
    power = np.abs(np.fft.fftshift(np.fft.fft2((values - mean) * window, (PADDED, PADDED)))) ** 2
    # The width of the window's own peak, in bins: total power over that of its highest.
    of_window = np.abs(np.fft.fft2(window, (PADDED, PADDED))) ** 2
    total = power.sum()
    return Spectrum(
        power / total if total > 0 else power, 2 * np.pi / (PADDED * step), of_window.sum() / of_window[0, 0]
    )


def candidates(spectrum: Spectrum) -> list[LatticeCandidate]:
    """Lattices that the strongest peaks span, refined, the one with most of the power first."""
    peaks = _peaks(spectrum)
    vectors = [*peaks, *(peak / 2 for peak in peaks if np.hypot(*peak) / 2 > 0.9 * SHORTEST)]
    noise = _NOISE_LEVELS * len(_INDICES) * 2 * spectrum.lobe * _median_power(spectrum)
    found: list[LatticeCandidate] = []
    for one, other in combinations(vectors, 2):
        if abs(one[0] * other[1] - one[1] * other[0]) < 0.3 * np.hypot(*one) * np.hypot(*other):
            continue  # nearly along one line
        basis = reduced(np.stack([one, other]))
        if np.hypot(*basis.T).min() >= 0.9 * SHORTEST:
            found.append(LatticeCandidate(basis, spectrum.captured(basis) - noise))
    found.sort(key=lambda each: -each.share)
    distinct: list[LatticeCandidate] = []
    for each in found:
        if len(distinct) == _KEPT:
            break
        if not any(are_same(each.basis, other.basis, 0.03) for other in distinct):
            distinct.append(each)
    better = [_refined(spectrum, each.basis, noise) for each in distinct]
    return sorted(better, key=lambda each: -each.share)


def _peaks(spectrum: Spectrum) -> list[FloatArray]:
    """The strongest local maxima of one half plane, in Å."""
    place = np.arange(PADDED) - PADDED // 2
    y, x = np.meshgrid(place, place, indexing="ij")
    length = np.hypot(x, y) * spectrum.unit
    half = (y > 0) | ((y == 0) & (x > 0))
    inside = half & (length > SHORTEST) & (length < FARTHEST_PEAK)
    rows, columns = np.nonzero((spectrum.power == maximum_filter(spectrum.power, 9)) & inside)
    strongest = np.argsort(-spectrum.power[rows, columns])[:_PEAKS]
    return [np.array([place[columns[i]], place[rows[i]]], np.float64) * spectrum.unit for i in strongest]


def _median_power(spectrum: Spectrum) -> float:
    place = (np.arange(PADDED) - PADDED // 2) * spectrum.unit
    length = np.hypot(*np.meshgrid(place, place))
    return float(np.median(spectrum.power[(length > SHORTEST) & (length < 2 * FARTHEST_PEAK)]))


def _refined(spectrum: Spectrum, basis: FloatArray, noise: float) -> LatticeCandidate:
    """All four components moved to where the lattice captures most: lengths, angle and orientation."""
    start = basis.ravel()
    simplex = np.vstack([start, start + 0.02 * longest(basis) * np.eye(4)])
    found = minimize(
        lambda values: -spectrum.captured(values.reshape(2, 2)),
        start,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.01 * spectrum.unit, "fatol": 1e-6, "maxiter": 400},
    )
    return LatticeCandidate(reduced(found.x.reshape(2, 2)), -float(found.fun) - noise)


def _half_of_the_indices() -> FloatArray:
    u, v = (each.ravel() for each in np.mgrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1])
    half = (u > 0) | ((u == 0) & (v > 0))
    return np.stack([u[half], v[half]], axis=1).astype(np.float64)


_INDICES: Final = _half_of_the_indices()
