"""Particles of close-packed layers, stacked in any sequence: fcc, hcp, and everything with faults between the two.

A layer is A, B or C by where its atoms lie; no two neighbours are the same. A sequence read backwards, or with its
letters exchanged, is the same stacking, so that a sequence is known by its inner layers: each lies between equal ones
(h, as in hcp) or different ones (c, as in fcc). Layers that end somewhere overhang one another differently then: ABC
and ACB of 3 × 4 atoms have some other distances. Of such particles only the one that begins with AB is made.
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
_METALS_C_OVER_A: Final = (1580, 1603, 1625)
"""In thousandths: Ti, Ru, Re, Os and Hf have 1.58 to 1.59, Zr, Sc and Tc 1.59 to 1.61, Co and Mg 1.62."""


def sequences(layers: int) -> tuple[str, ...]:
    """All different sequences of so many layers, each beginning with AB: 1, 2, 3, 6, 10, 20 … for 2, 3, 4 … layers."""
    if layers < 2:
        raise ValueError(f"layers = {layers}: expected at least 2")
    inner = {min(kinds, kinds[::-1]) for kinds in map("".join, product("ch", repeat=layers - 2))}
    return tuple(_letters(kinds) for kinds in sorted(inner))


def _letters(kinds: str) -> str:
    layers = [0, 1]
    for kind in kinds:
        # h: as the layer before the last. c: the third of the three letters, whose numbers add up to 3.
        layers.append(layers[-2] if kind == "h" else 3 - layers[-1] - layers[-2])
    return "".join("ABC"[layer] for layer in layers)


def layered_positions(
    sequence: int | str, first: int | str, second: int | str, outline: int | str = "r", c_over_a: int | str = 0
) -> FloatArray:
    """Positions, (atoms, 3), in units of the nearest distance within a layer.

    Parameters
    ----------
    sequence
        Such as "ABCAC".
    first, second
        Rhombus ("r"): atoms along both edges of a layer. Hexagon ("h"): atoms along its edges, which alternate.
        Sphere ("s"): its diameter in b, and in which of the layers' three places its axis is (1, 2, 3: A, B, C).
        Twin ("t"): distances in hundredths of b from the middle, in whose layer the twin plane is, to the faces {111}
        and {100} of both halves.
    outline
        "r", "h", "s" or "t".
    c_over_a
        Of HCP, in thousandths: two layers' height over the distance in a layer. 0: that of close-packed spheres.
    """
    letters = str(sequence)
    if len(letters) < 2 or set(letters) - set("ABC") or any(a == b for a, b in pairwise(letters)):
        raise ValueError(f"sequence = {letters!r}: expected letters A, B and C, no two neighbours the same")
    if outline == "s":
        stretch = int(c_over_a) / 2000 / _SPACING if int(c_over_a) else 1.0
        return np.asarray(_sphere(letters, int(first), int(second)) * np.array([1, 1, stretch]))
    if outline == "t":
        return _twin(letters, int(first) / 100, int(second) / 100)
    if outline not in ("r", "h"):
        raise ValueError(f"outline = {outline!r}: expected 'r' (rhombus), 'h' (hexagon), 's' (sphere) or 't' (twin)")
    layer = _layer(int(first), int(second), str(outline))
    steps = np.array(["ABC".index(letter) for letter in letters])
    offsets = steps[:, None] * _SHIFT + np.arange(len(steps))[:, None] * np.array([0, 0, _SPACING])
    return np.asarray((offsets[:, None] + layer).reshape(-1, 3))


def layered_atoms(
    sequence: int | str, first: int | str, second: int | str, outline: int | str = "r", c_over_a: int | str = 0
) -> int:
    """How many atoms such a particle has."""
    if outline == "s":
        return len(_sphere(str(sequence), int(first), int(second)))
    if outline == "t":
        return len(layered_positions(sequence, first, second, outline))
    return len(str(sequence)) * len(_layer(int(first), int(second), str(outline)))


def _sphere(letters: str, diameter: int, place: int) -> FloatArray:
    """What of wide layers lies in a sphere around the middle of their height; flat where layers end before it does."""
    if diameter < 1 or place not in (1, 2, 3):
        raise ValueError(f"a sphere of {diameter} at place {place}: expected a diameter of at least 1, and 1, 2 or 3")
    places = _wide_layers(letters, diameter + 2, place)
    return np.asarray(places[np.linalg.norm(places, axis=1) <= diameter / 2 + 1e-9])


def _wide_layers(letters: str, half: int, place: int) -> FloatArray:
    """Layers as wide as ``half`` to each side of the axis, the middle of their height at 0."""
    i, j = np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1), indexing="ij")
    heights = (np.arange(len(letters)) - (len(letters) - 1) / 2) * _SPACING
    # Places repeat after three shifts along the long diagonal of a cell.
    steps = [("ABC".index(letter) - (place - 1)) % 3 for letter in letters]
    offsets = np.outer(steps, _SHIFT) + np.outer(heights, [0.0, 0.0, 1.0])
    return np.asarray((offsets[:, None] + _in_plane(i, j)).reshape(-1, 3))


def _twin(letters: str, to_111: float, to_100: float) -> FloatArray:
    """Two halves of a cut octahedron, each the mirror image of the other: the layers must be so, too."""
    if len(letters) < 3 or letters != letters[::-1]:
        raise ValueError(f"sequence = {letters!r}: expected an odd number of layers that read the same backwards")
    if min(to_111, to_100) <= 0:
        raise ValueError(f"faces at {to_111} and {to_100}: expected distances above 0")
    middle = len(letters) // 2
    side = 1.0 if ("ABC".index(letters[middle + 1]) - "ABC".index(letters[middle])) % 3 == 1 else -1.0
    turns = 2 * np.pi / 3 * np.arange(3) - np.pi / 2
    around = np.stack([np.cos(turns), np.sin(turns)], axis=1) * side
    # Of a half whose layers go up by `_SHIFT`: side faces {111} lean inwards, and so do {100} opposite to them.
    faces = np.concatenate(
        [
            np.column_stack([around * sqrt(8) / 3, np.full(3, 1 / 3)]) / to_111,
            np.column_stack([-around * sqrt(2 / 3), np.full(3, sqrt(1 / 3))]) / to_100,
        ]
    )
    places = _wide_layers(letters, int(2.5 * max(to_111, to_100)) + 2, "ABC".index(letters[middle]) + 1)
    mirrored = places * np.array([1, 1, 0]) + np.abs(places[:, 2:]) * np.array([0, 0, 1])
    return np.asarray(places[(mirrored @ faces.T).max(axis=1) <= 1 + 1e-9])


def _layer(first: int, second: int, outline: str) -> FloatArray:
    if min(first, second) < 1:
        raise ValueError(f"a layer of {first} × {second} atoms: expected at least 1")
    if outline == "r":
        i, j = np.meshgrid(np.arange(first), np.arange(second), indexing="ij")
        return _in_plane(i, j)
    side = first + 2 * (second - 1)  # a triangle whose corners are cut off
    i, j = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    # Three coordinates i + j + k = side − 1, one for each corner: where one is too large, its corner is cut off.
    k = side - 1 - i - j
    inside = (k >= 0) & (np.maximum(np.maximum(i, j), k) <= side - second)
    return _in_plane(i[inside], j[inside])


def _in_plane(i: IntArray, j: IntArray) -> FloatArray:
    return np.asarray(np.stack([i.ravel(), j.ravel()], axis=1) @ _ALONG)


def twinned_parameters(layers: tuple[int, int] = (7, 17)) -> Iterator[tuple[int | str, ...]]:
    """Spheres of FCC with one twin plane, or one fault, between their middle and a quarter of their height."""
    for count in range(layers[0], layers[1] + 1):
        planes = sorted({round(count * share) for share in (0.25, 0.38, 0.5)})
        for at, width in product(planes, (1, 2)):  # one layer between equal ones is a twin; two are a stacking fault
            kinds = "".join("h" if at <= layer + 1 < at + width else "c" for layer in range(count - 2))
            for diameter in (round(count * _SPACING), round(count * _SPACING) + 1):
                yield (_letters(kinds), diameter, 1, "s")


def cut_twin_parameters(layers: tuple[int, int] = (3, 17)) -> Iterator[tuple[int | str, ...]]:
    """Octahedra of FCC, cut and whole, with a twin plane in the middle: faces {111} are about as far as the ends."""
    for count in range(layers[0] + 1 - layers[0] % 2, layers[1] + 1, 2):
        letters = _letters("c" * (count // 2 - 1) + "h" + "c" * (count // 2 - 1))
        height = (count // 2) * _SPACING
        for wider, cut in product((0.0, 0.5), (1.1, 1.3, 1.6)):
            to_111 = round(100 * (height + wider * _SPACING))
            yield (letters, to_111, round(cut * to_111), "t")


def hexagonal_parameters(layers: tuple[int, int] = (6, 18)) -> Iterator[tuple[int | str, ...]]:
    """Spheres of HCP, and plates up to half as wide again as they are high, at the c/a of metals."""
    for count, c_over_a in product(range(layers[0], layers[1] + 1), _METALS_C_OVER_A):
        height = round(count * _SPACING)
        for wider in sorted({0, 1, round(height / 4) + 1, round(height / 2)}):
            # The axis goes through an atom or through a gap between three, by turns.
            yield ("AB" * (count // 2) + "A" * (count % 2), height + wider, 1 + 2 * (count // 2 % 2), "s", c_over_a)


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
