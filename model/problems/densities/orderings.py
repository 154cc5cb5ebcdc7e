"""Types with one site divided among two elements in a subgroup: NaCu3Ti3NbO12 of CaCu3Ti4O12, Nb on one Ti of four.

Where `colourings` give whole sites away, these give single atoms of the primitive cell, in all ways that differ.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from math import comb, gcd
from typing import Final

import numpy as np

from dsfu.model.problems.densities.formulas import UNKNOWN, Formula, same_kind
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.densities.crystals import UnitCell, unit_cell
from dsfu.simulate.densities.structure_types import StructureType, from_crystal

MOST_WAYS: Final = 16
"""Ways to divide one element's atoms that are tried of a type. Chosen."""

_MOST_SUBSETS: Final = 400
"""Choices of atoms of which those that differ are looked for. Chosen: of 12 atoms any three, of 16 any two."""

_NEARLY: Final = 0.02
"""Å, for the symmetry of what comes out."""

ORDERED: Final = ", atoms ordered"


@dataclass(frozen=True)
class Merge:
    """Two elements counted as one: the formula then, which element stands for both, and how many there are of each."""

    formula: Formula
    element: int
    parts: Mapping[int, int]


def merges(formula: Formula) -> Iterator[Merge]:
    """All ways to count two elements of one kind (metals, halogens …) as one, the commoner, of those the heavier."""
    counts = dict(formula.counts)
    if not formula.ratios or UNKNOWN in counts or len(counts) < 3:
        return
    for pair in combinations(sorted(counts), 2):
        if not same_kind(*pair):
            continue
        element = max(pair, key=lambda z: (counts[z], z))
        whole = {z: n for z, n in counts.items() if z not in pair}
        whole[element] = sum(counts[z] for z in pair)
        divisor = reduce(gcd, whole.values())
        yield Merge(Formula({z: n // divisor for z, n in whole.items()}), element, {z: counts[z] for z in pair})


def ordered_types(kind: StructureType, merge: Merge) -> Iterator[StructureType]:
    """The type with the two elements on the atoms of the one, as single atoms of its primitive cell allow."""
    import spglib

    whole = kind.crystal()
    cell = spglib.find_primitive((whole.lattice.tolist(), whole.positions.tolist(), whole.numbers.tolist()), _NEARLY)
    if cell is None:
        return
    crystal = unit_cell(cell[0], cell[1], cell[2])
    places = np.flatnonzero(crystal.numbers == merge.element)
    total = sum(merge.parts.values())
    few = min(merge.parts, key=lambda z: merge.parts[z])
    some, rest = divmod(len(places) * merge.parts[few], total)
    if rest or comb(len(places), some) > _MOST_SUBSETS:
        return
    other = next(z for z in merge.parts if z != few)
    for way in _unlike_subsets(crystal, places, some):
        numbers = crystal.numbers.copy()
        numbers[places] = other
        numbers[list(way)] = few
        try:
            found = from_crystal(
                unit_cell(crystal.lattice, crystal.positions, numbers), kind.name, _NEARLY, kind.source
            )
        except (ValueError, TypeError):
            continue
        found.__dict__["prototype"] = f"{kind.prototype}{ORDERED}"
        yield found


def _unlike_subsets(crystal: UnitCell, places: IntArray, some: int) -> list[tuple[int, ...]]:
    """Choices of so many of the places of which none becomes another by the crystal's symmetry."""
    import spglib

    symmetry = spglib.get_symmetry(
        (crystal.lattice.tolist(), crystal.positions.tolist(), crystal.numbers.tolist()), _NEARLY
    )
    if symmetry is None:
        return []
    seen: set[tuple[int, ...]] = set()
    chosen: list[tuple[int, ...]] = []
    operations = zip(symmetry["rotations"], symmetry["translations"], strict=True)
    turns = {tuple(_images(crystal.positions, *each)) for each in operations}
    for subset in combinations(map(int, places), some):
        if subset in seen:
            continue
        chosen.append(subset)
        if len(chosen) == MOST_WAYS:
            break
        seen.update(tuple(sorted(turn[each] for each in subset)) for turn in turns)
    return chosen


def _images(positions: FloatArray, rotation: FloatArray, translation: FloatArray) -> list[int]:
    """Onto which atom an operation brings each."""
    away = (positions @ rotation.T + translation)[:, None, :] - positions[None, :, :]
    return list(map(int, np.abs(away - np.round(away)).sum(axis=2).argmin(axis=1)))


def is_ordered(kind: StructureType) -> bool:
    """Whether a type was made by `ordered_types`, or from such a one in a higher or lower symmetry."""
    return ORDERED in kind.prototype
