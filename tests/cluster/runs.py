"""Runs through SLURM in this process, and what was said during them."""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from dsfu.cluster.settings import ClusterSettings
from dsfu.pipeline.commands.clusters import batch_engine
from dsfu.pipeline.running.feeding import FeedRules
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import RunResult, run_store
from dsfu.pipeline.specs import LedgerEntry, ShardSpec
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.wanted import Wanted
from tests.cluster.slow_shards import make_slowly

ROOT = Path(__file__).parents[2]
FIND_THE_TESTS = f"export PYTHONPATH={ROOT}"


class Notes(SilentReporter):
    """Remembers what it is told; `at` has something done once so many shards are made."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []
        self.retries: list[str] = []
        self.made = 0
        self._events: dict[int, Callable[[], None]] = {}

    def at(self, shards: int, happens: Callable[[], None]) -> None:
        self._events[shards] = happens

    def note(self, text: str) -> None:
        self.notes.append(text)

    def retried(self, spec: ShardSpec, why: str) -> None:
        self.retries.append(why)

    def finished(self, entry: LedgerEntry) -> None:
        self.made += 1
        if self.made in self._events:
            self._events.pop(self.made)()

    @property
    def text(self) -> str:
        return "\n".join(self.notes)


def settings(**more: object) -> ClusterSettings:
    """Small jobs that find the tests."""
    usual = {"scheduler": "slurm", "memory": "1200MiB", "prologue": (FIND_THE_TESTS,), "say_pending": "3s"}
    return ClusterSettings(**{**usual, **more})  # type: ignore[arg-type]


def run_slurm(
    wanted: Wanted,
    store: Path,
    batch: ClusterSettings,
    notes: Notes,
    *,
    seconds_a_shard: float = 0.0,
    limit: float = 300,
    until: str = "",
) -> RunResult:
    """Run, stopping once ``until`` is said or after ``limit`` seconds: a test that hangs is one that fails."""
    stopped = threading.Event()
    timer = threading.Timer(limit, stopped.set)
    timer.start()
    files = open_files(store)
    try:
        return run_store(
            wanted,
            files,
            engine=batch_engine(batch, notes.note, None, quiet=True),
            reporter=notes,
            stop=lambda: stopped.is_set() or bool(until and until in notes.text),
            make=partial(make_slowly, files.url, seconds_a_shard),
            rules=FeedRules(retries=1, threads_hoped_for=batch.most_jobs * batch.cores, task_seconds=0.0),
        )
    finally:
        timer.cancel()


def later(seconds: float, do: Callable[[], None]) -> None:
    def quietly() -> None:
        with suppress(RuntimeError):
            do()

    timer = threading.Timer(seconds, quietly)
    timer.daemon = True
    timer.start()
