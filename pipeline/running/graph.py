"""The engine that is a Dask cluster; where its workers come from is `dask_workers`.

Only these two import dask, and that late, so that nothing else waits for it. Workers are handed functions and
specifications, and hand back ledger entries; arrays never pass through here.
"""

import contextlib
import logging
import re
import time
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from dsfu.pipeline.running.engines import EngineError, Result, Task, failure_of, make_all

if TYPE_CHECKING:
    from distributed import Client, Future


_MEMORY_LOGGER: Final = "distributed.nanny.memory"

SILENCE_SECONDS: Final = 5.0
"""After so long without a result or a new task it is asked whether anything is being made at all; and once more."""


class BatchWorkers(Protocol):
    """Workers that come and go as jobs of a batch system, and what looks after them."""

    cluster: Any
    dashboard: str | None

    @property
    def description(self) -> str: ...

    def look_after(self) -> str | None:
        """Replace what is gone. Returns, in words, why there is no use in going on, if so."""
        ...

    def why_lost(self, worker_name: str) -> tuple[str, bool] | None:
        """How the job of a lost worker ended, and whether its work may be to blame; None if that cannot be said."""
        ...

    def close(self, timeout: float | None = None) -> None: ...


class DaskEngine:
    """Makes shards on the workers of a Dask scheduler.

    Parameters
    ----------
    client
        Connected to the scheduler; closed with the engine.
    cluster
        What was started for this engine and has to be closed with it, if anything.
    dashboard
        Where Dask's dashboard is, if there is one.
    patience_seconds
        How long to wait while there is no worker at all; None for ever, as befits a batch system.
    batch
        What looks after the workers, if they are jobs of a batch system.
    """

    def __init__(
        self,
        client: "Client",
        description: str,
        *,
        cluster: Any = None,
        dashboard: str | None = None,
        patience_seconds: float | None = None,
        batch: BatchWorkers | None = None,
    ) -> None:
        from distributed import as_completed

        self.description = description
        self.dashboard = dashboard
        self._client, self._cluster = client, cluster
        self._address = str(client.scheduler.address)
        self._completed = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self._tasks: dict[Future, Task] = {}
        self._held: list[Task] = []
        self._patience_seconds = patience_seconds
        self._batch = batch
        self._ended_for_memory = _EndedForMemory()
        logging.getLogger(_MEMORY_LOGGER).setLevel(logging.WARNING)  # silenced or not, it is listened to
        logging.getLogger(_MEMORY_LOGGER).addHandler(self._ended_for_memory)
        self._threads = 0
        self._threads_asked = self._workers_seen = self._heard = time.monotonic()
        self._found_idle = False
        self._ask_threads()

    @property
    def threads(self) -> int:
        if time.monotonic() > self._threads_asked + 1.0:
            self._ask_threads()
        return self._threads

    @property
    def in_flight(self) -> int:
        return len(self._tasks) + len(self._held)

    def submit(self, tasks: Sequence[Task]) -> None:
        self._held.extend(tasks)
        self._send()

    def collect(self, timeout_seconds: float) -> Sequence[Result]:
        self._send()
        self._check_patience()
        self._look_after_jobs()
        if not self._completed.has_ready():
            with self._completed.thread_condition:
                self._completed.thread_condition.wait(timeout_seconds)
        finished = self._completed.next_batch(block=False)
        if not finished:
            return self._missed()
        self._heard, self._found_idle = time.monotonic(), False
        tasks = [(self._tasks.pop(future, None), future, value) for future, value in finished]
        return [self._result(task, future, value) for task, future, value in tasks if task is not None]

    def _missed(self) -> Sequence[Result]:
        """Tasks whose end will not be told any more: it has been silent for long, and twice no worker made any.

        When the worker that keeps a result is lost while we fetch it, and soon after the one that makes it again,
        Dask's client waits for ever for news that has come already.
        """
        if not self._tasks or time.monotonic() < self._heard + SILENCE_SECONDS or not self.threads:
            return []
        self._heard = time.monotonic()
        try:
            busy = self._client.status != "running" or any(self._client.processing().values())
        except (OSError, TimeoutError):
            return []
        if busy or not self._found_idle:  # seen idle once, a result may be on its way
            self._found_idle = not busy
            return []
        missed = dict(self._tasks)
        self._tasks.clear()
        self._client.cancel(list(missed))
        return [Result(task=task, lost="its result was lost with its worker") for task in missed.values()]

    def drop_waiting(self) -> None:
        self._held.clear()
        if not self._tasks or self._client.status != "running":
            return
        running = {key for keys in self._client.processing().values() for key in keys}
        waiting = [future for future in self._tasks if future.key not in running and not future.done()]
        for future in waiting:
            del self._tasks[future]
        self._client.cancel(waiting)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.clear()
        self._tasks.clear()
        logging.getLogger(_MEMORY_LOGGER).removeHandler(self._ended_for_memory)
        with contextlib.suppress(Exception):  # whatever it says, we are leaving
            self._client.close(timeout=5)
        if self._cluster is not None:
            with contextlib.suppress(Exception):
                self._cluster.close(timeout=10)

    def _send(self) -> None:
        """Hand over what is held, unless the client is looking for its scheduler just now."""
        if self._client.status == "running":
            for task in self._held:
                key = (task.group, task.name, task.attempt)
                future = self._client.submit(make_all, task.make, task.specs, key=key, pure=False)
                self._tasks[future] = task
                self._completed.add(future)
                self._heard, self._found_idle = time.monotonic(), False
            self._held.clear()
        elif self._client.status != "connecting":
            raise EngineError(f"the scheduler at {self._address} has gone away")

    def _ask_threads(self) -> None:
        self._threads = 0
        if self._client.status == "running":
            with contextlib.suppress(OSError, TimeoutError):
                self._threads = sum(self._client.nthreads().values())
        self._threads_asked = time.monotonic()
        if self._threads:
            self._workers_seen = self._threads_asked

    def _check_patience(self) -> None:
        if self._patience_seconds is None or self.threads:
            return
        if time.monotonic() > self._workers_seen + self._patience_seconds:
            raise EngineError(f"there has been no worker for {self._patience_seconds:.0f} s ({self.description})")

    def _look_after_jobs(self) -> None:
        trouble = self._batch.look_after() if self._batch else None
        if trouble:
            raise EngineError(trouble)

    def _result(self, task: Task, future: "Future", value: Any) -> Result:
        from distributed import KilledWorker

        if future.status == "finished":
            return Result(task=task, outcomes=value)
        if future.status == "error":
            kind, error, trace = value
            if isinstance(error, KilledWorker):
                end = self._batch.why_lost(str(error.last_worker.name)) if self._batch else None
                if end is not None:
                    return Result(task=task, lost=end[0], counts=end[1])
                return Result(task=task, lost=self._why_killed(error))
            details = "".join(traceback.format_exception(kind, error, trace))
            failures = [failure_of(spec, f"{kind.__name__}: {error}", details) for spec in task.specs]
            return Result(task=task, outcomes=failures)
        connection_lost = getattr(value, "reason", "") == "scheduler-connection-lost"
        return Result(task=task, lost="the connection to the scheduler was lost", counts=not connection_lost)

    def _why_killed(self, error: Any) -> str:
        worker = str(error.last_worker.address)
        if worker in self._ended_for_memory.workers:
            limit = error.last_worker.memory_limit / 2**30
            return f"its worker took more than the {limit:.1f} GiB of memory that it is allowed, and was ended"
        times = error.allowed_failures + 1
        which = f"the last of {times} workers was {worker}" if times > 1 else worker
        return f"its worker died while making it: killed, out of memory, or crashed ({which})"


class _EndedForMemory(logging.Handler):
    """Notes which local workers their nannies ended for their memory. Dask tells the reason nowhere but in its log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.workers: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        match = re.search(r"Worker (\S+) .*exceeded .* memory budget", record.getMessage())
        if match:
            self.workers.add(match[1])
