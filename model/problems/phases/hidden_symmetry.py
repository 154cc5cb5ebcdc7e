"""Symmetry that is not looked for: by a stated group that is too low, or since the cell's axes do not show it.

Space groups are tried in the settings of a table. A cell whose axes do not lie along the symmetry of its lattice gets
none of the groups that it should have, and merged data then look like a small part of a triclinic crystal's.
"""

from dataclasses import replace
from typing import Any, Final

import gemmi
import numpy as np
import numpy.typing as npt

from dsfu.model.problems.phases.crystal_data import IntArray, ReflectionList
from dsfu.model.problems.phases.laue import (
    FEWEST_PAIRS,
    allowed_by_cell,
    find_laue_class,
    forbidden_by,
    laue_classes,
    r_of_equivalents,
    worst_r_int,
)
from dsfu.model.problems.phases.merging import MergedData

_OBLIQUITY: Final = 0.35
"""Degrees by which an axis of the lattice may be off: `METRIC_TOLERANCE` as an angle."""

_INCOMPLETE: Final = 0.6
"""Share of the reflections below which merged data may be those of a higher class; half at least are then missing."""

_AGREE: Final = 1.25
"""R of equivalents by a symmetry, relative to certain ones, up to which they agree; chosen: true ones have 1."""

_HOLOHEDRIES: Final = {4: "2/m", 8: "mmm", 12: "-3m", 16: "4/mmm", 24: "6/mmm", 48: "m-3m"}
"""Laue classes of lattices by their number of rotations."""

_MOST_FOLD: Final = 6

_PRIMITIVE: Final = {
    "P": np.eye(3),
    "A": np.array([[2, 0, 0], [0, 1, 1], [0, -1, 1]]) / 2,
    "B": np.array([[1, 0, 1], [0, 2, 0], [-1, 0, 1]]) / 2,
    "C": np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 2]]) / 2,
    "I": np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2,
    "F": np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2,
    "R": np.array([[2, 1, 1], [-1, 1, 1], [-1, -2, 1]]) / 3,
}
"""Rows: axes of a primitive cell in those of the centred one; R is obverse."""


def hidden_symmetry(reflections: ReflectionList, data: MergedData) -> str:
    """A sentence on a symmetry that lattice and intensities have beyond the Laue class; empty if there is none."""
    laue = data.laue
    free = laue if reflections.space_group is None else find_laue_class(replace(reflections, space_group=None))
    if len(free.rotations) > len(laue.rotations) and np.isfinite(free.r_int):
        return (
            f"Intensities have the symmetry {free.name} (R of equivalents {free.r_int:.3f}), which the stated space "
            "group does not have: it may be higher."
        )
    lattice = gemmi.find_lattice_symmetry(reflections.unit_cell, laue.centring, _OBLIQUITY)
    turns = _in_primitive_axes(np.array([op.rot for op in lattice.sym_ops]) / gemmi.Op.DEN, laue.centring)
    in_axes = max(len(each) for _, each in laue_classes() if allowed_by_cell(data.cell, laue.centring, each))
    if 2 * len(turns) <= in_axes:
        return ""
    known = {turn.tobytes() for turn in _in_primitive_axes(laue.rotations, laue.centring)}
    groups = [_generated(turn) for turn in turns if turn.tobytes() not in known]
    primitive = _of_primitive_cell(reflections, laue.centring)
    found = [r_of_equivalents(primitive, each) for each in groups]
    worst = worst_r_int(None) if np.isnan(laue.r_int) else _AGREE * laue.r_int
    agreeing = [r for r, pairs in found if pairs >= FEWEST_PAIRS and r <= worst]
    if not agreeing and data.completeness > _INCOMPLETE:
        return ""
    why = (
        f"intensities have part of that (R of equivalents {min(agreeing):.3f})"
        if agreeing
        else f"only {100 * data.completeness:.0f} % of the reflections of Laue class {laue.name} are there"
    )
    return (
        f"The lattice has the symmetry {_HOLOHEDRIES[2 * len(turns)]} by other axes than these, and {why}: "
        "the space group may be higher; transform the data to the conventional cell."
    )


def _in_primitive_axes(turns: npt.NDArray[Any], centring: str) -> IntArray:
    """Rotations by the axes of a primitive cell: by those of a centred one some have halves and thirds in them."""
    axes = _PRIMITIVE[centring].T
    return np.asarray(np.rint(np.linalg.inv(axes) @ turns @ axes), np.int64)


def _of_primitive_cell(reflections: ReflectionList, centring: str) -> ReflectionList:
    """Indices by the axes of a primitive cell, without reflections that the centring forbids; the cell stays."""
    kept = ~forbidden_by(centring, reflections.hkl)
    return replace(
        reflections,
        hkl=np.rint(reflections.hkl[kept] @ _PRIMITIVE[centring].T).astype(np.int64),
        intensity=reflections.intensity[kept],
        sigma=reflections.sigma[kept],
    )


def _generated(turn: IntArray) -> IntArray:
    """A rotation, its powers, and −1."""
    powers = [np.eye(3, dtype=np.int64)]
    while len(powers) < _MOST_FOLD and not (powers[-1] @ turn == powers[0]).all():
        powers.append(powers[-1] @ turn)
    return np.concatenate([powers, np.negative(powers)])
