"""Refined Warren–Cowley parameters beside those that a crystal was made with.

    python tests/benchmarks/crystal_maker.py orthorhombic crystal.h5 truth.json --half 40
    dsfu-model analyse crystal.h5 -o out
    python examples/compare_order.py truth.json out/sro.json

A measurement never has such a truth; the crystal maker's has: it is a simulation that shares nothing with dsfu.
"""

import json
import sys
from pathlib import Path

import numpy as np

SHOWN = 15
"""The nearest shells."""


def compare(truth: Path, refined: Path) -> None:
    """Print refined parameters beside the true ones, by shell."""
    alpha = np.array(json.loads(truth.read_text())["alpha"])
    middle = alpha.shape[0] // 2
    shells = json.loads(refined.read_text())["refinements"][0]["shells"][:SHOWN]
    print(f"{'u v w':>9s} {'true':>8s} {'refined':>9s} {'s.u.':>8s} {'error / s.u.':>13s}")
    errors = []
    for shell in shells:
        true = alpha[tuple(np.array(shell["vector"]) + middle)]
        errors.append((shell["alpha"] - true) / shell["uncertainty"])
        words = " ".join(map(str, shell["vector"]))
        print(f"{words:>9s} {true:8.4f} {shell['alpha']:9.4f} {shell['uncertainty']:8.4f} {errors[-1]:13.1f}")
    size = np.abs(errors)
    print(f"within one standard uncertainty: {(size < 1).sum()} of {len(size)}; the largest error is {size.max():.1f}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    compare(Path(sys.argv[1]), Path(sys.argv[2]))
