"""Groups that turn about a bond: how they are named, found and turned.

A torsion is one angle for one or several groups (equivalent by symmetry, say), each about its own bond and with its own
sign. As text, the groups separated by spaces::

    N1-C7                        everything beyond C7 about N1→C7, in both species if both have these atoms
    A:N1-C7 A:N2-C8 -B:N1-C7     three groups with one angle, the last turning the other way
    A:N*-C*4                     every bond between atoms so named (* any text, ? any letter)
    A:N1-C7[C8,C9,H10]           only the atoms listed
    t-Bu=A:N1-C7 A:N2-C8         with a name

The angle is relative to the structure in the file. It turns right-handedly about the direction from the first atom to
the second: clockwise for someone who looks from the first towards the second.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.simulate.arrays import IntArray
from dsfu.simulate.structures.bonds import bonds_of, far_side
from dsfu.simulate.structures.structure import Structure

SPECIES: Final = ("A", "B")

_GROUP: Final = re.compile(
    r"(?P<sign>[-+]?)(?:(?P<species>[ABab]):)?(?P<first>[^\s\[\]:,-]+)-(?P<second>[^\s\[\]:,-]+)"
    r"(?:\[(?P<atoms>[^\s\[\]]+)\])?"
)
_NAME: Final = re.compile(r"\s*(?P<name>[^=:\[\]]*?)\s*=\s*(?P<groups>.*)")


@dataclass(frozen=True, kw_only=True, eq=False)
class TorsionGroup:
    """Atoms that turn about a bond.

    Attributes
    ----------
    species
        0 for A, 1 for B.
    first, second
        Numbers of the bond's atoms in that species.
    turning
        Numbers of the atoms that turn.
    sign
        +1 or −1.
    """

    species: int
    first: int
    second: int
    turning: IntArray
    sign: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Torsion:
    """One angle, and the groups that it turns, in this order."""

    name: str
    groups: tuple[TorsionGroup, ...]


def torsion_of(text: str, structures: tuple[Structure, Structure]) -> Torsion:
    """The torsion that a text stands for, in these two species."""
    named = _NAME.fullmatch(text)
    name, words = (named["name"], named["groups"].split()) if named else ("", text.split())
    groups = [group for word in words for group in _groups_of(word, structures, text)]
    if not groups:
        raise InputError("names no group", where=_where(text), expected='a bond, such as "C1-C7"')
    return Torsion(name=name or (words[0] if len(words) == 1 else f"{words[0]} …"), groups=tuple(groups))


def torsions_of(texts: list[str], structures: tuple[Structure, Structure]) -> tuple[Torsion, ...]:
    """Several torsions, each with a name of its own."""
    torsions = tuple(torsion_of(text, structures) for text in texts)
    names = [torsion.name for torsion in torsions]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two are called {twice!r}", where="--torsion", remedy='name them: "name=C1-C7 …"')
    return torsions


def _groups_of(word: str, structures: tuple[Structure, Structure], text: str) -> list[TorsionGroup]:
    found = _GROUP.fullmatch(word)
    if found is None:
        raise InputError(
            f"{word!r} is not a group", where=_where(text), expected="C1-C7, A:C1-C7, -B:C1-C7 or C1-C7[C8,H9,H10]"
        )
    if found["species"]:
        chosen = [SPECIES.index(found["species"].upper())]
    else:
        names = (found["first"], found["second"])
        chosen = [i for i, each in enumerate(structures) if all(_any_named(name, each) for name in names)]
        chosen = chosen or [0]  # which says what is missing
    return [
        _group(found, species, structures[species], first, second)
        for species in chosen
        for first, second in _bonds_named(found["first"], found["second"], structures[species], text)
    ]


def _any_named(pattern: str, structure: Structure) -> bool:
    return any(fnmatchcase(label, pattern) for label in structure.labels)


def _bonds_named(first: str, second: str, structure: Structure, text: str) -> list[tuple[int, int]]:
    if not {"*", "?"} & set(first + second):
        return [(structure.index(first), structure.index(second))]
    bonds = [
        (i, j)
        for i, near in enumerate(bonds_of(structure))
        for j in near
        if fnmatchcase(structure.labels[i], first) and fnmatchcase(structure.labels[j], second)
    ]
    if not bonds:
        raise InputError(f"{structure.name}: no two bonded atoms are named {first} and {second}", where=_where(text))
    return bonds


def _group(found: re.Match[str], species: int, structure: Structure, first: int, second: int) -> TorsionGroup:
    if found["atoms"]:
        turning = [structure.index(label) for label in found["atoms"].split(",")]
        if {first, second} & set(turning):
            raise InputError("the atoms of the bond cannot turn about it", where=_where(found[0]))
    else:
        turning = far_side(structure, bonds_of(structure), first, second)
    if np.linalg.norm(structure.positions[first] - structure.positions[second]) < 0.1:
        raise InputError("its two atoms are at one place", where=_where(found[0]), expected="a bond")
    return TorsionGroup(
        species=species,
        first=first,
        second=second,
        turning=np.array(turning, np.int64),
        sign=-1.0 if found["sign"] == "-" else 1.0,
    )


def _where(text: str) -> str:
    return f"--torsion {text!r}"
