"""What there is to say of a reconstruction in a few lines."""

import itertools
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np

from dsfu.model.measured.data.axes import axes_of
from dsfu.model.measured.data.reconstruction import RealArray, Reconstruction
from dsfu.simulate.arrays import FloatArray

PERCENTILES: Final = (1, 25, 50, 75, 99)
_MOST_SAMPLED: Final = 2_000_000


@dataclass(frozen=True, kw_only=True)
class AxisSummary:
    """One axis of the array: its label, and coordinates in r.l.u., or voxels where nothing is known of the grid."""

    label: str
    voxels: int
    first: float
    last: float
    step: float


@dataclass(frozen=True, kw_only=True)
class MeasuredSummary:
    """What `inspect` tells; everything in it is plain, for JSON.

    Attributes
    ----------
    range_hkl
        Lowest and highest h, k and l.
    q_largest
        |Q| at the farthest corner of the grid, in 1/Å; None without a cell.
    extent
        Length in 1/Å of each axis of the array, from the first to the last voxel.
    coverage
        Share of voxels that were measured.
    percentiles
        Of the intensity of measured voxels, by percentage.
    negative
        Share of measured voxels with negative intensity.
    signal_to_noise
        Median of intensity / sigma; None without sigma.
    median_weight
        Of measured voxels; None without weights.
    """

    name: str
    format: str
    shape: tuple[int, int, int]
    dtype: str
    indexed: bool
    axes: tuple[AxisSummary, ...]
    cell: tuple[float, ...] | None
    volume: float | None
    range_hkl: tuple[tuple[float, float], ...] | None
    q_largest: float | None
    extent: tuple[float, ...] | None
    coverage: float
    minimum: float
    maximum: float
    percentiles: dict[int, float]
    negative: float
    signal_to_noise: float | None
    median_weight: float | None
    history: tuple[str, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, reconstruction: Reconstruction) -> Self:
        corners = _corners(reconstruction)
        live = _sampled(reconstruction.intensity, reconstruction)
        values = reconstruction.intensity[reconstruction.live]
        cell = reconstruction.cell
        return cls(
            name=reconstruction.source,
            format=reconstruction.format,
            shape=reconstruction.shape,
            dtype=str(reconstruction.intensity.dtype),
            indexed=reconstruction.indexed,
            axes=_axes(reconstruction),
            cell=None if cell is None else cell.constants,
            volume=None if cell is None else cell.volume,
            range_hkl=_range(corners) if reconstruction.indexed else None,
            q_largest=None if cell is None else float(np.linalg.norm(cell.q_of_hkl(corners), axis=1).max()),
            extent=None if cell is None else _extent(reconstruction),
            coverage=reconstruction.coverage,
            minimum=float(values.min()),
            maximum=float(values.max()),
            percentiles={each: float(np.percentile(live, each)) for each in PERCENTILES},
            negative=float((values < 0).mean()),
            signal_to_noise=_signal_to_noise(reconstruction),
            median_weight=_median(reconstruction.weight, reconstruction),
            history=tuple(step.name for step in reconstruction.history),
            notes=reconstruction.notes,
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def _axes(reconstruction: Reconstruction) -> tuple[AxisSummary, ...]:
    return tuple(
        AxisSummary(
            label=axis.label if reconstruction.indexed else f"axis {number}",
            voxels=axis.values.size,
            first=float(axis.values[0]),
            last=float(axis.values[-1]),
            step=axis.step,
        )
        for number, axis in enumerate(axes_of(reconstruction))
    )


def _corners(reconstruction: Reconstruction) -> FloatArray:
    voxels = np.array(list(itertools.product(*((0, count - 1) for count in reconstruction.shape))))
    return reconstruction.hkl_of_voxels(voxels)


def _range(corners: FloatArray) -> tuple[tuple[float, float], ...]:
    return tuple((float(low), float(high)) for low, high in zip(corners.min(axis=0), corners.max(axis=0), strict=True))


def _extent(reconstruction: Reconstruction) -> tuple[float, ...] | None:
    if reconstruction.cell is None:
        return None
    lengths = np.linalg.norm(reconstruction.cell.q_of_hkl(reconstruction.steps), axis=1)
    return tuple(float(number) for number in lengths * (np.array(reconstruction.shape) - 1))


def _sampled(values: RealArray, reconstruction: Reconstruction) -> RealArray:
    """Values of measured voxels; of very many an even selection, which is all that a percentile needs."""
    live = values[reconstruction.live]
    return live[:: max(1, live.size // _MOST_SAMPLED)]


def _signal_to_noise(reconstruction: Reconstruction) -> float | None:
    if reconstruction.sigma is None:
        return None
    intensity, sigma = (_sampled(each, reconstruction) for each in (reconstruction.intensity, reconstruction.sigma))
    positive = sigma > 0
    return float(np.median(intensity[positive] / sigma[positive])) if positive.any() else None


def _median(values: RealArray | None, reconstruction: Reconstruction) -> float | None:
    return None if values is None else float(np.median(_sampled(values, reconstruction)))
