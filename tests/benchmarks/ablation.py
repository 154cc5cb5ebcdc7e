"""What each part of the recipe dsfu is good for: small trainings that differ in one thing, side by side.

    python tests/benchmarks/ablation.py STORE OUT [--steps 400] [--seeds 1 2] [--only NAME …]

Every training has the same planes, in the same order, and the same number of steps. Trainings that are there already
are not repeated. Prints a Markdown table.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean

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
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="further settings of every training")
    arguments = parser.parse_args()
    print(f"| | {' | '.join(COLUMNS)} |\n|---|---|---|---|---|")
    for number, (name, settings) in enumerate(VARIANTS.items()):
        if name not in arguments.only:
            continue
        found = [
            train(
                arguments.store, arguments.out / f"{number}-{seed}", arguments.steps, seed, [*settings, *arguments.set]
            )
            for seed in arguments.seeds
        ]
        values = [mean(each[key] for each in found) for key in COLUMNS]
        print(f"| {name} | " + " | ".join(f"{value:.4f}" for value in values) + " |", flush=True)


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
