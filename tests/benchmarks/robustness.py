"""Errors of both factors when the data are not quite as assumed, with and without the setting that mends it.

    OMP_NUM_THREADS=1 python tests/benchmarks/robustness.py [--count 24] [--pixels 256] [--cases 15]

Mean squared errors of normalised planes (`disorder.data.normalise`) on both scales, over all pixels for I_SRO and over
live ones for I_FF; the same planes, dead zones included, in every row. Layers normal to b of oscillator sets have Bragg
spots, and no others do, so spots have a reference of their own.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.model.measured.solver.solve import solve
from dsfu.model.problems.disorder.data.normalise import Scale, normalise
from tests.benchmarks.broken_planes import Truth, as_measured, background, bragg, debye_waller, wrong_lattice

PLAIN, STRETCH, BACKGROUND = SolverSettings(), SolverSettings(stretch=True), SolverSettings(background=True)
SCALES: tuple[Scale, ...] = ("linear", "sqrt")

CASES: tuple[tuple[str, Callable[[int, float, int], Truth], float, SolverSettings], ...] = (
    ("as assumed", debye_waller, 0.0, PLAIN),
    ("as assumed, stretch fitted", debye_waller, 0.0, STRETCH),
    ("as assumed, background fitted", debye_waller, 0.0, BACKGROUND),
    ("lattice off by 0.2 %", wrong_lattice, 0.002, PLAIN),
    ("lattice off by 0.2 %, stretch fitted", wrong_lattice, 0.002, STRETCH),
    ("lattice off by 0.5 %", wrong_lattice, 0.005, PLAIN),
    ("lattice off by 0.5 %, stretch fitted", wrong_lattice, 0.005, STRETCH),
    ("lattice off by 1 %", wrong_lattice, 0.01, PLAIN),
    ("lattice off by 1 %, stretch fitted", wrong_lattice, 0.01, STRETCH),
    ("2 % background", background, 0.02, PLAIN),
    ("2 % background, fitted", background, 0.02, BACKGROUND),
    ("Debye–Waller, 0.03 Å²", debye_waller, 0.03, PLAIN),
    ("layers without Bragg spots", bragg, 0.0, PLAIN),
    ("Bragg spots of 0.1 of the maximum", bragg, 0.1, PLAIN),
    ("Bragg spots of 1 of the maximum", bragg, 1.0, PLAIN),
)


def errors(truth: Truth, seed: int, settings: SolverSettings) -> list[float]:
    """Of I_SRO and of I_FF on the linear scale, then on that of the root."""
    measured = as_measured(truth, seed)
    found = solve([measured], settings).planes[0]
    out = []
    for scale in SCALES:
        sro = np.square(normalise(found.sro, scale) - normalise(truth.sro, scale))
        form = np.square(normalise(found.form_factor, scale) - normalise(truth.form_factor, scale))
        out += [float(sro.mean()), float(form[measured.live].mean())]
    return out


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=24, help="planes")
    parser.add_argument("--pixels", type=int, default=256)
    parser.add_argument("--cases", type=int, default=len(CASES), help="so many of the rows, from the first")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("Mean / median over planes.\n")
    print("| | I_SRO linear | I_FF linear | I_SRO root | I_FF root |\n| --- | --- | --- | --- | --- |")
    for name, make, strength, settings in CASES[: given.cases]:
        rows = [errors(make(seed, strength, given.pixels), seed, settings) for seed in range(given.count)]
        means, medians = np.mean(rows, axis=0), np.median(rows, axis=0)
        cells = [f"{mean:.5f} / {median:.5f}" for mean, median in zip(means, medians, strict=True)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
