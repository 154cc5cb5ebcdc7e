"""How often projections solve random crystals on n³ grids, by atoms, completeness and noise, without any learning.

    python tests/benchmarks/phase_grids.py [--crystals 10] [--cases 20/64/1/0 …]

A case is n / atoms / completeness / noise. Atoms of Z 6 to 56 are placed at random in P1; amplitudes are a plain sum in
NumPy over the atoms, of a width of half a voxel, with Gaussian noise relative to |F|. The number of atoms is told, and
the support is 10 voxels an atom; at most 6 starts of 300 projections, the one of the lowest R counts. Solved: a
correlation above .8 with the true map of a width of one voxel, best over all shifts and inversion. One thread,
seconds of the processor. The last columns have the earlier support, 27 voxels an atom.
"""

import argparse
import os
import sys
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.problems.phases.merging import SphereOnGrid
from dsfu.model.problems.phases.projections import phase
from dsfu.simulate.phases.random_crystals import random_p1

CASES = (
    *("10/4/1/0", "10/8/1/0", "10/16/1/0", "20/4/1/0", "20/16/1/0", "20/32/1/0", "20/64/1/0"),
    *("20/8/0.8/0.05", "20/16/0.8/0.05", "20/32/0.8/0.05", "20/64/0.8/0.05", "20/32/0.6/0.05", "20/32/0.4/0.05"),
)
AXES = (0, 1, 2)
WIDTH = 0.5
VOXELS_PER_ATOM = (10, 27)
STARTS, ITERATIONS = 6, 300
GOOD = 0.12


def sphere_of(n: int, atoms: int, completeness: float, noise: float, number: int) -> tuple[SphereOnGrid, np.ndarray]:
    """Amplitudes of a crystal, and its true F over the half l ≥ 0 (points)."""
    crystal = random_p1(1, number, atoms)
    rng = np.random.default_rng([7, number])
    along = np.fft.fftfreq(n, 1 / n)
    hkl = np.stack(np.meshgrid(along, along, np.arange(n // 2 + 1), indexing="ij"), axis=-1)
    true: np.ndarray = np.exp(-2j * np.pi * hkl @ crystal.positions.T) @ crystal.numbers
    true = np.fft.rfftn(np.fft.irfftn(true, s=(n, n, n), axes=AXES))  # as a real map has it at h = n/2
    amplitude = np.abs(true) * blur(n, WIDTH) * np.abs(1 + noise * rng.standard_normal(true.shape))
    known = rng.random(true.shape) <= completeness
    inside = np.ones(true.shape, dtype=bool)
    s_squared = np.square(hkl).sum(axis=-1)
    sphere = SphereOnGrid(
        shape=(n, n, n), amplitude=amplitude.astype(np.float32), known=known, inside=inside, s_squared=s_squared
    )
    return sphere, true


def blur(n: int, width: float) -> np.ndarray:
    """Transform of a Gaussian of so many voxels."""
    along = np.exp(-2 * (np.pi * width / n * np.fft.fftfreq(n, 1 / n)) ** 2)
    return np.asarray(along[:, None, None] * along[None, :, None] * along[None, None, : n // 2 + 1])


def correlation(density: np.ndarray, true: np.ndarray, n: int) -> float:
    ours = np.fft.rfftn(density) * blur(n, np.sqrt(1 - WIDTH**2))
    theirs = true * blur(n, 1.0)
    ours[0, 0, 0] = theirs[0, 0, 0] = 0
    one, other = (np.fft.irfftn(each, s=(n, n, n), axes=AXES) for each in (ours, theirs))
    first, second = np.fft.fftn(one), np.fft.fftn(other)
    best = max(np.fft.ifftn(np.conj(second) * each).real.max() for each in (first, np.conj(first)))
    return float(best / np.linalg.norm(one) / np.linalg.norm(other))


def row(case: str, crystals: int) -> str:
    n, atoms, completeness, noise = (float(word) for word in case.split("/"))
    told = f"| {n:.0f} | {atoms:.0f} | {completeness:.0%} | {noise:.0%} |"
    for voxels in VOXELS_PER_ATOM:
        support = min(0.25, voxels * atoms / n**3)
        matches, began = [], time.process_time()
        for number in range(crystals):
            sphere, true = sphere_of(int(n), int(atoms), completeness, noise, number)
            best = None
            for seed in range(STARTS):
                found = phase(sphere, seed=seed, iterations=ITERATIONS, support=support, good_enough=GOOD + noise / 2)
                if best is None or found.r < best.r:
                    best = found
                if best.r < GOOD + noise / 2:
                    break
            assert best is not None
            matches.append(correlation(best.density, true, int(n)))
        seconds = (time.process_time() - began) / crystals
        told += f" {sum(m > 0.8 for m in matches)} of {crystals} | {np.median(matches):.3f} | {seconds:.2f} |"
    return told


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crystals", type=int, default=10)
    parser.add_argument("--cases", nargs="+", default=CASES)
    options = parser.parse_args()
    print("| n | atoms | known | noise | solved | median | s | with 27 voxels an atom | median | s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for case in options.cases:
        print(row(case, options.crystals), flush=True)
