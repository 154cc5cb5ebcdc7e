"""How fast shards are made, and how long the rest will take."""

from collections import deque
from typing import Final

from dsfu.pipeline.specs import LedgerEntry

WINDOW_SECONDS: Final = 60.0


class Meter:
    """Counts what one stage of a run has done.

    Parameters
    ----------
    shards, items
        How many there are to make.
    now
        The time at which it begins, in seconds, by the clock that all calls use.
    """

    def __init__(self, shards: int, items: int, now: float) -> None:
        self.shards, self.items = shards, items
        self.shards_done = self.items_done = self.bytes_done = 0
        self.shards_failed = self.items_failed = 0
        self._steps: deque[tuple[float, int]] = deque([(now, 0)])

    def begin(self, now: float) -> None:
        """Count time from here on: until now others were served."""
        self._steps = deque([(now, self.items_done)])

    def finished(self, entry: LedgerEntry, now: float) -> None:
        self.shards_done += 1
        self.items_done += entry.items
        self.bytes_done += sum(each.bytes for each in entry.objects.values())
        self._steps.append((now, self.items_done))
        while len(self._steps) > 2 and self._steps[1][0] < now - WINDOW_SECONDS:
            self._steps.popleft()

    def failed(self, items: int) -> None:
        self.shards_failed += 1
        self.items_failed += items

    def per_second(self, now: float) -> float | None:
        """Items a second of late; None before anything is known."""
        first, before = self._steps[0]
        if self.items_done == before or now <= first:
            return None
        return (self.items_done - before) / (now - first)

    def seconds_left(self, now: float) -> float | None:
        rate = self.per_second(now)
        if not self.left:
            return 0.0
        return self.left / rate if rate else None

    def waiting(self, now: float) -> float:
        """Seconds since the last shard, or since the beginning."""
        return now - self._steps[-1][0]

    @property
    def left(self) -> int:
        """Items that are neither made nor failed."""
        return self.items - self.items_done - self.items_failed
