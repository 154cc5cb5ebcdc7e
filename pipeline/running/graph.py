"""The engine that is a Dask cluster: on this machine, or one that is there already.

The only module that imports dask, and that late, so that nothing else waits for it. Workers are handed functions and
specifications, and hand back ledger entries; arrays never pass through here.
"""

import contextlib
import logging
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing import resource_tracker
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from dsfu.pipeline.running.engines import EngineError, Result, Task, failure_of, make_all

if TYPE_CHECKING:
    from distributed import Client, Future

MEMORY_LIMIT_BYTES: Final = 3 * 2**29
"""What a worker process with one thread may take: 1.5 GiB. Above it, its nanny ends it and starts another."""

MEMORY_LIMIT_BYTES_PER_FURTHER_THREAD: Final = 2**29

_MEMORY_LOGGER: Final = "distributed.nanny.memory"

SILENCE_SECONDS: Final = 5.0
"""After so long without a result or a new task it is asked whether anything is being made at all; and once more."""

_LOCAL_CONFIG: Final[Mapping[str, Any]] = {
    # A worker's death is told at once, and `feeding` decides what to try again; so that no shard which merely waited at
    # a dying worker is suspected, none waits there.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-saturation": 1.0,
    # Results are a few hundred bytes: there is nothing to spill, and a worker that paused would never go on.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    # One thread of Dask is one core: libraries must not start more.
    "distributed.nanny.pre-spawn-environ": {
        "MALLOC_TRIM_THRESHOLD_": 65536,
        "OMP_NUM_THREADS": 1,
        "MKL_NUM_THREADS": 1,
        "OPENBLAS_NUM_THREADS": 1,
        "NUMBA_NUM_THREADS": 1,
    },
}

_OPEN_TO_ALL: Final = " (not encrypted, and whoever reaches it can run code there; see docs/hpc.md)"
_HOW_TO_TELL_CERTIFICATES: Final = (
    "there is no certificate to show; name it as Dask wants it, in DASK_DISTRIBUTED__COMM__TLS__CA_FILE, "
    "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY; see docs/hpc.md"
)


def memory_limit_bytes(threads: int) -> int:
    """What a worker process of so many threads may take."""
    return MEMORY_LIMIT_BYTES + (threads - 1) * MEMORY_LIMIT_BYTES_PER_FURTHER_THREAD


def processors() -> int:
    """How many cores this process may use, as far as its affinity and control group tell."""
    from dask.system import CPU_COUNT

    return int(CPU_COUNT)


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


def open_local(
    workers: int | None = None,
    threads: int = 1,
    *,
    dashboard_address: str | None = None,
    quiet: bool = True,
) -> DaskEngine:
    """Start worker processes on this machine; they end with this process, however it ends.

    Parameters
    ----------
    workers
        How many processes; as many as there are cores for, if not given.
    dashboard_address
        ``host:port`` of Dask's dashboard, port 0 for any; none if not given.
    quiet
        Whether to keep to ourselves what Dask has to say of its workers.
    """
    import dask
    from distributed import Client, LocalCluster

    from dsfu.cluster.credentials import CredentialsError, make_pem, security_of
    from dsfu.cluster.dashboard import CLOSED_AT_ONCE, open_dashboard

    workers = workers or max(1, processors() // threads)
    try:
        security = security_of(make_pem())
    except CredentialsError as error:
        raise EngineError(str(error)) from error
    with dask.config.set(_LOCAL_CONFIG), _interrupts_kept_from_children():
        try:
            cluster: LocalCluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=threads,
                memory_limit=memory_limit_bytes(threads),
                # Every user of this machine reaches its ports; only holders of the key are let in.
                security=security,
                dashboard_address=CLOSED_AT_ONCE,
                scheduler_kwargs={"dashboard": False},
                preload="dsfu.pipeline.running.worker_process",
                silence_logs=_silence(quiet),
            )
        except Exception as error:  # whatever Dask makes of a worker that is killed as it starts
            told = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise EngineError(f"the workers could not be started ({told}); run again, or with fewer workers") from error
        dashboard = open_dashboard(cluster, dashboard_address)
        client = Client(cluster)
    return DaskEngine(
        client,
        f"{_count(workers, 'worker')} × {_count(threads, 'thread')} on this machine",
        cluster=cluster,
        dashboard=dashboard,
        patience_seconds=60,
    )


def open_existing(address: str, *, quiet: bool = True) -> DaskEngine:
    """Connect to a scheduler that is there already.

    How long to wait for it, now and should it go away, is Dask's setting ``distributed.comm.timeouts.connect``.
    """
    from distributed import Client

    _silence_loggers(quiet)
    try:
        client = Client(address, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise EngineError(f"no Dask scheduler answers at {address}: {error}") from error
    except TypeError as error:  # Dask's word for certificates that are not told
        raise EngineError(f"{address}: {_HOW_TO_TELL_CERTIFICATES}") from error
    dashboard = client.dashboard_link if _has_dashboard(client) else None
    description = f"workers of {address}{'' if address.startswith('tls') else _OPEN_TO_ALL}"
    engine = DaskEngine(client, description, dashboard=dashboard, patience_seconds=300)
    try:
        _check_workers(client)
    except BaseException:
        engine.__exit__(None, None, None)
        raise
    return engine


def open_batch(launch: Callable[[], BatchWorkers], *, quiet: bool = True) -> DaskEngine:
    """Have workers that are jobs of a batch system, and wait for them as long as it takes.

    Parameters
    ----------
    launch
        Starts the driver's scheduler and submits the jobs. Raises `EngineError` if that cannot be done.
    """
    import dask
    from distributed import Client

    _silence_loggers(quiet)
    with dask.config.set(_LOCAL_CONFIG), _interrupts_kept_from_children():
        batch = launch()
        try:
            client = Client(batch.cluster, set_as_default=False)
        except BaseException:
            batch.close(timeout=10)
            raise
    return DaskEngine(client, batch.description, cluster=batch, dashboard=batch.dashboard, batch=batch)


def _check_workers(client: "Client") -> None:
    """Complain at once of workers that lack this package, rather than through every shard."""
    from dsfu.pipeline.running.engines import versions

    try:
        theirs = client.run(versions, on_error="return")
    except Exception as error:
        raise EngineError(f"the workers cannot be asked for their versions: {error}") from error
    mine = versions()
    for address, version in theirs.items():
        if version != mine:
            raise EngineError(f"the worker {address} has {version!r} of dsfu and Python, but here it is {mine!r}")


def _silence_loggers(quiet: bool) -> None:
    """Of all that complain, with tracebacks, when a scheduler goes away; Dask gave some of them levels of their own."""
    families = ("distributed", "tornado", "asyncio")
    for name in (*families, *logging.root.manager.loggerDict):
        if name.partition(".")[0] in families:
            logging.getLogger(name).setLevel(_silence(quiet))


def _silence(quiet: bool) -> int:
    return logging.CRITICAL if quiet else logging.INFO


def _has_dashboard(client: "Client") -> bool:
    return "dashboard" in client.scheduler_info().get("services", {})


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@contextlib.contextmanager
def _interrupts_kept_from_children() -> Iterator[None]:
    """Keep Ctrl-C, which a terminal sends to every process, from the workers that are started within, now or later.

    Threads and processes inherit which signals are blocked in the thread that starts them; ours gets its own back.
    """
    if sys.platform == "win32":
        yield
        return
    _start_resource_tracker()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_resource_tracker() -> None:
    """Start Python's process that tidies up after processes: as it starts, it lets the blocked signal through again.

    What killed workers leave to it is not worth telling the user.
    """
    sys.warnoptions.append("ignore::UserWarning:multiprocessing.resource_tracker")  # inherited on its command line
    try:
        resource_tracker.ensure_running()
    finally:
        sys.warnoptions.pop()
