"""Symmetry that is not looked for: by a stated group that is too low, or since the cell's axes do not show it.

Space groups are tried in the settings of a table. A cell whose axes do not lie along the symmetry of its lattice gets
none of the groups that it should have, and merged data then look like a small part of a triclinic crystal's.
"""

from dataclasses import replace
from typing import Final

import gemmi
import numpy as np

from dsfu.model.problems.phases.crystal_data import IntArray, ReflectionList
from dsfu.model.problems.phases.laue import (
    FEWEST_PAIRS,
    allowed_by_cell,
    find_laue_class,
    laue_classes,
    r_of_equivalents,
    worst_r_int,
)
from dsfu.model.problems.phases.merging import MergedData

_OBLIQUITY: Final = 1.0
"""Degrees by which an axis of the lattice may be off; that of `METRIC_TOLERANCE`, about."""

_INCOMPLETE: Final = 0.6
"""Share of the reflections below which merged data may be those of a higher class; half at least are then missing."""

_AGREE: Final = 1.25
"""R of equivalents by a symmetry, relative to certain ones, up to which they agree; chosen: true ones have 1."""

_HOLOHEDRIES: Final = {4: "2/m", 8: "mmm", 12: "-3m", 16: "4/mmm", 24: "6/mmm", 48: "m-3m"}
"""Laue classes of lattices by their number of rotations."""


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
    turns = np.array([np.array(op.rot) // gemmi.Op.DEN for op in lattice.sym_ops], dtype=np.int64)
    in_axes = max(len(each) for _, each in laue_classes() if allowed_by_cell(data.cell, laue.centring, each))
    if 2 * len(turns) <= in_axes:
        return ""
    known = {turn.tobytes() for turn in laue.rotations}
    groups = [_generated(turn) for turn in turns if turn.tobytes() not in known]
    found = [r_of_equivalents(reflections, each) for each in groups]
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


def _generated(turn: IntArray) -> IntArray:
    """A rotation, its powers, and −1."""
    powers = [np.eye(3, dtype=np.int64)]
    while not (powers[-1] @ turn == powers[0]).all():
        powers.append(powers[-1] @ turn)
    return np.concatenate([powers, np.negative(powers)])
