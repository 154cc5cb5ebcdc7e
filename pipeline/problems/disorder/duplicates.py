"""Which planes of a split repeat others, from their embeddings: the settings of a manifest applied to a whole split."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dsfu.pipeline.problems.disorder.closing import UniquenessSettings
from dsfu.simulate.disorder.uniqueness import EmbeddingArray, Selection, select_unique
from dsfu.simulate.disorder.wasserstein import DecidedSelection, select_exactly


@dataclass(frozen=True, kw_only=True, eq=False)
class Duplicates:
    """For each sample whether it is kept, which sample it repeats (-1 for none), and at which distance (else NaN).

    ``decided`` has what a metric records beside: columns of `DECISION_FIELDS`.
    """

    kept: npt.NDArray[np.bool_]
    duplicate_of: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float32]
    decided: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


def find_duplicates(embedding: EmbeddingArray, settings: UniquenessSettings, planes_per_pair: int) -> Duplicates:
    """Compare samples (samples, components) within the scope of the settings, in their order."""
    samples = len(embedding)
    kept = np.ones(samples, np.bool_)
    duplicate_of = np.full(samples, -1, np.int64)
    distance = np.full(samples, np.nan, np.float32)
    decided: dict[str, npt.NDArray[Any]] = {}
    if settings.metric == "wasserstein":
        decided = {"candidate_of": duplicate_of.copy(), "candidate_distance": distance.copy()}
    if settings.scope != "none":
        length = planes_per_pair if settings.scope == "pair" else samples
        for first in range(0, samples, length):
            part = slice(first, first + length)
            found = _selected(embedding[part], settings)
            kept[part], distance[part] = found.kept, found.distance
            duplicate_of[part] = np.where(found.kept, -1, found.duplicate_of + first)
            if isinstance(found, DecidedSelection):
                of = found.candidate_of
                decided["candidate_of"][part] = np.where(of < 0, -1, of + first)
                decided["candidate_distance"][part] = found.candidate_distance
    return Duplicates(kept=kept, duplicate_of=duplicate_of, distance=distance, decided=decided)


def _selected(embedding: EmbeddingArray, settings: UniquenessSettings) -> Selection:
    if settings.metric == "wasserstein":
        return select_exactly(embedding, settings.threshold)
    return select_unique(embedding, settings.threshold, metric=settings.metric)
