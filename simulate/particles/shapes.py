"""Shapes of metal nanoparticles: the seven published families, as ASE has them, and particles with stacking faults.

Positions have unit scale: multiplied with the bond length b they are in Å. b is twice the metallic radius; what it is
in a family follows the published data set (Kjær et al., Digital Discovery 2, 69, 2023): the lattice constant of SC and
BCC (in BCC the nearest distance is 0.866 b), and the nearest distance of all others (the edges of an icosahedron are
1.051 b).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations_with_replacement
from math import prod
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.particles.clusters import cubic, decahedron, hexagonal, icosahedron, octahedron
from dsfu.simulate.particles.distances import pair_distances
from dsfu.simulate.particles.faults import layered_positions

FAMILIES: Final = ("SC", "BCC", "FCC", "HCP", "Icosahedron", "Decahedron", "Octahedron", "Faulted")

METALLIC_RADII: Final = {
    "Sc": 1.44, "Ti": 1.32, "V": 1.22, "Cr": 1.19, "Mn": 1.18, "Fe": 1.17, "Co": 1.16, "Ni": 1.15, "Cu": 1.18,
    "Zn": 1.21, "Y": 1.62, "Zr": 1.45, "Nb": 1.34, "Tc": 1.27, "Ru": 1.25, "Rh": 1.25, "Pd": 1.28, "Ag": 1.34,
    "Cd": 1.38, "Hf": 1.44, "Ta": 1.34, "W": 1.30, "Re": 1.28, "Os": 1.26, "Ir": 1.27, "Pt": 1.30, "Au": 1.34,
    "Hg": 1.39,
}  # fmt: skip
"""Metallic radii in Å of the 28 metals of the published data set, as tabulated by ``mendeleev``."""

BOND_LENGTHS: Final = tuple(sorted({round(2 * radius, 2) for radius in METALLIC_RADII.values()}))
"""The 19 distinct bond lengths in Å that those radii give."""

SAME_DISTANCE: Final = 1e-4
"""Two shapes are one if their sorted distances, in units of b, agree within this. The specification's tolerance."""


@dataclass(frozen=True)
class Shape:
    """A family and its whole numbers; a shape of family Faulted begins with its sequence of layers."""

    family: str
    parameters: tuple[int | str, ...]

    def __str__(self) -> str:
        return f"{self.family}({', '.join(map(str, self.parameters))})"

    @cached_property
    def positions(self) -> FloatArray:
        """Positions of the atoms, (atoms, 3), in units of b, in ASE's order."""
        return positions_of(self.family, self.parameters)

    @property
    def atoms(self) -> int:
        """How many atoms it has."""
        return len(self.positions)


def positions_of(family: str, parameters: Sequence[int | str]) -> FloatArray:
    """Positions of a shape, (atoms, 3), in units of b.

    Parameters
    ----------
    family
        One of `FAMILIES`.
    parameters
        SC, BCC, FCC: layers along {100}, {110}, {111}. HCP: cells along a, b and c. Icosahedron: shells. Decahedron: p,
        q, r of ASE. Octahedron: length, and how many layers are cut off the vertices (0 if not given). Faulted: see
        `dsfu.simulate.particles.faults.layered_positions`.
    """
    if family not in FAMILIES:
        raise ValueError(f"family = {family!r}: expected one of {', '.join(FAMILIES)}")
    if family == "Faulted":
        return layered_positions(*parameters)
    try:
        return _BUILDERS[family](*map(int, parameters))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{family}{tuple(parameters)} is no shape: {error}") from error


_BUILDERS: Final[Mapping[str, Callable[..., FloatArray]]] = {
    **{family: partial(cubic, family) for family in ("SC", "BCC", "FCC")},
    "HCP": hexagonal,
    "Icosahedron": icosahedron,
    "Decahedron": decahedron,
    "Octahedron": octahedron,
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far the parameters of each family go, and the least and greatest numbers of atoms."""

    least_atoms: int = 5
    most_atoms: int = 200
    layers: int = 10
    cells: int = 10
    shells: int = 5
    decahedron: int = 5
    length: int = 7
    cut_octahedra: bool = False


PUBLISHED: Final = Limits()
"""The limits of the published data set: 197 shapes."""


def catalogue(limits: Limits = PUBLISHED) -> tuple[Shape, ...]:
    """All different shapes of the seven families. Of two with the same distances, the one is kept that is published."""
    kept: dict[tuple[int, ...], list[tuple[Shape, FloatArray]]] = {}
    order: dict[Shape, None] = {}
    for shape in _candidates(limits):
        if (
            shape.family == "HCP"
            and not limits.least_atoms <= 2 * prod(map(int, shape.parameters)) <= limits.most_atoms
        ):
            continue  # its number of atoms is known beforehand
        positions = shape.positions
        if not limits.least_atoms <= len(positions) <= limits.most_atoms:
            continue
        likely = kept.setdefault(_fingerprint(positions), [])
        twin = next((other for other, theirs in likely if same_shape(positions, theirs)), None)
        if twin is None:
            likely.append((shape, positions))
            order[shape] = None
        elif (twin.family, shape.family) == ("FCC", "Octahedron"):
            order = {shape if each is twin else each: None for each in order}  # as published: the octahedron stays
            likely[:] = [(shape if other is twin else other, theirs) for other, theirs in likely]
    return tuple(sorted(order, key=lambda shape: FAMILIES.index(shape.family)))


def _candidates(limits: Limits) -> Iterator[Shape]:
    for family in ("SC", "BCC", "FCC"):
        yield from _cubic(family, limits)
    for cells in combinations_with_replacement(range(1, limits.cells + 1), 3):
        yield Shape("HCP", cells)
    for shells in range(1, limits.shells + 1):
        # Atoms of n shells (Mackay 1962): 1, 13, 55, 147 …
        if (10 * shells**3 - 15 * shells**2 + 11 * shells - 3) // 3 <= limits.most_atoms:
            yield Shape("Icosahedron", (shells,))
    most = limits.decahedron
    for p in range(1, most + 1):
        for q in range(1, most + 1):
            for r in range(most + 1):
                if (shape := Shape("Decahedron", (p, q, r))).atoms > limits.most_atoms:
                    break  # a larger r makes a larger particle
                yield shape
    for length in range(2, limits.length + 1):
        yield Shape("Octahedron", (length,))
        if limits.cut_octahedra:
            for cutoff in range(1, (length + 1) // 2):
                yield Shape("Octahedron", (length, cutoff))


def _cubic(family: str, limits: Limits) -> Iterator[Shape]:
    """Layers 1 ≤ h ≤ k ≤ l, less those that are too large, or that one more layer along {111} leaves as they are."""
    for h, k in combinations_with_replacement(range(1, limits.layers + 1), 2):
        before = 0
        for third in range(k, limits.layers + 1):
            shape = Shape(family, (h, k, third))
            if shape.atoms > limits.most_atoms or shape.atoms == before:
                break
            before = shape.atoms
            yield shape


def _fingerprint(positions: FloatArray) -> tuple[int, ...]:
    """Whole numbers that are the same for shapes with the same distances, and nearly always different for others."""
    centred = positions - positions.mean(axis=0)
    moments = np.linalg.eigvalsh(centred.T @ centred) / len(positions)
    return (len(positions), *np.round(moments, 2).astype(int).tolist(), round((centred**2).sum()))


def same_shape(one: FloatArray, other: FloatArray, tolerance: float = SAME_DISTANCE) -> bool:
    """Whether two sets of positions have the same sorted distances."""
    if len(one) != len(other):
        return False
    return bool(np.abs(np.sort(pair_distances(one)) - np.sort(pair_distances(other))).max(initial=0.0) < tolerance)
