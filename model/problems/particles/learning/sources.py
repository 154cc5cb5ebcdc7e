"""Training batches without end: shapes of a split, with all else drawn for each batch."""

from collections.abc import Iterator

import numpy as np
import torch

from dsfu.model.problems.particles.learning.batch import ParticleBatch
from dsfu.model.problems.particles.learning.data import ParticleData
from dsfu.model.problems.particles.learning.samples import drawn_batch
from dsfu.model.store import opened_store
from dsfu.model.training.epochs import BatchShare, EpochSource


class DrawnSource(EpochSource[ParticleBatch, ParticleBatch]):
    """As many samples an epoch as the split has; families are drawn equally often, then a shape of the family.

    Batch number n of an epoch follows from the seed, the epoch and n: a training that goes on gets the same ones.
    """

    def __init__(
        self, url: str, split: str, data: ParticleData, part: BatchShare, seed: int, device: torch.device
    ) -> None:
        from dsfu.model.problems.particles.learning.samples import shapes_of

        given = opened_store(url, split).split(split)
        rows = np.unique(given.column("shape")[given.kept_indices]).astype(np.int64)
        families = shapes_of(url).family[rows]
        self._families = [rows[families == each] for each in np.unique(families)]
        batches = max(1, len(given.kept_indices) // part.of_all)
        super().__init__(part, seed, batches, data.batches_ahead)
        self._url, self._data, self._device = url, data, device

    def prepared(self, epoch: int, first: int) -> Iterator[ParticleBatch]:
        for number in range(first, self.batches_per_epoch):
            random = np.random.default_rng([self.seed, epoch, number, self.part.rank])
            family = random.integers(0, len(self._families), self.part.batch_size)
            rows = np.array([random.choice(self._families[each]) for each in family])
            yield drawn_batch(self._url, rows, self._data, random, torch.device("cpu"))

    def finished(self, prepared: ParticleBatch) -> ParticleBatch:
        return prepared.to(self._device)
