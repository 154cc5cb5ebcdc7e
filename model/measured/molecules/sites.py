"""How two species lie on the site that they share: |F_A − F_B|² depends on where B is relative to A.

Both move together without any effect, so "file", the default, keeps the coordinates of the files: right where both
come from one refinement of the average structure, or were built on one site. "centroid" puts both centroids on the
site, and the name of an atom puts that atom there.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell
from dsfu.simulate.structures.structure import Structure

FILE: Final = "file"
CENTROID: Final = "centroid"


def on_site(
    structures: tuple[Structure, Structure], sites: Sequence[str], cell: Cell | None
) -> tuple[Structure, Structure]:
    """Both species with the site at the origin.

    Parameters
    ----------
    sites
        How the site is found: one text for both species, or one for each. "file", "centroid", the name of an atom, or
        a point "x,y,z" in Å in the file's frame.
    cell
        The lattice of the sites. If it is known and both keep their files' coordinates, B is moved by whole lattice
        vectors to where it is nearest to A: a molecule put together by symmetry may lie in a neighbouring cell.
    """
    if len(sites) not in (1, 2):
        raise InputError(f"{len(sites)} sites", where="--site", expected="one for both species, or one for each")
    texts = [sites[0].strip(), sites[-1].strip()]
    first, second = (each.relative_to(_point(each, text)) for each, text in zip(structures, texts, strict=True))
    if texts == [FILE, FILE] and cell is not None:
        second = second.relative_to(_nearest_lattice_vector(second.centroid - first.centroid, cell))
    return first, second


def _point(structure: Structure, text: str) -> FloatArray:
    if text == FILE:
        return np.zeros(3)
    if text == CENTROID:
        return structure.centroid
    if "," in text:
        try:
            point = np.array([float(part) for part in text.split(",")])
        except ValueError:
            point = np.full(1, np.nan)
        if point.shape != (3,) or not np.isfinite(point).all():
            raise InputError(f"{text!r} is no point", where="--site", expected="x,y,z in Å, such as 0,0,1.73")
        return point
    return np.asarray(structure.positions[structure.index(text)])


def _nearest_lattice_vector(point: FloatArray, cell: Cell) -> FloatArray:
    fractional = point @ np.linalg.inv(cell.vectors)
    steps = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3) + np.rint(fractional)
    candidates = steps @ cell.vectors
    return np.asarray(candidates[np.argmin(np.linalg.norm(candidates - point, axis=1))])
