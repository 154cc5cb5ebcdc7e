"""Crystals of a data set: drawn so that every formula belongs to one split, and within it to one shard."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import gcd
from typing import Final, Literal

import numpy as np

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.densities.conventions import BINS, FULL
from dsfu.simulate.densities.crystals import UnitCell, unit_cell
from dsfu.simulate.densities.pattern import binned, powder_lines
from dsfu.simulate.densities.structure_types import StructureType, shipped_types
from dsfu.simulate.densities.substitutions import ELEMENTS, SHORTEST, element_volumes, shortest_distance
from dsfu.simulate.fields import SPLITS, Field
from dsfu.simulate.random_stream import RandomStream, stream_key

System = Literal["cubic", "trigonal", "hexagonal", "tetragonal", "orthorhombic", "monoclinic", "triclinic"]
SYSTEMS: Final[dict[str, tuple[int, int]]] = {
    "triclinic": (1, 2), "monoclinic": (3, 15), "orthorhombic": (16, 74), "tetragonal": (75, 142),
    "trigonal": (143, 167), "hexagonal": (168, 194), "cubic": (195, 230),
}  # fmt: skip

SplitBy = Literal["formula", "anonymous formula", "type"]
"""What train, validation and test have none of in common."""

HELD_OUT: Final = 0.1
"""Share of formulas or types that belongs to validation, and to test. As published: a tenth each."""


def fields(most_atoms: int) -> tuple[Field, ...]:
    """What the store holds of a crystal; the density is computed from it."""
    atom = ("sample", "atom")
    return (
        Field(name="cell", dtype="float64", dims=("sample", "cell_constant"), shape=(6,), units="angstrom, degree",
              long_name="a, b, c, alpha, beta, gamma"),
        Field(name="atoms", dtype="int16", dims=("sample",), units="1", long_name="atoms in the cell"),
        Field(name="numbers", dtype="uint8", dims=atom, shape=(most_atoms,), units="1",
              long_name="atomic numbers, and 0 after the last atom"),
        Field(name="positions", dtype="float32", dims=(*atom, "xyz"), shape=(most_atoms, 3), units="1",
              long_name="fractional coordinates of the atoms", kept_as="array"),
        Field(name="space_group", dtype="int16", dims=("sample",), units="1", long_name="number of the space group"),
        Field(name="type", dtype="int16", dims=("sample",), units="1",
              long_name="row of the structure type in the table that comes with dsfu, from 0"),
        Field(name="volume", dtype="float32", dims=("sample",), units="angstrom^3", long_name="volume of the cell"),
        Field(name="pattern", dtype="uint16", dims=("sample", "bin"), shape=(BINS,), units="1/10000",
              long_name="strongest line in each bin of 2 theta (0 to 180 degrees), the strongest of all = 10000",
              kept_as="array"),
        Field(name="kept", dtype="bool", dims=("sample",), units="1", long_name="False where a shard is filled up"),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CrystalDrawing:
    """From what crystals are drawn, and for which shard of which split."""

    seed: int
    kinds: tuple[int, ...]
    split_by: SplitBy
    split: str
    shard: int
    shards: int


@lru_cache(maxsize=8)
def types_of(systems: tuple[str, ...], most_atoms: int) -> tuple[int, ...]:
    """Rows of the shipped types of some crystal systems with two or more elements and so many atoms at most."""
    ranges = [SYSTEMS[each] for each in systems]
    return tuple(
        row
        for row, kind in enumerate(shipped_types())
        if any(low <= kind.number <= high for low, high in ranges)
        and kind.atoms <= most_atoms
        and len(kind.composition) > 1
    )


def split_of(seed: int, held_together: str) -> str:
    """The split that a formula or a type belongs to: a matter of its text and the seed alone."""
    place = stream_key(seed, "split", held_together) / 2.0**64
    return SPLITS[1] if place < HELD_OUT else SPLITS[2] if place < 2 * HELD_OUT else SPLITS[0]


def draw(drawing: CrystalDrawing, wanted: int, tries: int = 200) -> list[tuple[int, UnitCell]]:
    """At most ``wanted`` crystals, no formula twice in a space group: row of the type and unit cell.

    Fewer come out where types and elements do not give so many.
    """
    stream = RandomStream(drawing.seed, "crystals", drawing.split, drawing.shard)
    rows = _rows_of_split(drawing)
    seen: set[tuple[str, int]] = set()
    found: list[tuple[int, UnitCell]] = []
    if not rows:
        return found
    for _ in range(wanted * tries * drawing.shards):
        if len(found) == wanted:
            break
        row = rows[stream.integer(len(rows))]
        kind = shipped_types()[row]
        put = _elements(kind, stream)
        formula = formula_text({put[z]: n for z, n in kind.composition.items()})
        if not _belongs(drawing, formula, kind) or (formula, kind.number) in seen:
            continue
        crystal = _in_cell(kind, put, stream)
        if shortest_distance(crystal) >= SHORTEST:
            seen.add((formula, kind.number))
            found.append((row, crystal))
    return found


def _rows_of_split(drawing: CrystalDrawing) -> list[int]:
    if drawing.split_by == "formula":
        return list(drawing.kinds)
    types = shipped_types()
    said: Callable[[StructureType], str] = (
        (lambda kind: kind.name) if drawing.split_by == "type" else (lambda kind: anonymous_text(kind.composition))
    )
    return [row for row in drawing.kinds if split_of(drawing.seed, said(types[row])) == drawing.split]


def _belongs(drawing: CrystalDrawing, formula: str, kind: StructureType) -> bool:
    """Whether a formula is one of this split and shard, so that no two shards make the same."""
    if drawing.split_by == "formula" and split_of(drawing.seed, formula) != drawing.split:
        return False
    return stream_key(drawing.seed, "shard", formula, kind.number) % drawing.shards == drawing.shard


def _elements(kind: StructureType, stream: RandomStream) -> dict[int, int]:
    """Other elements for those of a type, no two the same."""
    left = list(ELEMENTS)
    return {z: left.pop(stream.integer(len(left))) for z in sorted(kind.composition)}


def _in_cell(
    kind: StructureType, put: Mapping[int, int], stream: RandomStream, spread: float = 0.06, displacement: float = 0.03
) -> UnitCell:
    """A type with other elements in a cell about the size that they need, free positions moved; as stored.

    spread: standard deviation of the logarithm of the lengths. displacement: in fractions of the cell.
    """
    needed = sum(n * element_volumes()[put[z]] for z, n in kind.composition.items())
    cell = np.array(kind.cell)
    cell[:3] *= (needed / kind.volume) ** (1 / 3)
    together, apart = spread * _normal(stream), np.array([spread / 2 * _normal(stream) for _ in range(3)])
    if kind.system in ("cubic", "rhombohedral"):
        apart[:] = 0
    elif kind.number >= 75:
        apart[1] = apart[0]
    cell[:3] *= np.exp(together + apart)
    free = np.array([stream.uniform(-displacement, displacement) for _ in range(kind.free)])
    crystal = kind.crystal(cell, free)
    return rounded(replace(crystal, numbers=np.array([put[int(z)] for z in crystal.numbers])))


def _normal(stream: RandomStream) -> float:
    """A normal number (Box and Muller 1958)."""
    return math.sqrt(-2 * math.log(1 - stream.uniform())) * math.cos(2 * math.pi * stream.uniform())


def rounded(crystal: UnitCell) -> UnitCell:
    """The crystal as it is stored: positions in float32, the cell by its constants."""
    return unit_cell(crystal.parameters, (crystal.positions % 1).astype(np.float32), crystal.numbers)


def stored_pattern(crystal: UnitCell) -> FloatArray:
    """The published pattern (Mo Kα, 1024 bins), the strongest line = `FULL`, as whole numbers."""
    return np.asarray(np.round(binned(powder_lines(crystal)) * FULL), np.float64)


def formula_text(counts: Mapping[int, int]) -> str:
    """Reduced formula by atomic number: ``8:3 22:1 38:1``."""
    divisor = gcd(*counts.values())
    return " ".join(f"{z}:{counts[z] // divisor}" for z in sorted(counts))


def anonymous_text(counts: Mapping[int, int]) -> str:
    """Amounts of the elements, whichever they are: ``1 1 3``."""
    divisor = gcd(*counts.values())
    return " ".join(str(n // divisor) for n in sorted(counts.values()))
