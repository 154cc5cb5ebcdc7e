"""From a manifest to actual species, to the pairs of them that are simulated, and to how many planes that makes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from dsfu.pipeline.errors import InputError, near_miss
from dsfu.pipeline.manifest.loading import LoadedManifest
from dsfu.pipeline.manifest.model import Manifest, OwnSpecies
from dsfu.simulate.species import SPLITS, Species, Split, load_library, pairs, read_species

Pair = tuple[Species, Species]


def species_of(loaded: LoadedManifest) -> dict[str, Species]:
    """The library, if it is used, and the user's own species, by name."""
    section = loaded.manifest.species
    species = load_library() if section.library else {}
    geometries = {each.geometry_digest(): each.name for each in species.values()}
    problems = []
    for number, own in enumerate(section.own):
        try:
            made = _own_species(own, number, loaded, species)
            _check_geometry(made, number, loaded, geometries)
        except InputError as problem:
            problems.append(problem)
        else:
            species[own.name] = made
            geometries[made.geometry_digest()] = own.name
    if problems:
        raise InputError.together(problems, where=loaded.source)
    return species


def _own_species(own: OwnSpecies, number: int, loaded: LoadedManifest, known: Mapping[str, Species]) -> Species:
    path = ("species", "own", number)
    if own.name in known:
        raise loaded.problem(
            *path,
            "name",
            what=f"the library has a species called {own.name} already",
            remedy="give it another name, or leave the library out with `library: false`",
        )
    try:
        if own.file is None:
            assert own.cell_lengths is not None  # the model sees to it
            return Species(own.name, own.group, own.split, Atoms(), own.cell_lengths)
        return read_species(
            loaded.folder / own.file,
            own.name,
            own.group,
            split=own.split,
            cell_lengths=own.cell_lengths,
            lay=own.lay,
            index=own.index,
        )
    except ValueError as error:
        raise loaded.problem(*path, what=str(error)) from error


def _check_geometry(species: Species, number: int, loaded: LoadedManifest, known: Mapping[str, str]) -> None:
    """Twins scatter nothing as a pair, and one in each split would give the validation away."""
    twin = known.get(species.geometry_digest())
    if twin is not None:
        raise loaded.problem(
            *("species", "own", number),
            what=f"{species.name} has the very atoms and cell of {twin}",
            expected="species that differ",
            remedy=f"remove it and use {twin}, or leave the library out with `library: false`",
        )


def all_pairs(loaded: LoadedManifest, species: Mapping[str, Species]) -> dict[Split, list[Pair]]:
    """The pairs of each split, in the order of the store. ``species`` are all that there are, by name."""
    problems: list[InputError] = []
    chosen = {split: _pairs_of_split(loaded, species, split, problems) for split in SPLITS}
    if problems:
        raise InputError.together(problems, where=loaded.source)
    if not any(chosen.values()):
        raise loaded.problem(
            "pairs",
            what="not a single pair of species is asked for",
            expected="at least one group with two species or more, in one of the splits",
        )
    return chosen


def _pairs_of_split(
    loaded: LoadedManifest, species: Mapping[str, Species], split: Split, problems: list[InputError]
) -> list[Pair]:
    wanted = loaded.manifest.pairs_of(split)
    if wanted is None:
        return []
    everything = pairs(species, split)
    if wanted.only is not None:
        by_names = {frozenset((one.name, other.name)): (one, other) for one, other in everything}
        for number, names in enumerate(wanted.only):
            problems += _problems_of_names(names, ("pairs", split, "only", number), loaded, species, by_names)
        return [by_names[frozenset(names)] for names in wanted.only if frozenset(names) in by_names]
    chosen: list[Pair] = []
    for group in sorted(wanted.groups):
        of_group = [pair for pair in everything if pair[0].group == group]
        if wanted.per_group is not None and len(of_group) > wanted.per_group:
            spread = np.linspace(0, len(of_group) - 1, wanted.per_group).round().astype(int)
            of_group = [of_group[i] for i in spread]
        chosen += of_group
    return chosen


def _problems_of_names(
    names: tuple[str, str],
    path: tuple[str | int, ...],
    loaded: LoadedManifest,
    species: Mapping[str, Species],
    by_names: Mapping[frozenset[str], Pair],
) -> list[InputError]:
    unknown = [(position, name) for position, name in enumerate(names) if name not in species]
    if unknown:
        return [
            loaded.problem(*path, position, what=f"there is no species {name}", remedy=_known(name, species))
            for position, name in unknown
        ]
    if frozenset(names) in by_names:
        return []
    told = " and ".join(f"{name} (group {species[name].group}, {species[name].split})" for name in names)
    return [
        loaded.problem(
            *path,
            what=f"{told} are no pair of the split {path[1]}",
            expected=f"two species of one group, both of the split {path[1]}",
        )
    ]


def _known(name: str, species: Mapping[str, Species]) -> str:
    near = near_miss(name, species)
    if near is not None:
        return f"did you mean {near}?"
    few = ", ".join(list(species)[:5])
    return f"take one of the {len(species)} there are: {few}, …" if few else "there are no species at all"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How much a manifest asks for, duplicates included.

    Attributes
    ----------
    pairs, planes
        By split.
    bank_sets, masks
        Monte Carlo sets and masks, which all pairs share.
    own_sets
        Symmetry-restricted sets, of all pairs together.
    """

    pairs: Mapping[Split, int]
    planes: Mapping[Split, int]
    bank_sets: int
    own_sets: int
    masks: int

    @property
    def all_planes(self) -> int:
        return sum(self.planes.values())


def counts(manifest: Manifest, chosen: Mapping[Split, Sequence[Pair]]) -> Counts:
    """How much a manifest with these pairs (see `all_pairs`) asks for."""
    number = {split: len(of_split) for split, of_split in chosen.items()}
    return Counts(
        pairs=number,
        planes={split: pairs * manifest.planes_per_pair(split) for split, pairs in number.items()},
        bank_sets=manifest.sro.monte_carlo.bank_size,
        own_sets=sum(pairs * manifest.oscillator_sets(split) for split, pairs in number.items()),
        masks=manifest.dead_zones.bank_size,
    )
