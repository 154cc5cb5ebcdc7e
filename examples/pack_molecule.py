"""Packs a molecule in P2₁/c, calculates its reflections with noise, and writes them as a diffractometer would.

    python examples/pack_molecule.py FOLDER

FOLDER then has crystal.hkl (SHELX HKLF 4) and crystal.ins with cell and formula. The space group is not in them:
`dsfu-model solve-phases` has to find it.
"""

import sys
from pathlib import Path

import gemmi
import numpy as np
from ase.build import molecule

from dsfu.simulate.phases.atoms import CellContents, inverse_d_squared
from dsfu.simulate.phases.packing import pack
from dsfu.simulate.phases.structure_factors import indices, structure_factors

D_MIN = 0.8
NOISE = 0.03


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    what = molecule("C5H8")
    contents = pack(what.numbers, what.positions, seed=1)
    lines = reflections(contents)
    (folder / "crystal.hkl").write_text("\n".join([*lines, "   0   0   0    0.00    0.00", ""]))
    cell = " ".join(f"{x:.5f}" for x in contents.cell)
    symbols = [gemmi.Element(int(z)).name for z in contents.numbers]
    kinds = sorted(set(symbols))
    unit = " ".join(str(symbols.count(kind)) for kind in kinds)
    (folder / "crystal.ins").write_text(
        f"TITL demo\nCELL 0.71073 {cell}\nSFAC {' '.join(kinds)}\nUNIT {unit}\nHKLF 4\n"
    )
    print(f"{len(symbols)} atoms in {contents.space_group}, {len(lines)} reflections")


def reflections(contents: CellContents) -> list[str]:
    """Both halves of the sphere with k ≥ 0, so that some equivalents are measured twice."""
    n = int(2 * max(contents.cell[:3]) / D_MIN) + 4
    waves = structure_factors(contents, n, form="IT92")
    along = indices(n)
    rng = np.random.default_rng(1)
    rows = []
    for place in np.ndindex(waves.shape):
        hkl = [int(along[place[0]]), int(along[place[1]]), place[2]]
        if any(hkl) and hkl[1] >= 0 and inverse_d_squared(contents.cell, hkl) <= 1 / D_MIN**2:
            rows.append((hkl, abs(waves[place]) ** 2))
    scale = 9000 / max(value for _, value in rows)
    floor = 0.02 * float(np.median([value for _, value in rows])) * scale
    lines = []
    for hkl, value in rows:
        sigma = float(np.hypot(NOISE * value * scale, floor))
        text = "".join(f"{index:4d}" for index in hkl)
        lines.append(f"{text}{value * scale + sigma * rng.standard_normal():8.2f}{sigma:8.2f}")
    return lines


if __name__ == "__main__":
    main(Path(sys.argv[1]))
