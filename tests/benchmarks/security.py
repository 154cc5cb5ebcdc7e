"""What it costs that driver and workers talk TLS: start of a local cluster, shards a second, and processor time.

    OMP_NUM_THREADS=1 python tests/benchmarks/security.py [--shards 3000] [--starts 5] [--json FILE]

The same local cluster of two workers with and without, in turns, in one run. Shards are empty, one a task, so that all
that is measured is talk; a shard of planes takes a worker some 0.1 to 1 s. Processor times are those of driver and
workers together. The key by itself is timed beside Dask's own `Security.temporary()`.
"""

import json
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from distributed.security import Security

from dsfu.cluster import credentials
from dsfu.pipeline.running.dask_workers import open_local
from dsfu.pipeline.running.feeding import FeedRules, run_shards
from tests.pipeline.fakes import Notes, make, spec

KINDS = ("TLS", "none")


def processor_seconds() -> float:
    own = psutil.Process()
    times = [each.cpu_times() for each in [own, *own.children(recursive=True)]]
    return sum(each.user + each.system for each in times)


def measured(shards: int, scope: str) -> dict[str, float]:
    begin = time.perf_counter()
    with open_local(2) as engine:
        started = time.perf_counter() - begin
        run_shards([spec(i) for i in range(20)], make, engine=engine, watcher=Notes(), scope=f"warm {scope}")
        clock, processor = time.perf_counter(), processor_seconds()
        rules = FeedRules(task_shards=1, tasks_per_thread=64)
        run_shards([spec(i) for i in range(shards)], make, engine=engine, watcher=Notes(), scope=scope, rules=rules)
        clock, processor = time.perf_counter() - clock, processor_seconds() - processor
    return {"start_s": started, "shards_per_second": shards / clock, "processor_ms_per_shard": 1e3 * processor / shards}


def seconds(make_key: Callable[[], Any], runs: int = 5) -> float:
    times = []
    for _ in range(runs):
        begin = time.process_time()
        make_key()
        times.append(time.process_time() - begin)
    return median(times)


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, default=3000)
    parser.add_argument("--starts", type=int, default=5, help="clusters of either kind")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    with_key = credentials.security_of
    for number in range(options.starts):
        for kind in KINDS if number % 2 else KINDS[::-1]:
            credentials.security_of = with_key if kind == "TLS" else lambda pem: Security(require_encryption=False)
            runs[kind].append(measured(options.shards, f"{kind} {number}"))
    rows = {kind: {name: median(run[name] for run in runs[kind]) for name in runs[kind][0]} for kind in KINDS}
    print(f"{'median of ' + str(options.starts):28}{'TLS':>10}{'without':>10}{'ratio':>8}")
    for name in rows["TLS"]:
        ours, plain = rows["TLS"][name], rows["none"][name]
        print(f"{name:28}{ours:>10.2f}{plain:>10.2f}{ours / plain:>8.2f}")
    own_s, dask_s = seconds(credentials.make_pem), seconds(Security.temporary)
    print(f"a new key: {1e3 * own_s:.2f} ms of the processor; Security.temporary(): {1e3 * dask_s:.0f} ms")
    if options.json:
        options.json.write_text(
            json.dumps({"runs": runs, "key_ms": 1e3 * own_s, "dask_key_ms": 1e3 * dask_s}, indent=1)
        )


if __name__ == "__main__":
    main()
