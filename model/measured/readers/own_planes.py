"""A plane that ``dsfu-model prepare`` made, read as a reconstruction of one layer of voxels."""

from typing import Final

import numpy as np

from dsfu.errors import InputError, near_miss
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.readers.assembling import assemble
from dsfu.model.measured.readers.hdf5 import Hdf5
from dsfu.model.measured.readers.hints import Hints
from dsfu.model.measured.readers.plane_files import FORMAT, check_is_ours, read_entry
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell

NAME: Final = "planes of dsfu-model"


def refusal(file: Hdf5) -> str:
    """Why this is not such a file; empty if it is."""
    found = file.said(file.root, "dsfu_format")
    return "" if found.startswith("dsfu") else f"its attribute dsfu_format is not {FORMAT!r}"


def read(file: Hdf5, hints: Hints) -> Reconstruction:
    """The only plane, or the one that hints name; its array is [y, x, 1]."""
    check_is_ours(file)
    entries = planes_in(file)
    name = _chosen(entries, hints.plane, str(file.path))
    measured = read_entry(file, file.need(name))
    cell = hints.cell or measured.cell
    return assemble(
        intensity=measured.intensity,
        grid=None if cell is None else _grid(measured, cell),
        cell=measured.cell,
        where=f"{file.path}: {entries[name] or name}",
        format_name=NAME,
        hints=hints,
        live=measured.live,
        sigma=measured.sigma,
        history=measured.history,
        notes=[f"it came from {measured.source}"] if measured.source else [],
    )


def planes_in(file: Hdf5) -> dict[str, str]:
    """The planes of a file of ours: name of the entry, and title."""
    names = sorted(name for name in file.names(file.root) if name.startswith("plane_"))
    if not names:
        raise InputError("holds no plane", where=str(file.path))
    return {name: file.text(file.need("title", file.need(name))) for name in names}


def _chosen(entries: dict[str, str], wanted: str, where: str) -> str:
    names = list(entries)
    if not wanted and len(names) == 1:
        return names[0]
    for number, (name, title) in enumerate(entries.items(), start=1):
        if wanted and wanted in (str(number), name, title):
            return name
    listed = ", ".join(f"{number} ({title or name})" for number, (name, title) in enumerate(entries.items(), start=1))
    meant = near_miss(wanted, entries.values()) if wanted else None
    what = (
        f"has no plane {wanted!r}" + (f"; did you mean {meant!r}?" if meant else "")
        if wanted
        else "holds several planes"
    )
    raise InputError(what, where=where, expected=f"--plane with one of {listed[:400]}")


def _grid(measured: MeasuredPlane, cell: Cell) -> tuple[FloatArray, FloatArray]:
    plane = measured.plane
    corner = plane.centre + plane.offsets[0] * (plane.axis_x + plane.axis_y)
    steps = plane.step * np.stack([plane.axis_y, plane.axis_x, plane.normal])
    return cell.hkl_of_q(corner), cell.hkl_of_q(steps)
