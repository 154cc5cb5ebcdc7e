"""What SLURM costs: the same work by workers in its jobs and by workers of this process, and what a loss of them costs.

    python tests/benchmarks/slurm.py [--per-group 18] [--seconds 0.5]

Starts a SLURM of its own (slurm-wlm and munge, as root). Every shard sleeps for so many seconds before it is made; as
it is, two workers have work for half a minute.
"""

import os
import sys
import tempfile
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = str(ROOT)

from dsfu.pipeline.commands.clusters import batch_engine
from dsfu.pipeline.running.dask_workers import open_local
from dsfu.pipeline.running.engines import Engine
from dsfu.pipeline.running.feeding import FeedRules
from dsfu.pipeline.running.run import run_store
from dsfu.pipeline.specs import LedgerEntry
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.wanted import Wanted
from tests.cluster.runs import Notes, settings
from tests.cluster.slow_shards import make_slowly
from tests.cluster.slurm_here import SlurmHere, why_not
from tests.pipeline.tiny import tiny


class Stopwatch(Notes):
    """Notes when shards were finished."""

    def __init__(self) -> None:
        super().__init__()
        self.begin = time.perf_counter()
        self.finishes: list[float] = []

    def finished(self, entry: LedgerEntry) -> None:
        self.finishes.append(time.perf_counter() - self.begin)
        super().finished(entry)


def timed(
    wanted: Wanted,
    seconds_a_shard: float,
    store: Path,
    engine: Callable[[], AbstractContextManager[Engine]],
    watch: Stopwatch,
) -> float:
    files = open_files(store)
    make = partial(make_slowly, files.url, seconds_a_shard)
    rules = FeedRules(threads_hoped_for=2, task_seconds=0.0)
    result = run_store(wanted, files, engine=engine, reporter=watch, make=make, rules=rules)
    assert result.exit_status == 0, result.trouble
    return result.seconds


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--per-group", type=int, default=18, help="pairs of each group: the shards follow")
    parser.add_argument("--seconds", type=float, default=0.5, help="that a shard takes")
    options = parser.parse_args()
    wanted = tiny(per_group=options.per_group)
    run = partial(timed, wanted, options.seconds)
    shards = len(wanted.expected.specs)
    if why_not():
        sys.exit(why_not())
    with tempfile.TemporaryDirectory() as folder, SlurmHere(Path(folder) / "slurm") as slurm:
        os.environ["SLURM_CONF"] = slurm.environment["SLURM_CONF"]
        os.chdir(folder)
        stores = Path(folder) / "stores"
        at_home, by_slurm, disturbed = Stopwatch(), Stopwatch(), Stopwatch()
        local = run(stores / "local", lambda: open_local(2), at_home)
        by_slurm.begin = time.perf_counter()
        batch = batch_engine(settings(jobs=2), by_slurm.note, None, quiet=True)
        jobs = run(stores / "slurm", batch, by_slurm)
        slurm.be_idle()
        lost: list[float] = []

        def lose_all() -> None:
            lost.append(time.perf_counter() - disturbed.begin)
            slurm.command("scancel", "--user=root")

        disturbed.at(shards // 3, lose_all)
        run(stores / "lost", batch_engine(settings(jobs=2), disturbed.note, None, quiet=True), disturbed)
        again = next(when for when in disturbed.finishes if when > lost[0] + 1.0)
        table(
            {
                "shards": shards,
                "LocalCluster, 2 workers: whole run (s)": local,
                "SLURM, 2 jobs: whole run (s)": jobs,
                "ratio of whole runs": jobs / local,
                "LocalCluster: start to first shard (s)": at_home.finishes[0],
                "SLURM: submission to first shard (s)": by_slurm.finishes[0],
                "LocalCluster: first shard to last (s)": at_home.finishes[-1] - at_home.finishes[0],
                "SLURM: first shard to last (s)": by_slurm.finishes[-1] - by_slurm.finishes[0],
                "ratio from first shard to last": (by_slurm.finishes[-1] - by_slurm.finishes[0])
                / (at_home.finishes[-1] - at_home.finishes[0]),
                "all workers lost, to next shard (s)": again - lost[0],
            }
        )


def table(rows: dict[str, float]) -> None:
    for name, value in rows.items():
        print(f"{name:<44}{value:>8.2f}" if isinstance(value, float) else f"{name:<44}{value:>8}")


if __name__ == "__main__":
    main()
