"""Random crystals on n³ grids through the verb itself: only |F| and the cell are told, not the number of atoms.

    python tests/benchmarks/phase_grids_solved.py [--crystals 10] [--cases 10/8 10/16 20/64]

The crystals of phase_grids.py (n / atoms, Z 6 to 56, half a voxel wide, no noise) in a cubic cell of 10 Å; indices to
n/2 − 1 are written as an HKLF 4 file, which `solve` reads. Solved: a correlation above .8 with the true map of a width
of one voxel, best over all shifts and inversion. One thread, seconds of the processor.
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

from dsfu.model.problems.phases.merging import SphereOnGrid, half_indices
from dsfu.model.problems.phases.reading import parse_cell, read_reflections
from dsfu.model.problems.phases.solve import solve
from tests.benchmarks.phase_grids import correlation, sphere_of

CELL = "10,10,10,90,90,90"
STRONGEST, WEAKEST_SIGMA = 90_000.0, 0.5


def write_hkl(path: Path, sphere: SphereOnGrid) -> None:
    hkl, n = half_indices(sphere.shape), sphere.shape[0]
    half = (hkl[..., 2] > 0) | (hkl[..., 0] > 0) | ((hkl[..., 0] == 0) & (hkl[..., 1] > 0))
    half &= (2 * np.abs(hkl) < n).all(axis=-1)
    intensity = np.square(sphere.amplitude[half].astype(float))
    intensity *= STRONGEST / intensity.max()
    rows = [
        "".join(f"{i:4d}" for i in h) + f"{v:8.2f}{max(0.01 * v, WEAKEST_SIGMA):8.2f}"
        for h, v in zip(hkl[half], intensity, strict=True)
    ]
    path.write_text("\n".join([*rows, "   0   0   0    0.00    0.00", ""]))


def row(case: str, crystals: int) -> str:
    n, atoms = (int(word) for word in case.split("/"))
    matches, seconds, solved = [], [], 0
    for number in range(crystals):
        sphere, true = sphere_of(n, atoms, 1.0, 0.0, number)
        with tempfile.TemporaryDirectory() as folder:
            write_hkl(Path(folder) / "x.hkl", sphere)
            data = read_reflections(Path(folder) / "x.hkl", parse_cell(CELL))
        began = time.process_time()
        crystal = solve(data)
        seconds.append(time.process_time() - began)
        waves = np.zeros(true.shape, dtype=complex)
        inside = (2 * np.abs(crystal.hkl) < n).all(axis=1) & (crystal.hkl[:, 2] >= 0)
        waves[tuple((crystal.hkl[inside] % n).T)] = np.conj(crystal.waves[inside])
        matches.append(correlation(np.fft.irfftn(waves, s=(n, n, n), axes=(0, 1, 2)), true, n))
        solved += crystal.verdict.outcome == "solved"
    told = f"{sum(m > 0.8 for m in matches)} of {crystals} | {np.median(matches):.3f} | {min(matches):.3f}"
    return f"| {n} | {atoms} | {told} | {solved} | {np.median(seconds):.1f} | {max(seconds):.1f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crystals", type=int, default=10)
    parser.add_argument("--cases", nargs="+", default=["10/8", "10/16", "20/64"])
    options = parser.parse_args()
    print("| n | atoms | above .8 | median | least | called solved | s, median | largest |")
    print("|---|---|---|---|---|---|---|---|")
    for case in options.cases:
        print(row(case, options.crystals), flush=True)
