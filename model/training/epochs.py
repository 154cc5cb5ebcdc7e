"""Epochs of batches: the position in them, and the thread that prepares batches ahead."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Full, Queue
from threading import Event, Thread
from typing import Any, Generic, TypeVar

from dsfu.errors import InputError

Prepared = TypeVar("Prepared")
B = TypeVar("B")
_Item = TypeVar("_Item")

_PATIENCE_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class BatchShare:
    """Which part of the batches is this process's."""

    batch_size: int
    rank: int
    world_size: int

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise InputError(f"it is {self.batch_size}", where="batch_size", expected="1 or more")
        if not 0 <= self.rank < self.world_size:
            raise ValueError(f"rank = {self.rank}: expected 0 to {self.world_size - 1}, one of all processes")

    @property
    def of_all(self) -> int:
        """Samples in the batches that all processes have at the same time."""
        return self.batch_size * self.world_size


class EpochSource(ABC, Generic[Prepared, B]):
    """A `BatchSource`, but for what batches are made of: prepared ahead in a thread, then finished on the device.

    Parameters
    ----------
    batches_ahead
        How many prepared batches are kept ready; 0: no thread.
    """

    def __init__(self, part: BatchShare, seed: int, batches_per_epoch: int, batches_ahead: int) -> None:
        self.part, self.seed = part, seed
        self.batches_per_epoch = batches_per_epoch
        self._batches_ahead = batches_ahead
        self._epoch, self._batch = 0, 0

    @abstractmethod
    def prepared(self, epoch: int, first: int) -> Iterator[Prepared]:
        """What the batches of an epoch are made of, from batch number ``first`` to the epoch's last."""

    @abstractmethod
    def finished(self, prepared: Prepared) -> B:
        """The batch, on the device."""

    def batches(self) -> Iterator[B]:
        epoch, first = self._epoch, self._batch
        for number, prepared in enumerate(_ahead(self.prepared(epoch, first), self._batches_ahead), start=first + 1):
            batch = self.finished(prepared)
            self._epoch, self._batch = (epoch, number) if number < self.batches_per_epoch else (epoch + 1, 0)
            yield batch

    def state_dict(self) -> dict[str, Any]:
        part = self.part
        return {
            "seed": self.seed,
            "epoch": self._epoch,
            "batch": self._batch,
            "batch_size": part.batch_size,
            "world_size": part.world_size,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["seed"] != self.seed:
            raise InputError(
                f"the checkpoint's data were drawn with seed {state['seed']}, and now it is {self.seed}",
                where="seed",
                expected="the same seed, as a training goes on with the samples that come next",
                remedy=f"set seed={state['seed']}, or begin another run",
            )
        samples = state["batch"] * state["batch_size"] * state["world_size"]
        batch = -(-samples // self.part.of_all)
        is_over = batch >= self.batches_per_epoch
        self._epoch, self._batch = (state["epoch"] + 1, 0) if is_over else (state["epoch"], batch)


def _ahead(items: Iterator[_Item], count: int) -> Iterator[_Item]:
    """The same items; a thread makes up to ``count`` of them before they are asked for."""
    if count == 0:
        yield from items
        return
    queue: Queue[_Item | _End] = Queue(count)
    stop = Event()
    thread = Thread(target=_fill, args=(items, queue, stop), name="batches ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
        thread.join()


@dataclass(frozen=True)
class _End:
    """The last thing in a queue: there are no more items, or an error instead."""

    error: BaseException | None = None


def _fill(items: Iterator[_Item], queue: "Queue[_Item | _End]", stop: Event) -> None:
    try:
        for item in items:
            _put(queue, item, stop)
            if stop.is_set():
                return
        _put(queue, _End(), stop)
    except BaseException as error:  # whatever it is, it is raised where the items are wanted
        _put(queue, _End(error), stop)


def _put(queue: "Queue[_Item | _End]", item: "_Item | _End", stop: Event) -> None:
    while not stop.is_set():
        try:
            queue.put(item, timeout=_PATIENCE_SECONDS)
        except Full:
            continue
        return
