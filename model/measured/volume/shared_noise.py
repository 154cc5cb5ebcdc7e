"""Noise that voxels share: copies of each other after averaging over a Laue class, and neighbours that were smoothed.

Either makes a volume look better measured than it is: eight copies of a voxel are one measurement, and what an
interpolation spreads over neighbours scatters less from voxel to voxel than from cell to cell.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.model.measured.symmetry.groups import fitting_laue_classes, laue_operators
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray
from dsfu.simulate.lattice import Cell

FOURTH: Final = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
"""Differences of the fourth order take out what is smooth over five voxels, and leave the noise times √70."""

_TRIED: Final = 4000
_LEAST_PAIRS: Final = 200
_ALIKE: Final = 1e-4
_MOST_ALIKE: Final = 0.95
"""Share of pairs that have to be alike. By chance less than half of counts of one are, and a sixth of those of 4
million. Chosen, not calibrated."""

_SHARES: Final = np.linspace(0, 0.25, 51)
_LEAST_SHARE: Final = 0.15
"""Along each axis. Of 108 volumes that were not smoothed, with 5 to 10⁴ counts and voxels of .04 to .1, strong diffuse
scattering passed for .13 at most, .105 along the least axis; .15 is a Gaussian blur of .55 voxels."""

_MISFIT: Final = 0.08
"""Of the correlations at four distances, root mean square. White noise of 41³ voxels is within .02 of a share of 0."""


def copying_operators(
    intensity: npt.NDArray[Any], live: BoolArray, axes: Sequence[FloatArray], cell: Cell
) -> list[IntArray]:
    """Operators of the lattice, the identity among them, that take voxels to others of the same intensity.

    Of those that do the same to all voxels one is enough: on a plane through the origin a mirror along it does nothing.
    """
    rng = np.random.default_rng(0)
    places = np.argwhere(live)
    places = places[rng.integers(len(places), size=min(_TRIED, len(places)))]
    hkl = np.stack([axis[places[:, i]] for i, axis in enumerate(axes)], axis=1)
    identity = np.eye(3, dtype=np.int64)
    classes = [laue_operators(name, cell) for name in fitting_laue_classes(cell)]
    apart: dict[bytes, IntArray] = {}
    for each in [identity, -identity, *(operator for operators in classes for operator in operators)]:
        apart.setdefault((np.round(hkl @ each, 6) + 0.0).tobytes(), each)
    others = list(apart.values())[1:]
    return [identity, *(each for each in others if _is_copied(intensity, live, axes, places, hkl, hkl @ each))]


def _is_copied(
    intensity: npt.NDArray[Any],
    live: BoolArray,
    axes: Sequence[FloatArray],
    places: IntArray,
    hkl: FloatArray,
    images: FloatArray,
) -> bool:
    origin = np.array([axis[0] for axis in axes])
    steps = np.array([axis[1] - axis[0] if len(axis) > 1 else 1.0 for axis in axes])
    moved = (images - origin) / steps
    there = np.round(moved).astype(np.int64)
    inside = ((there >= 0) & (there < intensity.shape) & (np.abs(moved - there) < 0.01)).all(axis=1)
    inside &= np.abs(images - hkl).max(axis=1) > _ALIKE
    here, there = places[inside], there[inside]
    both = live[tuple(there.T)]
    one, other = (intensity[tuple(each[both].T)] for each in (here, there))
    return len(one) >= _LEAST_PAIRS and are_copies(one, other)


def are_copies(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    """Whether nearly all of two lists of intensities are the same numbers."""
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    alike = np.abs(one - other) <= _ALIKE * np.maximum(np.abs(one), np.abs(other))
    return bool(alike.mean() > _MOST_ALIKE)


def smoothed_shares(intensity: npt.NDArray[Any], live: BoolArray) -> FloatArray:
    """What each axis's neighbours share of a voxel's noise: a where it is a, 1 − 2a, a of what was measured; or 0."""
    shares = [_share_along(np.moveaxis(intensity, i, 0), np.moveaxis(live, i, 0)) for i in range(3)]
    return np.array(shares) if min(shares) >= _LEAST_SHARE else np.zeros(3)


def _share_along(values: npt.NDArray[Any], live: BoolArray) -> float:
    n = len(values) - 4
    if n < 12:
        return 0.0
    # Fourth differences leave noise alone; divided by the root of the mean they are alike for all counts (Poisson).
    difference = np.asarray(sum(c * values[i : i + n] for i, c in enumerate(FOURTH)), np.float64)
    mean = np.asarray(sum(values[i : i + n] for i in range(5)), np.float64) / 5
    good = np.logical_and.reduce([live[i : i + n] for i in range(5)]) & (mean > 0)
    if good.sum() < 1000:
        return 0.0
    good &= mean <= np.quantile(mean[good], 0.6)
    standard = np.where(good, difference / np.sqrt(np.where(good, mean, 1.0)), 0.0)
    # Beyond four medians are edges of peaks, not noise.
    most = 4 * float(np.median(np.abs(standard[good])))
    good &= np.abs(standard) <= most
    # Their correlations at lags 1 to 4, beside those that each share of noise between neighbours would give.
    found = []
    for lag in range(1, 5):
        pairs = good[lag:] & good[:-lag]
        one, other = standard[lag:][pairs], standard[:-lag][pairs]
        found.append(float((one * other).sum() / max(np.sqrt((one**2).sum() * (other**2).sum()), 1e-300)))
    misfits = [float(np.sqrt(np.mean((_correlations(a) - found) ** 2))) for a in _SHARES]
    best = int(np.argmin(misfits))
    return float(_SHARES[best]) if misfits[best] < _MISFIT else 0.0


def kernel(share: float) -> FloatArray:
    """What smoothing over neighbours makes of one voxel."""
    return np.array([share, 1 - 2 * share, share])


def variance_left(shares: Iterable[float]) -> float:
    """Variance of a smoothed voxel over that of one that was measured."""
    return float(np.prod([(kernel(a) ** 2).sum() for a in shares]))


def _correlations(share: float) -> FloatArray:
    """Of fourth differences of smoothed noise, one to four voxels apart."""
    spread = np.convolve(FOURTH, kernel(share))
    full = np.correlate(spread, spread, "full")
    middle = len(full) // 2
    return np.asarray(full[middle + 1 : middle + 5] / full[middle])


def slow_over_fast(shares: FloatArray, axis: int) -> float:
    """Variance of slow patterns over what fourth differences along an axis, over √70, say of single voxels."""
    squares = [float((kernel(a) ** 2).sum()) for a in shares]
    squares[axis] = float((np.convolve(FOURTH, kernel(float(shares[axis]))) ** 2).sum() / (FOURTH**2).sum())
    return 1 / float(np.prod(squares))
