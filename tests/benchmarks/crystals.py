"""Volumes of an independent simulation through `analyse`: errors of α, what intervals hold, and the verdict.

    OMP_NUM_THREADS=1 python tests/benchmarks/crystals.py [--good 60] [--faults 4] [--half 26] [--first 100]

Crystals are those of crystal_maker.py, which shares nothing with dsfu: kinds in turn, 25 and 250 counts, three sizes,
clean or with Bragg peaks, air, flat background and gaps. I_SRO is of a closed form, so that α are known to all digits.
Near are the 20 shortest vectors. A fault is found if the verdict is "contradicts"; a good crystal must not be called
that. AUC: share of pairs of a faulty and a good crystal in which the worst check of the faulty one is the worse.
"""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.volume.order import order_of
from dsfu.model.measured.volume.settings import VolumeSettings
from dsfu.model.measured.volume.solve import solve_volume
from dsfu.model.measured.volume.verdict import judge_volume
from dsfu.simulate.lattice import Cell
from tests.benchmarks.crystal_maker import CLEAN, CUTOFF, Volume, Wrongs, make, recipes

NEAR = 20
KINDS = ("orthorhombic", "hexagonal", "triclinic")
COUNTS = (25.0, 250.0)
FAULTS: dict[str, dict[str, Any]] = {
    "thermal 10 %": {"tds": 0.1},
    "second site 10 %": {"second": 0.1},
    "size effect .02 Å": {"size": 0.02},
    "Bragg residue .1": {"residue": 0.1},
    "cell 1 % off": {"stretch": 1.01},
    "rings .1": {"rings": 0.1},
}


@dataclass(frozen=True)
class Case:
    """One crystal, and what came out of it."""

    name: str
    judgement: str
    worst: float
    failed: str
    errors: np.ndarray
    z: np.ndarray
    background: float
    seconds: float


def reconstruction_of(volume: Volume) -> Reconstruction:
    return Reconstruction(
        intensity=np.nan_to_num(volume.data),
        live=np.isfinite(volume.data),
        origin=np.array([axis[0] for axis in volume.axes]),
        steps=np.diag([axis[1] - axis[0] for axis in volume.axes]),
        cell=Cell(*volume.cell),
    )


def tried(name: str, kind: str, wrongs: Wrongs, half: int, seed: int) -> Case:
    volume = make(recipes()[kind], (half,) * 3, wrongs, ideal=not wrongs.size, seed=seed)
    begun = time.process_time()
    solution = solve_volume(reconstruction_of(volume), VolumeSettings())
    verdict = judge_volume(solution)
    seconds = time.process_time() - begun
    shells = order_of(solution, verdict).shells[:NEAR]
    true = np.array([volume.alpha[tuple(np.array(shell.vector) + CUTOFF)] for shell in shells])
    errors = np.array([shell.alpha for shell in shells]) - true
    failed = [check for check in verdict.checks if not check.passed]
    return Case(
        name=name,
        judgement=verdict.judgement,
        worst=max((check.ratio / check.limit for check in verdict.checks), default=0.0),
        failed=", ".join(check.name for check in failed),
        errors=errors,
        z=errors / np.array([shell.uncertainty for shell in shells]),
        background=_background_error(solution, volume),
        seconds=seconds,
    )


def _background_error(solution, volume: Volume) -> float:
    """Root mean square error beyond the first knot, relative to the background's mean; NaN where there is none."""
    columns = solution.fit.columns
    q = columns.q_inv_angstrom
    found = columns.curve(solution.fit.parts()[2]) * solution.voxels.gain
    true = np.interp(q, *volume.background)
    beyond = q > q[0] + (q[-1] - q[0]) / (columns.splines - 3)
    mean = float(true[beyond].mean())
    return float(np.sqrt(((found - true)[beyond] ** 2).mean()) / mean) if mean > 0 else np.nan


def wrongs_of(number: int) -> Wrongs:
    """Counts, and clean or with everything, in turn."""
    counts = COUNTS[number % 2]
    base = CLEAN if number // 2 % 2 else Wrongs()
    return replace(base, counts=counts)


def good_cases(count: int, half: int, first: int) -> Iterator[Case]:
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        size = half + (-4, 0, 4)[number // 2 % 3]
        yield tried(f"good, {kind}, {2 * size + 1}³", kind, wrongs_of(number), size, first + number)


def faulty_cases(name: str, count: int, half: int, first: int) -> Iterator[Case]:
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        wrongs = replace(Wrongs(counts=COUNTS[number % 2]), **FAULTS[name])
        if "residue" in FAULTS[name]:
            wrongs = replace(wrongs, bragg=0.0)
        yield tried(name, kind, wrongs, half, first + number)


def told(case: Case) -> str:
    numbers = f"rms error {root(case.errors):.5f}, error / s.u. {root(case.z):.2f}, background {case.background:.3f}"
    return f"{case.name}: {case.judgement} {case.worst:.2f} ({case.failed or '–'}); {numbers}; {case.seconds:.0f} s"


def root(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean())) if values.size else float("nan")


def summary(name: str, cases: Sequence[Case], reference: Sequence[Case]) -> str:
    z = np.concatenate([each.z for each in cases])
    called = sum(each.judgement == "contradicts" for each in cases)
    difference = np.subtract.outer([each.worst for each in cases], [each.worst for each in reference])
    area = float(((difference > 0) + 0.5 * (difference == 0)).mean())
    errors = np.concatenate([each.errors for each in cases])
    held = float((np.abs(z) < 1).mean()) if z.size else float("nan")
    seconds = float(np.mean([each.seconds for each in cases]))
    numbers = [name, len(cases), called, f"{area:.2f}", f"{root(errors):.5f}", f"{root(z):.2f}", f"{held:.0%}"]
    return f"| {' | '.join(map(str, numbers))} | {seconds:.0f} |"


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--good", type=int, default=60)
    parser.add_argument("--faults", type=int, default=4, help="crystals of each kind of fault")
    parser.add_argument("--half", type=int, default=26, help="voxels from the middle to the edge")
    parser.add_argument("--first", type=int, default=100, help="seed of the first crystal")
    given = parser.parse_args()
    torch.set_num_threads(1)
    good = []
    for case in good_cases(given.good, given.half, given.first):
        good.append(case)
        print(told(case), flush=True)
    faulty: dict[str, list[Case]] = {name: [] for name in FAULTS if given.faults}
    for name, found in faulty.items():
        for case in faulty_cases(name, given.faults, given.half, given.first + 1000):
            found.append(case)
            print(told(case), flush=True)
    print("| crystals | number | called wrong | AUC | rms error of near α | error / s.u. | 68 % hold | processor s |")
    print("|---|---|---|---|---|---|---|---|")
    groups = {
        "good, clean": [each for number, each in enumerate(good) if number // 2 % 2],
        "good, with everything": [each for number, each in enumerate(good) if not number // 2 % 2],
        **faulty,
    }
    for name, cases in groups.items():
        if cases:
            print(summary(name, cases, good))
    backgrounds = np.array([each.background for each in good])
    known = backgrounds[np.isfinite(backgrounds)]
    if known.size:
        print(f"background, rms error beyond the first knot: median {np.median(known):.3f}, worst {known.max():.3f}")


if __name__ == "__main__":
    main()
