"""Places in the cells of space groups that their symmetry fixes, or leaves free along one line."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.densities.structure_types import operations

_FRACTIONS: Final = (0, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 3 / 8, 1 / 2, 5 / 8, 2 / 3, 3 / 4, 5 / 6, 7 / 8)
"""Coordinates of points that symmetry fixes, in standard settings of International Tables A."""

_LINES: Final = {
    (1, 0, 0): ((0, 1, 0), (0, 0, 1)), (0, 1, 0): ((1, 0, 0), (0, 0, 1)), (0, 0, 1): ((1, 0, 0), (0, 1, 0)),
    (1, 1, 0): ((1, -1, 0), (0, 0, 1)), (1, -1, 0): ((1, 1, 0), (0, 0, 1)), (1, 0, 1): ((1, 0, -1), (0, 1, 0)),
    (1, 0, -1): ((1, 0, 1), (0, 1, 0)), (0, 1, 1): ((0, 1, -1), (1, 0, 0)), (0, 1, -1): ((0, 1, 1), (1, 0, 0)),
    (1, 1, 1): ((1, -1, 0), (0, 1, -1)), (-1, 1, 1): ((1, 1, 0), (0, 1, -1)), (1, -1, 1): ((1, 1, 0), (0, 1, 1)),
    (1, 1, -1): ((1, -1, 0), (0, 1, 1)), (2, 1, 0): ((1, -2, 0), (0, 0, 1)), (1, 2, 0): ((2, -1, 0), (0, 0, 1)),
}  # fmt: skip
"""Directions of lines, each with two planes that hold it: their phases are the same all along it."""

_PERIOD: Final = 2400
"""Steps of the cell in which points are counted: all fractions above and all translations are whole numbers of them."""

_OFF: Final = 89
"""Steps along a line to where it is looked at: at no point that symmetry fixes."""


@dataclass(frozen=True)
class SpecialPosition:
    """A Wyckoff position: a point of it, how many are in the cell, and the line it may move along, if any."""

    point: tuple[float, float, float]
    multiplicity: int
    line: tuple[int, int, int] | None


def special_positions(hall: str) -> tuple[SpecialPosition, ...]:
    """Those that symmetry fixes, then those with one free parameter."""
    return (*fixed_positions(hall), *line_positions(hall))


@lru_cache(maxsize=256)
def fixed_positions(hall: str) -> tuple[SpecialPosition, ...]:
    """Those that symmetry fixes, by multiplicity."""
    rotations, translations = operations(hall)
    grid = np.stack(np.meshgrid(*(_FRACTIONS,) * 3, indexing="ij"), -1).reshape(-1, 3)
    stays, projectors = _stabilisers(_counted(grid), rotations, translations)
    # The trace of a projector is its rank: how many coordinates stay free.
    rank = np.trace(projectors, axis1=1, axis2=2)
    fixed: list[SpecialPosition] = []
    seen: set[tuple[float, ...]] = set()
    for point, kept in zip(grid[rank < 0.5], stays[rank < 0.5], strict=True):
        if _rounded(point) not in seen:
            seen.update(map(_rounded, rotations @ point + translations))
            # Operations that keep a point, times the points of its orbit, are all operations.
            fixed.append(_place(point, len(rotations) // int(kept), None))
    return tuple(sorted(fixed, key=lambda each: each.multiplicity))


@lru_cache(maxsize=256)
def line_positions(hall: str) -> tuple[SpecialPosition, ...]:
    """Those with one free parameter, by multiplicity."""
    rotations, translations = operations(hall)
    found: list[SpecialPosition] = []
    seen: set[tuple[float, ...] | None] = set()
    for direction in _LINES:
        along = np.array(direction, np.float64)
        # Every line passes the plane that is 0 on the first axis along which it goes by one step.
        across = [axis for axis in range(3) if axis != [abs(each) for each in direction].index(1)]
        grid = np.zeros((len(_FRACTIONS) ** 2, 3))
        grid[:, across] = np.stack(np.meshgrid(_FRACTIONS, _FRACTIONS, indexing="ij"), -1).reshape(-1, 2)
        steps = _counted(grid) + _OFF * np.array(direction)
        points = steps / _PERIOD
        stays, projectors = _stabilisers(steps, rotations, translations)
        one = np.isclose(np.trace(projectors, axis1=1, axis2=2), 1) & np.isclose(projectors @ along, along).all(axis=1)
        for point, kept in zip(points[one], stays[one], strict=True):
            if _key(point, along) not in seen:
                seen.update(_key(r @ point + t, r @ along) for r, t in zip(rotations, translations, strict=True))
                found.append(_place(point, len(rotations) // int(kept), direction))
    return tuple(sorted(found, key=lambda each: each.multiplicity))


def _place(point: FloatArray, multiplicity: int, line: tuple[int, int, int] | None) -> SpecialPosition:
    x, y, z = map(float, point)
    return SpecialPosition((x, y, z), multiplicity, line)


def _rounded(point: FloatArray) -> tuple[float, ...]:
    return tuple(map(float, np.round(point % 1, 5) % 1))


def _counted(points: FloatArray) -> IntArray:
    return np.rint(points * _PERIOD).astype(np.int64)


def _key(point: FloatArray, along: FloatArray) -> tuple[float, ...] | None:
    """Equal for one and the same line, whatever its sense and whichever of its points is given."""
    h, k, l = (int(each) for each in np.rint(along))  # noqa: E741
    for direction in ((h, k, l), (-h, -k, -l)):
        if direction in _LINES:
            return (*map(float, direction), *_rounded(np.array(_LINES[direction]) @ point))
    return None


def _stabilisers(steps: IntArray, rotations: FloatArray, translations: FloatArray) -> tuple[IntArray, FloatArray]:
    """How many operations keep each point, and the mean of their rotations: it projects on what is free."""
    from dsfu.simulate.densities.site_kernels import kept_by

    turns = np.rint(rotations).astype(np.int64)
    count, summed = kept_by(steps, turns, _counted(translations), _PERIOD)
    return count, summed / count[:, None, None]
