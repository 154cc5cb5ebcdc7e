"""Planes that repeat one another: how to tell, and which of them to keep.

A plane is embedded once, as a vector of some 960 bytes that is stored with it; distances between planes, and so the
selection, follow from the vectors alone. Three kinds of vectors stand for three kinds of distance:

- ``sliced_wasserstein`` (`dsfu.simulate.disorder.embedding`): the sliced W_2 of the planes' intensity, in widths of a
  plane;
- ``appearance`` (`dsfu.simulate.disorder.appearance`): √(1 − r), with r the correlation of √I, pixel by pixel;
- ``wasserstein`` (`dsfu.simulate.disorder.wasserstein`): W_2 itself on a grid. Vectors give a lower bound of it, and
  hold the grid, so that `select_exactly` can decide where the bound does not; all else here goes by the bound.

For all, a plane turned by 180° is the same plane (layers at k and −k are twins by I(−Q) = I(Q)), and a plane's scale
makes no difference. Other distances need the planes themselves, and time: `distances_between_planes` with one of
`TRANSPORT_METRICS`, then `select_by_distances`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.appearance import APPEARANCE_UNIT, embed_appearance
from dsfu.simulate.disorder.embedding import (
    DIRECTIONS,
    EMBEDDING_DTYPE,
    EMBEDDING_SIZE,
    LEVELS,
    SLICED_UNIT,
    EmbeddingArray,
    embed_quantiles,
    sliced_distances,
    vector_distances,
)
from dsfu.simulate.disorder.selection import Selection, select_by_distances, select_by_vectors
from dsfu.simulate.disorder.transport import entropic, exact, sliced_by_pot, transport_distances
from dsfu.simulate.disorder.wasserstein import BOUND_UNIT, embed_cells

__all__ = [
    "EMBEDDING_DTYPE",
    "EMBEDDING_SIZE",
    "METRICS",
    "TRANSPORT_METRICS",
    "EmbeddingArray",
    "Metric",
    "Selection",
    "distances_between_planes",
    "embed_plane",
    "embed_planes",
    "embedding_distances",
    "select_by_distances",
    "select_unique",
]

MetricName = Literal["sliced_wasserstein", "appearance", "wasserstein"]
TransportMetric = Literal["sliced", "sliced_pot", "sinkhorn", "emd"]

TRANSPORT_METRICS: Final[tuple[TransportMetric, ...]] = get_args(TransportMetric)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A kind of vector.

    Attributes
    ----------
    embed
        From planes (planes, pixels, pixels) to vectors (planes, EMBEDDING_SIZE); further components do not count.
    unit
        The distance for which a Euclidean distance of 1 between vectors stands.
    threshold
        The distance below which planes are duplicates, unless the caller says otherwise.
    """

    embed: Callable[[npt.ArrayLike], EmbeddingArray]
    unit: float
    threshold: float


METRICS: Final[dict[MetricName, Metric]] = {
    # A tenth of a pixel of 256. Planes that differ by 1 % noise are within 0.075 of a pixel. Of pairs of planes nearer
    # than the threshold one in 80 looks different (1 − r > 0.1), at 0.0006 one in nine, at 0.0014 two in five.
    "sliced_wasserstein": Metric(embed=embed_quantiles, unit=SLICED_UNIT, threshold=0.0004),
    # r = 0.98. Planes that differ by 1 % noise are within 0.04.
    "appearance": Metric(embed=embed_appearance, unit=APPEARANCE_UNIT, threshold=0.14),
    # Planes that differ by 1 % noise are within 0.002. Of pairs of planes nearer than the threshold none of 8 looked
    # different (1 − r > 0.1), at 0.012 three of 19, at 0.015 six of 45.
    "wasserstein": Metric(embed=embed_cells, unit=BOUND_UNIT, threshold=0.01),
}


def embed_plane(intensity: npt.ArrayLike, metric: MetricName = "sliced_wasserstein") -> EmbeddingArray:
    """Vector (EMBEDDING_SIZE,) of one plane (pixels, pixels); see `embed_planes`."""
    vector: EmbeddingArray = embed_planes(np.asarray(intensity)[np.newaxis], metric)[0]
    return vector


def embed_planes(intensities: npt.ArrayLike, metric: MetricName = "sliced_wasserstein") -> EmbeddingArray:
    """Vectors (planes, EMBEDDING_SIZE) of planes (planes, pixels, pixels) of intensity, not negative, in any unit."""
    return _metric(metric).embed(intensities)


def embedding_distances(
    one: EmbeddingArray, other: EmbeddingArray | None = None, metric: MetricName = "sliced_wasserstein"
) -> FloatArray:
    """Distances (n, m) between vectors (n, EMBEDDING_SIZE) and (m, EMBEDDING_SIZE), or (n, n) among the first."""
    other = None if other is None else other[:, :EMBEDDING_SIZE]
    return vector_distances(one[:, :EMBEDDING_SIZE], other, _metric(metric).unit)


def select_unique(
    vectors: EmbeddingArray,
    threshold: float | None = None,
    *,
    metric: MetricName = "sliced_wasserstein",
    order: npt.ArrayLike | None = None,
) -> Selection:
    """Select planes, as many as one can add, of which no two are nearer to one another than the threshold.

    Parameters
    ----------
    vectors
        (planes, EMBEDDING_SIZE) from `embed_planes` with the same metric: of a pair, or of a whole store.
    threshold
        By default the metric's own; 0 keeps everything.
    order
        Every plane's number once, in the order in which they are taken, by default as they come. A plane is left out
        if it is nearer than the threshold to one taken and kept before it; nothing else matters to the result.
    """
    chosen = _metric(metric)
    compared = vectors[:, :EMBEDDING_SIZE]
    return select_by_vectors(compared, chosen.threshold if threshold is None else threshold, chosen.unit, order)


def distances_between_planes(
    intensities: npt.ArrayLike,
    metric: TransportMetric,
    *,
    directions: int | None = None,
    levels: int = LEVELS,
    grid: int = 16,
    regularisation: float = 1e-3,
    seed: int = 0,
) -> FloatArray:
    """Wasserstein distances (planes, planes) in widths of the plane, between planes (planes, pixels, pixels).

    Parameters
    ----------
    metric
        "sliced": as the vectors, not rounded, with any number of directions (12 by default) and levels. "sliced_pot":
        sliced W_2 by POT, over random directions (50 by default, from ``seed``), 0.1 s for two planes. "emd": W_2
        itself, and "sinkhorn" the same with an entropy of weight ``regularisation`` (squared widths), both by POT
        and on a ``grid`` of so many cells along each side.
    """
    match metric:
        case "sliced":
            return sliced_distances(intensities, directions or DIRECTIONS, levels)
        case "sliced_pot":
            return transport_distances(intensities, partial(sliced_by_pot, directions=directions or 50, seed=seed))
        case "emd":
            return transport_distances(intensities, exact, grid)
        case "sinkhorn":
            return transport_distances(intensities, partial(entropic, regularisation=regularisation), grid)
        case _:
            raise ValueError(f"metric = {metric!r}: expected one of {', '.join(TRANSPORT_METRICS)}")


def _metric(name: MetricName) -> Metric:
    if name not in METRICS:
        raise ValueError(f"metric = {name!r}: expected one of {', '.join(METRICS)}")
    return METRICS[name]
