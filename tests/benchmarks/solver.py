"""How well, how robustly and how fast the solver takes planes of unseen molecules apart.

python tests/benchmarks/solver.py --planes 24 --noise 0 0.01 0.05
python tests/benchmarks/solver.py --stretch 0.005 --settings stretch=True
"""

import argparse
import time

import numpy as np
import torch
from solver_planes import fair_planes, normalised_errors

from dsfu.model.measured.solver.solve import SolverSettings, solve

COLUMNS = ("SRO", "FF", "FF live", "√SRO", "√FF", "√FF live")


def settings_of(words: list[str]) -> SolverSettings:
    kinds = {"background": bool, "stretch": bool, "cutoff": int}
    pairs = [word.split("=") for word in words]
    return SolverSettings(
        **{name: value == "True" if kinds[name] is bool else kinds[name](value) for name, value in pairs}
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planes", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0])
    parser.add_argument("--background", type=float, default=0.0)
    parser.add_argument("--stretch", type=float, default=0.0)
    parser.add_argument("--together", type=int, default=1, help="planes of one crystal, compared with each alone")
    parser.add_argument("--oscillators", action="store_true")
    parser.add_argument("--settings", nargs="*", default=[])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    settings = settings_of(asked.settings)
    crystals = list(fair_planes(asked.planes, asked.seed, oscillators=asked.oscillators, layers=asked.together))
    print(f"{'':24}" + "".join(f"{name:>10}" for name in COLUMNS) + f"{'CPU s':>8}")
    for noise in asked.noise:
        for together in sorted({1, asked.together}):
            rows, seconds = [], 0.0
            for tests in crystals:
                data = [
                    test.measured(noise=noise, background=asked.background, stretch=asked.stretch) for test in tests
                ]
                started = time.process_time()
                groups = [data] if together > 1 else [[each] for each in data]
                found = [plane for group in groups for plane in solve(group, settings).planes]
                seconds += time.process_time() - started
                rows += [normalised_errors(p.form_factor, p.sro, t) for p, t in zip(found, tests, strict=True)]
            report(f"noise {noise:g}, {together} together", np.array(rows), seconds / len(rows))


def report(label: str, rows: np.ndarray, seconds: float) -> None:
    for name, values in (
        ("mean", rows.mean(axis=0)),
        ("median", np.median(rows, axis=0)),
        ("90 %", np.quantile(rows, 0.9, axis=0)),
    ):
        first = f"{label if name == 'mean' else '':17}{name:>7}"
        print(first + "".join(f"{value:10.5f}" for value in values) + (f"{seconds:8.2f}" if name == "mean" else ""))


if __name__ == "__main__":
    main()
