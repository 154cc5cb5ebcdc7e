"""Which samples stand for a whole store in a picture: chosen by a rule that knows nothing of how they look."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dsfu.pipeline.problems.disorder.report.store_view import SplitView, StoreView
from dsfu.pipeline.report.plain import GOLDEN
from dsfu.simulate.arrays import IntArray


@dataclass(frozen=True)
class ChosenSample:
    """One sample of a store."""

    split: str
    index: int


@dataclass(frozen=True, kw_only=True)
class ChosenDuplicate:
    """A removed plane, the one that it repeats, and their distance."""

    split: str
    removed: int
    repeated: int
    distance: float


def choose_samples(store: StoreView, count: int) -> list[ChosenSample]:
    """Up to ``count`` unique samples: of each shape group and split in turn, spread over its pairs and planes."""
    parts = list(_parts(store))
    chosen: dict[ChosenSample, None] = {}
    for number in range(4 * count):  # a small part may be hit twice at the same place
        if parts and len(chosen) < count:
            split, indices = parts[number % len(parts)]
            place = (0.5 + number * GOLDEN) % 1.0
            chosen[ChosenSample(split, int(indices[int(place * len(indices))]))] = None
    order = list(store.splits)
    return sorted(chosen, key=lambda each: (order.index(each.split), each.index))


def choose_duplicates(split: SplitView, count: int) -> list[ChosenDuplicate]:
    """Up to ``count`` removed planes from the nearest to what they repeat to the farthest, evenly spread by rank."""
    removed = np.flatnonzero(~split.kept)
    distance = split.column("duplicate_distance")
    ranked = removed[np.argsort(distance[removed], kind="stable")]
    places = sorted({round(place) for place in np.linspace(0, len(ranked) - 1, count)}) if len(ranked) else []
    repeated = split.column("duplicate_of")
    return [
        ChosenDuplicate(
            split=split.name, removed=int(index), repeated=int(repeated[index]), distance=float(distance[index])
        )
        for index in ranked[places]
    ]


def _parts(store: StoreView) -> Iterator[tuple[str, IntArray]]:
    """Indices of the unique samples of every group of every split, split by split within a group."""
    present = sorted({int(group) for split in store.splits.values() for group in np.unique(split.groups)})
    for group in present:
        for split in store.splits.values():
            indices = np.flatnonzero(split.kept & (split.groups == group))
            if len(indices):
                yield split.name, indices
