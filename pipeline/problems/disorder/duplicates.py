"""Which planes of a split repeat others, from their embeddings: the settings of a manifest applied to a whole split."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsfu.pipeline.problems.disorder.closing import UniquenessSettings
from dsfu.simulate.disorder.uniqueness import EmbeddingArray, select_unique


@dataclass(frozen=True, kw_only=True, eq=False)
class Duplicates:
    """For each sample whether it is kept, which sample it repeats (-1 for none), and at which distance (else NaN)."""

    kept: npt.NDArray[np.bool_]
    duplicate_of: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float32]


def find_duplicates(embedding: EmbeddingArray, settings: UniquenessSettings, planes_per_pair: int) -> Duplicates:
    """Compare samples (samples, components) within the scope of the settings, in their order."""
    samples = len(embedding)
    kept = np.ones(samples, np.bool_)
    duplicate_of = np.full(samples, -1, np.int64)
    distance = np.full(samples, np.nan, np.float32)
    if settings.scope != "none":
        length = planes_per_pair if settings.scope == "pair" else samples
        for first in range(0, samples, length):
            part = slice(first, first + length)
            found = select_unique(embedding[part], settings.threshold, metric=settings.metric)
            kept[part], distance[part] = found.kept, found.distance
            duplicate_of[part] = np.where(found.kept, -1, found.duplicate_of + first)
    return Duplicates(kept=kept, duplicate_of=duplicate_of, distance=distance)
