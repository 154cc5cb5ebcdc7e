"""Robust statistics of a volume in windows: what is usual in the neighbourhood of a voxel."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dsfu.model.measured.data.reconstruction import RealArray
from dsfu.model.measured.prepare.slabs import VOXELS_AT_ONCE
from dsfu.simulate.arrays import BoolArray, FloatArray


def quantile_of_sorted(rows: RealArray, quantile: float) -> RealArray:
    """Quantile of each row (..., n) that is sorted with its NaNs last; they do not count. NaN where all are."""
    counts = np.isfinite(rows).sum(axis=-1)
    position = np.maximum(counts - 1, 0) * quantile
    below = np.floor(position).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    low = np.take_along_axis(rows, below[..., np.newaxis], axis=-1)[..., 0]
    high = np.take_along_axis(rows, above[..., np.newaxis], axis=-1)[..., 0]
    return np.asarray(low + (high - low) * (position - below).astype(rows.dtype))


def median_and_deviation(rows: RealArray) -> tuple[RealArray, RealArray]:
    """Median of each row (..., n), and its median absolute deviation; NaNs do not count."""
    median = quantile_of_sorted(np.sort(rows, axis=-1), 0.5)
    deviation = quantile_of_sorted(np.sort(np.abs(rows - median[..., np.newaxis]), axis=-1), 0.5)
    return median, deviation


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowGrid:
    """Windows spread evenly over a volume, and how to go from values of windows to values of voxels.

    Attributes
    ----------
    widths
        Of a window along each axis, in voxels.
    centres
        Along each axis, in voxels.
    """

    shape: tuple[int, int, int]
    widths: tuple[int, int, int]
    centres: tuple[FloatArray, FloatArray, FloatArray]

    @classmethod
    def over(cls, shape: tuple[int, int, int], width: int, stride: int) -> "WindowGrid":
        """Windows of a width, clipped to what the volume has, that start every so many voxels and end with the last."""
        widths = [min(width, length) for length in shape]
        centres: list[FloatArray] = []
        for length, wide in zip(shape, widths, strict=True):
            starts = np.arange(0, length - wide + 1, stride)
            if starts[-1] != length - wide:
                starts = np.append(starts, length - wide)
            centres.append(np.asarray(starts + (wide - 1) / 2, np.float64))
        return cls(
            shape=shape,
            widths=(widths[0], widths[1], widths[2]),
            centres=(centres[0], centres[1], centres[2]),
        )

    def statistics(self, values: RealArray, live: BoolArray, statistic: Callable[[RealArray], RealArray]) -> FloatArray:
        """A statistic of every window, (statistics, windows along each axis); NaN where no voxel of it is live.

        ``statistic`` takes rows (windows, voxels) with NaN for what is not live, and gives (statistics, windows).
        """
        starts = [
            (each - (wide - 1) / 2).astype(np.int64) for each, wide in zip(self.centres, self.widths, strict=True)
        ]
        inside = [first[:, np.newaxis] + np.arange(wide) for first, wide in zip(starts, self.widths, strict=True)]
        rows_at_once = max(1, VOXELS_AT_ONCE // int(np.prod(self.widths) * len(starts[2])))
        layers = []
        for first in range(len(starts[0])):
            slab = slice(starts[0][first], starts[0][first] + self.widths[0])
            layer = np.where(live[slab], values[slab], np.nan)
            lines = []
            for line in range(0, len(starts[1]), rows_at_once):
                chosen = layer[:, inside[1][line : line + rows_at_once]][:, :, :, inside[2]]
                rows = chosen.transpose(1, 3, 0, 2, 4).reshape(-1, int(np.prod(self.widths)))
                lines.append(np.asarray(statistic(rows)).reshape(-1, chosen.shape[1], len(starts[2])))
            layers.append(np.concatenate(lines, axis=1))
        return np.stack(layers, axis=1).astype(np.float64)

    def at_voxels(self, of_windows: FloatArray, slab: slice) -> FloatArray:
        """Values of windows interpolated between their centres, for the voxels of a slab."""
        first, second, third = (
            _interpolation(centres, np.arange(*span))
            for centres, span in zip(
                self.centres, ((slab.start, slab.stop), (self.shape[1],), (self.shape[2],)), strict=True
            )
        )
        return np.asarray(np.einsum("ia,jb,kc,abc->ijk", first, second, third, of_windows, optimize=True))


def gaps_filled(of_windows: FloatArray) -> FloatArray:
    """NaNs replaced by what the nearest window has; all NaN stays as it is."""
    gaps = ~np.isfinite(of_windows)
    if not gaps.any() or gaps.all():
        return of_windows
    nearest = ndimage.distance_transform_edt(gaps, return_distances=False, return_indices=True)
    return np.asarray(of_windows[tuple(nearest)])


def _interpolation(centres: FloatArray, positions: npt.NDArray[np.int64]) -> FloatArray:
    """Matrix (positions, centres) of linear interpolation; beyond the first and last centre their value holds."""
    if len(centres) == 1:
        return np.ones((len(positions), 1))
    place = np.interp(positions, centres, np.arange(len(centres)))
    below = np.minimum(place.astype(np.int64), len(centres) - 2)
    matrix = np.zeros((len(positions), len(centres)))
    rows = np.arange(len(positions))
    matrix[rows, below] = 1 - (place - below)
    matrix[rows, below + 1] = place - below
    return matrix
