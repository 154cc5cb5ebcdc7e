"""Planes to be factorised, from any file: planes that were prepared, or a reconstruction of which some are cut."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dsfu.model.errors import InputError
from dsfu.model.measured.plane import MeasuredPlane
from dsfu.model.prepare.cutting import cut
from dsfu.model.prepare.plane_spec import own_plane, parse_plane
from dsfu.model.prepare.recipe import Recipe
from dsfu.model.readers.hdf5 import Hdf5, is_hdf5
from dsfu.model.readers.plane_files import is_ours, read_planes
from dsfu.model.readers.reading import read


def load_planes(path: Path, wanted: Sequence[str] = (), pixels: int = 256, **hints: Any) -> list[MeasuredPlane]:
    """Planes of a file.

    Parameters
    ----------
    wanted
        Which to cut, such as "hk0"; of a file of planes, names of those to take. None: all that there are.
    pixels
        Side of planes that are cut.
    hints
        What the file does not say; see `dsfu.model.readers.reading.read`.
    """
    if path.is_file() and is_hdf5(path) and _is_file_of_planes(path):
        return _chosen(read_planes(path), wanted, str(path))
    reconstruction = read(path, **hints)
    if not wanted and own_plane(reconstruction) is None:
        raise InputError(
            "it is a volume",
            where=str(path),
            expected="which of its planes to factorise",
            remedy="name one or more, as --plane hk0 --plane hk1",
        )
    cleaned = Recipe().apply(reconstruction)
    return [cut(cleaned, each, pixels=pixels) for each in (map(parse_plane, wanted) if wanted else [None])]


def _is_file_of_planes(path: Path) -> bool:
    with Hdf5(path) as file:
        return is_ours(file)


def _chosen(planes: list[MeasuredPlane], wanted: Sequence[str], where: str) -> list[MeasuredPlane]:
    by_name = {plane.name.partition(" of ")[0]: plane for plane in planes}
    for name in wanted:
        if name not in by_name:
            raise InputError(f"has no plane {name!r}", where=where, expected=f"one of {', '.join(by_name)}")
    return [by_name[name] for name in wanted] if wanted else planes
