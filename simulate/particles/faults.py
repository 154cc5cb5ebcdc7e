"""Particles of close-packed layers, stacked in any sequence: fcc, hcp, and everything with faults between the two.

A layer is A, B or C by where its atoms lie; no two neighbours are the same. A sequence read backwards, or with its
letters exchanged, is the same particle, so that a sequence is known by its inner layers: each lies between equal ones
(h, as in hcp) or different ones (c, as in fcc).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from math import sqrt
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray, IntArray

_ALONG: Final = np.array([[1.0, 0.0, 0.0], [0.5, sqrt(3) / 2, 0.0]])
_SHIFT: Final = np.array([0.5, sqrt(3) / 6, 0.0])
_SPACING: Final = sqrt(2 / 3)


def sequences(layers: int) -> tuple[str, ...]:
    """All different sequences of so many layers, each beginning with AB: 1, 2, 3, 6, 10, 20 … for 2, 3, 4 … layers."""
    if layers < 2:
        raise ValueError(f"layers = {layers}: expected at least 2")
    inner = {min(kinds, kinds[::-1]) for kinds in map("".join, product("ch", repeat=layers - 2))}
    return tuple(_letters(kinds) for kinds in sorted(inner))


def _letters(kinds: str) -> str:
    layers = [0, 1]
    for kind in kinds:
        layers.append(layers[-2] if kind == "h" else 3 - layers[-1] - layers[-2])
    return "".join("ABC"[layer] for layer in layers)


def layered_positions(sequence: int | str, first: int | str, second: int | str, outline: int | str = "r") -> FloatArray:
    """Positions, (atoms, 3), in units of the nearest distance.

    Parameters
    ----------
    sequence
        Such as "ABCAC".
    first, second
        Rhombus ("r"): atoms along both edges of a layer. Hexagon ("h"): atoms along its edges, which alternate.
    outline
        "r" or "h".
    """
    letters = str(sequence)
    if len(letters) < 2 or set(letters) - set("ABC") or any(a == b for a, b in pairwise(letters)):
        raise ValueError(f"sequence = {letters!r}: expected letters A, B and C, no two neighbours the same")
    if outline not in ("r", "h"):
        raise ValueError(f"outline = {outline!r}: expected 'r' (rhombus) or 'h' (hexagon)")
    layer = _layer(int(first), int(second), str(outline))
    steps = np.array(["ABC".index(letter) for letter in letters])
    offsets = steps[:, None] * _SHIFT + np.arange(len(steps))[:, None] * np.array([0, 0, _SPACING])
    return np.asarray((offsets[:, None] + layer).reshape(-1, 3))


def layered_atoms(sequence: int | str, first: int | str, second: int | str, outline: int | str = "r") -> int:
    """How many atoms such a particle has."""
    return len(str(sequence)) * len(_layer(int(first), int(second), str(outline)))


def _layer(first: int, second: int, outline: str) -> FloatArray:
    if min(first, second) < 1:
        raise ValueError(f"a layer of {first} × {second} atoms: expected at least 1")
    if outline == "r":
        i, j = np.meshgrid(np.arange(first), np.arange(second), indexing="ij")
        return _in_plane(i, j)
    side = first + 2 * (second - 1)  # a triangle whose corners are cut off
    i, j = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    k = side - 1 - i - j
    inside = (k >= 0) & (np.maximum(np.maximum(i, j), k) <= side - second)
    return _in_plane(i[inside], j[inside])


def _in_plane(i: IntArray, j: IntArray) -> FloatArray:
    return np.asarray(np.stack([i.ravel(), j.ravel()], axis=1) @ _ALONG)


@dataclass(frozen=True, kw_only=True)
class FaultLimits:
    """Which layered particles there are."""

    layers: tuple[int, int] = (3, 7)
    edge: tuple[int, int] = (2, 7)
    least_atoms: int = 5
    most_atoms: int = 200
    hexagons: bool = False


def layered_parameters(limits: FaultLimits = FaultLimits()) -> Iterator[tuple[int | str, ...]]:  # frozen
    """Parameters of all layered particles within limits: 709 by default; with hexagons and more atoms, beyond 1620."""
    low, high = limits.edge
    outlines = [("r", a, b) for a in range(low, high + 1) for b in range(a, high + 1)]
    if limits.hexagons:
        outlines += [("h", a, b) for a in range(low, high + 1) for b in range(a, high + 1)]
    for layers in range(limits.layers[0], limits.layers[1] + 1):
        for outline, a, b in outlines:
            if limits.least_atoms <= layers * len(_layer(a, b, outline)) <= limits.most_atoms:
                for sequence in sequences(layers):
                    yield (sequence, a, b) if outline == "r" else (sequence, a, b, "h")
