"""What makes shards: the interface of an engine, the work it is handed, and the engine that is this process.

An engine takes tasks and gives back their results, and knows nothing of what a shard is made of. The one that is a
cluster is `dsfu.pipeline.running.graph`, its workers `dask_workers`; what to hand to an engine, and when, is
`dsfu.pipeline.running.feeding`. Workers import this module: it must stay light.
"""

import platform
import socket
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from types import TracebackType
from typing import Protocol, Self

from dsfu.pipeline.specs import LedgerEntry, ShardFailure, ShardSpec

Make = Callable[[ShardSpec], LedgerEntry]
Outcome = LedgerEntry | ShardFailure


class EngineError(Exception):
    """The engine cannot go on, or cannot be had. Nothing that was made is lost by it."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Some shards that are made one after the other in one place.

    Attributes
    ----------
    group, name
        The same for the same shards of the same store, whoever asks for them.
    attempt
        How often its shards have been tried before.
    make
        Makes one shard; it has to be importable where the task runs.
    """

    group: str
    name: str
    attempt: int
    specs: Sequence[ShardSpec]
    make: Make


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of a task: an outcome for each shard, or else why there is none.

    Attributes
    ----------
    lost
        In words: the worker died under the task, say. The shards themselves need not be to blame.
    counts
        Whether what was lost counts as an attempt at its shards. It does not when it was the engine that went away.
    """

    task: Task
    outcomes: Sequence[Outcome] = ()
    lost: str | None = None
    counts: bool = True


class Engine(Protocol):
    """Something that makes shards."""

    description: str
    dashboard: str | None

    @property
    def threads(self) -> int:
        """How many tasks can run at once, now."""
        ...

    def submit(self, tasks: Sequence[Task]) -> None:
        """Take tasks, and return at once."""
        ...

    def collect(self, timeout_seconds: float) -> Sequence[Result]:
        """Return what has finished, waiting a little for it. Raises `EngineError` when there is nothing to wait for."""
        ...

    def drop_waiting(self) -> None:
        """Forget the tasks that nothing is working on yet: they have no result."""
        ...

    @property
    def in_flight(self) -> int:
        """How many tasks were submitted, and neither collected nor dropped."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def versions() -> dict[str, str]:
    """The versions that have to agree between driver and workers."""
    return {"dsfu": version("dsfu"), "python": ".".join(platform.python_version_tuple()[:2])}


def make_all(make: Make, specs: Sequence[ShardSpec]) -> list[Outcome]:
    """Make shards one after the other; one that raises becomes a failure, and the others go on."""
    return [_make_one(make, spec) for spec in specs]


def failure_of(spec: ShardSpec, error: str, details: str, attempts: int = 1) -> ShardFailure:
    """Describe a shard that could not be made, with its identity and key in front of the traceback."""
    return ShardFailure(
        key=spec.key,
        kind=spec.kind,
        identity=spec.identity,
        error=error,
        traceback=f"{spec.identity} (shard {spec.key}):\n{details}",
        attempts=attempts,
        host=socket.gethostname(),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _make_one(make: Make, spec: ShardSpec) -> Outcome:
    try:
        entry = make(spec)
        if entry.key != spec.key:
            raise RuntimeError(f"made shard {entry.key} ({entry.identity}) instead")
    except Exception as error:
        return failure_of(spec, _one_line(error), traceback.format_exc())
    return entry


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


class InThisProcess:
    """Makes shards here, one after the other: for debuggers, profilers and very small jobs."""

    description = "this process"
    dashboard: str | None = None
    threads = 1

    def __init__(self) -> None:
        self._waiting: deque[Task] = deque()

    @property
    def in_flight(self) -> int:
        return len(self._waiting)

    def submit(self, tasks: Sequence[Task]) -> None:
        self._waiting.extend(tasks)

    def collect(self, timeout_seconds: float) -> Sequence[Result]:
        if not self._waiting:
            return []
        task = self._waiting.popleft()
        return [Result(task=task, outcomes=make_all(task.make, task.specs))]

    def drop_waiting(self) -> None:
        self._waiting.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.clear()
