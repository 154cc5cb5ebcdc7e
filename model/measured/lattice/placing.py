"""A plane placed on a lattice that was found, or is tried."""

from dataclasses import replace
from typing import Final

import numpy as np

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.lattice.bases import longest
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

_THIRD_AXIS: Final = 30.0
"""Å along the direction that the plane knows nothing of; any length does."""

_LAYER: Final = 0.25
"""Index of the plane along that axis: a general one, so that waves may have any phase."""


def on_lattice(plane: MeasuredPlane, basis: FloatArray) -> MeasuredPlane:
    """The same data on a plane of a cell that has this lattice in it, in whatever orientation."""
    cell = Cell.from_vectors([[*basis[0], 0.0], [*basis[1], 0.0], [0.0, 0.0, _THIRD_AXIS]])
    turn = np.arctan2(basis[0, 1], basis[0, 0])  # the cell's own frame has its first vector along x
    cosine, sine = np.cos(turn), np.sin(turn)
    own = plane.plane
    axes = np.array([cosine, -sine, 0.0]), np.array([sine, cosine, 0.0])
    centre = own.centre_in_plane @ np.array(axes) + np.array([0.0, 0.0, 2 * np.pi * _LAYER / _THIRD_AXIS])
    return replace(plane, plane=Plane(centre, *axes, own.q_max, own.pixels), cell=cell)


def pixels_apart(plane: MeasuredPlane, basis: FloatArray) -> float:
    """From one lattice point to the next, where they are nearest."""
    return 2 * np.pi / (plane.plane.step * longest(basis))
