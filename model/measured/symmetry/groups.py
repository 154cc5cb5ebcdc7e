"""Laue classes, plane groups and space groups by name, as operators in the setting that fits the cell.

The one place that knows names of symmetries; gemmi has the operators. An operator is an integer matrix R: it takes hkl,
a row, to hkl R, and a lattice vector (u, v, w), a column, to R (u, v, w).
"""

from dataclasses import dataclass
from typing import Final

import gemmi
import numpy as np

from dsfu.errors import InputError, near_miss
from dsfu.simulate.arrays import IntArray
from dsfu.simulate.lattice import Cell

TOLERANCE: Final = 0.01
"""By how much an operator may change the scalar product of two reciprocal axes, relative to their lengths.

Half a per cent in the length of an axis, or 0.6° in an angle: points with an index of 10 that count as one are then
0.05 r.l.u. apart, one voxel of usual reconstructions. Chosen, not calibrated.
"""

LAUE_CLASSES: Final = {
    "-1": "P -1",
    "2/m": "P 1 1 2/m",
    "mmm": "P m m m",
    "4/m": "P 4/m",
    "4/mmm": "P 4/m m m",
    "-3": "P -3",
    "-3m1": "P -3 m 1",
    "-31m": "P -3 1 m",
    "-3:R": "R -3:R",
    "-3m:R": "R -3 m:R",
    "6/m": "P 6/m",
    "6/mmm": "P 6/m m m",
    "m-3": "P m -3",
    "m-3m": "P m -3 m",
}
"""The eleven classes (trigonal ones in each of their settings), and a group that has their operators; c is unique."""

_PLANE: Final = {
    "p1": "P 1",
    "p2": "P 1 1 2",
    "pm": "P m 1 1",
    "p11m": "P 1 m 1",
    "pmm": "P m m 2",
    "p4": "P 4",
    "p4m": "P 4 m m",
    "p3": "P 3",
    "p3m1": "P 3 m 1",
    "p31m": "P 3 1 m",
    "p6": "P 6",
    "p6m": "P 6 m m",
}
"""The ten point groups of the plane, which work on two indices and leave the third alone; c is normal to the plane."""

_ALIASES: Final = {
    "-3m": "-3m1",
    "m3": "m-3",
    "m3m": "m-3m",
    "12/m1": "2/m:b",
    "112/m": "2/m:c",
    "2/m11": "2/m:a",
    "p1m1": "pm",
    "pg": "pm",
    "cm": "pm",
    "p2mm": "pmm",
    "pmg": "pmm",
    "pgg": "pmm",
    "cmm": "pmm",
    "p2mg": "pmm",
    "p2gg": "pmm",
    "c2mm": "pmm",
    "p4mm": "p4m",
    "p4g": "p4m",
    "p4gm": "p4m",
    "p6mm": "p6m",
}
_GROUPS: Final = LAUE_CLASSES | _PLANE
_NO_UNIQUE_AXIS: Final = ("-1", "mmm", "-3:R", "-3m:R", "m-3", "m-3m", "p1")


@dataclass(frozen=True, kw_only=True, eq=False)
class Symmetry:
    """A group of operators.

    Attributes
    ----------
    name
        Such as "6/mmm:b", with the unique axis where there is one.
    operators
        (n, 3, 3) whole numbers: hkl (a row) is equivalent to hkl @ operator. The identity comes first.
    """

    name: str
    operators: IntArray

    def mismatch(self, cell: Cell) -> float:
        """Largest change of a scalar product of reciprocal axes by any operator, relative to their lengths."""
        metric = cell.reciprocal @ cell.reciprocal.T
        moved = self.operators @ metric @ self.operators.transpose(0, 2, 1)
        lengths = np.sqrt(np.diag(metric))
        return float((np.abs(moved - metric) / np.outer(lengths, lengths)).max())


def symmetry_of(name: str, cell: Cell | None, normal: str | None = None) -> Symmetry:
    """The operators of a Laue class, a plane group or a space group's Laue class, in the setting that fits the cell.

    Parameters
    ----------
    name
        A Laue class ("2/m", "-3m1", "6/mmm"), a plane group ("p6m") or a space group ("P 21/c", 194), with ":a", ":b"
        or ":c" behind it for the unique axis (of a plane group: the axis that the plane is normal to). Without, it is
        the usual one (b of 2/m, c of others) if that fits the cell, or else the one that does.
    cell
        What the group must fit; None: not checked.
    normal
        Of a plane group: the axis to which the data are normal, if that is known.
    """
    if cell is None:
        return _candidates(name, normal)[0]
    candidates = _candidates(name, normal)
    fitting = [each for each in candidates if each.mismatch(cell) <= TOLERANCE]
    if fitting:
        return fitting[0]
    best = min(candidates, key=lambda each: each.mismatch(cell))
    constants = ", ".join(f"{each:.5g}" for each in cell.constants)
    raise InputError(
        f"the cell {constants} does not have this symmetry (its metric changes by {100 * best.mismatch(cell):.2g} %)",
        where=f"symmetry {name!r}",
        expected=f"one of {', '.join(fitting_laue_classes(cell))}",
        remedy="choose another class or setting, or correct the --cell",
    )


def laue_operators(name: str, cell: Cell | None = None) -> IntArray:
    """The operators of a symmetry together with the inversion, (n, 3, 3): for what is the same along v and −v."""
    operators = symmetry_of(name, cell).operators
    inversion = -np.eye(3, dtype=np.int64)
    if (operators == inversion).all(axis=(1, 2)).any():
        return operators
    return np.concatenate([operators, operators @ inversion])


def fitting_laue_classes(cell: Cell) -> tuple[str, ...]:
    """Laue classes, in the settings that fit the cell's metric."""
    names: dict[str, None] = {}
    for name in LAUE_CLASSES:
        fitting = [each.name for each in _candidates(name, None) if each.mismatch(cell) <= TOLERANCE]
        names |= dict.fromkeys(fitting[:1])
    return tuple(names)


def _candidates(name: str, normal: str | None) -> list[Symmetry]:
    """The group in all settings that the name leaves open, the usual one first."""
    base, _, setting = "".join(name.split()).replace("−", "-").replace("–", "-").partition(":")
    alias, _, alias_setting = _ALIASES.get(base, base).partition(":")
    setting = setting or alias_setting
    rhombohedral = {"-3": "-3:R", "-3m": "-3m:R"}.get(base)
    if setting.upper() in ("R", "H") and rhombohedral:
        alias, setting = (rhombohedral, "") if setting.upper() == "R" else (alias, "c")
    if alias not in _GROUPS:
        return [_of_space_group(name)]
    if setting not in ("", "a", "b", "c") or (setting and alias in _NO_UNIQUE_AXIS):
        raise InputError(f"setting {setting!r}", where=f"symmetry {name!r}", expected="none, or one of :a, :b and :c")
    if alias in _NO_UNIQUE_AXIS:
        return [_of_group(alias, "c")]
    found = [_of_group(alias, axis) for axis in _unique_axes(alias, setting, normal)]
    return found if setting or not rhombohedral else [*found, _of_group(rhombohedral, "c")]


def _unique_axes(group: str, setting: str, normal: str | None) -> list[str]:
    if setting:
        return [setting]
    if normal and group in _PLANE:
        return [normal]
    usual = "b" if group == "2/m" else "c"
    return [usual, *(axis for axis in "cba" if axis != usual)]


def _of_group(group: str, unique_axis: str) -> Symmetry:
    operators = _operators(gemmi.find_spacegroup_by_name(_GROUPS[group]).operations())
    if group in _NO_UNIQUE_AXIS:
        return Symmetry(name=group, operators=operators)
    # The other two axes keep their order, as they do on the planes normal to the unique one.
    unique = "abc".index(unique_axis)
    order = [*(axis for axis in range(3) if axis != unique), unique]
    turned = np.zeros_like(operators)
    turned[:, np.array(order)[:, np.newaxis], order] = operators
    return Symmetry(name=f"{group}:{unique_axis}", operators=turned)


def _of_space_group(name: str) -> Symmetry:
    group = find_space_group(name)
    if group is None:
        guess = near_miss(name, (*_GROUPS, *_ALIASES))
        raise InputError(
            "neither a Laue class nor a plane group nor a space group" + (f"; was {guess} meant?" if guess else ""),
            where=f"symmetry {name!r}",
            expected=f"one of {', '.join(LAUE_CLASSES)}, or of {', '.join(_PLANE)}, or a space group",
        )
    operations = group.operations()
    operations.add_inversion()
    return Symmetry(name=f"Laue class of {group.xhm()}", operators=_operators(operations))


def find_space_group(text: str) -> gemmi.SpaceGroup | None:
    """A space group by symbol or number; None if there is no such."""
    text = text.strip()
    if text.isdigit():
        return gemmi.find_spacegroup_by_number(int(text))
    return gemmi.find_spacegroup_by_name(text)


def _operators(operations: gemmi.GroupOps) -> IntArray:
    """Rotations as they act on hkl written as a row, the identity first, each once."""
    found = {tuple(np.array(each.rot).ravel() // each.DEN): None for each in operations.sym_ops}
    return np.array(sorted(found, key=lambda each: each != (1, 0, 0, 0, 1, 0, 0, 0, 1)), np.int64).reshape(-1, 3, 3)
