"""Planes to be factorised, from any file: planes that were prepared, or a reconstruction of which some are cut."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsfu.errors import InputError, did_you_mean
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.prepare.centring import with_own_centre
from dsfu.model.measured.prepare.plane_spec import PlaneSpec, own_plane, parse_plane
from dsfu.model.measured.prepare.preparing import prepared_planes
from dsfu.model.measured.readers.hdf5 import Hdf5, is_hdf5
from dsfu.model.measured.readers.plane_files import is_ours, read_planes
from dsfu.model.measured.readers.reading import read

_SAME_CELL: Final = 1e-5
"""Relative difference of cell constants that counts as none."""


def load_planes(path: Path, wanted: Sequence[str] = (), pixels: int | None = None, **hints: Any) -> list[MeasuredPlane]:
    """Planes of a file.

    Parameters
    ----------
    wanted
        Which to cut, such as "hk0"; of a file of planes, names of those to take. None: all that there are.
    pixels
        Side of planes that are cut, as for `dsfu.model.measured.prepare.cutting.cut`.
    hints
        What the file does not say; see `dsfu.model.measured.readers.reading.read`.
    """
    if path.is_file() and is_hdf5(path) and _is_file_of_planes(path):
        _refuse_hints(hints, str(path))
        return _chosen(read_planes(path), wanted, str(path))
    reconstruction = read(path, **hints)
    if not wanted and own_plane(reconstruction) is None:
        raise InputError(
            "it is a volume",
            where=str(path),
            expected="which of its planes to factorise",
            remedy="name one or more, as --plane hk0 --plane hk1",
        )
    if not wanted and reconstruction.is_image:
        reconstruction = with_own_centre(reconstruction)
    specs: list[PlaneSpec | None] = [parse_plane(name) for name in dict.fromkeys(wanted)]
    return list(prepared_planes(reconstruction, specs or [None], pixels=pixels))


def check_one_crystal(planes: Sequence[MeasuredPlane], path: Path) -> None:
    """Refuse planes that cannot be fitted together."""
    first = planes[0]
    for plane in planes[1:]:
        if plane.plane.pixels != first.plane.pixels:
            raise InputError(
                f"{first.name} has {first.plane.pixels} × {first.plane.pixels} pixels, "
                f"{plane.name} {plane.plane.pixels} × {plane.plane.pixels}",
                where=str(path),
                expected="planes with the same number of pixels",
                remedy="prepare them with the same --pixels, or factorise one after the other with --plane",
            )
        if plane.cell is None or first.cell is None:
            continue
        if not np.allclose(plane.cell.constants, first.cell.constants, rtol=_SAME_CELL, atol=0):
            raise InputError(
                f"the cells of {first.name} and {plane.name} differ",
                where=str(path),
                expected="planes of one crystal",
                remedy="factorise one after the other with --plane",
            )


def _refuse_hints(hints: dict[str, Any], where: str) -> None:
    given = [f"--{name}" for name, value in hints.items() if value is not None]
    if given:
        raise InputError(
            f"is a file of prepared planes, to which {', '.join(given)} cannot be given any more",
            where=where,
            remedy=f"give {', '.join(given)} to dsfu-model prepare",
        )


def _is_file_of_planes(path: Path) -> bool:
    with Hdf5(path) as file:
        return is_ours(file)


def _chosen(planes: list[MeasuredPlane], wanted: Sequence[str], where: str) -> list[MeasuredPlane]:
    """Those with the names that are wanted, in their order."""
    if not wanted:
        return planes
    names = [plane.name.partition(" of ")[0] for plane in planes]
    for name in wanted:
        if name not in names:
            raise InputError(
                f"has no plane {name!r}{did_you_mean(name, names)}",
                where=where,
                expected=f"one of {', '.join(dict.fromkeys(names))}",
                remedy="dsfu-model prepare cuts others from the reconstruction",
            )
    return [plane for name in dict.fromkeys(wanted) for plane, own in zip(planes, names, strict=True) if own == name]
