"""How often planes are called wrong: good ones, and ones that break the assumptions, the more the stronger.

    OMP_NUM_THREADS=1 python tests/benchmarks/verdict.py [--count 24] [--pixels 128] [--kinds "size effect" …]

Noise is 0, 1, 5 and 30 % of the mean on good planes in turn, 0, 1 and 5 % on broken ones; three of four planes have
dead zones. A plane is as wrong as its worst check relative to the limit; AUC is the share of pairs of a broken and a
good plane in which the broken one is the wronger. Strength 0 is the same crystal unbroken.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.measured.factorise.factors import Verdict
from dsfu.model.measured.factorise.methods import factorise
from dsfu.model.measured.factorise.verdict import judge
from dsfu.model.measured.solver.settings import SolverSettings
from tests.benchmarks.broken_planes import KINDS, Truth, as_measured, good

STRENGTHS = {
    "size effect": (0.0, 0.01, 0.03, 0.1, 0.3),
    "two sites": (0.0, 0.1, 0.3, 1.0),
    "thermal": (0.01, 0.1),
    "Bragg": (0.03, 0.1, 1.0),
    "wrong lattice": (0.002, 0.005, 0.01),
    "halo": (0.02, 0.05),
    "powder ring": (0.02, 0.05),
}
"""Å of displacement; amplitude and share of the intensity, height relative to the diffuse maximum; share of lengths."""


def verdict_on(truth: Truth, seed: int, noise: float) -> Verdict:
    measured = as_measured(truth, seed, noise=noise, dead_zones=seed % 4 != 0)
    return factorise([measured], "solver", settings=SolverSettings(), judge=judge).verdict


def wrongness(verdict: Verdict) -> float:
    return max(check.value / check.limit for check in verdict.checks)


def area(good_ones: Sequence[float], broken: Sequence[float]) -> float:
    """Area under the ROC curve."""
    difference = np.subtract.outer(np.array(broken), np.array(good_ones))
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


def row(kind: str, strength: str, verdicts: Sequence[Verdict], reference: Sequence[float]) -> str:
    called = np.mean([not verdict.passed for verdict in verdicts])
    by_check = ", ".join(
        f"{name} {np.mean([not v.checks[i].passed for v in verdicts]):.0%}"
        for i, name in enumerate(check.name for check in verdicts[0].checks)
        if not all(v.checks[i].passed for v in verdicts)
    )
    auc = area(reference, [wrongness(verdict) for verdict in verdicts])
    return f"| {kind} | {strength} | {len(verdicts)} | {called:.0%} | {auc:.3f} | {by_check} |"


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=24, help="planes of each kind and strength")
    parser.add_argument("--good", type=int, default=80, help="good planes")
    parser.add_argument("--pixels", type=int, default=128)
    parser.add_argument("--first", type=int, default=100, help="seed of the first plane")
    parser.add_argument("--kinds", nargs="*", default=list(STRENGTHS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| kind | strength | planes | called wrong | AUC | by check |\n| --- | --- | --- | --- | --- | --- |")
    noises = (0.0, 0.01, 0.05, 0.3)
    seeds = range(given.first, given.first + given.good)
    fine = {seed: verdict_on(good(seed, given.pixels), seed, noises[seed // 2 % 4]) for seed in seeds}
    reference = [wrongness(verdict) for verdict in fine.values()]
    for number, noise in enumerate(noises):
        some = [verdict for seed, verdict in fine.items() if seed // 2 % 4 == number]
        if some:
            print(row("good", f"noise {noise:.0%}", some, reference), flush=True)
    for kind in given.kinds:
        for strength in STRENGTHS[kind]:
            broken = [
                verdict_on(KINDS[kind](seed, strength, given.pixels), seed, noises[seed % 3])
                for seed in range(given.first, given.first + given.count)
            ]
            print(row(kind, f"{strength:g}", broken, reference), flush=True)


if __name__ == "__main__":
    main()
