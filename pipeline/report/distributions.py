"""How the quantities that describe a data set are distributed over its kept planes: histograms and quantiles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.pipeline.report.store_view import SplitView, StoreView
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SHELL_CUTOFF

Values = npt.NDArray[np.float64]

QUANTILES: Final = (0.0, 0.05, 0.5, 0.95, 1.0)

_BINS: Final = (12, 48)
"""Fewest and most bins that a range is divided into; in between, the more values the more."""

_PADDED: Final = 8
"""What is narrower than so many bins is widened to them."""

_FINE_STEPS: Final = 1000
"""The α of all vectors are counted to the nearest of so many steps from 0 to 1; none is below −1 or above 1."""

_SETS_AT_ONCE: Final = 2048
_NEAREST: Final = {"alpha_100": (1, 0, 0), "alpha_010": (0, 1, 0), "alpha_001": (0, 0, 1)}


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One quantity over the kept planes of each split.

    Attributes
    ----------
    name, label, unit
        For programs, for people, and the unit ("" for none).
    edges
        Of the histogram's bins, in ascending order.
    counts
        Planes in each bin, by split.
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
class _Quantity:
    name: str
    label: str
    unit: str = ""
    centred: bool = False
    """Whether round values are put in the middle of bins, where values are mostly round, rather than at their edges."""
    logarithmic: bool = False


_OFFSETS: Final = tuple(_Quantity(f"offset_{index}", f"{index} of planes", centred=True) for index in "hkl")

_QUANTITIES: Final = (
    _Quantity("fraction_a", "mole fraction A"),
    _Quantity("q_max", "Q_max", "1/Å"),
    _Quantity("coverage", "mask, live", "%"),
    _Quantity("clipped", "I_SRO clipped", "%", logarithmic=True),
    *_OFFSETS,
)


def distributions(store: StoreView) -> tuple[Distribution, ...]:
    """All distributions of a store; those of which there is no plane are left out."""
    found = [*_of_alpha(store)]
    of_planes = {name: _of_planes(split) for name, split in store.splits.items()}
    for quantity in _QUANTITIES:
        values = {split: columns[quantity.name] for split, columns in of_planes.items()}
        found.append(_distribution(quantity, values))
    found.append(_distances(store))
    return tuple(each for each in found if each.counts)


def _of_planes(split: SplitView) -> dict[str, Values]:
    kept = split.kept
    axis, offset = split.column("plane_axis"), split.column("plane_offset")
    columns = {
        "fraction_a": split.column("fraction_a")[kept],
        "q_max": split.column("q_max")[kept],
        "coverage": 100 * split.coverage()[kept],
        "clipped": 100 * split.column("clipped_fraction")[kept],
    }
    if (split.column("mask") < 0).all():
        columns["coverage"] = np.empty(0)  # no dead zones: nothing to show
    columns |= {each.name: offset[kept & (axis == number)] for number, each in enumerate(_OFFSETS)}
    return {name: np.asarray(values, np.float64) for name, values in columns.items()}


def _distances(store: StoreView) -> Distribution:
    """Of removed planes from what they repeat."""
    values = {
        name: split.column("duplicate_distance")[~split.kept].astype(np.float64) for name, split in store.splits.items()
    }
    return _distribution(_Quantity("duplicate_distance", "removed, distance", ""), values)


def _of_alpha(store: StoreView) -> Iterator[Distribution]:
    """Each plane counts with the set that it was made with."""
    uses = {name: _uses(store, split) for name, split in store.splits.items()}
    nearest, fine = _scan_sets(store, uses)
    for name, values in nearest.items():
        quantity = _Quantity(name, f"α ({' '.join(map(str, _NEAREST[name]))})", centred=True)
        yield _distribution(quantity, dict.fromkeys(uses, values), uses)
    centres = np.arange(-_FINE_STEPS, _FINE_STEPS + 1) / _FINE_STEPS
    quantity = _Quantity("alpha_all", "α, all vectors", centred=True, logarithmic=True)
    yield _distribution(quantity, dict.fromkeys(uses, centres), fine)


def _uses(store: StoreView, split: SplitView) -> Values:
    """By how many kept planes each set is used."""
    sets = store.array("sro_sets/fraction_a").shape[0]
    return np.bincount(split.column("sro_set")[split.kept], minlength=sets).astype(np.float64)


def _scan_sets(store: StoreView, uses: Mapping[str, Values]) -> tuple[dict[str, Values], dict[str, Values]]:
    """α of nearest neighbours of every set; and, by split, how often α has each of the values it is rounded to.

    The table of a large store does not fit into a small memory, so it is read piece by piece.
    """
    table = store.array("sro_sets/alpha")
    half = ALPHA_SHAPE[0] * ALPHA_SHAPE[1] * ALPHA_SHAPE[2] // 2
    nearest: dict[str, list[Values]] = {name: [] for name in _NEAREST}
    fine = {split: np.zeros(2 * _FINE_STEPS + 1) for split in uses}
    for first in range(0, table.shape[0], _SETS_AT_ONCE):
        part = slice(first, first + _SETS_AT_ONCE)
        alpha = np.asarray(table[part], np.float64)
        for name, (u, v, w) in _NEAREST.items():
            nearest[name].append(alpha[:, SHELL_CUTOFF + u, SHELL_CUTOFF + v, SHELL_CUTOFF + w])
        vectors = alpha.reshape(len(alpha), -1)[:, half + 1 :].clip(-1, 1)  # one of each pair ±v, without the origin
        steps = np.rint(vectors * _FINE_STEPS).astype(np.int64).ravel() + _FINE_STEPS
        for split, of_split in uses.items():
            weights = np.repeat(of_split[part], vectors.shape[1])
            fine[split] += np.bincount(steps, weights, 2 * _FINE_STEPS + 1)
    return {name: np.concatenate([np.empty(0), *parts]) for name, parts in nearest.items()}, fine


def _distribution(
    quantity: _Quantity, values: Mapping[str, Values], weights: Mapping[str, Values] | None = None
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


def round_up(value: float) -> float:
    """The next number at or above a positive one that is 1, 2 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * (1 - 1e-9))


def _histogram(values: Values, edges: Values, weights: Values) -> tuple[float, ...]:
    within = values.clip(edges[0], edges[-1])  # rounding may put the outermost edges a hair inside
    return tuple(np.histogram(within, edges, weights=weights)[0].tolist())


def _quantiles(values: Values, weights: Values) -> tuple[float, ...]:
    """The smallest values that have at least each share of the weight at or below them."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    places = np.searchsorted(reached, np.array(QUANTILES) * reached[-1] * (1 - 1e-12))
    return tuple(values[order][places].tolist())
