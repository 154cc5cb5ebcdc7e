"""Volumes of an independent simulation through `analyse`: errors of α, what intervals hold, the verdict, the usual way.

    OMP_NUM_THREADS=1 python tests/benchmarks/crystals.py --rounds 20 [--half 24] [--first 100] [--cache cases.jsonl]

Crystals are those of crystal_maker.py, which shares nothing with dsfu: three kinds in turn, 25 and 250 counts, three
sizes, voxels of .04, .05 and .08, clean or with Bragg peaks, air, flat background and gaps. I_SRO is of a closed form,
so that α are known to all digits. Near are the 20 shortest vectors. In each round are six good crystals and one of
each fault. A fault is found if the verdict is "contradicts"; a good crystal must not be called that. AUC: share of
pairs of a faulty and a good crystal in which the worst check of the faulty one is the worse. Limits of the verdict
were set on even rounds; odd ones were kept back.

The usual way: Bragg peaks punched out to .14 r.l.u. and filled with the mean of the ring around them, a flat background
subtracted (the lowest mean of 40 shells of |Q|), divided by the I_FF of the true molecules where that is above 5 % of
its largest, then Fourier transformed. It is given the molecules, not the background, and has no uncertainties.

With --cache, cases that are in the file are not computed again.
"""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
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
from tests.benchmarks.crystal_maker import CLEAN, CUTOFF, STEP, Volume, Wrongs, make, recipes

NEAR = 20
GOOD = 6
KINDS = ("orthorhombic", "hexagonal", "triclinic")
COUNTS = (25.0, 250.0)
STEPS = (0.05, 0.05, 0.04, 0.05, 0.08)
FAULTS: dict[str, dict[str, Any]] = {
    "thermal 10 %": {"tds": 0.1},
    "second site 10 %": {"second": 0.1},
    "size effect .02 Å": {"size": 0.02},
    "Bragg residue .1": {"residue": 0.1, "bragg": 0.0},
    "lattice 1 % off": {"lattice": 1.01},
    "rings .1": {"rings": 0.1},
}


@dataclass(frozen=True)
class Case:
    """One crystal, and what came out of it."""

    name: str
    round: int
    clean: bool
    judgement: str
    checks: dict[str, list[float]]
    errors: list[float]
    z: list[float]
    usual: list[float]
    scale: float
    background: float
    seconds: float
    background_mean: float = float("nan")
    background_z: float = float("nan")

    @property
    def worst(self) -> float:
        """Of the checks whose amplitude counts, the ratio over its limit."""
        return max(
            (ratio / limit for ratio, limit, amplitude, least in self.checks.values() if amplitude > least), default=0.0
        )

    @property
    def failed(self) -> str:
        return ", ".join(name for name, (r, limit, a, least) in self.checks.items() if r > limit and a > least)


def reconstruction_of(volume: Volume) -> Reconstruction:
    return Reconstruction(
        intensity=np.nan_to_num(volume.data),
        live=np.isfinite(volume.data),
        origin=np.array([axis[0] for axis in volume.axes]),
        steps=np.diag([axis[1] - axis[0] for axis in volume.axes]),
        cell=Cell(*volume.cell),
    )


def tried(name: str, number: int, kind: str, wrongs: Wrongs, half: int, seed: int) -> Case:
    volume = make(recipes()[kind], (half,) * 3, wrongs, ideal=not wrongs.size, seed=seed)
    begun = time.process_time()
    solution = solve_volume(reconstruction_of(volume), VolumeSettings())
    verdict = judge_volume(solution)
    seconds = time.process_time() - begun
    shells = order_of(solution, verdict).shells[:NEAR]
    vectors = [shell.vector for shell in shells]
    found_mean, true_mean = solution.background, _true_mean(solution, volume)
    assert found_mean is not None
    true = np.array([volume.alpha[tuple(np.array(vector) + CUTOFF)] for vector in vectors])
    found, deviations = (np.array([getattr(s, which) for s in shells]) for which in ("alpha", "uncertainty"))
    return Case(
        name=name,
        round=number,
        clean=not (wrongs.bragg or wrongs.residue),
        judgement=verdict.judgement,
        checks={c.name: [c.ratio, c.limit, c.amplitude, c.least_amplitude] for c in verdict.checks},
        errors=(found - true).tolist(),
        z=((found - true) / deviations).tolist(),
        usual=(usual_way(volume, vectors) - true).tolist(),
        scale=float(found @ true / (true @ true)) if len(true) else float("nan"),
        background=_background_error(solution, volume),
        seconds=seconds,
        background_mean=(found_mean.mean - true_mean) / true_mean if true_mean else float("nan"),
        background_z=(found_mean.mean - true_mean) / found_mean.uncertainty,
    )


def usual_way(volume: Volume, vectors: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """α from a punched and filled volume over the I_FF of the true molecules."""
    h = np.meshgrid(*volume.axes, indexing="ij", sparse=True)
    places = [np.round(x).astype(int) - int(np.round(x.min())) for x in h]
    shape = [int(p.max()) + 1 for p in places]
    cell = np.ravel_multi_index(tuple(np.broadcast_arrays(*places)), shape)
    distance = np.sqrt(sum((x - np.round(x)) ** 2 for x in h))
    live, hole, ring = np.isfinite(volume.data), distance < 0.14, (distance >= 0.14) & (distance < 0.25)
    counted = np.bincount(cell[ring & live], minlength=int(np.prod(shape)))
    level = np.bincount(cell[ring & live], volume.data[ring & live], int(np.prod(shape))) / np.maximum(counted, 1)
    filled = np.where(hole & (counted[cell] > 0), level[cell], volume.data)
    reciprocal = Cell(*volume.cell).reciprocal
    length = np.sqrt(sum(sum(h[i] * reciprocal[i, j] for i in range(3)) ** 2 for j in range(3)))
    shells = np.minimum((length / length.max() * 40).astype(int), 39)
    known = np.isfinite(filled)
    number = np.bincount(shells[known], minlength=40)
    means = np.bincount(shells[known], filled[known], 40)[number > 100] / number[number > 100]
    form_factor = volume.parts["form_factor"]
    used = known & (form_factor > 0.05 * form_factor.max())
    weight = np.where(used, form_factor, 0.0)
    # the mean of I_D / I_FF over cells, weighted with I_FF as its noise asks for
    order = np.where(used, filled - means.min(), 0.0) / np.where(used, form_factor, 1.0)
    phases = [2 * np.pi * sum(n * x for n, x in zip(vector, h, strict=True)) for vector in ((0, 0, 0), *vectors)]
    sums = np.array([(weight * order * np.cos(phase)).sum() / weight.sum() for phase in phases])
    return np.asarray(sums[1:] / sums[0])


def _true_mean(solution, volume: Volume) -> float:
    columns = solution.fit.columns
    return float(np.interp(columns.q_inv_angstrom, *volume.background)[columns.beyond_first_knot].mean())


def _background_error(solution, volume: Volume) -> float:
    """Root mean square error beyond the first knot, relative to the background's mean; NaN where there is none."""
    columns = solution.fit.columns
    found = columns.curve(solution.fit.parts()[2]) * solution.voxels.gain
    true = np.interp(columns.q_inv_angstrom, *volume.background)
    beyond, mean = columns.beyond_first_knot, _true_mean(solution, volume)
    return float(np.sqrt(((found - true)[beyond] ** 2).mean()) / mean) if mean > 0 else np.nan


Planned = tuple[str, str, Wrongs, int, int]


def planned(number: int, half: int, first: int) -> list[Planned]:
    """The crystals of a round: name, kind, what is wrong, size, seed."""
    found: list[Planned] = []
    for place in range(GOOD):
        count = GOOD * number + place
        base = CLEAN if count % 2 else Wrongs()
        wrongs = replace(base, counts=COUNTS[count // 2 % 2], step=STEPS[count % len(STEPS)])
        kind = KINDS[(count + number) % len(KINDS)]
        size = half + (-2, 0, 2)[count // 3 % 3] + (4 if wrongs.step < STEP else 0)
        what = "clean" if count % 2 else "all"
        name = f"good, {kind}, {2 * size + 1}³ of {wrongs.step}, {wrongs.counts:g} counts, {what}"
        found.append((name, kind, wrongs, size, first + count))
    for place, (name, fault) in enumerate(FAULTS.items()):
        wrongs = replace(Wrongs(counts=COUNTS[(number // 2 + place) % 2]), **fault)
        kind = KINDS[(number + place) % len(KINDS)]
        found.append((name, kind, wrongs, half, first + 1000 + len(FAULTS) * number + place))
    return found


def told(case: Case) -> str:
    numbers = f"rms error {root(case.errors):.5f}, error / s.u. {root(case.z):.2f}, background {case.background:.3f}"
    numbers += f", its mean {case.background_mean:+.3f} ({case.background_z:+.2f} s.u.)"
    usual = f"the usual way {root(case.usual):.4f}"
    judged = f"{case.judgement} {case.worst:.2f} ({case.failed or '–'})"
    return f"{case.name}: {judged}; {numbers}, {usual}; {case.seconds:.0f} s"


def root(values: Sequence[float] | np.ndarray) -> float:
    return float(np.sqrt((np.asarray(values) ** 2).mean())) if len(values) else float("nan")


def summary(name: str, cases: Sequence[Case], reference: Sequence[Case]) -> str:
    z = np.concatenate([each.z for each in cases])
    called = sum(each.judgement == "contradicts" for each in cases)
    difference = np.subtract.outer([each.worst for each in cases], [each.worst for each in reference])
    area = float(((difference > 0) + 0.5 * (difference == 0)).mean())
    errors, usual = (np.concatenate([getattr(each, which) for each in cases]) for which in ("errors", "usual"))
    held = float((np.abs(z) < 1).mean()) if z.size else float("nan")
    seconds = float(np.mean([each.seconds for each in cases]))
    middle = float(np.median([root(each.errors) for each in cases if each.errors]))
    numbers = [name, len(cases), called, f"{area:.2f}", f"{root(errors):.5f}", f"{middle:.5f}", f"{root(z):.2f}"]
    return f"| {' | '.join(map(str, numbers))} | {held:.0%} | {root(usual):.4f} | {seconds:.0f} |"


def areas(faulty: dict[str, list[Case]], good: Sequence[Case]) -> str:
    """AUC of each check for each fault."""
    names = sorted({name for case in good for name in case.checks})
    lines = [f"| AUC | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for fault, cases in faulty.items():
        cells = []
        for name in names:
            bad, fine = ([c.checks[name][0] for c in some if name in c.checks] for some in (cases, good))
            difference = np.subtract.outer(bad, fine)
            cells.append(f"{((difference > 0) + 0.5 * (difference == 0)).mean():.2f}" if difference.size else "–")
        lines.append(f"| {fault} | {' | '.join(cells)} |")
    return "\n".join(lines)


def tables(title: str, cases: Sequence[Case]) -> None:
    good = [each for each in cases if each.name.startswith("good")]
    if not good:
        return
    print(f"\n{title}")
    heads = (
        "crystals | number | called wrong | AUC | rms error, near | median | error / s.u. | 68 % hold | usual way | s"
    )
    print(f"| {heads} |")
    print("|---" * 10 + "|")
    faulty = {name: [each for each in cases if each.name == name] for name in FAULTS}
    faulty = {name: some for name, some in faulty.items() if some}
    clean, all_ = [each for each in good if each.clean], [each for each in good if not each.clean]
    for name, some in {"good, clean": clean, "good, with everything": all_, **faulty}.items():
        if some:
            print(summary(name, some, good))
    backgrounds = np.array([each.background for each in all_ if np.isfinite(each.background)])
    if backgrounds.size:
        middle, worst = np.median(backgrounds), backgrounds.max()
        print(f"background, rms error beyond the first knot: median {middle:.3f}, worst {worst:.3f}")
        z = np.array([each.background_z for each in all_ if np.isfinite(each.background_z)])
        held = [f"{(np.abs(z) < most).mean():.0%}" for most in (1, 2)] if z.size else []
        print(f"its mean, error / s.u.: {root(z):.2f}; within one and two: {', '.join(held)}")
    if faulty:
        print(areas(faulty, good))


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="of six good crystals and one of each fault")
    parser.add_argument("--half", type=int, default=24, help="voxels from the middle to the edge")
    parser.add_argument("--first", type=int, default=100, help="seed of the first crystal")
    parser.add_argument("--cache", type=Path, help="a file for cases that are done")
    parser.add_argument("--no-faults", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cases: list[Case] = []
    if given.cache and given.cache.exists():
        cases = [Case(**json.loads(line)) for line in given.cache.read_text().splitlines()]
    done = {(each.name, each.round) for each in cases}
    for number in range(given.rounds):
        for name, kind, wrongs, half, seed in planned(number, given.half, given.first):
            if (name, number) in done or (given.no_faults and name in FAULTS):
                continue
            case = tried(name, number, kind, wrongs, half, seed)
            cases.append(case)
            print(told(case), flush=True)
            if given.cache:
                with given.cache.open("a") as file:
                    file.write(json.dumps(asdict(case)) + "\n")
    tables("Even rounds: limits were set on these", [each for each in cases if each.round % 2 == 0])
    tables("Odd rounds: kept back", [each for each in cases if each.round % 2])
    tables("All", cases)


if __name__ == "__main__":
    main()
