"""Types with sites coloured anew: like atoms of a type become different elements, or different ones the same.

Cryolite Na3AlF6 has two sites of sodium; with an element on each it is the type of the ordered double perovskites.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Final

from dsfu.simulate.densities.structure_types import StructureType, from_crystal

MOST_WAYS: Final = 24
"""Ways of dividing the sites of one type that are tried. Chosen: others have many sites of one multiplicity."""

MOST_ATOMS: Final = 60
"""Atoms in the cell of a type that is coloured anew. Chosen: larger ones have too many sites to be told apart."""

FEW_SITES: Final = 6
"""Sites up to which a type may have any number of atoms: garnet has 160 on four. Chosen."""

FEWEST_JOINED: Final = 3
"""Elements of a formula from which on elements of a type are made equal: pairs have types enough of their own."""

_NEARLY: Final = 0.1
"""Å by which atoms may move for a symmetry that the type did not have before two of its elements became one."""

ANEW: Final = ", sites divided anew"

Colouring = tuple[int, ...]
"""The element on each site."""


def coloured(kind: StructureType, counts: Mapping[int, int]) -> Iterator[StructureType]:
    """The type with the formula's amounts on its sites, in ways that no exchange of whole elements gives.

    Two or more elements divide the sites of one of the type's, each site whole; or one takes the sites of several. What
    gains symmetry by that is left out: it is of another type.
    """
    units, rest = divmod(kind.atoms, sum(counts.values()))
    excess = len(kind.composition) - len(counts)
    if rest or excess == 0 or (excess > 0 and len(counts) < FEWEST_JOINED):
        return
    if kind.atoms > MOST_ATOMS and len(kind.sites) > FEW_SITES:
        return
    wanted = {element: n * units for element, n in counts.items()}
    ways = _divided(kind, wanted) if excess < 0 else _joined(kind, wanted)
    for number, colouring in enumerate(ways):
        if number == MOST_WAYS:
            return
        yield with_elements(kind, colouring)


def is_coloured(kind: StructureType) -> bool:
    """Whether a type was made by `coloured`, or from such a one in a higher or lower symmetry."""
    return ANEW in kind.prototype


def with_elements(kind: StructureType, colouring: Colouring) -> StructureType:
    """The type with an element on each of its sites."""
    other = replace(
        kind,
        prototype=f"{kind.prototype}{ANEW}",
        sites=tuple((element, xyz) for element, (_, xyz) in zip(colouring, kind.sites, strict=True)),
    )
    orbits = tuple(replace(each, element=element) for element, each in zip(colouring, kind.orbits, strict=True))
    other.__dict__["orbits"] = orbits
    return other


def _divided(kind: StructureType, wanted: Mapping[int, int]) -> Iterator[Colouring]:
    """Each of the type's elements becomes one or more of the wanted ones."""
    old, new = sorted(kind.composition), sorted(wanted)
    for choice in product(old, repeat=len(new)):
        groups = {z: [e for e, home in zip(new, choice, strict=True) if home == z] for z in old}
        if any(sum(wanted[e] for e in group) != kind.composition[z] for z, group in groups.items()):
            continue
        yield from _filled(kind, groups, wanted)


def _filled(kind: StructureType, groups: Mapping[int, Sequence[int]], wanted: Mapping[int, int]) -> Iterator[Colouring]:
    """All ways to put the elements of each group onto the sites that belong to it."""
    sizes = [orbit.multiplicity for orbit in kind.orbits]
    homes = [groups[orbit.element] for orbit in kind.orbits]

    def put(site: int, left: dict[int, int], chosen: Colouring) -> Iterator[Colouring]:
        if site == len(sizes):
            yield chosen
            return
        for element in homes[site]:
            if left[element] >= sizes[site]:
                yield from put(site + 1, {**left, element: left[element] - sizes[site]}, (*chosen, element))

    yield from put(0, dict(wanted), ())


def _joined(kind: StructureType, wanted: Mapping[int, int]) -> Iterator[Colouring]:
    """Each wanted element takes all sites of one or more of the type's."""
    old, new = sorted(kind.composition), sorted(wanted)
    for choice in product(new, repeat=len(old)):
        amounts = dict.fromkeys(new, 0)
        for z, element in zip(old, choice, strict=True):
            amounts[element] += kind.composition[z]
        if amounts != dict(wanted):
            continue
        put = dict(zip(old, choice, strict=True))
        colouring = tuple(put[orbit.element] for orbit in kind.orbits)
        if _keeps_symmetry(kind, tuple(new.index(element) for element in colouring)):
            yield colouring


@lru_cache(maxsize=4096)
def _keeps_symmetry(kind: StructureType, pattern: tuple[int, ...]) -> bool:
    """Whether a type has the same symmetry and cell with some of its elements made equal."""
    crystal = with_elements(kind, tuple(index + 1 for index in pattern)).crystal()
    try:
        found = from_crystal(crystal, kind.name, _NEARLY)
    except (ValueError, TypeError):
        return False
    return found.number == kind.number and found.atoms == kind.atoms
