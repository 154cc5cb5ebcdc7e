"""The engine that is a Dask cluster, with real schedulers, workers and deaths."""

import os
import re
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dask
import numpy as np
import psutil
import pytest

from dsfu.pipeline.running import graph
from dsfu.pipeline.running.dask_workers import memory_limit_bytes, open_existing, open_local
from dsfu.pipeline.running.engines import EngineError
from dsfu.pipeline.running.feeding import FeedRules, run_shards
from dsfu.pipeline.running.graph import DaskEngine
from dsfu.pipeline.specs import LedgerEntry
from dsfu.worker_environment import WORKER_ENVIRONMENT
from tests.pipeline.fakes import Notes, identities, make, spec

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def engine() -> Iterator[DaskEngine]:
    with open_local(2) as engine:
        yield engine


def test_a_local_cluster_makes_shards_in_its_own_processes(engine):
    specs = [spec(i) for i in range(500)]
    notes = Notes()
    run_shards(specs, make, engine=engine, watcher=notes, scope="plain")
    assert notes.identities() == identities(specs)
    assert len({entry.made["pid"] for entry in notes.made} - {os.getpid()}) == 2
    assert engine.description == "2 workers × 1 thread on this machine"
    assert notes.most_in_flight <= FeedRules().least_window


def test_workers_keep_libraries_to_one_thread_and_memory_for_the_next_shard(engine):
    for values in engine._client.run(lambda: dict(os.environ)).values():
        assert {name: values.get(name) for name in WORKER_ENVIRONMENT} == dict(WORKER_ENVIRONMENT)


@pytest.mark.skipif(sys.platform != "linux", reason="the settings are those of glibc")
def test_arrays_that_come_and_go_do_not_cost_a_page_fault_a_page(engine):
    pages = 40 * 2**20 // resource.getpagesize()
    for faults in engine._client.run(faults_of_arrays).values():
        assert faults < pages / 4


def faults_of_arrays() -> int:
    """Page faults of forty arrays of a megabyte, one after another, in the thread that makes shards."""
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(40):
            np.ones(2**20, np.uint8)
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    return faults


def test_one_that_raises_and_one_that_kills_its_worker_are_set_aside_and_others_go_on(engine):
    bad: dict[int, Any] = {3: {"raise": "no such lattice"}, 7: {"die": True}}
    specs = [spec(i, **bad.get(i, {"sleep": 0.02})) for i in range(30)]
    notes = Notes()
    run_shards(specs, make, engine=engine, watcher=notes, scope="bad")
    failures = {failure.identity: failure for failure in notes.failures}
    assert set(failures) == {"noop/3", "noop/7"}
    assert "no such lattice" in failures["noop/3"].traceback
    assert failures["noop/7"].error.startswith("its worker died while making it")
    assert notes.identities() == identities([each for i, each in enumerate(specs) if i not in bad])


@pytest.mark.slow
def test_one_that_takes_too_much_memory_is_told_so(engine):
    notes = Notes()
    greedy: dict[str, Any] = {"eat": memory_limit_bytes(1)}
    specs = [spec(i, **(greedy if i == 1 else {})) for i in range(6)]
    run_shards(specs, make, engine=engine, watcher=notes, scope="memory", rules=FeedRules(retries=0))
    (failure,) = notes.failures
    assert failure.identity == "noop/1"
    assert "took more than the 1.5 GiB of memory" in failure.error
    assert len(notes.made) == 5


def test_stopping_drops_what_waits_and_keeps_what_runs(engine):
    notes = Notes()
    specs = [spec(i, seconds=9.0, sleep=0.3) for i in range(50)]
    run_shards(specs, make, engine=engine, watcher=notes, scope="stop", stop=lambda: len(notes.made) >= 2)
    assert engine.in_flight == 0
    assert 2 <= len(notes.made) < 10
    assert not notes.failures
    assert not notes.retries


class Killing(Notes):
    """Kills the worker of every 25th shard when it has made it; by then it has begun the next."""

    def finished(self, entry: LedgerEntry) -> None:
        super().finished(entry)
        if len(self.made) % 25 == 0:
            assert entry.made["pid"] != os.getpid()
            with suppress(ProcessLookupError):
                os.kill(int(entry.made["pid"]), signal.SIGKILL)


@pytest.mark.slow
def test_workers_killed_again_and_again_cost_time_only(engine):
    notes = Killing()
    specs = [spec(i, seconds=9.0, sleep=0.05) for i in range(150)]
    run_shards(specs, make, engine=engine, watcher=notes, scope="kill", rules=FeedRules(retries=2))
    assert notes.identities() == identities(specs)
    assert notes.failures == []
    assert notes.retries != []


@pytest.mark.slow
def test_workers_that_die_as_they_start_are_started_again():
    with open_local(2) as engine:
        nannies = list(engine._cluster.cluster.workers.values())
        for pid in engine._client.run(os.getpid).values():
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while any(nanny.status.name != "closed" for nanny in nannies) and time.monotonic() < deadline:
            for nanny in nannies:  # whatever it starts now dies before it can say so
                with suppress(AttributeError, ProcessLookupError, TypeError):
                    os.kill(nanny.process.pid, signal.SIGKILL)
            time.sleep(0.05)
        specs = [spec(i) for i in range(5)]
        notes = Notes()
        run_shards(specs, make, engine=engine, watcher=notes, scope="born dead")
        assert notes.identities() == identities(specs)


DRIVER = """
    import os
    from dsfu.pipeline.running.feeding import run_shards
    from dsfu.pipeline.running.dask_workers import open_local
    from tests.pipeline.fakes import Notes, make, spec
    if __name__ == "__main__":
        with open_local(2) as engine:
            print(*engine._client.run(os.getpid).values(), flush=True)
            specs = [spec(i, seconds=9.0, grip=30_000_000) for i in range(100)]
            run_shards(specs, make, engine=engine, watcher=Notes())
"""


def test_results_of_which_the_client_missed_the_end_are_made_again(engine, monkeypatch):
    """As after two losses in a row: the scheduler is done with a task, and the client still waits for it."""
    monkeypatch.setattr(graph, "SILENCE_SECONDS", 0.5)
    completed = engine._completed
    forgotten: list[Any] = []

    class Deaf:
        """Does not hear of the first task."""

        def add(self, future: Any) -> None:
            if not forgotten:
                forgotten.append(future)
            else:
                completed.add(future)

        def __getattr__(self, name: str) -> Any:
            return getattr(completed, name)

    monkeypatch.setattr(engine, "_completed", Deaf())
    specs = [spec(i, sleep=0.02) for i in range(6)]
    notes = Notes()
    run_shards(specs, make, engine=engine, watcher=notes, scope="missed")
    assert notes.identities() == identities(specs)
    assert forgotten[0].cancelled()
    assert notes.retries


def test_long_work_is_not_taken_for_missed(monkeypatch):
    """By workers of its own: those of other tests were killed, and are perhaps being started again."""
    monkeypatch.setattr(graph, "SILENCE_SECONDS", 0.3)
    notes = Notes()
    with open_local(1) as engine:
        run_shards([spec(0, sleep=2.0)], make, engine=engine, watcher=notes, scope="long")
    assert notes.identities() == identities([spec(0, sleep=2.0)])
    assert not notes.retries


@contextmanager
def running(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def works(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel is asked for it in Linux's way")
def test_workers_do_not_outlive_a_driver_that_is_killed(tmp_path):
    script = tmp_path / "driver.py"
    script.write_text(textwrap.dedent(DRIVER))
    with running(str(script)) as driver:
        assert driver.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in driver.stdout.readline().split()]
        assert len(workers) == 2
        time.sleep(1.0)  # by now they hold their interpreters' locks, so that no thread of theirs could notice
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        time.sleep(0.3)
        alive = [worker for worker in workers if works(worker)]
        for worker in alive:
            worker.kill()
        assert alive == []


@contextmanager
def scheduler_and_workers(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A scheduler and two workers that were there already."""
    file = folder / "scheduler.json"
    common = ["--no-dashboard", "--scheduler-file", str(file)]
    with (
        running("-m", "distributed.cli.dask_scheduler", *common, "--port", "0", "--host", "127.0.0.1") as scheduler,
        running("-m", "distributed.cli.dask_worker", *common, "--nworkers", "2", "--nthreads", "1"),
    ):
        deadline = time.monotonic() + 30
        while not (file.exists() and (found := re.search(r'"address": "(tcp://[^"]+)"', file.read_text()))):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield found[1], scheduler


@pytest.fixture
def impatient() -> Iterator[None]:
    import distributed  # noqa: F401  (brings its own settings)

    with dask.config.set({"distributed.comm.timeouts.connect": "3s"}):
        yield


@pytest.mark.slow
def test_a_scheduler_that_is_there_already_and_then_is_not(tmp_path, impatient):
    with scheduler_and_workers(tmp_path) as (address, scheduler), open_existing(address) as engine:
        notes = Notes()
        run_shards([spec(i) for i in range(50)], make, engine=engine, watcher=notes)
        assert len(notes.made) == 50
        timer = threading.Timer(1.0, scheduler.kill)
        timer.start()
        with pytest.raises(EngineError, match=re.escape(f"the scheduler at {address} has gone away")):
            run_shards([spec(i, seconds=9.0, sleep=0.1) for i in range(200)], make, engine=engine, watcher=notes)
        assert notes.failures == []


def test_an_address_where_nothing_listens_is_told(impatient):
    with pytest.raises(EngineError, match="no Dask scheduler answers at tcp://127.0.0.1:9"):
        open_existing("tcp://127.0.0.1:9")
