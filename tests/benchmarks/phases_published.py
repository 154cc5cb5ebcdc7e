"""Published molecular crystals, cut at .8 and 2.0 Å: how many maps, groups and verdicts are right.

    pip download --no-deps pyxtal==1.1.5
    python tests/benchmarks/phases_published.py --package pyxtal-1.1.5-py3-none-any.whl [--d-min 0.8 2.0] [--out sets]

The cells are those of the CIFs in that package's wheel (which is read, not installed), or with ``--database`` of its
table of 100 crystals. Reflections are calculated by gemmi, with anisotropic displacements and hydrogen as far as the
file has them; 4 % noise, 5 % missing, an extinction that lowers the strongest |F| by a tenth, systematic absences
listed. The group is not told. ``--out`` keeps the .hkl and .ins files. The map is compared with gemmi's at the same
resolution, over all shifts on the grid and inversion. Measured crystals of ``--measured`` are solved as they are and
cut at 2.0 Å, and compared with the map of the atoms at full resolution. One thread; seconds of the processor.
"""

import argparse
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import gemmi
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.problems.phases.reading import read_reflections
from dsfu.model.problems.phases.solve import PhasedCrystal, solve
from tests.model.problems.phases.made_elsewhere import calculated, correlation

CIFS, TABLE = "pyxtal/database/cifs/", "pyxtal/database/test.db"
FEWEST, MOST = 3, 40
"""Atoms that are not hydrogen in the asymmetric unit."""

NOISE, MISSING, EXTINCTION = 0.04, 0.05, 0.1
U_ISO = 0.04
"""Å², of the crystals of the table, which has no displacements: B = 3.2 Å²."""

LARGEST = 3000.0
"""Å³: larger cells are left out of the table, for time."""


@dataclass(frozen=True, eq=False)
class Published:
    name: str
    structure: gemmi.SmallStructure
    group: gemmi.SpaceGroup


def from_cifs(package: Path) -> Iterator[Published]:
    """Molecular crystals without disorder."""
    with zipfile.ZipFile(package) as wheel:
        for name in sorted(wheel.namelist()):
            if not (name.startswith(CIFS) and name.endswith(".cif")):
                continue
            try:
                block = gemmi.cif.read_string(wheel.read(name).decode()).sole_block()
                structure = gemmi.make_small_structure_from_block(block)
            except (ValueError, RuntimeError):
                continue  # broken files are among them
            heavy = [site for site in structure.sites if site.element.atomic_number > 1]
            carbon = any(site.element.name == "C" for site in heavy)
            whole = all(site.occ > 0.99 for site in structure.sites)
            if structure.spacegroup and carbon and whole and FEWEST <= len(heavy) <= MOST:
                yield Published(Path(name).stem, structure, structure.spacegroup)


def from_table(package: Path) -> Iterator[Published]:
    """The table's crystals, every atom of the cell listed."""
    from ase.db import connect

    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(package) as wheel:
        for row in connect(wheel.extract(TABLE, folder)).select():
            group = gemmi.find_spacegroup_by_name(row.space_group)
            structure = gemmi.SmallStructure()
            atoms = row.toatoms()
            structure.cell = gemmi.UnitCell(*atoms.cell.cellpar())
            structure.spacegroup_hm = "P 1"
            structure.determine_and_set_spacegroup("1")
            for number, place in zip(atoms.numbers, atoms.get_scaled_positions(), strict=True):
                site = gemmi.SmallStructure.Site()
                site.element, site.fract = gemmi.Element(int(number)), gemmi.Fractional(*place)
                site.u_iso, site.occ = U_ISO * (1.2 if number == 1 else 1.0), 1.0
                structure.add_site(site)
            structure.setup_cell_images()
            if group is None or structure.cell.volume > LARGEST or not has_symmetry(structure, group):
                continue
            heavy = int((atoms.numbers > 1).sum()) / len(group.operations())
            if FEWEST <= heavy <= MOST:
                yield Published(row.csd_code, structure, group)


def has_symmetry(structure: gemmi.SmallStructure, group: gemmi.SpaceGroup) -> bool:
    """Whether |F| of equivalents agree, and what is absent vanishes: settings in tables are often wrong."""
    hkl = np.array(gemmi.make_miller_array(structure.cell, gemmi.SpaceGroup("P 1"), 2.0, 0.0, True))[:60]
    size = np.abs(calculated(structure, hkl))
    for op in group.operations().sym_ops:
        images = np.array([op.apply_to_hkl([int(i) for i in h]) for h in hkl])
        if not np.allclose(np.abs(calculated(structure, images)), size, atol=0.02 * size.max()):
            return False
    absent = [group.operations().is_systematically_absent([int(i) for i in h]) for h in hkl]
    return not (size[absent] > 0.02 * size.max()).any()


def write_set(path: Path, what: Published, d_min: float, seed: int) -> None:
    """HKLF 4 beside an .ins with cell and formula but without symmetry."""
    rng = np.random.default_rng(seed)
    cell, operations = what.structure.cell, what.group.operations()
    allowed = np.array(gemmi.make_miller_array(cell, what.group, d_min, 0.0, True))
    every = np.array(gemmi.make_miller_array(cell, gemmi.SpaceGroup("P 1"), d_min, 0.0, False))
    unique = gemmi.ReciprocalAsu(what.group)
    of_lattice = gemmi.find_spacegroup_by_name(f"{what.group.centring_type()} 1")
    primitive = (of_lattice or gemmi.SpaceGroup("P 1")).operations()
    absent = every[
        [
            unique.is_in(h) and operations.is_systematically_absent(h) and not primitive.is_systematically_absent(h)
            for h in every.tolist()
        ]
    ]
    size = np.abs(calculated(what.structure, allowed))
    size *= (1 - EXTINCTION * (size / size.max()) ** 2) * np.sqrt(9000) / size.max()
    intensity = size**2
    sigma = np.sqrt((NOISE * intensity) ** 2 + (0.02 * np.median(intensity)) ** 2)
    kept = rng.random(len(allowed)) > MISSING
    weak = float(np.median(sigma))
    hkl = np.concatenate([allowed[kept], absent])
    value = np.concatenate([intensity[kept], np.zeros(len(absent))])
    error = np.concatenate([sigma[kept], np.full(len(absent), weak)])
    value = value + error * rng.standard_normal(len(value))
    rows = [
        "".join(f"{i:4d}" for i in h) + f"{v:8.2f}{max(s, 0.01):8.2f}"
        for h, v, s in zip(hkl, value, error, strict=True)
    ]
    path.write_text("\n".join([*rows, "   0   0   0    0.00    0.00", ""]))
    counts: dict[str, int] = {}
    for site in what.structure.get_all_unit_cell_sites():
        counts[site.element.name] = counts.get(site.element.name, 0) + 1
    parameters = " ".join(f"{x:.5f}" for x in cell.parameters)
    path.with_suffix(".ins").write_text(
        f"TITL {what.name}\nCELL 0.71073 {parameters}\nSFAC {' '.join(counts)}\n"
        f"UNIT {' '.join(map(str, counts.values()))}\nHKLF 4\n"
    )


def solved(path: Path, resolution: float = 0.0) -> tuple[PhasedCrystal, float]:
    data = read_reflections(path)
    began = time.process_time()
    crystal = solve(data, resolution=resolution)
    return crystal, time.process_time() - began


def table(crystals: list[Published], d_min: float, folder: Path) -> None:
    print(
        f"\nd ≥ {d_min} Å\n\n| crystal | group | found | correlation | R | verdict | s |\n|---|---|---|---|---|---|---|"
    )
    rows = []
    for number, what in enumerate(crystals):
        path = folder / f"{what.name}-{d_min}.hkl"
        write_set(path, what, d_min, seed=number)
        crystal, seconds = solved(path)
        match = correlation(crystal.density, what.structure, d_min)
        right = crystal.candidate.group.number == what.group.number
        rows.append((match, right, crystal.verdict.outcome == "solved", seconds))
        told = f"{what.group.short_name()} | {crystal.candidate.name} | {match:.3f} | {crystal.r:.3f}"
        print(f"| {what.name} | {told} | {crystal.verdict.outcome} | {seconds:.1f} |", flush=True)
    match, right, called, seconds = np.array(rows, dtype=float).T
    print(
        f"\n{len(rows)} crystals: correlation mean {match.mean():.3f}, median {np.median(match):.3f}, least "
        f"{match.min():.3f}, above .75 {(match > 0.75).sum()}, above .97 {(match > 0.97).sum()}; "
        f"groups right {right.sum():.0f}, called solved {called.sum():.0f}, of these in a wrong group "
        f"{(called * (1 - right)).sum():.0f}; s median {np.median(seconds):.1f}, largest {seconds.max():.1f}",
        flush=True,
    )


def measured(folder: Path) -> None:
    """Files of reflections as they are, and cut at 2.0 Å."""
    print("\n| measured | reflections | d ≥ / Å | found | R | verdict | s |\n|---|---|---|---|---|---|---|")
    for path in sorted(folder.glob("*.hkl")):
        for resolution in (0.0, 2.0):
            try:
                crystal, seconds = solved(path, resolution)
            except Exception as error:  # too few reflections are left, or there is no cell beside the file
                print(f"| {path.stem} | | {resolution} | {error} |", flush=True)
                continue
            told = f"{crystal.data.d_min:.2f} | {crystal.candidate.name} | {crystal.r:.3f} | {crystal.verdict.outcome}"
            print(f"| {path.stem} | {len(crystal.data.hkl)} | {told} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, help="the wheel; without it only measured files")
    parser.add_argument("--database", action="store_true", help="the table of 100 crystals instead of the CIFs")
    parser.add_argument("--d-min", type=float, nargs="+", default=[0.8, 2.0])
    parser.add_argument("--only", nargs="+", default=[], help="names of crystals")
    parser.add_argument("--out", type=Path, help="where the files are kept")
    parser.add_argument("--measured", type=Path, default=Path("/work/shared/data/reflections"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.out or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if options.package:
            found = list((from_table if options.database else from_cifs)(options.package))
            found = [each for each in found if not options.only or each.name in options.only]
            for d_min in options.d_min:
                table(found, d_min, folder)
    if options.measured.is_dir() and not options.only:
        measured(options.measured)
