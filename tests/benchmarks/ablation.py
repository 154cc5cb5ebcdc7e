"""What each part of the recipe dsfu is good for: small trainings that differ in one thing, side by side.

    python tests/benchmarks/ablation.py STORE OUT [--steps 400 | --seconds 200] [--seeds 1 2] [--only NAME …]

Every training has the same planes, in the same order, and the same number of steps; or, with --seconds, as many steps
as fit into this much processor time, as two short trainings of each kind tell. Trainings that are there already are not
repeated. Prints a Markdown table: errors of each seed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

BASE = [
    "batch_size=8",
    "network.channels=[16,32,48,64]",
    "network.blocks=[1,1,1,1]",
    "limits.epochs=0",
    "optimiser.learning_rate=2e-3",
    "optimiser.warm_up_steps=30",
    "optimiser.ema_decay=0.98",
    "data.source=synthesis",
    "data.pixels=128",
    "data.workers=0",
    "watching.validation_samples=96",
    "watching.validation_steps=100000",
    "watching.pictures=0",
]

COLUMNS = ("sro.linear", "form_factor.linear", "sro.sqrt", "form_factor.sqrt")

VARIANTS: dict[str, list[str]] = {
    "dsfu": [],
    "without corrections by the product": ["network.corrections=0"],
    "corrected twice": ["network.corrections=2"],
    "without the loss of the product": ["dsfu.product=0"],
    "square-root scale only": ["dsfu.linear=0", "dsfu.linear_squares=0"],
    "linear scale only": ["dsfu.root=0"],
    "half the channels, twice the blocks": ["network.channels=[8,16,24,32]", "network.blocks=[2,2,2,2]"],
    "Muon": ["optimiser.muon=0.02"],
    "gates": ["network.gates=2"],
    "gates and Muon": ["network.gates=2", "optimiser.muon=0.02"],
    "without rotated molecules": ["data.synthesis.rotated=0"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seconds", type=float, help="of processor time, instead of --steps")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="further settings of every training")
    arguments = parser.parse_args()
    print(f"| | steps | {' | '.join(COLUMNS)} |\n|---|---|---|---|---|---|")
    for number, (name, settings) in enumerate(VARIANTS.items()):
        if name not in arguments.only:
            continue
        settings = [*settings, *arguments.set]
        steps = arguments.steps
        if arguments.seconds:
            steps = steps_within(arguments.seconds, arguments.store, arguments.out / f"{number}-trial", settings)
        runs = [arguments.out / f"{number}-{seed}" for seed in arguments.seeds]
        found = [
            train(arguments.store, run, steps, seed, settings) for run, seed in zip(runs, arguments.seeds, strict=True)
        ]
        values = [", ".join(f"{each[key]:.4f}" for each in found) for key in COLUMNS]
        print(f"| {name} | {steps} | " + " | ".join(values) + " |", flush=True)


def steps_within(seconds: float, store: str, run: Path, settings: list[str]) -> int:
    """How many steps fit, from two short trainings, whose start and end take the same."""
    few, many = 5, 45
    spent = []
    for steps in (few, many):
        before = os.times()
        train(store, run, steps, 0, settings)
        after = os.times()
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
        shutil.rmtree(run)
    return max(1, round(seconds * (many - few) / max(spent[1] - spent[0], 1e-3)))


def train(store: str, run: Path, steps: int, seed: int, settings: list[str]) -> dict[str, float]:
    """Mean square errors of a training, which is done unless it is there."""
    command = [sys.executable, "-m", "dsfu.model.cli", "train", store, "--out", str(run), "--recipe", "dsfu"]
    command += [*BASE, f"limits.steps={steps}", f"seed={seed}", *settings]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return dict(json.loads((run / "weights.json").read_text())["metrics"])


if __name__ == "__main__":
    main()
