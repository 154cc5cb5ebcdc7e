"""What `plan --measure` says, beside what the shards and the run then take.

    python tests/benchmarks/plan_estimate.py [--samples 0.1] [--only disorder,particles,…] [--run] [--json]

Manifests from the examples, one of each problem; at ``--samples 1`` they take 20 to 120 s. All shards of
a manifest are made in this process, and their processor time is compared with what a few of them told beforehand. With
``--run`` a whole run with one worker follows: by the clock, which means something on an idle machine only, and the
processor time of all its processes, part of which passes side by side. The aim is 25 %.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Any, Final

import yaml

from dsfu.pipeline.manifest.loading import load_manifest
from dsfu.pipeline.plan import START_SECONDS
from dsfu.pipeline.tasks import make_shard
from dsfu.pipeline.trial import measured_rates
from dsfu.pipeline.wanted import what_is_wanted

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "dsfu.pipeline.cli"]

Changes = Mapping[str, Any]

CASES: Final[Mapping[str, tuple[str, Changes, tuple[str, ...]]]] = {
    "disorder": (
        "demo.yaml",
        {"sro.monte_carlo.bank_size": 100, "sro.monte_carlo.per_pair.train": 12, "sro.oscillator.per_pair.train": 14},
        ("pairs.train.per_group",),
    ),
    "particles": ("particles.yaml", {}, ("shapes.copies",)),
    "phases": ("phase-problem.yaml", {}, ("samples.train",)),
    "densities": ("crystalnet-cubic.yaml", {}, ("samples.train",)),
}
"""By problem: its example, values that are not the example's, and keys of numbers to which the time is proportional."""

SIZES: Final[Mapping[str, int]] = {"disorder": 20, "particles": 6, "phases": 60_000, "densities": 4_000}
"""What those numbers are at ``--samples 1``."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=float, default=0.1, help="share of the data sets")
    parser.add_argument("--only", default=",".join(CASES), help="problems, with commas between them")
    parser.add_argument("--run", action="store_true", help="run each, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="dsfu-benchmark-") as folder:
        for problem in options.only.split(","):
            place = Path(folder) / problem
            place.mkdir()
            manifest = written(problem, place / "manifest.yaml", options.samples)
            row = {"problem": problem, **of_shards(manifest, place / "shards")}
            row |= of_run(manifest, place / "run", row["plan_s"] + row["once_s"] + START_SECONDS) if options.run else {}
            rows.append(row)
            if not options.json:
                print(line(row), flush=True)
    if options.json:
        print(json.dumps(rows, indent=2))


def of_shards(manifest: Path, store: Path) -> dict[str, Any]:
    """Rates that are measured beforehand, and what all shards take."""
    wanted = what_is_wanted(load_manifest(manifest))
    rates = measured_rates(wanted.specs, {spec.kind for spec in wanted.specs})
    items, seconds, sizes = Counter[str](), Counter[str](), Counter[str]()
    for spec in (spec for stage in wanted.stages for spec in stage):
        start = process_time()
        entry = make_shard(str(store), spec)
        seconds[spec.kind] += process_time() - start
        items[spec.kind] += spec.items
        sizes[spec.kind] += sum(each.bytes for each in entry.objects.values())
    planned = sum(rates[kind].seconds * items[kind] for kind in items)
    return {
        "plan_s": planned,
        "once_s": sum(rates[kind].once for kind in items),
        "shards_s": seconds.total(),
        "shards_to_plan": seconds.total() / planned,
        "bytes_to_plan": sizes.total() / sum(rates[kind].bytes * items[kind] for kind in items),
        "kinds": {kind: seconds[kind] / items[kind] / rates[kind].seconds for kind in items},
    }


def of_run(manifest: Path, store: Path, told: float) -> dict[str, Any]:
    """A whole run with one worker, beside what a plan tells of all that it takes, its start included."""
    words = ["run", str(manifest), "--store", str(store), "--workers", "1", "--dashboard", "none", "--json"]
    before = processor_seconds_of_children()
    done = subprocess.run([*COMMAND, *words], stdout=subprocess.PIPE, text=True, check=True)
    clock = json.loads(done.stdout.splitlines()[-1])["seconds"]
    processor = processor_seconds_of_children() - before
    return {
        "run_s": clock,
        "run_to_plan": clock / told,
        "processor_s": processor,
        "processor_to_plan": processor / told,
    }


def processor_seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def written(problem: str, path: Path, share: float) -> Path:
    example, changes, proportional = CASES[problem]
    values = yaml.safe_load((ROOT / "examples" / example).read_text(encoding="utf-8"))
    size = max(1, round(SIZES[problem] * share))
    for key, value in {**changes, **dict.fromkeys(proportional, size)}.items():
        *sections, last = key.split(".")
        section = values
        for name in sections:
            section = section[name]
        if last not in section:
            raise KeyError(f"{example} has no {key}")
        section[last] = value
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def line(row: Mapping[str, Any]) -> str:
    kinds = ", ".join(f"{kind} × {ratio:.2f}" for kind, ratio in row["kinds"].items())
    words = (
        f"{row['problem']}: plan {row['plan_s']:.1f} s, shards {row['shards_s']:.1f} s (× {row['shards_to_plan']:.2f}: "
    )
    words += f"{kinds}), bytes × {row['bytes_to_plan']:.2f}"
    if "run_s" in row:
        words += f"; run {row['run_s']:.1f} s by the clock (× {row['run_to_plan']:.2f}), "
        words += f"{row['processor_s']:.1f} s of the processor (× {row['processor_to_plan']:.2f})"
    return words


if __name__ == "__main__":
    main()
