"""Where the engine's workers come from: started on this machine, there already, or jobs of a batch system.

Only this module and `graph` import dask, and that late, so that nothing else waits for it."""

import contextlib
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Final

from dsfu.pipeline.running.engines import EngineError
from dsfu.pipeline.running.graph import BatchWorkers, DaskEngine
from dsfu.worker_environment import WORKER_ENVIRONMENT, WORKER_SETTINGS

if TYPE_CHECKING:
    from distributed import Client


MEMORY_LIMIT_BYTES: Final = 3 * 2**29
"""What a worker process with one thread may take: 1.5 GiB. Above it, its nanny ends it and starts another."""

MEMORY_LIMIT_BYTES_PER_FURTHER_THREAD: Final = 2**29

_LOOK_AFTER_SECONDS: Final = 2.0

_LOCAL_CONFIG: Final[Mapping[str, Any]] = {
    # A worker's death is told at once, and `feeding` decides what to try again; so that no shard which merely waited at
    # a dying worker is suspected, none waits there.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-saturation": 1.0,
    **WORKER_SETTINGS,
    "distributed.nanny.pre-spawn-environ": dict(WORKER_ENVIRONMENT),
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
    from distributed import LocalCluster

    from dsfu.cluster.credentials import CredentialsError, make_pem, security_of
    from dsfu.cluster.dashboard import CLOSED_AT_ONCE, open_dashboard
    from dsfu.pipeline.running.dask_client import OwnClient

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
        client = OwnClient(cluster)
    description = f"{_count(workers, 'worker')} × {_count(threads, 'thread')} on this machine"
    local = _LocalWorkers(cluster, workers, description, dashboard)
    return DaskEngine(client, description, cluster=local, dashboard=dashboard, patience_seconds=120, batch=local)


class _LocalWorkers:
    """Workers on this machine. Those that Dask has given up are started again.

    A nanny starts a worker that died anew. One that dies as it starts, or takes longer than 15 s on a busy machine, is
    given up together with its nanny.
    """

    def __init__(self, cluster: Any, workers: int, description: str, dashboard: str | None) -> None:
        self.cluster, self.description, self.dashboard = cluster, description, dashboard
        self._workers = workers
        self._looked = time.monotonic()

    def look_after(self) -> str | None:
        if time.monotonic() > self._looked + _LOOK_AFTER_SECONDS:
            self._looked = time.monotonic()
            self.cluster.loop.add_callback(self._start_again)
        return None

    def why_lost(self, worker_name: str) -> tuple[str, bool] | None:
        return None

    def close(self, timeout: float | None = None) -> None:
        self.cluster.close(timeout=timeout)

    async def _start_again(self) -> None:
        import dask

        nannies = self.cluster.workers
        for name in [name for name, nanny in nannies.items() if nanny.status.name in ("closed", "failed")]:
            del nannies[name]
        if len(nannies) < self._workers:
            with dask.config.set(_LOCAL_CONFIG), contextlib.suppress(Exception):  # one that fails is tried once more
                self.cluster.scale(self._workers)
                await self.cluster._correct_state()


def open_existing(address: str, *, quiet: bool = True) -> DaskEngine:
    """Connect to a scheduler that is there already.

    How long to wait for it, now and should it go away, is Dask's setting ``distributed.comm.timeouts.connect``.
    """
    from dsfu.pipeline.running.dask_client import OwnClient

    _silence_loggers(quiet)
    try:
        client = OwnClient(address, set_as_default=False)
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

    from dsfu.pipeline.running.dask_client import OwnClient

    _silence_loggers(quiet)
    with dask.config.set(_LOCAL_CONFIG), _interrupts_kept_from_children():
        batch = launch()
        try:
            client = OwnClient(batch.cluster, set_as_default=False)
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
