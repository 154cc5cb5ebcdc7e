"""A user's own species, read from a file of any format that ASE or gemmi reads."""

import re
from pathlib import Path
from typing import Final

import numpy as np
from ase import Atoms

from dsfu.errors import InputError
from dsfu.simulate.shapes import (
    cell_lengths_by_rule,
    group_of,
    laid_on_axes,
)
from dsfu.simulate.species import MOST_ATOMS, Species, Split

_MOST_BYTES_OF_FILE: Final = 8 * 2**20
"""Of a file of structures: what ASE reads in a few seconds. 2000 atoms take a fiftieth of it."""

_COUNTS = re.compile(rb"^[ \t]*(\d{4,})(?:[ \t]+\d+)*[ \t]*\r?$", re.MULTILINE)


def read_species(
    path: str | Path,
    name: str,
    group: int,
    *,
    split: Split = "train",
    cell_lengths: tuple[float, float, float] | None = None,
    lay: bool = False,
    index: int | None = None,
) -> Species:
    """Read a user's own species from a file in any format that ASE reads.

    Parameters
    ----------
    path, name, group, split
        The file, and what the species is to be (see `Species`). Of a CIF, the one molecule of the asymmetric unit is
        put together by symmetry; for a perovskite (group 4) its whole cell is taken.
    cell_lengths
        (a, b, c) in Å. By default from the atoms' extents by the group's rule; for a perovskite (group 4), which has
        no rule, from the cell in the file.
    lay
        False: atoms stay where the file has them, and both species of a pair must share one origin and orientation.
        True: as in the library, centroid at the origin and principal axes on the cell's.
    index
        Which structure of a file that holds several, from 0.
    """
    atoms = _read_structure(Path(path), index, whole_cell=group_of(group).principal_axes is None)
    if len(atoms) == 0:
        raise ValueError(f"path = {str(path)!r}: it holds no atoms; for an empty site use vacancy(partner)")
    if lay:
        atoms.set_positions(laid_on_axes(atoms.positions, atoms.numbers, group))
    lengths = _lengths_for(atoms, group, path) if cell_lengths is None else cell_lengths
    return Species(name, group, split, atoms, lengths)


def _read_structure(path: Path, index: int | None, *, whole_cell: bool) -> Atoms:
    from ase.io import read  # takes longer to import than the whole library to load

    if not path.is_file():
        raise ValueError(f"path = {str(path)!r}: there is no such file")
    if path.suffix.lower() in (".cif", ".mcif"):
        return _read_cif(path, index, whole_cell=whole_cell)
    _refuse_bombs(path)
    try:
        structures = read(path, index=":")
    except Exception as error:  # ASE's readers raise anything, from KeyError to AssertionError
        raise ValueError(
            f"path = {str(path)!r}: ASE cannot read it ({type(error).__name__}: {error}); "
            "expected a structure file with its usual suffix, such as .xyz, .cif or .pdb"
        ) from error
    if index is None and len(structures) != 1:
        raise ValueError(f"path = {str(path)!r}: it holds {len(structures)} structures; say which with index=0, 1, …")
    chosen = index or 0
    if not 0 <= chosen < len(structures):
        raise ValueError(f"index = {index}: expected 0 to {len(structures) - 1}, for {str(path)!r}")
    return structures[chosen]


def _read_cif(path: Path, index: int | None, *, whole_cell: bool) -> Atoms:
    from dsfu.simulate.structures.cif import WHOLE_CELL, read_cif

    try:
        found = read_cif(path, (WHOLE_CELL,) if whole_cell else (), None, index)
    except InputError as error:
        wanted = f"expected {error.expected}; " if error.expected else ""
        advice = "keep one molecule in the file, or write it as XYZ"
        raise ValueError(f"path = {str(path)!r}: {error.what}; {wanted}{advice}") from error
    if (found.occupancies < 0.999).any():
        first = found.labels[int(found.occupancies.argmin())]
        raise ValueError(
            f"path = {str(path)!r}: atom {first} has an occupancy of {found.occupancies.min():g}; expected 1 of all: a "
            "species is one molecule; keep one of the alternatives of a disordered one in the file"
        )
    cell = None if found.cell is None else found.cell.vectors
    return Atoms(numbers=found.numbers, positions=found.positions, cell=cell, pbc=cell is not None)


def _refuse_bombs(path: Path) -> None:
    """Refuse a file that would keep a reader busy for ever: ASE believes whatever number of atoms a file claims."""
    size = path.stat().st_size
    if size > _MOST_BYTES_OF_FILE:
        raise ValueError(
            f"path = {str(path)!r}: it has {size} bytes; expected at most {_MOST_BYTES_OF_FILE}, for a species of up "
            f"to {MOST_ATOMS} atoms; keep nothing in it but the molecule"
        )
    for match in _COUNTS.finditer(path.read_bytes()):
        count = match[1][:30].decode()
        if len(match[1]) > len(str(size)) or int(count) > size:
            raise ValueError(
                f"path = {str(path)!r}: it claims {count} atoms, and has {size} bytes; expected as many as it says"
            )


def _lengths_for(atoms: Atoms, group: int, path: str | Path) -> tuple[float, float, float]:
    if group_of(group).principal_axes is not None:
        return cell_lengths_by_rule(group, atoms.positions)
    a, b, c, *angles = (float(number) for number in atoms.cell.cellpar())
    if atoms.cell.rank < 3 or not np.allclose(angles, 90.0, atol=1e-3):
        raise ValueError(
            f"path = {str(path)!r}: a species of group {group} needs a cell with right angles, and the file gives "
            f"lengths {a:g}, {b:g}, {c:g} Å and angles {angles} degrees; give cell_lengths=(a, b, c)"
        )
    return a, b, c
