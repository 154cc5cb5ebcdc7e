"""Samples of a store as a problem's `Learner.batch` reads them: to train on, and to watch a network on."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

import numpy as np
import torch

from dsfu.model.problem import BatchLike, Learner, Samples
from dsfu.model.store import opened_store
from dsfu.model.training.epochs import BatchShare, EpochSource
from dsfu.model.training.streaming_plan import StreamingPlan
from dsfu.simulate.arrays import IntArray

B = TypeVar("B", bound=BatchLike)

_BUFFER_SAMPLES: Final = 2048
"""Samples that are mixed with one another where shards are taken in random order. Chosen, not calibrated."""

_BATCHES_AHEAD: Final = 3


class StoredSource(EpochSource[B, B]):
    """The samples of a split that are kept, each once in an epoch over all processes, in random order.

    Batches are made in a thread on the processor, ahead of the training, and then sent to the device.
    ``buffer_samples`` and ``batches_ahead`` of the problem's settings of the data count, if it has them.
    """

    def __init__(
        self, learner: Learner[B], url: str, split: str, data: Any, part: BatchShare, seed: int, device: torch.device
    ) -> None:
        self._split = opened_store(url, split).split(split)
        self._plan = StreamingPlan(
            samples=self._split.kept_indices,
            samples_per_shard=self._split.samples_per_shard,
            buffer_samples=getattr(data, "buffer_samples", _BUFFER_SAMPLES),
            shuffle=True,
            last_batch="smaller",
            part=part,
            seed=seed,
        )
        ahead = getattr(data, "batches_ahead", _BATCHES_AHEAD)
        super().__init__(part, seed, self._plan.batches_per_epoch, ahead)
        self._learner, self._data, self._device = learner, data, device

    def prepared(self, epoch: int, first: int) -> Iterator[B]:
        for indices in self._plan.batches(epoch)[first:]:
            yield self._learner.batch(self._split, indices.tolist(), self._data, torch.device("cpu"))

    def finished(self, prepared: B) -> B:
        return prepared.to(self._device)


class DrawnSamples(Samples[B]):
    """Samples of a split that are kept: all, or some drawn at random by a seed."""

    def __init__(self, learner: Learner[B], url: str, split: str, data: Any, limit: int, seed: int) -> None:
        self.split = opened_store(url, split).split(split)
        self._learner, self._data, self._limit, self._seed = learner, data, limit, seed

    @property
    def indices(self) -> IntArray:
        return drawn(self.split.kept_indices, self._limit, self._seed)

    def batch(self, indices: Sequence[int], device: torch.device | str = "cpu") -> B:
        return self._learner.batch(self.split, indices, self._data, torch.device(device))


def drawn(indices: IntArray, limit: int, seed: int) -> IntArray:
    """At most ``limit`` of some indices (0: all), in their order; the same ones whenever the seed is the same."""
    if not 0 < limit < len(indices):
        return indices
    chosen = np.random.default_rng([seed, 1]).choice(len(indices), limit, replace=False)
    return np.asarray(indices[np.sort(chosen)])
