"""In which order a process takes the samples of a store: known before any is read, so that any place is found again."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dsfu.errors import InputError
from dsfu.model.training.draws import EPOCH, Draws
from dsfu.model.training.epochs import BatchShare
from dsfu.simulate.arrays import IntArray

LastBatch = Literal["smaller", "dropped"]
"""What an epoch ends with: a smaller batch, or none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StreamingPlan:
    """All epochs of a split, for one process of several.

    The shards of the split are put in random order, and the line of their samples is cut into pieces of one length
    (but for one sample), one for each process. So a shard is read by one process, except for those that are cut. In its
    piece a process takes samples from a buffer at random, into which whole shards come.

    Attributes
    ----------
    samples
        Indices of the samples to use, rising.
    samples_per_shard
        Sample i belongs to shard i // samples_per_shard.
    buffer_samples
        Size of the buffer.
    shuffle
        Otherwise samples come as they are, in every epoch.
    """

    samples: IntArray
    samples_per_shard: int
    buffer_samples: int
    shuffle: bool
    last_batch: LastBatch
    part: BatchShare
    seed: int

    @property
    def batches_per_epoch(self) -> int:
        """The same for every process."""
        least = len(self.samples) // self.part.world_size
        batches = least // self.part.batch_size
        if self.last_batch == "smaller" and least % self.part.batch_size:
            batches += 1
        if not batches:
            raise InputError(
                f"{len(self.samples)} samples for {self.part.world_size} processes make no batch of "
                f"{self.part.batch_size}",
                where="batch_size",
                expected="one batch or more in an epoch for every process",
                remedy="take smaller batches, fewer processes, or a larger store",
            )
        return batches

    def batches(self, epoch: int) -> list[IntArray]:
        """The indices of the samples of every batch of an epoch.

        If the last batch may be smaller than the others, the batches of all processes have every sample once. It can
        be larger than the others by one then, where the number of samples is no multiple of that of processes.
        """
        order, size, count = self._order(epoch), self.part.batch_size, self.batches_per_epoch
        ends = [size * number for number in range(1, count)]
        ends.append(len(order) if self.last_batch == "smaller" else size * count)
        return np.split(order, ends)[:count]

    def _order(self, epoch: int) -> IntArray:
        draws = Draws(self.seed, EPOCH, epoch)
        line = self._in_order_of_shards(draws) if self.shuffle else self.samples
        first, end = (number * len(line) // self.part.world_size for number in (self.part.rank, self.part.rank + 1))
        own = line[first:end]
        return self._through_buffer(own, Draws(self.seed, EPOCH, _own(epoch, self.part))) if self.shuffle else own

    def _in_order_of_shards(self, draws: Draws) -> IntArray:
        shards = self.samples // self.samples_per_shard
        place_of_shard = np.array(draws.order(int(shards[-1]) + 1))
        return self.samples[np.argsort(place_of_shard[shards], kind="stable")]

    def _through_buffer(self, line: IntArray, draws: Draws) -> IntArray:
        shards = line // self.samples_per_shard
        starts = np.flatnonzero(np.diff(shards)) + 1
        buffer, out = np.empty(0, np.int64), []
        for samples in np.split(line, starts):
            buffer = np.concatenate([buffer, samples])
            buffer = buffer[draws.order(len(buffer))]
            taken = max(0, len(buffer) - self.buffer_samples)
            out.append(buffer[:taken])
            buffer = buffer[taken:]
        return np.concatenate([*out, buffer])


def _own(epoch: int, part: BatchShare) -> int:
    """A number for every epoch and process, apart from those of epochs alone."""
    return (1 << 63) + epoch * (1 << 20) + part.rank
