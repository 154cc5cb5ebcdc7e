"""Write simulate/densities/tables/element_volumes.tsv: Å³ that an atom takes, from the shipped structure types.

    python tools/make_element_volumes.py

Least squares on the cells of the structure types (relative errors), drawn weakly to a power of the covalent radius
(ASE) for elements that few types hold. Types that err by more than 35 % are dropped, three times over.
"""

import sys
from pathlib import Path

import gemmi
import numpy as np
from ase.data import covalent_radii
from scipy.optimize import lsq_linear

from dsfu.simulate.densities.structure_types import shipped_types

PULL = 0.3
"""Weight of the drawing to the radii, of one type. Chosen."""


def main() -> None:
    rows, volumes = [], []
    for each in shipped_types():
        if max(each.composition) > 98:
            continue
        row = np.zeros(99)
        for element, count in each.composition.items():
            row[element] += count
        rows.append(row / each.volume)
        volumes.append(1.0)
    matrix, target = np.array(rows), np.array(volumes)
    prior = np.array([0.0] + [9.0 * covalent_radii[z] ** 1.5 for z in range(1, 99)])
    kept, values = np.ones(len(target), bool), np.zeros(99)
    for _ in range(3):
        pull = np.diag(PULL / np.maximum(prior, 1))[1:]
        full = np.vstack([matrix[kept], pull])
        values[1:] = lsq_linear(
            full[:, 1:], np.concatenate([target[kept], pull @ prior]), bounds=(0.55 * prior[1:], 2.6 * prior[1:])
        ).x
        kept = np.abs(matrix @ values - 1) < 0.35
    error = matrix @ values - 1
    sys.stderr.write(f"{kept.sum()} of {len(kept)} types kept, median error {np.median(np.abs(error)):.3f}\n")
    lines = [
        "# Å³ per atom of each element; made by tools/make_element_volumes.py from the cells of the structure types."
    ]
    lines += [f"{gemmi.Element(z).name}\t{values[z]:.2f}" for z in range(1, 99)]
    out = Path(__file__).parents[1] / "simulate/densities/tables/element_volumes.tsv"
    out.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
