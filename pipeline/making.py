"""What a maker of shards is given, and what it gives back. It touches no storage."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Protocol

import numpy.typing as npt

from dsfu.pipeline.kinds import RECORD

Arrays = dict[str, npt.NDArray[Any]]


class ReadNeeded(Protocol):
    """Reads what a shard needs of another."""

    def __call__(self, key: str, *names: str, record: str = RECORD) -> Arrays:
        """These columns of the shard with this key, all its rows; ``record`` is that of the shard's kind."""
        ...


class Stopwatch:
    """Seconds spent in each step of the making of a shard."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - start


Maker = Callable[[Mapping[str, Any], ReadNeeded, Stopwatch], Arrays]
"""From the parameters of a shard to its arrays, first axis items. The same parameters always give the same arrays."""
