"""Bragg peaks in a volume: where they are, how strong, what has to be left out, and the shape of their tails.

Masking alone is not enough: the tails of a peak reach far beyond any hole that leaves enough to see. So the tails are
part of the model, P_H · t(r), with r the distance from the lattice point H in reciprocal lattice units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.model.measured.volume.peak_shape import around, metric_of_peaks, peak_distance
from dsfu.model.measured.volume.voxels import Voxels
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

Float32 = npt.NDArray[np.float32]

HOLE: Final = 0.14
"""What is left out around lattice points in the first fit, in reciprocal lattice units."""

CORE: Final = 0.1
"""The same once the tails are known. Both chosen with peaks 0.06 wide at half maximum."""

TAIL_SHARE: Final = 0.05
"""Voxels are left out too where the tail is more than this of the diffuse scattering."""

_KNOTS: Final = (0.07, 0.1, 0.15, 0.22, 0.32, 0.5)
_PEAK: Final = 0.08
"""A peak's integral is summed up to here, or over the voxel at its middle and the 26 around it, whichever is more."""

_NEIGHBOURS: Final = 1.75
"""Steps of the grid that reach the farthest of these 26, √3 away. With voxels of .08 one voxel stood for a whole peak
at some lattice points and eight at others: of the tails that followed from it, too much was left for a good crystal."""

_RING: Final = (0.2, 0.4)
_STRONG: Final = 5.0
"""A lattice point has a peak if its core exceeds the ring around it by this times its standard uncertainty …"""
_SHARE: Final = 0.3
"""… and by this share of the ring."""
_EDGE: Final = 1e-6
"""In reciprocal lattice units: what is nearer to the end of an axis than this is on it."""

_STRONGEST: Final = 0.75
"""Quantile of integrals, of lattice points with a peak, from which on peaks are used to find their shape."""

_SHAPED: Final = 0.2
"""Distance up to which their voxels are."""

_SOME: Final = 0.02
"""Peaks at less than this share of the lattice points are chance, or hot voxels. Chosen, not calibrated."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Peaks:
    """The peaks of a whole, unfolded grid.

    Attributes
    ----------
    distance
        From the nearest lattice point, in reciprocal lattice units along the widest direction of a peak; if peaks are
        wider than usual, in such units times their width over the usual one.
    cell_number
        Number of the nearest lattice point, the same at −h as counted from the other end.
    integral
        Of each lattice point, relative to the median; 0 where none was seen.
    seen
        Whether a lattice point's core was measured whole, or that of its Friedel mate.
    strong
        Whether there is a peak at all.
    """

    distance: Float32
    cell_number: npt.NDArray[np.int32]
    integral: FloatArray
    seen: BoolArray
    strong: BoolArray

    @property
    def any(self) -> bool:
        measured = int(self.seen.sum())
        return bool(measured and self.strong.sum() > max(_SOME * measured, 1))

    def tails(self) -> list[Float32]:
        """Hats in log r, times r⁻⁴, times each peak's integral; and of the primary beam, if a stop covered it."""
        log_distance = np.log(np.maximum(self.distance, 1e-3))
        knots = np.log(_KNOTS)
        strength = self.integral[self.cell_number] * np.maximum(self.distance / 0.2, 0.2) ** -4
        unit = np.eye(len(knots))
        found = [
            (np.interp(log_distance, knots, unit[number]) * strength).astype(np.float32)
            for number in range(1, len(knots))
        ]
        origin = len(self.integral) // 2
        if not self.seen[origin]:
            beyond = (self.cell_number == origin) & (self.distance > 0)
            found.append(np.where(beyond, np.maximum(self.distance / 0.2, 0.2) ** -4, 0).astype(np.float32))
        return found

    def mask(self, radius: float) -> BoolArray:
        """Around lattice points; and much more of those whose peak was not seen, as its tail cannot be told."""
        return np.asarray((self.distance < radius) | ((self.distance < _RING[1]) & ~self.seen[self.cell_number]))


def lattice_distance(axes: Sequence[FloatArray]) -> tuple[Float32, npt.NDArray[np.int32], int]:
    """Distance of each voxel from the nearest lattice point, that one's number, and how many numbers there are."""
    h = np.meshgrid(*axes, indexing="ij", sparse=True)
    nearest = [np.round(each) for each in h]
    distance = np.sqrt(sum((x - n) ** 2 for x, n in zip(h, nearest, strict=True))).astype(np.float32)
    limits = _limits(axes)
    shape = [2 * limit + 1 for limit in limits]
    places = np.broadcast_arrays(*((n + limit).astype(int) for n, limit in zip(nearest, limits, strict=True)))
    return distance, np.ravel_multi_index(places, shape).astype(np.int32), int(np.prod(shape))


def lattice_points(axes: Sequence[FloatArray], count: int) -> IntArray:
    """hkl of each number that `lattice_distance` gives."""
    limits = np.array(_limits(axes))
    return np.asarray(np.stack(np.unravel_index(np.arange(count), 2 * limits + 1), axis=1) - limits, np.int64)


def _limits(axes: Sequence[FloatArray]) -> list[int]:
    return [int(np.ceil(np.abs(axis).max())) for axis in axes]


def _share_of_core(axes: Sequence[FloatArray]) -> Float32:
    """How many voxels of a whole core each one stands for: two along an axis whose end cuts off its mirror image.

    Without it a peak on a face of the grid has half of its integral, and its tail is taken for half as strong. Beside
    a lattice point beyond the grid it is none: of such a peak too little is seen.
    """
    shares = []
    for axis in axes:
        nearest, first, last = np.round(axis), axis[0] - _EDGE, axis[-1] + _EDGE
        mirrored = 2 * nearest - axis
        whole = np.where((mirrored > first) & (mirrored < last), 1, 2)
        there = (nearest > first) & (nearest < last)
        shares.append(np.where(there, whole, 0) if len(axis) > 1 else np.ones(1))
    h, k, l = shares  # noqa: E741
    return np.asarray(h[:, None, None] * k[None, :, None] * l[None, None, :], np.float32)


def find_peaks(voxels: Voxels, diffuse: Float32 | None = None) -> Peaks:
    """The peaks of an unfolded grid.

    They are found within spheres first; the shape of the strongest then says how distances are to be measured, or that
    what is strong at lattice points is too wide for Bragg peaks, and so diffuse.

    Parameters
    ----------
    diffuse
        What lies under the peaks, as fitted; the ring around each if not given.
    """
    distance, number, points = lattice_distance(voxels.axes)
    found, level = _peaks_within(voxels, distance, number, points, diffuse)
    if not found.any:
        return found
    strongest = found.strong & (found.integral >= np.quantile(found.integral[found.strong], _STRONGEST))
    chosen = voxels.live & strongest[number] & (distance < _SHAPED)
    if not chosen.any():
        return found
    under = level[number[chosen]] if diffuse is None else diffuse[chosen]
    excess = (voxels.counts[chosen] - under).astype(np.float64)
    metric = metric_of_peaks(around(voxels.axes, chosen), excess, number[chosen], voxels.longest_edge)
    if metric is None:
        return replace(found, strong=np.zeros_like(found.strong))
    return _peaks_within(voxels, peak_distance(voxels.axes, metric), number, points, diffuse)[0]


def _peaks_within(
    voxels: Voxels, distance: Float32, number: npt.NDArray[np.int32], points: int, diffuse: Float32 | None
) -> tuple[Peaks, FloatArray]:
    """The peaks by distances that are given, and the level around each."""
    live = voxels.live
    ring = live & (distance > _RING[0]) & (distance < _RING[1])
    in_ring = np.bincount(number[ring], minlength=points)
    level = np.bincount(number[ring], voxels.counts[ring], points) / np.maximum(in_ring, 1)
    core = distance < min(max(_PEAK, _NEIGHBOURS * voxels.longest_edge), _RING[0])
    measured = core & live
    share = _share_of_core(voxels.axes)
    wanted = np.bincount(number[core], share[core], points)
    there = np.bincount(number[measured], share[measured], points)
    under = level[number[measured]] if diffuse is None else diffuse[measured]
    integral = np.bincount(number[measured], share[measured] * (voxels.counts[measured] - under), points)
    variance = np.bincount(number[core], share[core] ** 2, points) * level
    seen = (there == wanted) & (wanted > 0)
    both = seen & seen[::-1]
    integral = np.where(both, 0.5 * (integral + integral[::-1]), np.where(seen, integral, integral[::-1]))
    seen = seen | seen[::-1]
    expected = level * wanted
    # In the mean of both Friedel mates counts scatter by √½ of what they do in one.
    noise = np.sqrt(np.maximum(variance, 1) * np.where(both, 0.5, 1.0))
    strong = seen & (integral > _STRONG * noise) & (integral > _SHARE * expected)
    integral = np.where(seen, np.maximum(integral, 0), 0)
    positive = integral[seen & (integral > 0)]
    scale = max(float(np.median(positive)), 1.0) if positive.size else 1.0
    peaks = Peaks(distance=distance, cell_number=number, integral=integral / scale, seen=seen, strong=strong)
    return peaks, np.asarray(level)
