"""Whatever is killed, and whenever: running again finishes, and the store is what it would have been.

Twenty kills at random moments: nine of drivers, nine of workers, two of schedulers.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.verify import verify_store
from tests.pipeline.tiny import checksums, manifest_text

pytestmark = pytest.mark.slow

ENVIRONMENT = {
    **os.environ,
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s",
    "OMP_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Reference:
    """A data set made without any disturbance."""

    manifest: Path
    contents: dict[str, str]
    shards: int


def program(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "dsfu.pipeline.cli", *map(str, arguments)]


def run_command(manifest: Path, store: Path, *arguments: str) -> list[str]:
    local = [] if "--scheduler" in arguments or "--workers" in arguments else ["--workers", "2"]
    return program("run", manifest, "--store", store, "--dashboard", "none", *local, *arguments)


def answer(*arguments: str | Path) -> str:
    told = subprocess.run(program(*arguments), env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@contextmanager
def started(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """A process in a group of its own, of which nothing is left afterwards."""
    process = subprocess.Popen(
        command, env=ENVIRONMENT, text=True, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def finish(manifest: Path, store: Path, *arguments: str) -> None:
    """Run to the end."""
    command = run_command(manifest, store, *arguments)
    told = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def workers_of(driver: "subprocess.Popen[str]") -> list[psutil.Process]:
    with suppress(psutil.Error):
        children = psutil.Process(driver.pid).children()
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    return []


def wait_for(condition: Callable[[], object], seconds: float = 180.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def made(store: Path) -> int:
    return len(list(store.glob("ledger/??/*.json")))


def assert_same(store: Path, reference: Reference) -> None:
    found = checksums(store)
    differing = sorted(name for name in found | reference.contents if found.get(name) != reference.contents.get(name))
    assert not differing
    assert verify_store(open_files(store)).damage == ()


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("reference")
    manifest = folder / "tiny.yaml"
    manifest.write_text(manifest_text(per_group=12))
    finish(manifest, folder / "alone", "--scheduler", "sync")
    return Reference(manifest, checksums(folder / "alone"), made(folder / "alone"))


def test_two_workers_make_the_same(reference, tmp_path):
    finish(reference.manifest, tmp_path / "store")
    assert_same(tmp_path / "store", reference)


def test_one_process_with_four_threads_makes_the_same(reference, tmp_path):
    finish(reference.manifest, tmp_path / "store", "--workers", "1", "--threads", "4")
    assert_same(tmp_path / "store", reference)


def wait_for_progress(driver: "subprocess.Popen[str]", store: Path, shards: int, chance: random.Random) -> None:
    """Until so many shards are there, and then a little longer."""
    wait_for(lambda: made(store) >= shards or driver.poll() is not None)
    time.sleep(chance.uniform(0.0, 0.1))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_drivers(reference, tmp_path, seed):
    store, chance = tmp_path / "store", random.Random(seed)
    for _ in range(3):
        before = made(store)
        with started(run_command(reference.manifest, store)) as driver:
            wait_for_progress(driver, store, before + chance.randrange((reference.shards - before) // 2), chance)
            assert driver.poll() is None
            driver.kill()
            driver.wait()
    finish(reference.manifest, store)
    assert_same(store, reference)


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_killed_workers(reference, tmp_path, seed):
    store, chance = tmp_path / "store", random.Random(seed)
    with started(run_command(reference.manifest, store)) as driver:
        for shards in sorted(chance.sample(range(reference.shards - 20), 3)):
            wait_for_progress(driver, store, shards, chance)
            wait_for(lambda: workers_of(driver))
            chance.choice(workers_of(driver)).kill()
        _, told = driver.communicate(timeout=120)
        assert driver.returncode == 0, told
        assert "Warning" not in told
    assert_same(store, reference)


@contextmanager
def scheduler_and_workers(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    file = folder / f"scheduler-{time.monotonic_ns()}.json"
    common = ["--no-dashboard", "--scheduler-file", str(file)]
    python = [sys.executable, "-m"]
    with (
        started(
            [*python, "distributed.cli.dask_scheduler", *common, "--port", "0", "--host", "127.0.0.1"]
        ) as scheduler,
        started([*python, "distributed.cli.dask_worker", *common, "--nworkers", "2", "--nthreads", "1"]),
    ):
        wait_for(lambda: file.exists() and "tcp://" in file.read_text())
        found = re.search(r'"address": "(tcp://[^"]+)"', file.read_text())
        assert found is not None
        yield found[1], scheduler


def test_killed_schedulers(reference, tmp_path):
    store, chance = tmp_path / "store", random.Random(7)
    for _ in range(2):
        before = made(store)
        with (
            scheduler_and_workers(tmp_path) as (address, scheduler),
            started(run_command(reference.manifest, store, "--scheduler", address)) as driver,
        ):
            wait_for_progress(driver, store, before + chance.randrange(1, (reference.shards - before) // 2), chance)
            scheduler.kill()
            out, err = driver.communicate(timeout=180)
            assert driver.returncode == 4, out + err
            assert "has gone away" in out
            assert "Nothing that was made is lost" in out
            assert "Traceback" not in err
    with scheduler_and_workers(tmp_path) as (address, _):
        finish(reference.manifest, store, "--scheduler", address)
    assert_same(store, reference)


def interrupt_group(driver: "subprocess.Popen[str]") -> None:
    """As a terminal does at Ctrl-C: everyone is told, workers too."""
    os.killpg(driver.pid, signal.SIGINT)


def terminate(driver: "subprocess.Popen[str]") -> None:
    driver.terminate()


@pytest.mark.parametrize("ask", [interrupt_group, terminate])
def test_asked_to_stop(reference, tmp_path, ask):
    store = tmp_path / "store"
    with started(run_command(reference.manifest, store)) as driver:
        wait_for(lambda: made(store) > 10)
        workers = workers_of(driver)
        ask(driver)
        out, err = driver.communicate(timeout=180)
    assert driver.returncode == 130, out + err
    assert "Stopping" in err
    assert "Traceback" not in out + err
    assert f"dsfu-pipeline run {reference.manifest} --store {store}" in out
    assert not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]
    status = json.loads(answer("status", store, "--json"))
    assert status["closed"] is not None
    assert status["writers"] == status["failures"] == []
    assert sum(status["present"].values()) == made(store)
    finish(reference.manifest, store)
    assert_same(store, reference)


def test_interrupted_before_there_are_workers(reference, tmp_path):
    with started(run_command(reference.manifest, tmp_path / "store")) as driver:
        wait_for(lambda: (tmp_path / "store" / "locks" / "run.json").exists())
        interrupt_group(driver)
        out, err = driver.communicate(timeout=180)
    assert driver.returncode == 130, out + err
    assert "Traceback" not in out + err


def test_a_second_run_is_refused_and_told_who_holds_the_store(reference, tmp_path):
    store = tmp_path / "store"
    with started(run_command(reference.manifest, store)) as first:
        wait_for(lambda: (store / "locks" / "run.json").exists())
        second = subprocess.run(run_command(reference.manifest, store), capture_output=True, text=True, check=False)
        assert second.returncode == 2
        assert "writes to this store" in second.stderr
        assert str(first.pid) in second.stderr
        _, told = first.communicate(timeout=180)
        assert first.returncode == 0, told
    assert_same(store, reference)


def test_a_worker_stays_under_its_limit_of_memory(tmp_path):
    """Pairs of the paper's size, in one process together with everything else that a run does."""
    manifest = tmp_path / "large.yaml"
    manifest.write_text(
        "{version: 1, name: large, seed: 1, store: store,"
        " pairs: {train: {groups: [2, 4], per_group: 1}, validation: null},"
        " sro: {monte_carlo: {bank_size: 12}}, dead_zones: {bank_size: 64}}"
    )
    code = (
        "import re, dsfu.pipeline.cli as cli\n"
        "try:\n    cli.main()\n"
        # Not getrusage: its maximum is inherited from the process that starts another, and that of the tests is large.
        "finally:\n    print('peak', re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])"
    )
    command = [sys.executable, "-c", code, "run", str(manifest), "--store", str(tmp_path / "s"), "--scheduler", "sync"]
    told = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    peak_gib = int(told.stdout.split("peak")[1]) / 2**20
    assert peak_gib < 1.5
