"""The files of a refinement against I_FF."""

import re
from pathlib import Path
from typing import Any, Final

from dsfu.errors import InputError
from dsfu.files import replacing
from dsfu.model.measured.molecules.picture import write_picture
from dsfu.model.measured.molecules.refine import Refinement
from dsfu.model.measured.molecules.report import csv_of, json_of
from dsfu.simulate.structures.files import write_cif, write_xyz

NAMES: Final = ("A.xyz", "A.cif", "B.xyz", "B.cif", "refine-ff.json", "refine-ff.png")
"""Files that are not to be replaced unasked; A.xyz may be what somebody began with."""


def write_outputs(folder: str | Path, refinement: Refinement, made_from: dict[str, Any]) -> list[Path]:
    """Write refined structures (XYZ; CIF where the cell is known), parameters, scans and the picture into a folder.

    Returns
    -------
    The files written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot be made: {error.strerror}", where=str(folder), expected="a folder to write to"
        ) from error
    written = []
    cell = refinement.model.observations[0].cell
    for name, structure in zip("AB", refinement.structures, strict=True):
        written.append(folder / f"{name}.xyz")
        write_xyz(written[-1], structure)
        if cell is not None:
            written.append(folder / f"{name}.cif")
            write_cif(written[-1], structure, cell)
    written.append(_text(folder / "refine-ff.json", json_of(refinement, made_from)))
    written += [_text(folder / f"scan-{_file_name(scan.torsion)}.csv", csv_of(scan)) for scan in refinement.scans]
    written.append(folder / "refine-ff.png")
    write_picture(written[-1], refinement)
    return written


def _text(path: Path, text: str) -> Path:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _file_name(torsion: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", torsion).strip("_") or "torsion"
