"""Bases of lattices in a plane: reduced, compared, and brought to the right or hexagonal angle they nearly have."""

from typing import Final, Literal

import numpy as np

from dsfu.simulate.arrays import FloatArray

Kind = Literal["rectangular", "hexagonal", "oblique"]

_ANGLE: Final = 1.5
"""Degrees from 90 or 120 within which a lattice is taken for rectangular or hexagonal. Chosen, not calibrated."""

_LENGTHS: Final = 0.025
"""Relative difference of two lengths that a hexagonal lattice may have. Chosen, not calibrated."""

_COARSEST: Final = 9
"""Cells of so many cells: three times too fine along both axes has been seen."""

_ROUNDS: Final = 60
"""More than enough for any reduction; a basis that is not independent would go on for ever."""


def reduced(basis: FloatArray) -> FloatArray:
    """The two shortest vectors of a lattice, (2, 2), as rows: right-handed, with an angle of 90° to 120°."""
    short, long = (np.array(each, np.float64) for each in basis)
    for _ in range(_ROUNDS):
        if short @ short > long @ long:
            short, long = long, short
        turns = np.rint(short @ long / (short @ short))
        if turns == 0:
            break
        long = long - turns * short
    if short @ long > 0:
        long = -long
    if short[0] * long[1] - short[1] * long[0] < 0:
        short, long = long, short
    return np.stack([short, long])


def area(basis: FloatArray) -> float:
    return float(abs(np.linalg.det(basis)))


def longest(basis: FloatArray) -> float:
    return float(np.hypot(*basis.T).max())


def shortest(basis: FloatArray) -> float:
    return float(np.hypot(*basis.T).min())


def are_same(one: FloatArray, other: FloatArray, tolerance: float) -> bool:
    """Whether two bases span one lattice, each vector within ``tolerance`` of its own length."""
    relation = one @ np.linalg.inv(other)
    whole = np.rint(relation)
    if abs(abs(np.linalg.det(whole)) - 1) > 0.01:
        return False
    off = whole @ other - one
    return bool((np.hypot(*off.T) < tolerance * np.hypot(*one.T)).all())


def coarser_lattices(vectors: FloatArray) -> list[FloatArray]:
    """Lattices 9 to 2 times as coarse that hold all of some vectors with whole coordinates, the coarsest first."""
    found = []
    for index in range(_COARSEST, 1, -1):
        for first in (each for each in range(1, index + 1) if index % each == 0):
            for shift in range(index // first):
                basis = np.array([[first, shift], [0, index // first]], np.float64)
                coordinates = vectors @ np.linalg.inv(basis)
                if len(vectors) and np.abs(coordinates - np.rint(coordinates)).max() < 1e-6:
                    found.append(basis)
    return found


def is_coarser(basis: FloatArray, other: FloatArray, tolerance: float) -> bool:
    """Whether each vector of a lattice is one of the other, which has vectors of its own beside."""
    coordinates = basis @ np.linalg.inv(other)
    whole = np.rint(coordinates)
    return bool(np.abs(coordinates - whole).max() < tolerance and abs(np.linalg.det(whole)) > 1.5)


def beside(indices: FloatArray) -> FloatArray:
    """A lattice vector of the row next to that of another one; the two span the lattice if that one is primitive."""
    u, v = (indices / np.gcd(*np.rint(indices).astype(np.int64))).astype(np.int64)
    reach = int(max(abs(u), abs(v)))
    rows = ([p, q] for p in range(-reach, reach + 1) for q in range(-reach, reach + 1) if u * q - v * p == 1)
    return np.array(min(rows, key=lambda row: row[0] ** 2 + row[1] ** 2), np.float64)


def idealised(basis: FloatArray) -> tuple[FloatArray, Kind]:
    """The same lattice with a right angle, or as a hexagonal one, if it nearly is; it may be turned by any angle."""
    first, second = reduced(basis)
    lengths = np.array([np.hypot(*first), np.hypot(*second)])
    angle = np.degrees(np.arccos(first @ second / lengths.prod()))
    # Either vector's direction, less what the ideal lattice has between them; their mean turns it.
    directions = np.array([np.arctan2(first[1], first[0]), np.arctan2(second[1], second[0])])
    if abs(angle - 90) < _ANGLE:
        turn = _mean_direction(directions - [0, np.pi / 2], lengths)
        return lengths[:, None] * _unit_vectors(turn, np.pi / 2), "rectangular"
    if abs(angle - 120) < _ANGLE and abs(lengths[0] / lengths[1] - 1) < _LENGTHS:
        turn = _mean_direction(directions - [0, 2 * np.pi / 3], lengths)
        return np.sqrt(lengths.prod()) * _unit_vectors(turn, 2 * np.pi / 3), "hexagonal"
    return np.stack([first, second]), "oblique"


def _mean_direction(angles: FloatArray, weights: FloatArray) -> float:
    return float(np.angle((weights * np.exp(1j * angles)).sum()))


def _unit_vectors(turn: float, between: float) -> FloatArray:
    angles = np.array([turn, turn + between])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
