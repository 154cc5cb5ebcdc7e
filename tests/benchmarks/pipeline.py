"""Planes per second of the whole pipeline, with one worker and with two, and where the time goes.

    python tests/benchmarks/pipeline.py [--pairs-per-group 8] [--pixels 256] [--store DIR] [--json]
    python tests/benchmarks/pipeline.py --whole --store DIR  # the paper's data set: 42 GB, and the bank of 12 000 sets

Pairs are taken from all groups of ``data_manifest.yaml`` with all their sets and planes, from a small bank, since the
bank's sets take as long to draw from whatever they are. Times are those of the stage that makes planes: from the first
shard handed over to the last one finished, start of the workers included.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).parent / "dsfu-pipeline"
STEPS = ("kernels", "uniqueness", "quantise", "compress", "write", "read sets")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs-per-group", type=int, default=8)
    parser.add_argument("--pixels", type=int, default=256)
    parser.add_argument("--whole", action="store_true", help="the paper's data set, on all cores")
    parser.add_argument("--store", type=Path, help="folder for the stores; a temporary one by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    folder = options.store or Path(tempfile.mkdtemp(prefix="dsfu-benchmark-"))
    try:
        if options.whole:
            workers = os.cpu_count() or 1
            rows = [run(ROOT / "data_manifest.yaml", folder / "whole", workers)]
        else:
            manifest = part_of_the_paper(folder, options.pairs_per_group, options.pixels)
            rows = [run(manifest, folder / f"{workers}", workers) for workers in (1, 2)]
    finally:
        if options.store is None:
            shutil.rmtree(folder)
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        print_table(rows)


def part_of_the_paper(folder: Path, per_group: int, pixels: int) -> Path:
    """The paper's manifest with fewer pairs and smaller banks. A key that is not there any more is an error."""
    values = yaml.safe_load((ROOT / "data_manifest.yaml").read_text(encoding="utf-8"))
    for path, value in {
        "pairs.train.per_group": per_group,
        "pairs.validation.per_group": per_group,
        "sro.monte_carlo.bank_size": 32,
        "sro.monte_carlo.box": 16,
        "dead_zones.bank_size": 64,
        "planes.pixels": pixels,
    }.items():
        *sections, key = path.split(".")
        section = values
        for name in sections:
            section = section[name]
        section[key] = type(section[key])(value) if section[key] is not None else value
    manifest = folder / "manifest.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    manifest.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return manifest


def run(manifest: Path, store: Path, workers: int) -> dict[str, Any]:
    command = [COMMAND, "run", manifest, "--store", store, "--workers", str(workers), "--dashboard", "none", "--json"]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True)
    summary = json.loads(done.stdout.splitlines()[-1])
    steps, made, size, seconds = Counter[str](), 0, 0, 0.0
    for entry in Ledger(open_files(store)).intact_entries():
        if entry.kind == "planes":
            made += entry.items
            size += sum(each.bytes for each in entry.objects.values())
            seconds += entry.made["seconds"]
            steps.update(entry.made["steps"])
    return {
        "workers": workers,
        "planes": made,
        "planes_per_second": summary["samples_per_second"],
        "seconds": summary["seconds"],
        "bytes_per_sample": size / made,
        "worker_ms_per_plane": 1e3 * seconds / made,
        "step_ms_per_plane": {name: 1e3 * steps[name] / made for name in STEPS},
    }


def print_table(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        print(f"{row['workers']} workers: {row['planes']} planes, {row['planes_per_second']:.0f} planes/s", end="; ")
        print(
            f"{row['bytes_per_sample'] / 1e3:.0f} KB a sample; {row['worker_ms_per_plane']:.2f} ms of a worker a plane"
        )
        total = row["worker_ms_per_plane"]
        parts = [f"{name} {ms:.2f} ms ({ms / total:.0%})" for name, ms in row["step_ms_per_plane"].items()]
        print("  " + ", ".join(parts))
    if len(rows) == 2:
        one, two = (row["planes_per_second"] for row in rows)
        print(f"2 workers : 1 worker = {two / one:.2f}")
        print(f"223 912 planes on two workers at this rate: {223_912 / two / 60:.1f} min")


if __name__ == "__main__":
    main()
