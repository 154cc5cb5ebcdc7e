"""How quantities are distributed over the samples of each split: histograms and quantiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.pages.scales import round_up

Values = npt.NDArray[np.float64]

QUANTILES: Final = (0.0, 0.05, 0.5, 0.95, 1.0)

_BINS: Final = (12, 48)
"""Fewest and most bins that a range is divided into; in between, the more values the more."""

_PADDED: Final = 8
"""What is narrower than so many bins is widened to them."""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One quantity over the kept samples of each split.

    Attributes
    ----------
    name, label, unit
        For programs, for people, and the unit ("" for none).
    edges
        Of the histogram's bins, in ascending order.
    counts
        Samples in each bin, by split.
    quantiles
        At ``QUANTILES``, by split.
    logarithmic
        Whether counts are so unequal that only a logarithmic axis shows them.
    """

    name: str
    label: str
    unit: str
    edges: tuple[float, ...]
    counts: Mapping[str, tuple[float, ...]]
    quantiles: Mapping[str, tuple[float, ...]]
    logarithmic: bool = False


@dataclass(frozen=True)
class Quantity:
    """Something that is known of every sample, as a number."""

    name: str
    label: str
    unit: str = ""
    centred: bool = False
    """Whether round values are put in the middle of bins, where values are mostly round, rather than at their edges."""
    logarithmic: bool = False


def distribution_of(
    quantity: Quantity, values: Mapping[str, Values], weights: Mapping[str, Values] | None = None
) -> Distribution:
    """Histogram and quantiles; values of weight 0 do not exist, nor do splits without any."""
    if weights is None:
        weights = {split: np.ones(len(of_split)) for split, of_split in values.items()}
    used = {split: (values[split][of > 0], of[of > 0]) for split, of in weights.items() if (of > 0).any()}
    edges = np.empty(0)
    if used:
        low, high = min(v.min() for v, _ in used.values()), max(v.max() for v, _ in used.values())
        bins = bins_for(max(of.sum() for _, of in used.values()))
        edges = histogram_edges(float(low), float(high), bins, centred=quantity.centred)
    return Distribution(
        name=quantity.name,
        label=quantity.label,
        unit=quantity.unit,
        edges=tuple(edges.tolist()),
        counts={split: _histogram(v, edges, of) for split, (v, of) in used.items()},
        quantiles={split: _quantiles(v, of) for split, (v, of) in used.items()},
        logarithmic=quantity.logarithmic,
    )


def bins_for(values: float) -> int:
    """Into how many bins a range is divided: twice as many as the rule of Rice University has it, within limits."""
    fewest, most = _BINS
    return int(min(most, max(fewest, 4 * values ** (1 / 3))))


def histogram_edges(low: float, high: float, bins: int, *, centred: bool = False) -> Values:
    """Edges of equal bins, at round numbers (or half-way between them), that hold all values from low to high.

    Their number is near ``bins``, or less.
    """
    size = max(abs(low), abs(high))
    width = round_up((high - low) / bins if high - low > 1e-6 * size else size / 10 or 0.1)
    shift = 0.5 if centred else 0.0
    first, last = floor(low / width + shift), ceil(high / width + shift)
    padding = max(0, _PADDED - (last - first) + 1) // 2
    return np.asarray((np.arange(first - padding, last + padding + 1) - shift) * width, np.float64)


def _histogram(values: Values, edges: Values, weights: Values) -> tuple[float, ...]:
    within = values.clip(edges[0], edges[-1])  # rounding may put the outermost edges a hair inside
    return tuple(np.histogram(within, edges, weights=weights)[0].tolist())


def _quantiles(values: Values, weights: Values) -> tuple[float, ...]:
    """The smallest values that have at least each share of the weight at or below them."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    places = np.searchsorted(reached, np.array(QUANTILES) * reached[-1] * (1 - 1e-12))
    return tuple(values[order][places].tolist())
