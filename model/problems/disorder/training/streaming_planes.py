"""Planes of a store in a given order: whole pairs are read, ahead and by several threads, and planes kept till used."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from dsfu.model.problems.disorder.data.shards import Split
from dsfu.simulate.arrays import IntArray

CodeArray = npt.NDArray[np.uint16]
PairOfPlanes = CodeArray
"""(2, y, x): form factor and short-range order as they are stored."""


def planes_in_order(split: Split, batches: Sequence[IntArray], pixels: int, workers: int) -> Iterator[CodeArray]:
    """For each batch of indices its planes (planes, 2, y, x), as they are stored, with every second, … pixel only.

    Reading is done by ``workers`` threads (files and decompression leave others running), or by this one if 0.
    """
    if not workers:
        yield from _Window(split, batches, pixels, None, 0).batches()
        return
    with ThreadPoolExecutor(workers, "planes") as pool:
        window = _Window(split, batches, pixels, pool, 2 * workers)
        try:
            yield from window.batches()
        finally:
            window.cancel()


class _Window:
    """The planes that have been read and are still to be used."""

    def __init__(
        self, split: Split, batches: Sequence[IntArray], pixels: int, pool: ThreadPoolExecutor | None, ahead: int
    ) -> None:
        self._split, self._batches, self._every, self._pool = split, batches, split.pixels // pixels, pool
        self._ahead = ahead
        self._planes: dict[int, PairOfPlanes] = {}
        self._wanted = _indices_by_pair(batches, split.planes_per_pair)
        self._to_read = deque(self._wanted)
        self._reading: dict[int, Future[list[PairOfPlanes]]] = {}
        _ = split.coordinates["form_factor_scale"], split.coordinates["sro_scale"]

    def batches(self) -> Iterator[CodeArray]:
        for indices in self._batches:
            for index in indices.tolist():
                if index not in self._planes:
                    self._have(index // self._split.planes_per_pair)
            yield np.stack([self._planes.pop(index) for index in indices.tolist()])

    def cancel(self) -> None:
        for each in self._reading.values():
            each.cancel()

    def _have(self, pair: int) -> None:
        if self._pool is None:
            planes = self._read(pair)
        else:
            self._read_ahead(pair, self._pool)
            planes = self._reading.pop(pair).result()
            self._read_ahead(pair, self._pool)
        self._planes.update(zip(self._wanted[pair], planes, strict=True))

    def _read_ahead(self, pair: int, pool: ThreadPoolExecutor) -> None:
        """Pairs are wanted in the order of ``_to_read``, so this one is being read, or is the next."""
        while self._to_read and len(self._reading) < self._ahead:
            following = self._to_read.popleft()
            self._reading[following] = pool.submit(self._read, following)

    def _read(self, pair: int) -> list[PairOfPlanes]:
        shard, first = self._split.shard(pair), pair * self._split.planes_per_pair
        every = slice(None, None, self._every)
        # Copies, so that a plane that is used up leaves no memory behind.
        return [
            np.stack([shard.form_factor[index - first, every, every], shard.sro[index - first, every, every]])
            for index in self._wanted[pair]
        ]


def _indices_by_pair(batches: Sequence[IntArray], planes_per_pair: int) -> dict[int, list[int]]:
    """The samples of each pair, pairs in the order in which they are wanted first."""
    found: dict[int, list[int]] = {}
    for indices in batches:
        for index in indices.tolist():
            found.setdefault(index // planes_per_pair, []).append(index)
    return found
