"""Where the atoms of the seven published families lie, in the order and at the places that ASE gives them.

ASE itself takes a third of a second to import, since it draws in most of scipy, and as long for a large octahedron:
more than the fit of a measured PDF. The tests compare every shape of the published data set, atom by atom.
"""

from collections.abc import Mapping
from itertools import product
from math import pi, sqrt
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray

C_OVER_A: Final = 1.633
"""Of HCP: that of close-packed spheres, √(8/3)."""

_CELLS: Final[Mapping[str, list[list[int]]]] = {
    "SC": [[0, 0, 0]],
    "BCC": [[0, 0, 0], [1, 1, 1]],
    "FCC": [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]],
}
"""Sites of a cell, in halves of its edge."""

_SPACINGS: Final = {"SC": (2, 2, 2), "BCC": (1, 2, 1), "FCC": (1, 1, 2)}
"""From a layer to the next along {100}, {110} and {111}, as a sum of one, two and three such halves."""

_EDGE: Final = {"SC": 1.0, "BCC": 1.0, "FCC": sqrt(2)}
_GOLDEN: Final = (1 + sqrt(5)) / 2


def cubic(family: str, *layers: int) -> FloatArray:
    """Atoms within so many layers along {100}, {110} and {111} of the one in the middle."""
    if len(layers) != 3 or min(layers) < 0:
        raise ValueError(f"layers {layers}: expected three numbers, none negative")
    limits = tuple(number * spacing for number, spacing in zip(layers, _SPACINGS[family], strict=True))
    return _cut(family, limits, 0)


def octahedron(length: int, cutoff: int = 0) -> FloatArray:
    """FCC with so many atoms along an edge, and so many layers cut off each vertex; the middle is an atom if odd."""
    if length < 2 or not 0 <= 2 * cutoff < length:
        raise ValueError(f"length {length}, cutoff {cutoff}: expected 2 or more, and a cutoff below half of it")
    most = length - 1
    return _cut("FCC", (most - cutoff, most, most), 1 - length % 2)


def _cut(family: str, limits: tuple[int, ...], shift: int) -> FloatArray:
    """What of a lattice, moved by a half along all axes or not, lies within faces; the last axis comes first."""
    reach = min(limits) // 2 + 2
    edges = 2 * np.arange(-reach, reach)
    cells = np.stack(np.meshgrid(edges, edges, edges, indexing="ij"), -1).reshape(-1, 1, 3)
    sites = (cells + np.array(_CELLS[family])).reshape(-1, 3) - shift
    # The largest one, two and three coordinates: how far a point is along the nearest {100}, {110} and {111}.
    along = np.cumsum(-np.sort(-np.abs(sites), axis=1), axis=1)
    return np.asarray(sites[(along <= np.array(limits)).all(axis=1)] * (_EDGE[family] / 2))


def hexagonal(first: int, second: int, third: int) -> FloatArray:
    """HCP: so many cells of two atoms along its axes; the first axis is filled first."""
    if min(first, second, third) < 1:
        raise ValueError(f"{first}, {second}, {third} cells: expected 1 or more")
    k, j, i = np.meshgrid(np.arange(third), np.arange(second), np.arange(first), indexing="ij")
    steps = np.stack([i, j, k], -1).reshape(-1, 1, 3)
    sites = steps + np.array([[0, 0, 0], [1 / 3, 2 / 3, 1 / 2]])
    return np.asarray(sites.reshape(-1, 3) @ np.array([[1, 0, 0], [-0.5, sqrt(0.75), 0], [0, 0, C_OVER_A]]))


def icosahedron(shells: int) -> FloatArray:
    """Shells of atoms, Mackay's, the atom in the middle counted as one."""
    if shells < 1:
        raise ValueError(f"{shells} shells: expected 1 or more")
    # Vertices are (±φ, 0, ±1) and its cyclic permutations, 2 apart; the 12 nearest atoms lie 1 b from the middle.
    points = np.concatenate([np.zeros((1, 3)), *(_shell(n) for n in range(1, shells))])
    return np.asarray(points / sqrt(1 + _GOLDEN**2))


def _shell(n: int) -> FloatArray:
    """One shell, whose edges are n long: edges, then faces that have one of six edges, then the other eight."""
    edge = [(n * _GOLDEN * sx, 0.0, float(z)) for sx in (1, -1) for z in range(-n, n + 1, 2)]
    # From the vertex (nφ, 0, n) on, rows of j + 1 atoms lie parallel to the edge (0, ±n, nφ), which is not repeated.
    beside = [
        (sx * (n - j) * _GOLDEN, float(2 * i - j), sz * (n - j + j * _GOLDEN))
        for sx, sz in product((1, -1), repeat=2)
        for i in range(n)
        for j in range(max(i, 1), n)
    ]
    # Other faces: whole weights u, v, w of the vertices (φ, 0, 1), (1, φ, 0) and (0, 1, φ), all of them at least 1.
    inside = [
        (sx * (u * _GOLDEN + v), sy * (v * _GOLDEN + w), sz * (u + w * _GOLDEN))
        for sx, sz in product((1, -1), repeat=2)
        for w in range(1, n - 1)
        for v in range(1, n - w)
        for u in [n - v - w]
        for sy in (-1, 1)
    ]
    turned = [np.roll(part, turn, axis=1) for part in (edge, beside) if part for turn in range(3)]
    return np.concatenate([*turned, np.array(inside).reshape(-1, 3)])


def decahedron(p: int, q: int, r: int) -> FloatArray:
    """Five twins around an axis: p and q atoms along (100) faces across and along it, r how deep Marks' notches are."""
    if p < 1 or q < 1 or r < 0:
        raise ValueError(f"p {p}, q {q}, r {r}: expected 1 or more, and r not negative")
    height = p + q + 2 * r - 1
    angles = pi / 10 + 2 * pi / 5 * np.arange(6)
    corners = sqrt(0.75) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    columns = [(np.zeros(2), height)]
    for ring in range(1, p + 2 * r):
        cut = max(ring - (p + r - 1), 0)  # columns that the notch takes at both ends of a side
        for sector in range(5):
            along = corners[sector + 1] - corners[sector]
            places = range(cut, ring - cut + (cut > 0))
            columns += [(ring * corners[sector] + i * along, height - ring) for i in places]
    return np.array([(*xy, k - (count - 1) / 2) for xy, count in columns for k in range(count)])
