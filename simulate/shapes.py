"""Shapes of species: the five groups, how a molecule is laid in its cell, and the cell that it needs.

Only species of one group can replace each other on a site, so that a group fixes the lattice. Groups 1 to 3 have b
as their unique axis: rods stand along it, flat species and rings lie normal to it.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.checks import finite_array

LatticeSystem = Literal["cubic", "tetragonal", "hexagonal"]

PADDING: Final = 1.5
"""What a cell length adds to the extent of its species, in Å."""

SHORTEST_CELL: Final = 3.0
"""No cell length is shorter, in Å."""

_EQUAL_SPREADS = 1e-3
"""Principal spreads that differ by less than this part of the largest are taken for equal by symmetry."""

_ON_AXIS = 1e-3
"""Distances (Å) and third moments (Å³) below this are taken for zero by symmetry."""


@dataclass(frozen=True)
class Group:
    """Species of one shape.

    ``principal_axes`` names the principal axis laid on x, y and z: 0 is that of the largest spread of atoms, 2 that of
    the smallest. It is None where a species is a piece of a crystal and already lies as it should.
    """

    number: int
    shape: str
    lattice: LatticeSystem
    principal_axes: tuple[int, int, int] | None

    @property
    def beta(self) -> float:
        """Angle between a and c in degrees; the other two are 90°."""
        return 120.0 if self.lattice == "hexagonal" else 90.0


GROUPS: Final = (
    Group(0, "globular", "cubic", (1, 0, 2)),
    Group(1, "rod", "tetragonal", (1, 0, 2)),
    Group(2, "flat", "tetragonal", (0, 2, 1)),
    Group(3, "ring", "hexagonal", (0, 2, 1)),
    Group(4, "perovskite", "tetragonal", None),
)
"""The groups by number. Perovskite cells are cubic or tetragonal, and cubic is tetragonal with b = a."""


def group_of(number: int) -> Group:
    """Return the group of that number."""
    is_whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if not is_whole or not 0 <= number < len(GROUPS):
        known = ", ".join(f"{group.number} ({group.shape})" for group in GROUPS)
        raise ValueError(f"group = {number!r}: expected one of {known}")
    return GROUPS[number]


def longest_distance(positions: FloatArray) -> float:
    """Distance in Å between the two positions that are farthest apart; 0 for one position."""
    between = positions[:, np.newaxis, :] - positions[np.newaxis, :, :]
    return float(np.sqrt((between**2).sum(axis=-1).max()))


def extent_along_b(positions: FloatArray) -> float:
    """Extent of the positions along y, in Å: a rod's length, a flat species' thickness."""
    return float(np.ptp(positions[:, 1]))


def diameter_across_b(positions: FloatArray) -> float:
    """Longest distance in Å between the projections of two positions along y."""
    return longest_distance(positions[:, [0, 2]])


def cell_lengths_by_rule(group: int, positions: npt.ArrayLike) -> tuple[float, float, float]:
    """Cell lengths (a, b, c) in Å of a species as it lies: its extents plus 1.5 Å, never under 3 Å.

    Cubic: the longest distance between atoms on all three axes. Otherwise: along b the extent along b; along a and c,
    which are equal, the diameter of the projection along b. Perovskites have their own cells, which no rule gives.
    """
    shape = group_of(group)
    xyz = finite_array("positions (Å)", positions, (None, 3))
    if len(xyz) == 0:
        raise ValueError("positions has shape (0, 3): expected one atom or more; a vacancy has its partner's cell")
    if shape.principal_axes is None:
        raise ValueError(f"group = {group} ({shape.shape}): its cells follow no rule; give the cell's own lengths")
    if shape.lattice == "cubic":
        extents = (longest_distance(xyz),) * 3
    else:
        across = diameter_across_b(xyz)
        extents = (across, extent_along_b(xyz), across)
    a, b, c = (max(extent + PADDING, SHORTEST_CELL) for extent in extents)
    return a, b, c


def laid_on_axes(positions: npt.ArrayLike, numbers: npt.ArrayLike, group: int) -> FloatArray:
    """Positions in Å with their centroid at the origin and their principal axes on the cell's, as the group wants.

    Centroid and spreads count every atom alike, hydrogen too: both are about the room that a molecule takes, not about
    its mass. Where symmetry makes two spreads equal, the atom farthest from the third axis (the heaviest of several)
    is laid on the first of the two. The sense of x and y is that of the positive third moment. Never mirrors.
    """
    axes_on_xyz = group_of(group).principal_axes
    if axes_on_xyz is None:
        raise ValueError(f"group = {group}: its species are pieces of a crystal and are not laid on any axes")
    xyz = finite_array("positions (Å)", positions, (None, 3))
    charges = finite_array("numbers", numbers, (len(xyz),))
    if len(xyz) == 0:
        return xyz
    centred = xyz - xyz.mean(axis=0)
    principal = _principal_axes(centred, charges)
    x, y = (_sense(centred, principal[axes_on_xyz[i]]) for i in (0, 1))
    return np.ascontiguousarray(centred @ np.array([x, y, np.cross(x, y)]).T)


def _principal_axes(centred: FloatArray, charges: FloatArray) -> FloatArray:
    """Orthonormal principal axes as rows, by decreasing spread, with ties of symmetry settled by the farthest atom."""
    spreads, columns = np.linalg.eigh(centred.T @ centred / len(centred))
    spreads, axes = spreads[::-1], columns.T[::-1].copy()
    tolerance = _EQUAL_SPREADS * spreads[0]
    if spreads[0] - spreads[2] <= tolerance:
        axes[0] = _towards_farthest(centred, charges, axes)
        axes[1:] = np.linalg.svd(axes[:1])[2][1:]
    if spreads[1] - spreads[2] <= tolerance:
        axes[1] = _towards_farthest(centred, charges, axes[1:])
        axes[2] = np.cross(axes[0], axes[1])
    elif spreads[0] - spreads[1] <= tolerance:
        axes[0] = _towards_farthest(centred, charges, axes[:2])
        axes[1] = np.cross(axes[2], axes[0])
    return axes


def _towards_farthest(centred: FloatArray, charges: FloatArray, span: FloatArray) -> FloatArray:
    """Unit vector in the span of some orthonormal rows, towards the projection that is farthest from the origin."""
    projections = centred @ span.T @ span
    distances = np.linalg.norm(projections, axis=1)
    candidates = np.flatnonzero(distances > distances.max() - _ON_AXIS)
    chosen = candidates[np.argmax(charges[candidates])]
    is_on_axis = distances[chosen] < _ON_AXIS
    return np.asarray(span[0] if is_on_axis else projections[chosen] / distances[chosen], dtype=np.float64)


def _sense(centred: FloatArray, axis: FloatArray) -> FloatArray:
    """The axis or its opposite, whichever has the positive third moment, or else the first atom that is off centre."""
    along = centred @ axis
    third_moment = float(np.mean(along**3))
    if abs(third_moment) > _ON_AXIS:
        return axis if third_moment > 0 else -axis
    off_centre = along[np.abs(along) > _ON_AXIS]
    return -axis if off_centre.size and off_centre[0] < 0 else axis


def rotation_matrix(angles: npt.ArrayLike) -> FloatArray:
    """Matrix that turns column vectors by three angles in degrees: about x first, then y, then z."""
    about_x, about_y, about_z = np.radians(finite_array("angles (degrees)", angles, (3,)))
    x, y, z = np.eye(3), np.eye(3), np.eye(3)
    x[1:, 1:] = _turn(about_x)
    # About y a positive turn goes from z to x.
    y[np.ix_([2, 0], [2, 0])] = _turn(about_y)
    z[:2, :2] = _turn(about_z)
    return np.asarray(z @ y @ x, dtype=np.float64)


def _turn(angle: float) -> FloatArray:
    """Rotation in a plane by an angle in radians, from its first axis to its second."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def rotation_angles_of(name: str) -> tuple[float, float, float]:
    """Three angles in degrees, 0 to 360 to three decimals, drawn from the name alone: the same in every run."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    about_x, about_y, about_z = np.random.default_rng(seed).uniform(0.0, 360.0, 3).round(3).tolist()
    return about_x, about_y, about_z
