"""Molecules out of CIF: symmetry applied, one of the disordered parts taken, the molecule put together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import gemmi
import numpy as np

from dsfu.errors import InputError
from dsfu.simulate.lattice import Cell
from dsfu.simulate.structures.bonds import molecule_in_crystal
from dsfu.simulate.structures.structure import Structure, unique_labels

ASYMMETRIC_UNIT: Final = "asymmetric-unit"
WHOLE_CELL: Final = "cell"

_MOST_ATOMS: Final = 20_000
"""More atoms in a cell are not a molecular crystal; finding bonds would take long."""


def read_cif(path: Path, molecule: Sequence[str] = (), part: int | None = None, block: int | None = 0) -> Structure:
    """A molecule of a data block that has atoms; `files.read_structure` says which.

    ``block`` counts those that have, from 0; None: there must be only one.
    """
    where = str(path)
    small = _with_atoms(path, block)
    cell = _cell_of(small, where)
    _check_sites(small, where)
    sites, originals = _sites(small, _chosen_part(small, part, where), where)
    everything = Structure(
        numbers=np.array([site.element.atomic_number for site in sites], np.int64),
        positions=np.array([site.fract.tolist() for site in sites]).reshape(-1, 3) @ cell.vectors,
        occupancies=_occupancies(sites, part),
        labels=unique_labels([site.label or site.element.name for site in sites]),
        name=path.name,
        cell=cell,
    )
    try:
        return _cut_out(everything, molecule, originals)
    except InputError as error:
        raise InputError(error.what, where=where, expected=error.expected, remedy=error.remedy) from error


def _with_atoms(path: Path, number: int | None) -> Any:
    try:
        every = [gemmi.make_small_structure_from_block(block) for block in gemmi.cif.read(str(path))]
    except (ValueError, RuntimeError, OSError) as error:
        raise InputError(f"cannot be read as CIF: {error}", where=str(path)) from error
    found = [small for small in every if len(small.sites)]
    if not found:
        raise InputError(
            "no data block has atoms with fractional coordinates",
            where=str(path),
            expected="_atom_site_fract_x, _y, _z and their kin",
        )
    if number is None and len(found) > 1:
        raise InputError(f"it holds {len(found)} structures", where=str(path), remedy="say which with index=0, 1, …")
    if not 0 <= (number or 0) < len(found):
        raise InputError(f"index = {number}", where=str(path), expected=f"0 to {len(found) - 1}")
    return found[number or 0]


def _cell_of(small: Any, where: str) -> Cell:
    given = small.cell
    try:
        if tuple(given.parameters) == (1, 1, 1, 90, 90, 90):
            raise ValueError("no cell lengths and angles that are numbers")
        return Cell(*given.parameters)
    except ValueError as error:
        raise InputError(str(error), where=where, expected="_cell_length_a … _cell_angle_gamma") from error


def _check_sites(small: Any, where: str) -> None:
    for site in small.sites:
        if not 1 <= site.element.atomic_number <= 98:
            raise InputError(
                f"atom {site.label}: its element {site.type_symbol!r} is not one with a form factor",
                where=where,
                expected="_atom_site_type_symbol from H to Cf",
            )
        if not np.isfinite([*site.fract.tolist(), site.occ]).all():
            raise InputError(
                f"atom {site.label}: coordinates or occupancy are missing",
                where=where,
                expected="numbers",
                remedy="remove the atom from the file, or place it",
            )
        if not 0 <= site.occ <= 1.001:
            raise InputError(f"atom {site.label}: occupancy {site.occ:g}", where=where, expected="from 0 to 1")


def _chosen_part(small: Any, part: int | None, where: str) -> int | None:
    parts = sorted({site.disorder_group for site in small.sites} - {0})
    listed = ", ".join(str(number) for number in parts)
    if part is None and len(parts) > 1:
        raise InputError(
            f"its atoms are in disorder groups {listed}",
            where=where,
            expected="one of them: two molecules would lie on one another",
            remedy="choose with --part-a and --part-b",
        )
    if part is not None and part not in parts:
        raise InputError(f"has no disorder group {part}", where=where, expected=f"one of {listed or 'none'}")
    return part if part is not None else next(iter(parts), None)


def _sites(small: Any, part: int | None, where: str) -> tuple[list[Any], int]:
    """Sites of a cell, those of the asymmetric unit first, and how many those are.

    A negative group (disorder about an element of symmetry) has no symmetry: what it shares with its images is the
    site, not its atoms.
    """
    originals = [site for site in small.sites if site.disorder_group in (0, part)]
    if part is not None and part < 0:
        return originals, len(originals)
    if small.spacegroup is None and not small.symops:
        raise InputError(
            "neither its space group nor its symmetry operations can be read",
            where=where,
            expected="_space_group_name_H-M_alt or _space_group_symop_operation_xyz",
        )
    copies = [site for site in small.get_all_unit_cell_sites() if site.disorder_group in (0, part)]
    if len(copies) > _MOST_ATOMS:
        raise InputError(f"has {len(copies)} atoms in a cell", where=where, expected=f"at most {_MOST_ATOMS}")
    where_given = {(site.label, *site.fract.tolist()) for site in originals}
    images = [site for site in copies if (site.label, *site.fract.tolist()) not in where_given]
    return originals + images, len(originals)


def _occupancies(sites: list[Any], part: int | None) -> Any:
    """As in the file; but of a part that was chosen by its number, its atoms are all there."""
    return np.array([1.0 if part is not None and site.disorder_group == part else site.occ for site in sites])


def _cut_out(everything: Structure, molecule: Sequence[str], originals: int) -> Structure:
    if tuple(molecule) == (ASYMMETRIC_UNIT,):
        return everything.subset(range(originals))
    if tuple(molecule) == (WHOLE_CELL,):
        return everything
    assert everything.cell is not None
    cell = everything.cell
    fractional = everything.positions @ np.linalg.inv(cell.vectors)
    starts = [everything.index(label) for label in molecule] or _only_molecule(everything, originals)
    placed = molecule_in_crystal(everything.numbers, fractional, cell.vectors, starts)
    moved = everything.subset([atom for atom, _ in placed])
    return moved.at(moved.positions + np.array([shift for _, shift in placed], np.float64) @ cell.vectors)


def _only_molecule(everything: Structure, originals: int) -> list[int]:
    """An atom of the molecule, if all of the asymmetric unit is part of one."""
    assert everything.cell is not None
    fractional = everything.positions @ np.linalg.inv(everything.cell.vectors)
    left, starts = set(range(originals)), list[int]()
    while left:
        starts.append(min(left))
        left -= {
            atom
            for atom, _ in molecule_in_crystal(everything.numbers, fractional, everything.cell.vectors, starts[-1:])
        }
    if len(starts) > 1:
        named = ", ".join(everything.labels[atom] for atom in starts)
        raise InputError(
            f"its asymmetric unit has {len(starts)} molecules, with {named}",
            expected="one molecule, or the name of an atom in each that is meant",
            remedy=f"choose with --molecule-a and --molecule-b: atoms, {ASYMMETRIC_UNIT}, or {WHOLE_CELL}",
        )
    return starts
