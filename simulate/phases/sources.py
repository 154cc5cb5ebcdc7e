"""Crystals that others have determined: a table of CIFs, and the AFLOW prototypes that come with pymatgen."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import gemmi
import numpy as np

from dsfu.errors import InputError, how_to_install
from dsfu.files import unpacked
from dsfu.simulate.form_factors import EIGHT_PI_SQUARED
from dsfu.simulate.phases.atoms import CellContents

_LONGEST_CIF: Final = 1 << 24


def crystals_of_table(path: str | Path, *, column: str = "cif", limit: int | None = None) -> Iterator[CellContents]:
    """Crystals of a CSV with a column of CIFs, plain or gzipped, such as those of CDVAE and Materials Project.

    Raises
    ------
    InputError
        If the file, the column or one of the CIFs cannot be read; the row is named.
    """
    csv.field_size_limit(_LONGEST_CIF)
    try:
        text = unpacked(Path(path).read_bytes()).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), expected="a CSV, plain or gzipped") from error
    rows = csv.DictReader(io.StringIO(text))
    if column not in (rows.fieldnames or ()):
        raise InputError(
            f"no column {column!r}", where=str(path), expected=f"one of {', '.join(map(str, rows.fieldnames or ()))}"
        )
    for number, row in enumerate(rows):
        if limit is not None and number >= limit:
            return
        name = row.get("material_id") or f"{Path(path).name} row {number + 1}"
        yield contents_of_cif(row[column] or "", where=f"{path} row {number + 1}", name=name)


def contents_of_cif(text: str, *, where: str = "", name: str = "") -> CellContents:
    """Every atom of the cell of a CIF's first block; symmetry written out, sites that are shared counted by the larger.

    Of partly occupied sites those of less than a half are left out, because a sample has whole atoms.
    """
    try:
        structure = gemmi.make_small_structure_from_block(gemmi.cif.read_string(text)[0])
        sites = [site for site in structure.get_all_unit_cell_sites() if site.occ >= 0.5]
        return CellContents(
            numbers=np.array([site.element.atomic_number for site in sites]),
            positions=np.array([site.fract.tolist() for site in sites]).reshape(-1, 3),
            cell=structure.cell.parameters,
            b_iso=np.array([max(site.u_iso, 0.0) * EIGHT_PI_SQUARED for site in sites]),
            space_group=structure.spacegroup.hm if structure.spacegroup else "P 1",
            name=name or structure.name,
        )
    except (ValueError, RuntimeError, IndexError) as error:
        raise InputError(
            f"no crystal in this CIF: {error}", where=where, expected="cell, symmetry and atoms"
        ) from error


def aflow_prototypes() -> Iterator[CellContents]:
    """The 288 structure types of the AFLOW library, from pymatgen, which the extra ``prototypes`` brings.

    pymatgen is optional: with what it needs it takes some 600 MB, and nothing else here needs it.
    """
    try:
        from pymatgen.analysis.prototypes import AFLOW_PROTOTYPE_LIBRARY
    except ModuleNotFoundError as error:
        raise InputError(
            "pymatgen is not installed; AFLOW's prototypes come with it", remedy=how_to_install("prototypes")
        ) from error
    for entry in AFLOW_PROTOTYPE_LIBRARY:
        structure: Any = entry["snl"].structure
        yield CellContents(
            numbers=np.array([site.specie.Z for site in structure]),
            positions=np.array(structure.frac_coords),
            cell=structure.lattice.parameters,
            space_group=gemmi.find_spacegroup_by_number(_number_of(entry["tags"]["aflow"])).hm,
            name=str(entry["tags"]["aflow"]),
        )


def _number_of(label: str) -> int:
    """Number of the space group in a label such as AB2_oP12_29_a_2a."""
    return int(label.split("_")[2])
