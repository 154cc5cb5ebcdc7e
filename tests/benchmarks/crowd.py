"""A thousand threads that only wait: whether feeding keeps them busy, and what that costs scheduler and driver.

    python tests/benchmarks/crowd.py [--workers 100] [--threads 10] [--seconds 1] [--shards 20] [--processes 2] [--json]

Workers are Dask's own, many to a process, so that they talk to the scheduler as those of a cluster do; a shard sleeps
instead of computing. "Busy" is the share of the workers' time in which they had a shard, from the
first shard handed over to the last one done, start and end included. The processor's time of the simulated workers is
not counted: on a cluster it is theirs. One driver can feed as many tasks a second as the slower of scheduler and driver
has processor's time for.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from dsfu.pipeline.running.dask_workers import open_existing
from dsfu.pipeline.running.engines import Engine, Task
from dsfu.pipeline.running.feeding import run_shards
from dsfu.pipeline.specs import ShardSpec
from tests.benchmarks.scheduler import Counting, specs
from tests.pipeline.fakes import make

AT_ONCE = 25
PATIENCE_SECONDS = 900.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--threads", type=int, default=10, help="of each worker")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a shard takes")
    parser.add_argument("--shards", type=int, default=20, help="shards for each thread")
    parser.add_argument("--processes", type=int, default=2, help="that hold the workers")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")
    parser.add_argument("--crowd-of", metavar="FILE", help="be workers of the scheduler in this file: what is started")
    options = parser.parse_args()
    if options.crowd_of:
        asyncio.run(be_workers(options.crowd_of, options.workers, options.threads))
        return
    sizes = options.workers, options.threads
    with tempfile.TemporaryDirectory() as folder, crowd(Path(folder), *sizes, options.processes) as started:
        row = fed(*started, *sizes, options.seconds, options.shards)
    if options.json:
        print(json.dumps(row, indent=1))
        return
    print(f"{row['threads']} threads, {row['shards']} shards of {row['shard_s']} s, {row['tasks']} tasks:")
    print(f"  {row['shards_per_s']:.0f} shards/s, {row['tasks_per_s']:.0f} tasks/s, workers {row['busy']:.0%} busy")
    for name in ("scheduler", "driver"):
        print(f"  {name}: {row[name]['ms_a_task']:.2f} ms of the processor a task, {row[name]['peak_mb']:.0f} MB")
    print(f"  one driver can feed {row['most_tasks_per_s']:.0f} tasks/s")


@contextmanager
def crowd(folder: Path, workers: int, threads: int, processes: int) -> Iterator[tuple[str, psutil.Process]]:
    """A scheduler and its crowd; the address, and the scheduler's process."""
    file = folder / "scheduler.json"
    words = ["-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--scheduler-file", str(file)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(*command: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, *command], env=environment, cwd=folder, stderr=subprocess.DEVNULL)

    started = [start(*words, "--port", "0", "--host", "127.0.0.1")]
    try:
        while not (file.exists() and (found := re.search(r'"address": "(tcp://[^"]+)"', file.read_text()))):
            time.sleep(0.1)
        for i in range(processes):
            number = len(range(i, workers, processes))
            sizes = ["--workers", str(number), "--threads", str(threads)]
            started.append(start(str(Path(__file__).resolve()), "--crowd-of", str(file), *sizes))
        yield found[1], psutil.Process(started[0].pid)
    finally:
        for each in reversed(started):
            each.kill()
            each.wait()


async def be_workers(scheduler_file: str, number: int, threads: int) -> None:
    """Hold so many workers, until killed."""
    import dask
    from distributed import Worker

    # Each would have a machine of its own: there its profile and its look at the memory would cost the others nothing.
    dask.config.set({"distributed.worker.profile.enabled": False})
    held = []
    for first in range(0, number, AT_ONCE):
        some = [
            Worker(scheduler_file=scheduler_file, nthreads=threads, memory_limit=0, dashboard=False)
            for _ in range(min(AT_ONCE, number - first))
        ]
        held += await asyncio.gather(*some)
    await asyncio.gather(*(each.finished() for each in held))


class _CountingTasks:
    """An engine that counts what it is handed."""

    def __init__(self, engine: Engine) -> None:
        self.tasks = 0
        self._engine = engine

    def submit(self, tasks: "list[Task]") -> None:
        self.tasks += len(tasks)
        self._engine.submit(tasks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def fed(
    address: str, scheduler: psutil.Process, workers: int, threads: int, seconds: float, shards_each: int
) -> dict[str, Any]:
    """One run over a crowd that has come."""
    processes = {"scheduler": scheduler, "driver": psutil.Process()}
    with open_existing(address) as real:
        real._client.wait_for_workers(workers, timeout=PATIENCE_SECONDS)
        wanted = [sleeping(each, seconds) for each in specs(shards_each * workers * threads, "crowd")]
        engine: Any = _CountingTasks(real)
        watcher = Counting(processes)
        before = {name: used(process) for name, process in processes.items()}
        start = time.perf_counter()
        run_shards(wanted, make, engine=engine, watcher=watcher)
        took = time.perf_counter() - start
        cost = {name: (used(process) - before[name]) / engine.tasks for name, process in processes.items()}
    return {
        "threads": workers * threads,
        "shards": watcher.made,
        "shard_s": seconds,
        "tasks": engine.tasks,
        "clock_s": took,
        "shards_per_s": watcher.made / took,
        "tasks_per_s": engine.tasks / took,
        "busy": watcher.made * seconds / took / (workers * threads),
        "most_tasks_per_s": 1 / max(cost.values()),
        **{name: {"ms_a_task": 1e3 * cost[name], "peak_mb": watcher.peak_mb[name]} for name in processes},
    }


def used(process: psutil.Process) -> float:
    """Seconds of the processor."""
    times = process.cpu_times()
    return float(times.user + times.system)


def sleeping(spec: ShardSpec, seconds: float) -> ShardSpec:
    parameters = {"sleep": seconds, "took": seconds}
    return replace(spec, parameters=parameters, seconds_expected=seconds)


if __name__ == "__main__":
    main()
