"""How the quantities that describe a data set are distributed over its kept planes: histograms and quantiles."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from dsfu.pipeline.problems.disorder.report.store_view import SplitView, StoreView
from dsfu.pipeline.report.histograms import Distribution, Quantity, Values, distribution_of
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SHELL_CUTOFF

_FINE_STEPS: Final = 1000
"""The α of all vectors are counted to the nearest of so many steps from 0 to 1; none is below −1 or above 1."""

_SETS_AT_ONCE: Final = 2048
_NEAREST: Final = {"alpha_100": (1, 0, 0), "alpha_010": (0, 1, 0), "alpha_001": (0, 0, 1)}


_OFFSETS: Final = tuple(Quantity(f"offset_{index}", f"{index} of planes", centred=True) for index in "hkl")

_QUANTITIES: Final = (
    Quantity("fraction_a", "mole fraction A"),
    Quantity("q_max", "Q_max", "1/Å"),
    Quantity("coverage", "mask, live", "%"),
    Quantity("clipped", "I_SRO clipped", "%", logarithmic=True),
    *_OFFSETS,
)


def distributions(store: StoreView) -> tuple[Distribution, ...]:
    """All distributions of a store; those of which there is no plane are left out."""
    found = [*_of_alpha(store)]
    of_planes = {name: _of_planes(split) for name, split in store.splits.items()}
    for quantity in _QUANTITIES:
        values = {split: columns[quantity.name] for split, columns in of_planes.items()}
        found.append(distribution_of(quantity, values))
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
    return distribution_of(Quantity("duplicate_distance", "removed, distance", ""), values)


def _of_alpha(store: StoreView) -> Iterator[Distribution]:
    """Each plane counts with the set that it was made with."""
    uses = {name: _uses(store, split) for name, split in store.splits.items()}
    nearest, fine = _scan_sets(store, uses)
    for name, values in nearest.items():
        quantity = Quantity(name, f"α ({' '.join(map(str, _NEAREST[name]))})", centred=True)
        yield distribution_of(quantity, dict.fromkeys(uses, values), uses)
    centres = np.arange(-_FINE_STEPS, _FINE_STEPS + 1) / _FINE_STEPS
    quantity = Quantity("alpha_all", "α, all vectors", centred=True, logarithmic=True)
    yield distribution_of(quantity, dict.fromkeys(uses, centres), fine)


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
