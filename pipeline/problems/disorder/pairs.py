"""From a manifest to actual species, to the pairs of them that are simulated, and to how many planes that makes."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from ase import Atoms

from dsfu.errors import InputError, near_miss
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.problems.disorder.settings.manifest import DisorderManifest
from dsfu.pipeline.problems.disorder.settings.species import OwnSpecies
from dsfu.simulate.form_factors import coefficients
from dsfu.simulate.own_species import read_species
from dsfu.simulate.shapes import GROUPS
from dsfu.simulate.species import SPLITS, Species, Split, load_library

Loaded = LoadedManifest[DisorderManifest]
Pair = tuple[Species, Species]

MOST_PAIRS: Final = 500_000
"""Of one group: more are a mistake, and would not fit in memory."""


def species_of(loaded: Loaded) -> dict[str, Species]:
    """The library, if it is used, and the user's own species, by name."""
    section = loaded.manifest.species
    species = load_library() if section.library else {}
    geometries: dict[str, list[Species]] = {}
    for each in species.values():
        geometries.setdefault(each.geometry_digest(), []).append(each)
    problems = []
    for number, own in enumerate(section.own):
        try:
            made = _own_species(own, number, loaded, species)
            alike = geometries.setdefault(made.geometry_digest(), [])
            _check_geometry(made, number, loaded, alike)
        except InputError as problem:
            problems.append(problem)
        else:
            species[own.name] = made
            alike.append(made)
    if problems:
        raise InputError.together(problems, where=loaded.source)
    return species


def _own_species(own: OwnSpecies, number: int, loaded: Loaded, known: Mapping[str, Species]) -> Species:
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
        species = read_species(
            loaded.folder / own.file,
            own.name,
            own.group,
            split=own.split,
            cell_lengths=own.cell_lengths,
            lay=own.lay,
            index=own.index,
        )
        for atomic_number in set(species.atoms.numbers.tolist()):
            coefficients(atomic_number)  # so that a worker need not find out that an element has no form factor
        return species
    except ValueError as error:
        raise loaded.problem(*path, what=str(error)) from error


def _check_geometry(species: Species, number: int, loaded: Loaded, alike: Sequence[Species]) -> None:
    """Twins scatter nothing as a pair, and a molecule in both splits would give the validation away."""
    for twin in alike:
        make_a_pair = (twin.group, twin.split) == (species.group, species.split)
        if make_a_pair or (twin.split != species.split and not species.is_vacancy):
            raise loaded.problem(
                *("species", "own", number),
                what=f"{species.name} has the very atoms and cell of {twin.name}",
                expected="species that differ",
                remedy=f"remove it and use {twin.name}, or leave the library out with `library: false`",
            )


def all_pairs(loaded: Loaded, species: Mapping[str, Species]) -> dict[Split, list[Pair]]:
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
    _check_no_pair_twice(loaded, species, chosen)
    return chosen


def _pairs_of_split(
    loaded: Loaded, species: Mapping[str, Species], split: Split, problems: list[InputError]
) -> list[Pair]:
    wanted = loaded.manifest.pairs_of(split)
    if wanted is None:
        return []
    if wanted.only is not None:
        for number, names in enumerate(wanted.only):
            problems += _problems_of_names(names, ("pairs", split, "only", number), loaded, species)
        return [] if problems else [_in_order(names, species) for names in wanted.only]
    chosen: list[Pair] = []
    for group in sorted(wanted.groups):
        members = [each for each in species.values() if (each.group, each.split) == (group, split)]
        if len(members) < 2 and wanted.names_groups:
            problems.append(_too_few(loaded, split, group, members))
        chosen += _pairs_of_group(members, wanted.per_group, loaded, split, problems)
    return chosen


def _in_order(names: tuple[str, str], species: Mapping[str, Species]) -> Pair:
    """A pair by its names, in the order in which its species are known: it is the same pair either way."""
    rank = {name: number for number, name in enumerate(species) if name in names}
    first, second = sorted(names, key=rank.__getitem__)
    return species[first], species[second]


def _pairs_of_group(
    members: Sequence[Species],
    most: int | None,
    loaded: Loaded,
    split: Split,
    problems: list[InputError],
) -> list[Pair]:
    """Every pair of the members, or so many of them, spread evenly."""
    number = len(members) * (len(members) - 1) // 2
    if most is not None and number > most:
        # Pairs are numbered as combinations() gives them; there can be too many to write them all down.
        first_of_member = np.cumsum([0, *range(len(members) - 1, 1, -1)])
        numbers = np.linspace(0, number - 1, most).round().astype(int)
        firsts = np.searchsorted(first_of_member, numbers, side="right") - 1
        seconds = firsts + 1 + numbers - first_of_member[firsts]
        return [(members[i], members[j]) for i, j in zip(firsts, seconds, strict=True)]
    if number > MOST_PAIRS:
        problems.append(
            loaded.problem(
                *("pairs", split),
                what=f"group {members[0].group} has {len(members)} species, which make {number} pairs",
                expected=f"at most {MOST_PAIRS} pairs of a group",
                remedy="write per_group, or name the pairs with only",
            )
        )
        return []
    return list(combinations(members, 2))


def _too_few(loaded: Loaded, split: Split, group: int, members: Sequence[Species]) -> InputError:
    groups = loaded.manifest.pairs_of(split)
    assert groups is not None
    there = f"only {members[0].name}" if members else "no species"
    return loaded.problem(
        *("pairs", split, "groups", groups.groups.index(group)),
        what=f"group {group} ({GROUPS[group].shape}) has {there} in the split {split}, and so no pairs",
        expected="groups with two species or more",
        remedy="remove it from the list, or add species of your own",
    )


def _check_no_pair_twice(
    loaded: Loaded, species: Mapping[str, Species], chosen: Mapping[Split, Sequence[Pair]]
) -> None:
    """Species of two groups may be equal, but two equal pairs would be one set of planes, made and counted twice."""
    geometries = {name: each.geometry_digest() for name, each in species.items()}
    seen: dict[tuple[str, str], Pair] = {}
    for split, of_split in chosen.items():
        for pair in of_split:
            one, other = (geometries[each.name] for each in pair)
            first = seen.setdefault((one, other), pair)
            if first is not pair:
                raise loaded.problem(
                    *("pairs", split),
                    what=f"{_named(pair)} have the very atoms and cells of {_named(first)}",
                    expected="every pair in one group only",
                    remedy="leave out a group, or name the pairs with only",
                )


def _named(pair: Pair) -> str:
    return " and ".join(f"{each.name} (group {each.group}, {each.split})" for each in pair)


def _problems_of_names(
    names: tuple[str, str],
    path: tuple[str | int, ...],
    loaded: Loaded,
    species: Mapping[str, Species],
) -> list[InputError]:
    unknown = [(position, name) for position, name in enumerate(names) if name not in species]
    if unknown:
        return [
            loaded.problem(*path, position, what=f"there is no species {name}", remedy=_known(name, species))
            for position, name in unknown
        ]
    one, other = pair = (species[names[0]], species[names[1]])
    if one.group == other.group and one.split == other.split == path[1]:
        return []
    return [
        loaded.problem(
            *path,
            what=f"{_named(pair)} are no pair of the split {path[1]}",
            expected=f"two species of one group, both of the split {path[1]}",
        )
    ]


def _known(name: str, species: Mapping[str, Species]) -> str:
    near = near_miss(name, species)
    if near is not None:
        return f"did you mean {near}?"
    few = ", ".join(list(species)[:5])
    return f"take one of the {len(species)} there are: {few}, …" if few else "there are no species at all"
