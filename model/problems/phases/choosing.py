"""Which space groups a map is tried in: by its images, by absences, by intensities, and by what the file states."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import gemmi

from dsfu.model.problems.phases.groups import CandidateGroup, absent_by, candidate_of
from dsfu.model.problems.phases.intensity_statistics import spread_of_intensities
from dsfu.model.problems.phases.merging import MergedData
from dsfu.model.problems.phases.origin import GroupFit, SymmetryOfMap

SYMMETRIC: Final = 0.7
"""Least correlation of a map with each of its images for a group to count as found. On 10 crystals of molecules,
simulated to .8 Å, right operators had .85 to .98, wrong ones .2 to .6 (planar molecules beside a pseudomirror: .93)."""

_SPOKEN_FOR: Final = 0.6
"""The same for a group whose absences no other explains: below the worst right operator at 1.2 Å (.67), above most
wrong ones. Chosen on 24 simulated crystals of molecules, tried on 24 others (BENCHMARKS.md)."""

_STATED: Final = 0.5
"""The same for a group that the file states; below the worst right operator and above most wrong ones."""

_FEW_ABSENCES: Final = 3
"""A subgroup that leaves more weak reflections unexplained than this is not tried: absences are no accident."""

_SHOWN: Final = 8
_SURE: Final = 3.0
"""Difference of logarithms of likelihoods (1 to 20) from which intensities speak for a group without a centre."""

_MIRRORS: Final = 2.0
"""The same that speaks against mirror planes at low resolution: molecules seldom lie on one (P2₁/m is some ten times
rarer than P2₁)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupChoice:
    """The group to try first, and which others.

    Parameters
    ----------
    others
        Tried if the atoms of the first do not fit excellently.
    by_intensities
        Subgroups without a centre that the spread of the intensities speaks for.
    nearest
        All that come near, best correlation first.
    """

    first: GroupFit
    others: tuple[GroupFit, ...]
    by_intensities: tuple[GroupFit, ...]
    nearest: tuple[GroupFit, ...]


def choose(
    data: MergedData, symmetry: SymmetryOfMap, groups: Sequence[CandidateGroup], named: gemmi.SpaceGroup | None
) -> GroupChoice:
    """Groups for a map, the likeliest first."""
    fits = sorted((symmetry.fit(each) for each in groups), key=lambda f: -f.mean)
    right = [f for f in fits if f.worst > SYMMETRIC]
    most = max((f.candidate.absent for f in right), default=0)
    right += [f for f in fits if _SPOKEN_FOR < f.worst <= SYMMETRIC and f.candidate.absent >= most + _FEW_ABSENCES]
    right.sort(key=lambda f: (-len(f.candidate.turns), -f.candidate.absent, not f.candidate.standard, -f.mean))
    right = [f for i, f in enumerate(right) if not any(_same_group(f, g) for g in right[:i])]
    stated = None if named is None else _as_stated(data, symmetry, named)
    if stated is not None and stated.worst > _STATED:
        # What the file states comes first, unless the map speaks clearly against it.
        right = [stated, *(f for f in right if f.candidate.group.number != stated.candidate.group.number)]
    if not right:
        right = [symmetry.fit(candidate_of(gemmi.SpaceGroup("P 1")))]
    first = right[0]
    lower = [f for f in right[1:] if len(f.candidate.turns) < len(first.candidate.turns)]
    lower = [f for f in lower if f.candidate.absent >= first.candidate.absent - _FEW_ABSENCES]
    better = sorted((f for f in lower if f.mean > first.mean + 0.005), key=lambda f: (-f.candidate.absent, -f.mean))
    same = [f for f in right[1:3] if len(f.candidate.turns) == len(first.candidate.turns)]
    spoken = [] if first is stated else _spoken_for(data, first, lower)[:1]
    others = [f for f in (*same, *better[:2]) if f not in spoken]
    return GroupChoice(first=first, others=tuple(others), by_intensities=tuple(spoken), nearest=tuple(fits[:_SHOWN]))


def likeliest(data: MergedData, groups: Sequence[CandidateGroup]) -> list[CandidateGroup]:
    """Groups with the absences of the first of them, by intensities alone, then the others in their order.

    Reflections are few at low resolution: mirror planes count against a group.
    """
    absent = [absent_by(data.hkl, each.turns, each.shifts) for each in groups]
    alike = [each for each, mask in zip(groups, absent, strict=True) if (mask == absent[0]).all()]
    likely = {id(each): spread_of_intensities(data, each) - _MIRRORS * each.mirrors for each in alike}
    alike.sort(key=lambda each: (-round(likely[id(each)], 6), -len(each.turns)))
    return alike + [each for each in groups if id(each) not in likely]


def say_of_a_centre(data: MergedData, centred: CandidateGroup, free: CandidateGroup) -> int:
    """What the spread of the intensities says of a group's inversion centre, which another does without.

    1: it speaks for the centre; −1: against it; 0: it is not sure, or the centre does not tell the two apart.
    """
    if free.centrosymmetric or not centred.centrosymmetric:
        return 0
    likelier = spread_of_intensities(data, centred) - spread_of_intensities(data, free)
    return int(likelier > _SURE) - int(likelier < -_SURE)


def _as_stated(data: MergedData, symmetry: SymmetryOfMap, group: gemmi.SpaceGroup) -> GroupFit:
    candidate = candidate_of(group)
    absent = int(absent_by(data.hkl, candidate.turns, candidate.shifts).sum())
    return symmetry.fit(replace(candidate, absent=absent))


def _spoken_for(data: MergedData, first: GroupFit, lower: Sequence[GroupFit]) -> list[GroupFit]:
    """Those without a centre, best first, if the first has one and the intensities say that it has none."""
    free = [f for f in lower if f.candidate.absent == first.candidate.absent]
    free = [f for f in free if say_of_a_centre(data, first.candidate, f.candidate) < 0]
    return sorted(free, key=lambda f: (-len(f.candidate.turns), -f.mean))


def _same_group(one: GroupFit, other: GroupFit) -> bool:
    """Whether two are the same group in settings that differ by an origin: C2/c and C2/n in a C lattice."""
    mine, theirs = one.candidate, other.candidate
    return (
        mine.group.number == theirs.group.number and mine.absent == theirs.absent and abs(one.mean - other.mean) < 0.01
    )
