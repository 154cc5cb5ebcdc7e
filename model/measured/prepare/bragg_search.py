"""Bragg peaks that are in a reconstruction: how many lattice points have one, and how far they reach.

Around some lattice points voxels are sorted by their distance from the point, in three dimensions as far as the grid
goes. A peak stands out of the ring of voxels around it by many times the scatter there, and is narrow: diffuse maxima
are wider. It ends where on average over its class a tenth of the ring's intensity is left of it.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.simulate.arrays import FloatArray, IntArray

_MOST_POINTS: Final = 400
_RING: Final = (0.3, 0.5)
_CORE: Final = 0.07
_FEWEST_IN_RING: Final = 8
_SIGMAS: Final = 8.0
_TIMES: Final = 2.0
"""A peak's core is so many times the ring's median, and so many scatters above it."""

_NARROW: Final = 0.35
"""Share of the core's excess that is left at a distance of .15 to .2 r.l.u. of a peak that is narrow."""

_LEFT: Final = 0.1
_LEAST_SHARE: Final = 0.05
_LARGEST: Final = 0.45
_SHELL: Final = 0.02


@dataclass(frozen=True, kw_only=True)
class PeakClass:
    """Lattice points of one parity of h, k and l.

    Attributes
    ----------
    parity
        (h mod 2, k mod 2, l mod 2).
    looked_at, with_peak
        Lattice points.
    radius
        To which peaks reach, in reciprocal lattice units; 0 without a peak.
    """

    parity: tuple[int, int, int]
    looked_at: int
    with_peak: int
    radius: float


@dataclass(frozen=True, kw_only=True)
class BraggPeaks:
    """What was found.

    Attributes
    ----------
    classes
        Those that have peaks.
    radius
        The largest of theirs, in reciprocal lattice units.
    height
        Median of the peaks' cores over the rings around them.
    """

    classes: tuple[PeakClass, ...]
    radius: float
    height: float

    @property
    def sentence(self) -> str:
        """In words."""
        seen, all_ = (sum(getattr(each, name) for each in self.classes) for name in ("with_peak", "looked_at"))
        return (
            f"Bragg peaks at {seen} of {all_} lattice points looked at, {self.height:.0f} times what is around them; "
            f"they reach {self.radius:.2f} r.l.u."
        )


def find_bragg_peaks(reconstruction: Reconstruction) -> BraggPeaks | None:
    """Bragg peaks; None where there are none, or where nothing is known of the lattice."""
    if not reconstruction.indexed:
        return None
    found: dict[tuple[int, int, int], list[_Profile | None]] = {}
    for point in _points(reconstruction):
        profile = _around(reconstruction, point)
        if profile is not None:
            parity = (int(point[0]) % 2, int(point[1]) % 2, int(point[2]) % 2)
            found.setdefault(parity, []).append(profile if profile.is_peak else None)
    classes, heights = [], []
    for parity, profiles in sorted(found.items()):
        peaks = [each for each in profiles if each is not None]
        if len(peaks) > _LEAST_SHARE * len(profiles):
            classes.append(
                PeakClass(parity=parity, looked_at=len(profiles), with_peak=len(peaks), radius=_radius(peaks))
            )
            heights += [each.core / max(each.ring, 1e-30) for each in peaks]
    if not classes:
        return None
    return BraggPeaks(
        classes=tuple(classes), radius=max(each.radius for each in classes), height=float(np.median(heights))
    )


@dataclass(frozen=True, eq=False)
class _Profile:
    """Intensity around one lattice point."""

    distances: FloatArray
    values: FloatArray
    ring: float
    scatter: float
    core: float

    @property
    def is_peak(self) -> bool:
        excess = self.core - self.ring
        if excess <= _SIGMAS * self.scatter or self.core <= _TIMES * self.ring:
            return False
        shoulder = self.values[(self.distances > 0.15) & (self.distances < 0.2)]
        return not len(shoulder) or float(np.median(shoulder)) - self.ring < _NARROW * excess


def _points(reconstruction: Reconstruction) -> IntArray:
    """Some of the lattice points of the grid, evenly chosen."""
    ends = np.array(list(product(*((0, n - 1) for n in reconstruction.shape))))
    corners = reconstruction.hkl_of_voxels(ends)
    low, high = np.ceil(corners.min(axis=0) - 0.02), np.floor(corners.max(axis=0) + 0.02)
    spans = [np.arange(a, b + 1) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, 3)
    chosen = np.random.Generator(np.random.Philox(3)).permutation(len(points))[:_MOST_POINTS]
    return np.asarray(np.rint(points[np.sort(chosen)]), np.int64)


def _around(reconstruction: Reconstruction, point: IntArray) -> _Profile | None:
    """None where the grid does not reach the point, or too little around it was measured."""
    centre = reconstruction.voxels_of_hkl(point.astype(np.float64))
    reach = 0.5 * np.abs(np.linalg.inv(reconstruction.steps)).sum(axis=0)
    low = np.maximum(np.ceil(centre - reach), 0).astype(int)
    high = np.minimum(np.floor(centre + reach), np.array(reconstruction.shape) - 1).astype(int)
    if (low > high).any():
        return None
    window = tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))
    indices = np.stack(np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(low, high, strict=True)), indexing="ij"), -1)
    distances = np.linalg.norm(reconstruction.hkl_of_voxels(indices) - point, axis=-1)
    live = reconstruction.live[window]
    distances, values = distances[live], np.asarray(reconstruction.intensity[window][live], np.float64)
    ring = values[(distances > _RING[0]) & (distances < _RING[1])]
    step = float(np.linalg.norm(reconstruction.steps, axis=1).max())
    core = values[distances < max(_CORE, 0.8 * step)]
    if len(ring) < _FEWEST_IN_RING or not len(core):
        return None
    middle = float(np.median(ring))
    scatter = 1.48 * float(np.median(np.abs(ring - middle)))
    return _Profile(distances, values, middle, max(scatter, 1e-9 * abs(middle)), float(core.max()))


def _radius(peaks: list[_Profile]) -> float:
    """Where the mean excess of a shell comes down to that of the ring, which the diffuse scattering makes."""
    distances = np.concatenate([each.distances for each in peaks])
    relative = np.concatenate([(each.values - each.ring) / max(each.ring, each.scatter, 1e-30) for each in peaks])
    level = float(relative[(distances > _RING[0]) & (distances < _RING[1])].mean()) + _LEFT
    for inner in np.arange(_CORE, _LARGEST, _SHELL):
        shell = (distances >= inner) & (distances < inner + _SHELL)
        if shell.any() and float(relative[shell].mean()) <= level:
            return round(float(inner), 2)
    return _LARGEST
