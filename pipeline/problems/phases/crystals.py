"""The crystals of a data set: which there can be, and each by its number."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import gemmi
import numpy as np

from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.problems.phases.settings import PhasesManifest
from dsfu.simulate.phases.atoms import CellContents
from dsfu.simulate.phases.packing import pack
from dsfu.simulate.phases.random_crystals import random_in_group, random_p1
from dsfu.simulate.phases.sources import aflow_prototypes, crystals_of_table
from dsfu.simulate.random_stream import RandomStream, stream_key
from dsfu.simulate.species import load_library

_TRIES, _STEPS = 6, 40
"""Of packing: a fifth of the time of the default, for cells some 5 % larger."""

_SMALLEST: Final = 2
"""Atoms and pairs are no molecules that would have to be packed."""

GIVEN: Final = ("table", "prototypes")
"""Sources whose crystals are known before anything is made."""


def given_crystals(loaded: LoadedManifest[PhasesManifest]) -> dict[str, list[CellContents]]:
    """Crystals of a table or of the prototypes by split, those of one formula and space group in one split."""
    manifest = loaded.manifest
    found = [each for each in _of_source(loaded) if _fits(len(each.numbers), manifest.crystals.atoms)]
    wanted = {split: number for split, number in manifest.samples if number}
    total = sum(wanted.values())
    parts: dict[str, list[CellContents]] = {split: [] for split in wanted}
    for crystal in found:
        chance = (stream_key(manifest.seed, "phases split", crystal.group) >> 11) / 2**53 * total
        ends = np.cumsum(list(wanted.values()))
        parts[list(wanted)[int(np.searchsorted(ends, chance, side="right"))]].append(crystal)
    chosen = {split: _some(crystals, wanted[split], manifest.seed) for split, crystals in parts.items()}
    if not any(chosen.values()):
        raise loaded.problem(
            "crystals",
            "source",
            what=f"it has no crystal of {manifest.crystals.atoms[0]} to {manifest.crystals.atoms[1]} atoms",
            remedy="widen crystals.atoms",
        )
    return chosen


def _of_source(loaded: LoadedManifest[PhasesManifest]) -> Iterator[CellContents]:
    crystals = loaded.manifest.crystals
    if crystals.source == "prototypes":
        return aflow_prototypes()
    return crystals_of_table(loaded.folder / str(crystals.file), column=crystals.column)


def _some(crystals: list[CellContents], number: int, seed: int) -> list[CellContents]:
    """So many, drawn at random, in the order in which they came."""
    if len(crystals) <= number:
        return crystals
    order = np.argsort([stream_key(seed, "phases choice", place) for place in range(len(crystals))])
    return [crystals[place] for place in sorted(order[:number])]


def plain(crystal: CellContents) -> dict[str, Any]:
    """A crystal as JSON can hold it."""
    return {
        "numbers": crystal.numbers.tolist(),
        "positions": crystal.positions.tolist(),
        "b_iso": crystal.b_iso.tolist(),
        "cell": list(crystal.cell),
        "space_group": crystal.space_group,
    }


def crystal_number(parameters: Mapping[str, Any], number: int) -> CellContents:
    """A crystal of a shard by its number in the split: given in the parameters, or made."""
    if "crystals" in parameters:
        row = parameters["crystals"][number - parameters["first"]]
        return CellContents(
            numbers=np.array(row["numbers"]),
            positions=np.array(row["positions"]),
            b_iso=np.array(row["b_iso"]),
            cell=tuple(row["cell"]),
            space_group=row["space_group"],
        )
    seed, index = parameters["seed"], parameters["offset"] + number
    low, high = parameters["atoms"]
    stream = RandomStream(seed, "phases size", index)
    atoms = low + stream.integer(high - low + 1)
    if parameters["source"] == "random":
        return random_p1(seed, index, atoms, elements=tuple(parameters["elements"]))
    if parameters["source"] == "symmetric":
        group = parameters["groups"][stream.integer(len(parameters["groups"]))]
        return random_in_group(seed, index, group, atoms, elements=tuple(parameters["elements"]))
    pairs = _pairs_in(low, high, tuple(parameters["groups"]))
    name, group = pairs[stream.integer(len(pairs))]
    what = load_library()[name].atoms
    return pack(what.numbers, what.positions, seed=seed, index=index, space_group=group, tries=_TRIES, steps=_STEPS)


@lru_cache(maxsize=8)
def _pairs_in(low: int, high: int, groups: tuple[str, ...]) -> list[tuple[str, str]]:
    """Molecules and space groups that make a number of atoms in a range."""
    return [
        (name, group)
        for name, species in load_library().items()
        for group in groups
        if species.group != 4 and len(species.atoms) > _SMALLEST and low <= len(species.atoms) * order_of(group) <= high
    ]


def packable(atoms: tuple[int, int], groups: Sequence[str]) -> bool:
    """Whether any molecule of the library makes such a cell."""
    return bool(_pairs_in(*atoms, tuple(groups)))


@lru_cache(maxsize=512)
def order_of(symbol: str) -> int:
    """Symmetry operations of a space group, centring included; 0 of an unknown one."""
    group = gemmi.find_spacegroup_by_name(symbol)
    return 0 if group is None else len(list(group.operations()))


@lru_cache(maxsize=512)
def number_of(symbol: str) -> int:
    """Number of a space group by its symbol."""
    group = gemmi.find_spacegroup_by_name(symbol)
    return 1 if group is None else int(group.number)


def _fits(atoms: int, between: tuple[int, int]) -> bool:
    return between[0] <= atoms <= between[1]
