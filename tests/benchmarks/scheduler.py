"""No-op shards through a real scheduler: how many a second, and what scheduler and driver hold in memory meanwhile.

OMP_NUM_THREADS=1 python tests/benchmarks/scheduler.py [--shards 100000] [--one-by-one 20000] [--json FILE]

Scheduler, driver and two workers are processes of their own on this machine. The reference is Dask alone, given as many
tasks at once with `Client.map`. From the rate follows the largest cluster that one driver can keep busy.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from dsfu.pipeline.running.dask_workers import open_existing
from dsfu.pipeline.running.engines import make_all
from dsfu.pipeline.running.feeding import FeedRules, run_shards
from dsfu.pipeline.running.graph import DaskEngine
from dsfu.pipeline.specs import LedgerEntry, ShardFailure, ShardSpec
from tests.pipeline.fakes import make

TASK_SECONDS = 1.0


class Counting:
    """A watcher that counts, and notes the largest memory of some processes."""

    def __init__(self, processes: dict[str, psutil.Process]) -> None:
        self.made = 0
        self.processes = processes
        self.peak_mb = dict.fromkeys(processes, 0.0)

    def finished(self, entry: LedgerEntry) -> None:
        self.made += 1

    def failed(self, failure: ShardFailure) -> None:
        raise RuntimeError(failure.traceback)

    def retried(self, spec: ShardSpec, why: str) -> None:
        raise RuntimeError(why)

    def tick(self, engine: object) -> None:
        for name, process in self.processes.items():
            self.peak_mb[name] = max(self.peak_mb[name], process.memory_info().rss / 1e6)


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A scheduler and two workers; their address, and the scheduler's process."""
    file = folder / "scheduler.json"
    common = ["--no-dashboard", "--scheduler-file", str(file)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    commands = [
        ["distributed.cli.dask_scheduler", *common, "--port", "0", "--host", "127.0.0.1"],
        ["distributed.cli.dask_worker", *common, "--nworkers", "2", "--nthreads", "1"],
    ]
    started = [
        subprocess.Popen([sys.executable, "-m", *each], env=environment, stderr=subprocess.DEVNULL) for each in commands
    ]
    try:
        while not (file.exists() and (found := re.search(r'"address": "(tcp://[^"]+)"', file.read_text()))):
            time.sleep(0.1)
        yield found[1], psutil.Process(started[0].pid)
    finally:
        for each in reversed(started):
            each.terminate()
            each.wait()


def specs(number: int, kind: str) -> list[ShardSpec]:
    return [
        ShardSpec(
            kind=kind,
            identity=f"{kind}/{n}",
            inputs={"n": str(n)},
            parameters={"took": 0.0},
            items=1,
            seconds_expected=1e-6,
        )
        for n in range(number)
    ]


def fed(engine: DaskEngine, wanted: Sequence[ShardSpec], scheduler: psutil.Process, **rules: Any) -> dict[str, Any]:
    watcher = Counting({"scheduler": scheduler, "driver": psutil.Process()})
    start = time.perf_counter()
    run_shards(wanted, make, engine=engine, watcher=watcher, rules=FeedRules(**rules))
    seconds = time.perf_counter() - start
    return {"shards": watcher.made, "seconds": seconds, "peak_mb": watcher.peak_mb}


def mapped(engine: DaskEngine, wanted: Sequence[ShardSpec], scheduler: psutil.Process) -> dict[str, Any]:
    """The same through Dask alone, all at once."""
    from distributed import as_completed

    watcher = Counting({"scheduler": scheduler, "driver": psutil.Process()})
    start = time.perf_counter()
    futures = engine._client.map(make_all, [make] * len(wanted), [[spec] for spec in wanted], pure=False)
    for _, (entry,) in as_completed(futures, loop=engine._client.loop, with_results=True):
        watcher.finished(entry)
        if watcher.made % 1000 == 0:
            watcher.tick(engine)
    return {"shards": watcher.made, "seconds": time.perf_counter() - start, "peak_mb": watcher.peak_mb}


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=100_000)
    parser.add_argument("--one-by-one", type=int, default=20_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        cluster(Path(folder)) as (address, scheduler),
        open_existing(address) as engine,
    ):
        engine._client.wait_for_workers(2)
        run_shards(specs(50, "warm"), make, engine=engine, watcher=Counting({}))
        few, many = specs(options.one_by_one, "single"), specs(options.shards, "batch")
        rows["several a task, as they are cheap"] = fed(engine, many, scheduler)
        rows["one a task"] = fed(engine, few, scheduler, task_shards=1)
        rows["one a task, larger window"] = fed(engine, few, scheduler, task_shards=1, tasks_per_thread=64)
        rows["Dask alone, all at once"] = mapped(engine, few, scheduler)
    reference = rows["Dask alone, all at once"]
    print(f"{'':36}{'shards':>9}{'a second':>10}{'ratio':>7}{'scheduler':>11}{'driver':>9}")
    for name, row in rows.items():
        row["per_second"] = row["shards"] / row["seconds"]
        ratio = row["per_second"] * reference["seconds"] / reference["shards"]
        memory = row["peak_mb"]
        print(
            f"{name:36}{row['shards']:>9}{row['per_second']:>10.0f}{ratio:>7.2f}"
            f"{memory['scheduler']:>8.0f} MB{memory['driver']:>6.0f} MB"
        )
    cores = rows["one a task, larger window"]["per_second"] * TASK_SECONDS
    print(f"One driver keeps some {cores:.0f} cores busy, if a task takes {TASK_SECONDS:.0f} s.")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
