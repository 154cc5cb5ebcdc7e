"""The voxels of a reconstruction as the fit takes them: along h, k and l, Friedel pairs folded, noise known."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.volume.shared_noise import (
    FOURTH,
    copying_operators,
    slow_over_fast,
    smoothed_shares,
    variance_left,
)
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray
from dsfu.simulate.lattice import Cell

Float32 = npt.NDArray[np.float32]

_BEST_COUNTS: Final = 1e4
"""No voxel is taken to be known better than to 1 %, that of so many counts: no model is truer than that. Chosen."""

_MEDIAN_OF_CHI2: Final = 0.4549
_NEGLIGIBLE: Final = 1e-4


@dataclass(frozen=True, kw_only=True, eq=False)
class Voxels:
    """Intensities in counts, on a grid of hkl.

    Attributes
    ----------
    counts
        (n_h, n_k, n_l): intensity / gain, so that its variance is its expectation over ``weight``.
    weight
        How many measurements of the usual quality a voxel is worth; 0 where nothing was measured.
    axes
        h, k and l of the voxels.
    cell
        The direct cell.
    gain
        Variance over intensity in the data's unit.
    folded
        Whether Friedel pairs were averaged, so that only h ≥ 0 is kept.
    copying
        (n, 3, 3): operators that take each voxel to one that holds the same measurement, as after averaging over a
        Laue class; the identity is one of them.
    smoothed
        What neighbours share of a voxel's noise, along h, k and l.
    """

    counts: Float32
    weight: Float32
    axes: tuple[FloatArray, FloatArray, FloatArray]
    cell: Cell
    gain: float
    folded: bool = False
    copying: IntArray = field(default_factory=lambda: np.eye(3, dtype=np.int64)[None])
    smoothed: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def weight_of_copies(self) -> float:
        """Weight of a voxel relative to one that has no copies: all of them together weigh as much as one."""
        mates_alike = (self.copying == -np.eye(3)).all(axis=(1, 2)).any()
        return (2 if self.folded and mates_alike else 1) / len(self.copying)

    @property
    def expected_chi_square(self) -> float:
        """χ² per voxel if nothing but noise is left: below one where voxels share it."""
        return self.weight_of_copies * variance_left(self.smoothed)

    def noise_sentence(self) -> str:
        """For people; empty where voxels share no noise."""
        words = []
        if len(self.copying) > 1:
            words.append(
                f"Groups of {len(self.copying)} voxels hold the same number (averaged over symmetry); "
                "uncertainties and verdict allow for it."
            )
        if any(self.smoothed):
            told = ", ".join(f"{100 * a:.0f} %" for a in self.smoothed)
            words.append(
                f"Neighbours along h, k, l hold {told} of a voxel (smoothed or interpolated), which changes α by more "
                "than their standard uncertainties."
            )
        return " ".join(words)

    @property
    def live(self) -> BoolArray:
        return self.weight > 0

    @property
    def shape(self) -> tuple[int, int, int]:
        first, second, third = self.counts.shape
        return first, second, third

    @property
    def longest_edge(self) -> float:
        """Of a voxel, in reciprocal lattice units."""
        return max((float(axis[1] - axis[0]) for axis in self.axes if len(axis) > 1), default=0.0)

    def lengths(self) -> Float32:
        """|Q| of every voxel, 1/Å."""
        metric = self.cell.reciprocal @ self.cell.reciprocal.T
        h = np.meshgrid(*self.axes, indexing="ij", sparse=True)
        square: FloatArray = sum(metric[i, j] * h[i] * h[j] for i in range(3) for j in range(3))
        return np.asarray(np.sqrt(np.maximum(square, 0)), np.float32)

    def ranges(self) -> FloatArray:
        """By how much h, k and l vary, of the whole reconstruction before it was folded."""
        ends = np.array([[axis[0], axis[-1]] for axis in self.axes])
        if self.folded:
            ends[0, 0] = -ends[0, 1]
        return np.asarray(ends[:, 1] - ends[:, 0])

    def ranges_with_mates(self) -> FloatArray:
        """By how much h, k and l vary if every voxel has its Friedel mate: what an even function has to span."""
        return np.array([2 * float(np.abs(axis).max()) for axis in self.axes])

    def cells_measured(self) -> float:
        """How many reciprocal cells the measured voxels fill; an axis with one value counts for one."""
        steps = [axis[1] - axis[0] if len(axis) > 1 else 1.0 for axis in self.axes]
        return float(self.live.sum() * np.prod(steps) * (2 if self.folded else 1))

    def cropped(self, reach: float) -> "Voxels":
        """Those with |h|, |k| and |l| up to a limit, or all along an axis that has none of them."""
        keep = [np.abs(axis) <= reach + _NEGLIGIBLE for axis in self.axes]
        keep = [
            each if each.sum() > 1 else np.ones(len(axis), bool) for each, axis in zip(keep, self.axes, strict=True)
        ]
        h, k, l = (axis[each] for axis, each in zip(self.axes, keep, strict=True))  # noqa: E741
        place = np.ix_(*keep)
        return replace(self, counts=self.counts[place], weight=self.weight[place], axes=(h, k, l))


def voxels_of(reconstruction: Reconstruction) -> Voxels:
    """The voxels of a reconstruction, not folded yet.

    Raises
    ------
    InputError
        If it has no cell, or its axes are not h, k and l.
    """
    cell = reconstruction.cell
    where = reconstruction.source
    if not reconstruction.indexed:
        remedy = "give --limits, and --axes where the array is not [h, k, l]; dsfu-model inspect says more"
        raise InputError("does not say where its voxels lie", where=where, remedy=remedy)
    if cell is None:
        raise InputError("has no unit cell", where=where, remedy="give --cell")
    steps = reconstruction.steps
    main = np.abs(steps).argmax(axis=1)
    rest = steps.copy()
    rest[np.arange(3), main] = 0
    if sorted(main.tolist()) != [0, 1, 2] or np.abs(rest).max() > _NEGLIGIBLE * np.abs(steps).max():
        raise InputError(
            "its axes are not h, k and l",
            where=where,
            expected="a volume, a slab or a plane along the axes of the reciprocal lattice",
            remedy="for other planes there are prepare and factorise",
        )
    order = np.argsort(main)
    flips = tuple(slice(None, None, -1 if steps[axis, i] < 0 else 1) for i, axis in enumerate(order))

    def turned(values: npt.NDArray[Any]) -> Float32:
        return np.asarray(values.transpose(order)[flips], np.float32)

    shape = [reconstruction.shape[axis] for axis in order]
    along = [steps[axis, i] for i, axis in enumerate(order)]
    axes = [reconstruction.origin[i] + along[i] * np.arange(n) for i, n in enumerate(shape)]
    h, k, l = (np.sort(np.where(np.abs(axis) < 1e-9, 0.0, axis)) for axis in axes)  # noqa: E741
    live = reconstruction.live.transpose(order)[flips]
    intensity = np.where(live, turned(reconstruction.intensity), 0).astype(np.float32)
    if live.sum() < 1000:
        raise InputError(
            f"only {int(live.sum())} voxels were measured", where=where, expected="some thousands at least"
        )
    smoothed = smoothed_shares(intensity, live)
    weight, gain = _weights(reconstruction, intensity, live, smoothed, turned)
    copying = copying_operators(intensity, live, (h, k, l), cell)
    first, second, third = smoothed.tolist()
    return Voxels(
        counts=intensity / np.float32(gain),
        weight=weight / np.float32(len(copying)),
        axes=(h, k, l),
        cell=cell,
        gain=gain,
        copying=np.array(copying),
        smoothed=(first, second, third),
    )


def _weights(
    reconstruction: Reconstruction,
    intensity: Float32,
    live: BoolArray,
    smoothed: FloatArray,
    turned: Callable[[npt.NDArray[Any]], Float32],
) -> tuple[Float32, float]:
    """Relative weights, and the gain: from standard uncertainties, or from how neighbouring voxels scatter."""
    usual = float(np.median(intensity[live]))
    if usual <= 0:
        positive = intensity[live & (intensity > 0)]
        if not positive.size:
            raise InputError("no voxel has a positive intensity", where=reconstruction.source)
        usual = float(np.median(positive))
    smallest = usual / _BEST_COUNTS
    weight = live.astype(np.float32)
    if reconstruction.sigma is not None:
        variance = np.where(live, turned(reconstruction.sigma) ** 2, 0)
        ratio = local_mean(variance, live) / np.maximum(local_mean(intensity, live), 1e-3 * usual)
        known = live & np.isfinite(ratio) & (ratio > 0)
        if known.any():
            spread = variance_left(smoothed)
            gain = max(float(np.median(ratio[known])) / spread, smallest)
            ratio = ratio / spread
            return np.where(known, np.clip(gain / np.maximum(ratio, 1e-30), 1e-3, 1e3), 0).astype(np.float32), gain
    if reconstruction.weight is not None:
        merged = np.where(live, turned(reconstruction.weight), 0)
        known = live & np.isfinite(merged) & (merged > 0)
        if known.any():
            weight = np.where(known, merged / np.median(merged[known]), 0).astype(np.float32)
    return weight, max(_gain(intensity, weight, smoothed), smallest)


def _gain(intensity: Float32, weight: Float32, smoothed: FloatArray) -> float:
    """Variance of a voxel of weight 1 over its intensity, robustly, from differences of the fourth order."""
    axis = int(np.argmax(intensity.shape))
    values, weights = np.moveaxis(intensity, axis, 0), np.moveaxis(weight, axis, 0)
    n = len(values) - 4
    if n < 1:
        return 0.0
    difference = np.asarray(sum(c * values[i : i + n] for i, c in enumerate(FOURTH)))
    # weighted as the noise is: in a trough, the middle of five is darker than their plain mean
    power = FOURTH**2 / (FOURTH**2).sum()
    mean = np.asarray(sum(share * values[i : i + n] for i, share in enumerate(power)))
    inverse = np.where(weights > 0, 1 / np.maximum(weights, 1e-9), np.inf)
    spread = np.asarray(sum(c**2 * inverse[i : i + n] for i, c in enumerate(FOURTH)))
    # the darker half: strong voxels are Bragg peaks and their feet, which no difference removes
    good = np.isfinite(spread) & (mean > 0)
    if not good.any():
        return 0.0
    middle = np.quantile(mean[good], 0.6)
    good &= mean <= middle
    ratio = np.asarray(difference)[good] ** 2 / (spread[good] * mean[good])
    return float(np.median(ratio)) / _MEDIAN_OF_CHI2 * slow_over_fast(smoothed, axis)


def local_mean(values: Float32, live: BoolArray) -> Float32:
    """Over the measured voxels of a box of five along each axis."""
    from scipy.ndimage import uniform_filter

    size = [min(5, n) for n in values.shape]
    total = uniform_filter(np.where(live, values, 0).astype(np.float32), size, mode="constant")
    share = uniform_filter(live.astype(np.float32), size, mode="constant")
    return np.asarray(total / np.maximum(share, 1e-3), np.float32)


def folded(voxels: Voxels) -> Voxels:
    """The same with Friedel pairs averaged and h ≥ 0 only, if the grid goes over into itself by inversion."""
    if voxels.folded or not is_centred(voxels):
        return voxels
    middle = len(voxels.axes[0]) // 2
    weight = fold_sum(voxels.weight)
    mean = fold_sum(voxels.counts * voxels.weight) / np.maximum(weight, np.float32(1e-9))
    counts = np.asarray(mean, np.float32)
    weight[0] *= 0.5  # the layer h = 0 holds both of each pair
    h, k, l = voxels.axes  # noqa: E741
    return replace(voxels, counts=counts, weight=weight, axes=(h[middle:], k, l), folded=True)


def is_centred(voxels: Voxels) -> bool:
    """Whether the grid has a voxel at −h for each at h."""
    return all(np.allclose(axis, -axis[::-1], atol=1e-6) for axis in voxels.axes) and len(voxels.axes[0]) > 1


def fold_sum(values: Float32) -> Float32:
    """values(h) + values(−h), for h ≥ 0."""
    middle = len(values) // 2
    return np.ascontiguousarray((values + values[::-1, ::-1, ::-1])[middle:], np.float32)


def unfold(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A whole grid from the half that folding left."""
    return np.concatenate([values[:0:-1, ::-1, ::-1], values])
