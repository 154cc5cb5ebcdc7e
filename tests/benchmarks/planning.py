"""Planning at scale: time and memory for very many shards, in an empty store and in one that has them all.

    python tests/benchmarks/planning.py [--shards 1000000] [--present 100000] [--json]

Shards are empty ones, as what planning costs does not depend on what they hold. Those that are present have an entry in
the ledger and one small object each, on local disk, all of which planning reads and looks at.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from dsfu.pipeline.plan import make_plan
from dsfu.pipeline.problems.disorder.expected import Expected
from dsfu.pipeline.specs import LedgerEntry, ShardSpec
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.ledger import Ledger, entry_path
from dsfu.pipeline.store.placement import home_of
from dsfu.pipeline.store.sealed import seal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, default=1_000_000)
    parser.add_argument("--present", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dsfu-planning-") as folder:
        ledger = Ledger(open_files(folder))
        rows = [measure("none of them present", options.shards, ledger)]
        fill(Path(folder), options.present)
        rows.append(measure("all of them present", options.present, ledger))
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(f"{row['shards']} shards, {row['case']}: specified in {row['specify_s']:.1f} s, planned in", end=" ")
        print(f"{row['plan_s']:.1f} s ({row['plan_us']:.0f} µs a shard), peak memory {row['peak_gib']:.2f} GiB")


def measure(case: str, shards: int, ledger: Ledger) -> dict[str, Any]:
    start = time.perf_counter()
    expected = Expected(sro_sets=(), masks=tuple(map(specified, range(shards))), planes={})
    specified_at = time.perf_counter()
    plan = make_plan(expected, ledger)
    seconds = time.perf_counter() - specified_at
    assert len(plan.missing) + len(plan.present) == shards
    return {
        "case": case,
        "shards": shards,
        "specify_s": specified_at - start,
        "plan_s": seconds,
        "plan_us": 1e6 * seconds / shards,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def specified(number: int) -> ShardSpec:
    inputs = {"dead zones": "0" * 64, "numbers": str(number), "science": "1" * 64}
    return ShardSpec(kind="masks", identity=f"masks/{number:07d}", inputs=inputs, parameters={"first": number}, items=1)


def fill(folder: Path, shards: int) -> None:
    """Entries and objects as a worker would write them, but for the waiting until they are safe on disk."""
    for spec in map(specified, range(shards)):
        target = folder / home_of(spec.key, "masks.npz")
        target.parent.mkdir(parents=True)
        target.write_bytes(b"x")
        stored = open_files(folder).stat(home_of(spec.key, "masks.npz"))
        assert stored is not None
        entry = LedgerEntry(
            key=spec.key, kind=spec.kind, identity=spec.identity, inputs=spec.inputs, items=1, objects={}
        ).to_dict()
        entry["objects"] = {"masks.npz": {"bytes": 1, "crc32c": 0, "modified_ns": stored.modified_ns}}
        path = folder / entry_path(spec.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(seal(entry))


if __name__ == "__main__":
    main()
