"""Which atoms are bonded: from distances alone, in a molecule and in a periodic crystal.

Two atoms count as bonded when they are no further apart than the sum of their covalent radii (Cordero et al., Dalton
Trans. 2008, 2832; ASE's table) and 0.4 Å, the allowance usual in crystallography.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list

from dsfu.errors import InputError
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.structures.structure import Structure

ALLOWANCE: Final = 0.4
"""Å beyond the sum of covalent radii."""

Bonds = list[list[int]]
"""For each atom, the numbers of those bonded to it."""

Image = tuple[int, tuple[int, int, int]]
"""An atom of a cell, and the lattice translation of the copy that is meant."""


def bonds_of(structure: Structure) -> Bonds:
    """Bonds of a molecule."""
    atoms = Atoms(numbers=structure.numbers, positions=structure.positions)
    bonds: Bonds = [[] for _ in range(len(structure))]
    if len(structure):
        for i, j in zip(*neighbor_list("ij", atoms, _reach(structure.numbers)), strict=True):
            bonds[int(i)].append(int(j))
    return bonds


def connected_to(bonds: Bonds, starts: Iterable[int]) -> list[int]:
    """All atoms that bonds connect to some, in order of their numbers."""
    found = set(starts)
    queue = deque(found)
    while queue:
        fresh = [atom for atom in bonds[queue.popleft()] if atom not in found]
        found.update(fresh)
        queue.extend(fresh)
    return sorted(found)


def far_side(structure: Structure, bonds: Bonds, first: int, second: int) -> list[int]:
    """What turns when the bond from ``first`` to ``second`` is turned: all beyond ``second``, without itself."""
    name_a, name_b = structure.labels[first], structure.labels[second]
    where = f"{structure.name or 'structure'}, torsion {name_a}-{name_b}"
    if second not in bonds[first]:
        distance = float(np.linalg.norm(structure.positions[first] - structure.positions[second]))
        neighbours = ", ".join(structure.labels[atom] for atom in bonds[first]) or "nothing"
        raise InputError(
            f"{name_a} and {name_b} are not bonded: they are {distance:.2f} Å apart",
            where=where,
            expected=f"{name_a} and an atom that it is bonded to ({neighbours})",
        )
    cut = [[atom for atom in near if {i, atom} != {first, second}] for i, near in enumerate(bonds)]
    beyond = connected_to(cut, [second])
    if first in beyond:
        raise InputError(
            "the bond is part of a ring", where=where, expected="a bond that holds two parts together by itself"
        )
    if len(beyond) == 1:
        raise InputError(f"nothing turns: {name_b} has no other bond", where=where, expected="a group beyond it")
    return [atom for atom in beyond if atom != second]


def molecule_in_crystal(
    numbers: IntArray, fractional: FloatArray, vectors: FloatArray, starts: list[int]
) -> list[Image]:
    """The molecules that some atoms of a cell belong to, put together across the cell's faces.

    Parameters
    ----------
    numbers, fractional
        All atoms of one cell, and their fractional coordinates.
    vectors
        The lattice vectors as rows, in Å.
    starts
        Atoms of the cell to start from, each where it is.

    Returns
    -------
    Each atom once. A network without end is refused with `InputError`.
    """
    bonds = _periodic_bonds(numbers, fractional, vectors)
    placed: dict[int, tuple[int, int, int]] = {}
    for start in starts:
        queue: deque[Image] = deque([(start, placed.setdefault(start, (0, 0, 0)))])
        while queue:
            atom, shift = queue.popleft()
            for other, step in bonds[atom]:
                there = (shift[0] + step[0], shift[1] + step[1], shift[2] + step[2])
                if other not in placed:
                    placed[other] = there
                    queue.append((other, there))
                elif placed[other] != there:
                    raise InputError(
                        "its bonds make a network without end",
                        expected="a molecule",
                        remedy="cut the piece that is on the site out of it, and give that as XYZ",
                    )
    return sorted(placed.items())


def _periodic_bonds(numbers: IntArray, fractional: FloatArray, vectors: FloatArray) -> list[list[Image]]:
    atoms = Atoms(numbers=numbers, scaled_positions=fractional, cell=vectors, pbc=True)
    bonds: list[list[Image]] = [[] for _ in numbers]
    for i, j, step in zip(*neighbor_list("ijS", atoms, _reach(numbers)), strict=True):
        bonds[int(i)].append((int(j), (int(step[0]), int(step[1]), int(step[2]))))
    return bonds


def _reach(numbers: IntArray) -> FloatArray:
    """Radius of each atom, so that two are bonded where their spheres overlap."""
    return np.asarray(covalent_radii[numbers] + ALLOWANCE / 2)
