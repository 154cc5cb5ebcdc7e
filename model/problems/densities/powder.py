"""A measured powder pattern, and what the solver makes of it: background, net signal, widths, peaks."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from dsfu.errors import InputError
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.constants import SIGMA_PER_MAD

MOST_POINTS: Final = 24000
"""Longer patterns are binned to about this many points. Chosen: peaks of synchrotrons are .005° to .02° wide."""

FEWEST_POINTS: Final = 50

_NEIGHBOURS: Final = 2.0
"""Points over which counts are averaged for the noise that is expected of them: less than a peak's width. Chosen."""

_FIRST_ANGLE: Final = 0.3
"""Degrees; what lies below is the direct beam."""

_VALLEY: Final = 2.0
"""Degrees over which nothing may lie lower than a minimum that ends the fall from the direct beam. Chosen."""

_STEPS_OF_A_FALL: Final = 0.15
"""Share of a fall that a rise within it may have before it is a peak. Chosen."""

_FALL: Final = 0.5
"""How high the fall must be, in units of the highest peak, to be cut off: where nothing is, nothing must be found."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PowderPattern:
    """Counts against 2θ in degrees, ascending; wavelength in Å where the file says it."""

    two_theta: FloatArray
    counts: FloatArray
    sigma: FloatArray | None = None
    wavelength: float | None = None
    name: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Signal:
    """A pattern made ready: even steps, background apart.

    Attributes
    ----------
    two_theta, net, background, sigma
        In degrees and counts.
    fwhm
        Median width of the strongest peaks in degrees.
    peak_angles, peak_heights
        Peaks of at least 4 sigma and 0.7 % of the highest, by angle.
    """

    two_theta: FloatArray
    net: FloatArray
    background: FloatArray
    sigma: FloatArray
    fwhm: float
    peak_angles: FloatArray = field(repr=False)
    peak_heights: FloatArray = field(repr=False)

    @property
    def step(self) -> float:
        """Degrees between points."""
        return float(self.two_theta[1] - self.two_theta[0])


def prepared(pattern: PowderPattern) -> Signal:
    """Even steps, background taken away in two passes (the second knows how wide peaks are), peaks found."""
    angles, counts, sigma = _without_beam(*_evened(pattern))
    background = _background(angles, counts, 8.0)
    fwhm = _typical_width(angles, counts - background, sigma)
    # Peaks narrower than the first window need a shorter one, or humps stay in the net signal.
    background = _background(angles, counts, float(np.clip(12 * fwhm, 1.2, 25.0)))
    net = counts - background
    fwhm = _typical_width(angles, net, sigma)
    if not (net > 5 * sigma).sum() >= 3:
        raise InputError(
            "no peaks stand out of the background", where=pattern.name, expected="a powder pattern with Bragg peaks"
        )
    places, heights = _peaks(angles, net, sigma, fwhm)
    return Signal(
        two_theta=angles, net=net, background=background, sigma=sigma, fwhm=fwhm,
        peak_angles=places, peak_heights=heights,
    )  # fmt: skip


def _evened(pattern: PowderPattern) -> tuple[FloatArray, FloatArray, FloatArray]:
    good = np.isfinite(pattern.two_theta) & np.isfinite(pattern.counts) & (pattern.two_theta > _FIRST_ANGLE)
    good &= pattern.two_theta < 179
    angles, counts = pattern.two_theta[good], pattern.counts[good]
    if len(angles) < FEWEST_POINTS or counts.max() <= 0:
        raise InputError(
            f"{len(angles)} usable points between {_FIRST_ANGLE} and 179 degrees",
            where=pattern.name,
            expected=f"at least {FEWEST_POINTS} points of 2θ in degrees, some with intensity",
        )
    order = np.argsort(angles, kind="stable")
    angles, counts = angles[order], counts[order]
    # Leading points of exactly nothing are a beam stop, trailing ones a detector's edge.
    seen = np.flatnonzero(counts > 0)
    angles, counts = angles[seen[0] : seen[-1] + 1], counts[seen[0] : seen[-1] + 1]
    points = int(min(MOST_POINTS, len(angles)))
    edges = np.linspace(angles[0], angles[-1], points + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    where = np.clip(np.searchsorted(edges, angles, side="right") - 1, 0, points - 1)
    number = np.bincount(where, minlength=points)
    summed = np.bincount(where, counts, minlength=points)
    filled = number > 0
    evened = np.interp(centres, centres[filled], summed[filled] / number[filled])
    per_point = max(len(angles) / points, 1.0)
    noise = _noise(evened)
    # The noise of a point by its own count would be least where a count happens to be low: neighbours know better.
    expected = np.sqrt(np.maximum(gaussian_filter1d(evened, _NEIGHBOURS, mode="nearest"), 1.0) / per_point)
    # Scaled intensities are no counts: what neighbours differ by is then the better guess.
    quiet = np.median(expected)
    return centres, evened, np.maximum(expected * np.clip(noise / quiet, 1e-6, 1e6), 1e-9 * evened.max() + 1e-12)


def _without_beam(
    angles: FloatArray, counts: FloatArray, sigma: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Without what falls from the first angle to the first minimum: air and the direct beam, in which no peak is."""
    step = angles[1] - angles[0]
    smooth = gaussian_filter1d(counts, max(0.15 / step, 2), mode="nearest")
    ahead = max(int(_VALLEY / step), 2)
    lowest = -maximum_filter1d(-smooth, ahead, origin=-(ahead // 2), mode="nearest")
    first = int(np.argmax(smooth <= lowest))
    left = len(angles) - first
    if _rises(counts[:first], float(np.median(sigma))):
        return angles, counts, sigma
    high = float(smooth[first:].max() - smooth[first])
    if smooth[0] - smooth[first] < _FALL * high or left < max(FEWEST_POINTS, 0.5 * len(angles)):
        return angles, counts, sigma
    return angles[first:], counts[first:], sigma[first:]


def _rises(counts: FloatArray, noise: float) -> bool:
    """Whether a fall is broken by a peak, which may be too sharp for what is smooth."""
    if len(counts) < 2:
        return False
    light = gaussian_filter1d(counts, 1, mode="nearest")
    rise = float((light - np.minimum.accumulate(light)).max())
    return rise > max(_STEPS_OF_A_FALL * float(np.ptp(light)), 6 * noise)


def _noise(counts: FloatArray) -> float:
    """Standard deviation of single points, from second differences."""
    # 1, −2, 1: six times the variance of a point.
    second = np.diff(counts, 2)
    spread = SIGMA_PER_MAD * float(np.median(np.abs(second))) / np.sqrt(6)
    return spread if spread > 0 else 1e-3 * float(counts.max())


def _background(angles: FloatArray, counts: FloatArray, width: float) -> FloatArray:
    """Peak clipping (Ryan et al. 1988; Morhac 1997) of the doubly rooted counts, over up to ``width`` degrees."""
    step = (angles[-1] - angles[0]) / (len(angles) - 1)
    low = float(counts.min())
    smooth = gaussian_filter1d(counts - low, 2, mode="nearest")
    # Roots make weak peaks and strong ones alike high, so that either is clipped in as many rounds.
    level = np.sqrt(np.sqrt(np.maximum(smooth, 0) + 1) + 1)
    longest = max(int(width / step), 2)
    for reach in np.unique(np.geomspace(longest, 1, 40).astype(int))[::-1]:
        padded = np.pad(level, reach, mode="edge")
        # No point stays above the middle of those on its two sides: peaks narrower than twice ``reach`` go.
        level = np.minimum(level, (padded[: -2 * reach] + padded[2 * reach :]) / 2)
    clipped = (level**2 - 1) ** 2 - 1 + low
    return np.asarray(gaussian_filter1d(clipped, max(longest / 6, 1), mode="nearest"))


def _typical_width(angles: FloatArray, net: FloatArray, sigma: FloatArray) -> float:
    from dsfu.simulate.densities.peaks import prominent_peaks

    step = angles[1] - angles[0]
    smooth = gaussian_filter1d(net, 1.5)
    found, widths = prominent_peaks(smooth, 4 * float(np.median(sigma)))
    high = smooth[found] >= 0.05 * smooth.max()
    if not high.any():
        return float(10 * step)
    strongest = np.argsort(-smooth[found[high]])[:10]
    return float(max(np.median(widths[high][strongest] * step), 2 * step))


def _peaks(angles: FloatArray, net: FloatArray, sigma: FloatArray, fwhm: float) -> tuple[FloatArray, FloatArray]:
    from dsfu.simulate.densities.peaks import prominent_peaks

    step = angles[1] - angles[0]
    spread = max(0.35 * fwhm / step, 0.8)
    smooth = gaussian_filter1d(net, spread)
    quiet = sigma / np.sqrt(2 * np.sqrt(np.pi) * spread)
    least = np.maximum(4 * quiet, 0.007 * smooth.max())
    found, _ = prominent_peaks(smooth, 4 * float(np.median(quiet)))
    found = found[(smooth[found] > least[found]) & (smooth[found] >= maximum_filter1d(smooth, 3)[found])]
    return angles[found], smooth[found]
