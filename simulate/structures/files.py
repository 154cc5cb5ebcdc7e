"""Structure files: CIF by gemmi, XYZ and everything else by ase; and writing the refined ones."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from ase.io import read as ase_read
from ase.io.formats import filetype

from dsfu.errors import InputError
from dsfu.files import write_text
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import CELL_ITEMS, Cell
from dsfu.simulate.structures.bonds import bonds_of, connected_to
from dsfu.simulate.structures.cif import read_cif
from dsfu.simulate.structures.structure import Structure, unique_labels

_MOST_BYTES: Final = 64 << 20
_UNPICKLED: Final = frozenset({"bundletrajectory", "dftb", "gpw"})
"""Formats of ase that are folders or may run what is in the file."""

_LABEL_COLUMNS: Final = ("labels", "label", "atom_labels", "names")
_OCCUPANCY_COLUMNS: Final = ("occupancies", "occupancy")


def read_structure(path: str | Path, *, molecule: Sequence[str] = (), part: int | None = None) -> Structure:
    """A molecule out of a file.

    Parameters
    ----------
    path
        CIF (by suffix), XYZ, extended XYZ, or any single structure that ase reads.
    molecule
        Names of atoms: only what bonds connect to them is taken. For CIF also "asymmetric-unit" or "cell"; none, and
        the one molecule of the asymmetric unit is put together by symmetry. Other files are taken whole if none.
    part
        CIF: the disorder group to take beside the atoms that are in none; its atoms then have occupancy 1.

    Returns
    -------
    Atoms where the file has them, in the Cartesian frame of `dsfu.simulate.lattice.Cell`; a file without a cell is
    taken to be in that frame. Atoms are named as in the file, else by element and number in the file: "C7".
    """
    path = Path(path)
    _check_file(path)
    if path.suffix.lower() in (".cif", ".mcif"):
        return read_cif(path, molecule, part)
    if part is not None:
        raise InputError("has no disorder groups", where=str(path), expected="CIF, for a part to be chosen")
    whole = _from_ase(_read_with_ase(path), path)
    if not molecule:
        return whole
    starts = [whole.index(label) for label in molecule]
    return whole.subset(connected_to(bonds_of(whole), starts))


def write_xyz(path: str | Path, structure: Structure) -> None:
    """Write extended XYZ with labels and occupancies, without a cell."""
    lines = [str(len(structure)), "Properties=species:S:1:pos:R:3:labels:S:1:occupancies:R:1"]
    for number, (x, y, z), label, share in _rows(structure, structure.positions):
        lines.append(f"{chemical_symbols[number]:<2} {x:14.8f} {y:14.8f} {z:14.8f} {label:<8} {share:.4f}")
    _write(path, lines)


def write_cif(path: str | Path, structure: Structure, cell: Cell) -> None:
    """Write CIF without symmetry: one molecule, as it lies, in the given cell."""
    lines = [f"data_{''.join(c if c.isalnum() else '_' for c in structure.name) or 'molecule'}"]
    lines += [f"_cell_{name} {value:.6f}" for name, value in zip(CELL_ITEMS, cell.constants, strict=True)]
    lines += ["_space_group_name_H-M_alt 'P 1'", "loop_", "_space_group_symop_operation_xyz", "'x, y, z'", "loop_"]
    lines += [f"_atom_site_{name}" for name in ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")]
    for number, (x, y, z), label, share in _rows(structure, structure.positions @ np.linalg.inv(cell.vectors)):
        lines.append(f"{label:<8} {chemical_symbols[number]:<2} {x:12.8f} {y:12.8f} {z:12.8f} {share:.4f}")
    _write(path, lines)


def _rows(structure: Structure, places: FloatArray) -> Iterator[tuple[int, list[float], str, float]]:
    rows = (structure.numbers.tolist(), places.tolist(), structure.labels, structure.occupancies.tolist())
    return zip(*rows, strict=True)


def _write(path: str | Path, lines: list[str]) -> None:
    write_text(path, "\n".join(lines) + "\n")


def _check_file(path: Path) -> None:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise InputError(what, where=str(path), expected="a file with a structure: CIF, XYZ …")
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise InputError(f"has {size / (1 << 20):.0f} MiB", where=str(path), expected="one molecule")


def _read_with_ase(path: Path) -> Atoms:
    where = str(path)
    try:
        kind = "extxyz" if path.suffix.lower() in (".xyz", ".extxyz") else filetype(where)
        if kind in _UNPICKLED:
            raise InputError(f"is of the kind {kind}, which is not read", where=where, remedy="write it as XYZ")
        found = ase_read(where, index=0, format=kind)
    except InputError:
        raise
    except Exception as error:  # ase's readers raise whatever the file makes them stumble over
        raise InputError(
            f"cannot be read: {type(error).__name__}: {error}", where=where, expected="CIF, XYZ, or another file of ase"
        ) from error
    if not isinstance(found, Atoms) or len(found) == 0:
        raise InputError("holds no atoms", where=where)
    return found


def _from_ase(atoms: Atoms, path: Path) -> Structure:
    where = str(path)
    occupancies = _column(atoms, _OCCUPANCY_COLUMNS)
    labels = _column(atoms, _LABEL_COLUMNS)
    numbered = [f"{symbol}{i}" for i, symbol in enumerate(atoms.get_chemical_symbols(), 1)]
    positions, cell = _in_our_frame(atoms, where)
    try:
        return Structure(
            numbers=np.array(atoms.numbers, np.int64),
            positions=positions,
            occupancies=np.ones(len(atoms)) if occupancies is None else np.array(occupancies, np.float64),
            labels=unique_labels(numbered if labels is None else [str(label) for label in labels]),
            name=path.name,
            cell=cell,
        )
    except (ValueError, TypeError) as error:
        raise InputError(str(error), where=where) from error


def _column(atoms: Atoms, names: Sequence[str]) -> Any:
    return next((atoms.arrays[name] for name in names if name in atoms.arrays), None)


def _in_our_frame(atoms: Atoms, where: str) -> tuple[FloatArray, Cell | None]:
    if atoms.cell.rank < 3:
        return np.array(atoms.positions, np.float64), None
    try:
        cell = Cell.from_vectors(np.array(atoms.cell))
    except ValueError as error:
        raise InputError(str(error), where=where, expected="a right-handed cell, or none") from error
    return np.asarray(atoms.get_scaled_positions(wrap=False) @ cell.vectors, np.float64), cell
