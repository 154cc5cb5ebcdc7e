"""The phase problem: how fast samples are made, and how often crystals of molecules are solved from |F|² alone.

    python tests/benchmarks/phases.py [--crystals 12] [--first 0] [--d-min 0.8 1.0 1.2 2.0]

Crystals are molecules of ase packed at random; their reflections are calculated by gemmi, with 3 % noise and 5 % of
them missing, and written as SHELX files without the space group. The map is compared with gemmi's at the same
resolution, over all shifts on the grid and inversion. One thread; seconds are of the processor.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.problems.phases.reading import read_reflections
from dsfu.model.problems.phases.solve import solve
from dsfu.simulate.phases.random_crystals import random_p1
from dsfu.simulate.phases.samples import PhaseSettings, simulate_phases
from dsfu.simulate.phases.structure_factors import indices
from tests.model.problems.phases.made_elsewhere import correlation, packed, write_hkl

MOLECULES = ("C5H8", "C4H4NH", "C4H4O", "CH3CH2NH2", "bicyclobutane", "C6H6")
GROUPS = ("P 1 21/c 1", "P -1", "P 21 21 21", "P 1 21 1")


def speed() -> None:
    print("| n | atoms | placing the atoms, µs | sample, µs | samples/s | plain NumPy sum alone, µs | ratio |")
    print("|---|---|---|---|---|---|---|")
    for n, atoms in ((10, 8), (20, 4), (20, 16), (20, 64)):
        settings = PhaseSettings(n=n)
        simulate_phases(random_p1(1, 0, atoms), settings)
        began = time.process_time()
        crystals = [random_p1(1, i, atoms) for i in range(200)]
        placing = (time.process_time() - began) / 200
        began = time.process_time()
        for crystal in crystals:
            simulate_phases(crystal, settings)
        making = (time.process_time() - began) / 200
        along = indices(n)
        hkl = np.stack(np.meshgrid(along, along, along, indexing="ij"), axis=-1)
        began = time.process_time()
        for crystal in crystals[:3]:
            np.exp(2j * np.pi * hkl @ crystal.positions.T) @ crystal.numbers
        plain = (time.process_time() - began) / 3
        times = f"{1e6 * placing:.0f} | {1e6 * making:.0f} | {1 / (making + placing):.0f} | {1e6 * plain:.0f}"
        print(f"| {n} | {atoms} | {times} | {plain / making:.0f} |", flush=True)


def solving(count: int, limits: list[float], first: int) -> None:
    print(
        "| d ≥ / Å | crystals | > .8 | median | least | group right | called solved | of these in a wrong group "
        "| s, median | largest |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for d_min in limits:
        rows = []
        for i in range(first, first + count):
            group = GROUPS[i % len(GROUPS)]
            structure = packed(MOLECULES[i % len(MOLECULES)], group, seed=100 + i)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "x.hkl"
                write_hkl(path, structure, d_min, seed=i)
                data = read_reflections(path)
                began = time.process_time()
                crystal = solve(data)
                seconds = time.process_time() - began
            right = crystal.candidate.group.number == structure.spacegroup.number
            match = correlation(crystal.density, structure, d_min)
            rows.append((match, right, crystal.verdict.outcome == "solved", seconds))
        table = np.array(rows, dtype=float)
        match, seconds = table[:, 0], table[:, 3]
        found = f"{(match > 0.8).sum()} | {np.median(match):.3f} | {match.min():.3f}"
        wrong = int((table[:, 2] * (1 - table[:, 1])).sum())
        told = f"{int(table[:, 1].sum())} | {int(table[:, 2].sum())} | {wrong}"
        print(f"| {d_min} | {count} | {found} | {told} | {np.median(seconds):.1f} | {seconds.max():.1f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crystals", type=int, default=12)
    parser.add_argument("--first", type=int, default=0, help="number of the first crystal")
    parser.add_argument("--d-min", type=float, nargs="+", default=[0.8, 1.0, 1.2, 2.0])
    options = parser.parse_args()
    speed()
    print()
    solving(options.crystals, options.d_min, options.first)
