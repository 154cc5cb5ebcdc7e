"""The search over structure types on real crystals: SSIM and PSNR of densities, own formula never in the pool.

    python tests/benchmarks/densities.py FOLDER --systems cubic --count 100 --pool all
    python tests/benchmarks/densities.py --simulated 20

FOLDER holds CSV files of crystals with a column cif (BENCHMARKS.md says which). Each crystal's conventional cell gives
the pattern in the published form (1024 bins, Mo Kα) and the true density (spherical atoms, B = 2 Å², all electrons,
50³). The pool is the shipped types (--pool types), or these and all other crystals of the folder (all). With --leave
type crystals of the same type are out of the pool, too. The first candidate is judged, chosen by its pattern: SSIM and
PSNR are the largest over 24 rotations of the grid with the origin shifted, and over inversion, of which no powder
pattern knows.
A crystal without candidates counts as SSIM 0. --simulated takes decorated types instead of files.
"""

import argparse
import time
from math import gcd
from pathlib import Path

import numpy as np

from dsfu.model.problems.densities.bin_search import BinAnswer, solve_formula
from dsfu.model.problems.densities.density_scores import best_over_rotations
from dsfu.model.problems.densities.formulas import Formula
from dsfu.model.problems.densities.pools import likeness
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.densities.crystals import read_csv
from dsfu.simulate.densities.density import density
from dsfu.simulate.densities.pattern import binned, powder_lines
from dsfu.simulate.densities.samples import SYSTEMS
from dsfu.simulate.densities.structure_types import StructureType, from_crystal, shipped_types
from dsfu.simulate.densities.substitutions import random_crystal


def formula_of(kind: StructureType) -> Formula:
    divisor = gcd(*kind.composition.values())
    return Formula({z: n // divisor for z, n in kind.composition.items()})


def real_crystals(folder: Path) -> list[StructureType]:
    found = []
    for path in sorted(folder.glob("mp_20_*.csv.gz")):
        for n, (_, crystal) in enumerate(read_csv(path)):
            try:
                found.append(from_crystal(crystal, f"{path.name} {n}", 0.05))
            except (ValueError, TypeError):
                print(f"{path.name} {n}: no symmetry")
    return found


def made_crystals(count: int) -> list[StructureType]:
    rng = np.random.default_rng(0)
    small = [kind for kind in shipped_types() if kind.atoms <= 24 and len(kind.composition) > 1]
    return [random_crystal(small, rng)[0] for _ in range(count)]


def answers_of(pattern: FloatArray, formula: Formula, pool: list[StructureType]) -> list[BinAnswer]:
    return solve_formula(pattern, formula, pool)


def judged(kind: StructureType, pool: list[StructureType]) -> tuple[float, float, float, float, int]:
    """SSIM, PSNR, cosine, processor seconds of the search, and how many candidates there were."""
    crystal = kind.crystal()
    pattern = binned(powder_lines(crystal))
    start = time.process_time()
    answers = answers_of(pattern, formula_of(kind), pool)
    seconds = time.process_time() - start
    if not answers:
        return 0.0, 0.0, 0.0, seconds, len(answers)
    truth, found = density(crystal), density(answers[0].crystal)
    scores = [best_over_rotations(truth, each, move=True)[:2] for each in (found, found[::-1, ::-1, ::-1])]
    return max(s for s, _ in scores), max(p for _, p in scores), answers[0].cosine, seconds, len(answers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--systems", nargs="+", default=["cubic"], choices=SYSTEMS)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--pool", choices=("types", "all"), default="all")
    parser.add_argument("--leave", choices=("formula", "type"), default="formula")
    parser.add_argument("--simulated", type=int, default=0)
    options = parser.parse_args()
    crystals = made_crystals(options.simulated) if options.simulated else real_crystals(options.folder)
    chosen = [
        kind
        for kind in crystals
        if options.simulated or any(low <= kind.number <= high for low, high in (SYSTEMS[s] for s in options.systems))
    ]
    order = np.random.default_rng(0).permutation(len(chosen))[: options.count]
    shipped, rows = list(shipped_types()), []
    others = crystals if options.pool == "all" and not options.simulated else []
    print(f"{len(chosen)} crystals, {len(order)} of them tried, pool {len(shipped)} types and {len(others)} crystals")
    for n in order:
        kind, formula = chosen[n], formula_of(chosen[n])
        pool = {likeness(each): each for each in [*shipped, *(k for k in others if formula_of(k) != formula)]}
        if options.leave == "type":
            same = [(m, f) for _, m, f in kind.wyckoff_counts]
            pool = {
                key: each
                for key, each in pool.items()
                if (each.number, sorted((m, f) for _, m, f in each.wyckoff_counts)) != (kind.number, sorted(same))
            }
        rows.append(judged(kind, list(pool.values())))
    table = np.array(rows)
    for name, part in (("all", table), ("with candidates", table[table[:, 4] > 0])):
        if not len(part):
            continue
        ssim = part[:, 0]
        print(
            f"{name:16s} n {len(part):4d}  SSIM mean {ssim.mean():.3f} sd {ssim.std():.3f}  quantiles 5 10 25 50 % "
            + " ".join(f"{each:.3f}" for each in np.quantile(ssim, [0.05, 0.1, 0.25, 0.5]))
            + f"  > .9: {(ssim > 0.9).mean():.0%}  PSNR {part[:, 1].mean():.1f}  cosine {np.median(part[:, 2]):.3f}"
            + f"  processor s median {np.median(part[:, 3]):.2f} mean {part[:, 3].mean():.2f}"
        )


if __name__ == "__main__":
    main()
