"""From a manifest to actual species, and to the pairs of them that are simulated."""

import difflib
from collections.abc import Iterable, Mapping

import numpy as np
from ase import Atoms

from dsfu.pipeline.errors import InputError
from dsfu.pipeline.manifest import LoadedManifest
from dsfu.pipeline.manifest_model import OwnSpecies
from dsfu.simulate.species import SPLITS, Species, Split, load_library, pairs, read_species

Pair = tuple[Species, Species]


def species_of(loaded: LoadedManifest) -> dict[str, Species]:
    """The library, if it is used, and the user's own species, by name."""
    section = loaded.manifest.species
    species = load_library() if section.library else {}
    for number, own in enumerate(section.own):
        where = loaded.where("species", "own", number)
        if own.name in species:
            raise InputError(
                f"species.own[{number}].name = {own.name!r}: there is a species of this name already",
                where=where,
                remedy="give it another name, or leave the library out with species.library: false",
            )
        species[own.name] = _own_species(own, loaded, where)
    return species


def _own_species(own: OwnSpecies, loaded: LoadedManifest, where: str) -> Species:
    try:
        if own.file is None:
            assert own.cell_lengths is not None  # the model sees to it
            return Species(own.name, own.group, own.split, Atoms(), own.cell_lengths)
        return read_species(
            loaded.folder / own.file, own.name, own.group, split=own.split, cell_lengths=own.cell_lengths
        )
    except ValueError as error:
        raise InputError(f"species {own.name}: {error}", where=where) from error


def all_pairs(loaded: LoadedManifest, species: Mapping[str, Species]) -> dict[Split, list[Pair]]:
    """The pairs of each split, in the order of the store."""
    chosen = {split: _pairs_of_split(loaded, species, split) for split in SPLITS}
    if not any(chosen.values()):
        raise InputError(
            "pairs: not a single pair of species is asked for",
            where=loaded.where("pairs"),
            expected="at least one group with two species or more, in one of the splits",
        )
    return chosen


def _pairs_of_split(loaded: LoadedManifest, species: Mapping[str, Species], split: Split) -> list[Pair]:
    wanted = loaded.manifest.pairs_of(split)
    if wanted is None:
        return []
    everything = pairs(species, split)
    if wanted.only is not None:
        return [
            _named_pair(names, everything, species, loaded, split, number) for number, names in enumerate(wanted.only)
        ]
    chosen: list[Pair] = []
    for group in sorted(set(wanted.groups)):
        of_group = [pair for pair in everything if pair[0].group == group]
        if wanted.per_group is not None and len(of_group) > wanted.per_group:
            spread = np.linspace(0, len(of_group) - 1, wanted.per_group).round().astype(int)
            of_group = [of_group[i] for i in spread]
        chosen += of_group
    return chosen


def _named_pair(
    names: tuple[str, str],
    everything: Iterable[Pair],
    species: Mapping[str, Species],
    loaded: LoadedManifest,
    split: Split,
    number: int,
) -> Pair:
    key, where = f"pairs.{split}.only[{number}]", loaded.where("pairs", split, "only", number)
    for name in names:
        if name not in species:
            near = difflib.get_close_matches(name, species, 1)
            remedy = f"did you mean {near[0]}?" if near else "see `dsfu-pipeline species` for the names"
            raise InputError(f"{key}: there is no species {name!r}", where=where, remedy=remedy)
    for pair in everything:
        if {pair[0].name, pair[1].name} == set(names) and names[0] != names[1]:
            return pair
    told = ", ".join(f"{name} (group {species[name].group}, {species[name].split})" for name in names)
    raise InputError(
        f"{key}: {told} are not a pair of the split {split!r}",
        where=where,
        expected="two different species of one group, both of this split",
    )
