"""The verdict on planes cut from crystals of an independent simulation, good ones and faulty ones.

    OMP_NUM_THREADS=1 python tests/benchmarks/crystal_planes.py [--good 72] [--faults 6] [--half 60] [--first 300]

Crystals are those of crystal_maker.py, which shares nothing with dsfu; I_SRO is of a closed form, but with a size
effect. Kinds, layers, sizes of pixels (80 to 400 on planes of some 2 · half voxels), 25 and 250 counts a voxel, with
and without gaps go in turn. A wrong lattice is an edge a that is 3 % too long. AUC: share of pairs of a faulty and a
good plane in which the worst check of the faulty one is the worse.
"""

import sys
import time
from argparse import ArgumentParser
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.methods import of_solver
from dsfu.model.measured.factorise.verdict import judge
from dsfu.model.measured.prepare.preparing import prepared_planes
from dsfu.model.measured.solver.settings import SolverSettings
from tests.benchmarks.crystal_maker import CLEAN, Wrongs, make, recipes
from tests.benchmarks.crystals import FAULTS, KINDS, reconstruction_of

PIXELS = (256, 160, 400, 80)
LAYERS = {"hk0": (1.0, 1.0, 0.0), "h0l": (1.0, 0.0, 1.0), "hk1": (1.0, 1.0, 1.0)}
WRONG_EDGE = 1.03
ABOVE = 4
"""Voxels beside a layer that are made too."""


@dataclass(frozen=True)
class Judged:
    """A plane and what was said of it."""

    name: str
    judgement: str
    worst: float
    failed: str
    seconds: float


def plane_of(number: int, wrongs: Wrongs, half: int, seed: int, stretch: float = 1.0) -> MeasuredPlane:
    """Kind, layer and pixels go in turn with the number."""
    kind = KINDS[number % len(KINDS)]
    layer = list(LAYERS)[number // len(KINDS) % len(LAYERS)]
    halves = tuple(int(half * share) if share else ABOVE for share in LAYERS[layer])
    if layer == "hk1":
        halves = (half, half, 20 + ABOVE)
    volume = make(recipes()[kind], halves, wrongs, ideal=not wrongs.size, seed=seed)
    if stretch != 1:
        cell = (volume.cell[0] * stretch, *volume.cell[1:])
        volume = replace(volume, cell=cell, axes=(volume.axes[0] * stretch, *volume.axes[1:]))
    pixels = PIXELS[number % len(PIXELS)]
    (plane,) = prepared_planes(reconstruction_of(volume), [layer], pixels=pixels)
    return replace(plane, name=f"{kind}, {layer}, {pixels}², {wrongs.counts:.0f} counts, gaps {wrongs.gaps}")


def judged(name: str, plane: MeasuredPlane) -> Judged:
    begun = time.process_time()
    verdict = judge(of_solver([plane], SolverSettings()))
    return Judged(
        name=f"{name}: {plane.name}",
        judgement=verdict.judgement,
        worst=max(check.value / check.limit for check in verdict.checks),
        failed=", ".join(check.name for check in verdict.checks if not check.passed),
        seconds=time.process_time() - begun,
    )


def wrongs_of(number: int, gaps: bool) -> Wrongs:
    return replace(CLEAN, counts=(25.0, 250.0)[number // 2 % 2], gaps=gaps)


def told(each: Judged) -> str:
    return f"{each.name}: {each.judgement} {each.worst:.2f} ({each.failed or '–'}) {each.seconds:.1f} s"


def row(name: str, found: list[Judged], reference: list[Judged]) -> str:
    called = sum(each.judgement == "contradicts" for each in found)
    open_ = sum(each.judgement == "not judged" for each in found)
    difference = np.subtract.outer([each.worst for each in found], [each.worst for each in reference])
    area = float(((difference > 0) + 0.5 * (difference == 0)).mean())
    worst = max(each.worst for each in found)
    seconds = float(np.median([each.seconds for each in found]))
    return f"| {name} | {len(found)} | {called} | {open_} | {area:.2f} | {worst:.2f} | {seconds:.1f} |"


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--good", type=int, default=72)
    parser.add_argument("--faults", type=int, default=6, help="planes of each kind of fault")
    parser.add_argument("--half", type=int, default=60, help="voxels from the middle to the edge")
    parser.add_argument("--first", type=int, default=300, help="seed of the first crystal")
    given = parser.parse_args()
    torch.set_num_threads(1)
    groups: dict[str, list[Judged]] = {"good": []}
    for number in range(given.good):
        plane = plane_of(number, wrongs_of(number, gaps=number % 5 > 1), given.half, given.first + number)
        groups["good"].append(judged("good", plane))
        print(told(groups["good"][-1]), flush=True)
    names = [name for name in FAULTS if name not in ("lattice 1 % off", "rings .1")] if given.faults else []
    for name in [*names, *(["a 3 % too long"] if given.faults else [])]:
        for number in range(given.faults):
            wrongs = replace(wrongs_of(number, gaps=False), **FAULTS.get(name, {}))
            stretch = 1.0 if name in FAULTS else WRONG_EDGE
            plane = plane_of(number, wrongs, given.half, given.first + 1000 + number, stretch)
            groups.setdefault(name, []).append(judged(name, plane))
            print(told(groups[name][-1]), flush=True)
    print("| planes | number | called wrong | not judged | AUC | worst check / limit | processor s |")
    print("|---|---|---|---|---|---|---|")
    for name, found in groups.items():
        print(row(name, found, groups["good"]))


if __name__ == "__main__":
    main()
