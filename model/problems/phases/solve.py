"""From reflections to a map and atoms: projections in P1, symmetry from the map, polishing, and a verdict."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import gemmi
import numpy as np
import numpy.typing as npt
from scipy import fft

from dsfu.model.problems.phases.atom_model import AtomModel, structure_factors_of
from dsfu.model.problems.phases.crystal_data import ComplexArray, FloatArray, IntArray, ReflectionList
from dsfu.model.problems.phases.groups import CandidateGroup, absent_by, candidate_of, candidates
from dsfu.model.problems.phases.in_group import phase_in_group
from dsfu.model.problems.phases.judging import PhasingVerdict, judge
from dsfu.model.problems.phases.laue import find_laue_class
from dsfu.model.problems.phases.merging import MergedData, SphereOnGrid, grid_shape, merge, on_grid
from dsfu.model.problems.phases.origin import GroupFit, SymmetryOfMap, symmetrised
from dsfu.model.problems.phases.polishing import (
    Polished,
    density_on_grid,
    polish,
    sphere_indices,
    whole_sphere,
)
from dsfu.model.problems.phases.projections import PhasedMap, phase

SYMMETRIC: Final = 0.7
"""Least correlation of a map with each of its images for a group to count as found. On 10 crystals of molecules,
simulated to .8 Å, right operators had .85 to .98, wrong ones .2 to .6 (planar molecules beside a pseudomirror: .93)."""

_SPOKEN_FOR: Final = 0.6
"""The same for a group whose absences no other explains: below the worst right operator at 1.2 Å (.67), above most
wrong ones. Chosen on 24 simulated crystals of molecules, tried on 24 others (BENCHMARKS.md)."""

_STATED: Final = 0.5
"""The same for a group that the file states; below the worst right operator and above most wrong ones."""

_ITERATIONS: Final = 300
_ROUNDS: Final = (2, 4, 8)
"""Starts in P1 until something is accepted."""

_ACCEPTED: Final = 0.25
"""R1 of atoms below which no more starts are made: wrong structures have .4 and more at atomic resolution."""

_EXCELLENT: Final = 0.08
_DOUBT_THE_FORMULA: Final = 0.2
_FEW_ABSENCES: Final = 3
"""A subgroup that leaves more weak reflections unexplained than this is not tried: absences are no accident."""

_MUCH_BETTER: Final = 0.72
"""A subgroup must lower R1 by this factor to be preferred: twice the parameters lower it somewhat in any case."""

ATOMIC: Final = 1.35
"""Å: smallest d above which atoms do not separate, so the map is not replaced by one of atoms (chosen: 1.2 is the usual
limit of direct methods, and some margin)."""

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class PhasedCrystal:
    """The answer.

    Parameters
    ----------
    hkl, waves
        F over the whole sphere to the smallest d, origin of the space group, both of each pair ±h.
    density
        The map on the whole cell.
    model
        Atoms; None where there are none to be told.
    """

    source: str
    data: MergedData
    candidate: CandidateGroup
    stated: str
    symmetry: float
    hkl: IntArray
    waves: ComplexArray
    density: FloatArray
    model: AtomModel | None
    named: bool
    r: float
    verdict: PhasingVerdict
    alternatives: tuple[GroupFit, ...]
    notes: tuple[str, ...]
    seconds: float


def solve(
    reflections: ReflectionList, *, resolution: float = 0.0, seed: int = 0, tell: Tell = lambda text: None
) -> PhasedCrystal:
    """Phases, symmetry and atoms of a crystal; deterministic for a seed.

    Parameters
    ----------
    resolution
        Smallest d in Å that is used; 0 for all.
    tell
        Is given lines of progress.
    """
    began = time.perf_counter()
    laue = find_laue_class(reflections)
    data = merge(reflections, laue, resolution=resolution)
    tell(
        f"{len(reflections.hkl)} reflections, {len(data.hkl)} unique, Laue class {laue.name}, lattice {laue.centring}, "
        f"d ≥ {data.d_min:.2f} Å, {100 * data.completeness:.0f} % complete"
    )
    sphere = on_grid(data, grid_shape(data.cell, data.d_min))
    groups = candidates(data)
    best: _Attempt | None = None
    tried = 0
    ranked: list[PhasedMap] = []
    for count in _ROUNDS:
        while tried < count:
            ranked.append(phase(sphere, seed=1000 * seed + tried, iterations=_ITERATIONS))
            tried += 1
        ranked.sort(key=lambda each: each.r)
        for p1 in ranked[:2]:
            attempt = _attempt(data, sphere, p1, groups, reflections)
            if best is None or attempt.better_than(best):
                best = attempt
            if best.accepted:
                break
        tell(f"{tried} starts: R {ranked[0].r:.3f}; {best.told()}" if best else "")
        if (best and best.accepted) or data.d_min > ATOMIC:
            break
    if best is None:
        raise AssertionError("at least one attempt was made")
    if not best.accepted:
        coarse = data.d_min > ATOMIC
        for attempt in _in_groups(data, groups, reflections, seed, tell):
            # R of maps of different symmetry cannot be compared: at low resolution the fewest unknowns decide.
            more = len(attempt.fit.candidate.turns) - len(best.fit.candidate.turns)
            if more > 0 if coarse and more else attempt.better_than(best):
                best = attempt
    return _answer(reflections, data, best, time.perf_counter() - began)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Attempt:
    data: MergedData
    fit: GroupFit
    hkl: IntArray
    waves: ComplexArray
    r: float
    polished: Polished | None
    alternatives: tuple[GroupFit, ...]
    agreed: bool = False

    @property
    def accepted(self) -> bool:
        return self.polished is not None and self.polished.fit.r1 < _ACCEPTED

    def better_than(self, other: "_Attempt") -> bool:
        mine = self.polished.fit.r1 if self.polished else 1 + self.r
        theirs = other.polished.fit.r1 if other.polished else 1 + other.r
        return mine < theirs

    def told(self) -> str:
        name = self.fit.candidate.name
        if self.polished is None:
            return f"{name} by correlation {self.fit.mean:.2f}"
        return f"{name}, {len(self.polished.fit.model.numbers)} atoms, R1 {self.polished.fit.r1:.3f}"


def _attempt(
    data: MergedData, sphere: SphereOnGrid, p1: PhasedMap, groups: list[CandidateGroup], reflections: ReflectionList
) -> _Attempt:
    """Symmetry of one map, and atoms in the best groups."""
    hkl, waves = waves_of(p1.density, data)
    symmetry = SymmetryOfMap(hkl, waves)
    fits = sorted((symmetry.fit(each) for each in groups), key=lambda f: -f.mean)
    right = [f for f in fits if f.worst > SYMMETRIC]
    most = max((f.candidate.absent for f in right), default=0)
    right += [f for f in fits if _SPOKEN_FOR < f.worst <= SYMMETRIC and f.candidate.absent >= most + _FEW_ABSENCES]
    right.sort(key=lambda f: (-len(f.candidate.turns), -f.candidate.absent, not f.candidate.standard, -f.mean))
    right = [f for i, f in enumerate(right) if not any(_same_group(f, g) for g in right[:i])]
    if reflections.space_group is not None:
        # What the file states comes first, unless the map speaks clearly against it.
        named = candidate_of(reflections.space_group)
        absent = int(absent_by(data.hkl, named.turns, named.shifts).sum())
        stated = symmetry.fit(replace(named, absent=absent))
        if stated.worst > _STATED:
            right = [stated, *(f for f in right if f.candidate.group.number != stated.candidate.group.number)]
    if not right:
        right = [symmetry.fit(candidate_of(gemmi.SpaceGroup("P 1")))]
    chosen = _polished(data, hkl, waves, right[0], p1.r, tuple(fits[:8]), reflections)
    if reflections.formula and chosen.polished is not None and _is_doubtful(chosen.polished):
        without = replace(reflections, formula={})
        plain = _polished(data, hkl, waves, right[0], p1.r, tuple(fits[:8]), without)
        enough = _MUCH_BETTER if chosen.polished.named else 1.0
        if plain.polished is not None and plain.polished.fit.r1 < enough * chosen.polished.fit.r1:
            chosen, reflections = plain, without
    if chosen.polished is None or chosen.polished.fit.r1 > _EXCELLENT:
        # A pseudosymmetric crystal satisfies a group that is too high: its subgroups then fit much better.
        lower = [f for f in right[1:] if len(f.candidate.turns) < len(right[0].candidate.turns)]
        lower = [f for f in lower if f.mean > right[0].mean + 0.005]
        lower = [f for f in lower if f.candidate.absent >= right[0].candidate.absent - _FEW_ABSENCES]
        same = [f for f in right[1:3] if len(f.candidate.turns) == len(right[0].candidate.turns)]
        for fit in [*same, *sorted(lower, key=lambda f: (-f.candidate.absent, -f.mean))[:2]]:
            trial = _polished(data, hkl, waves, fit, p1.r, tuple(fits[:8]), reflections)
            if trial.polished is None:
                continue
            factor = _MUCH_BETTER if len(fit.candidate.turns) < len(chosen.fit.candidate.turns) else 1.0
            if chosen.polished is None or trial.polished.fit.r1 < factor * chosen.polished.fit.r1:
                chosen = trial
    return chosen


def _same_group(one: GroupFit, other: GroupFit) -> bool:
    """Whether two are the same group in settings that differ by an origin: C2/c and C2/n in a C lattice."""
    mine, theirs = one.candidate, other.candidate
    return (
        mine.group.number == theirs.group.number and mine.absent == theirs.absent and abs(one.mean - other.mean) < 0.01
    )


def _polished(
    data: MergedData,
    hkl: IntArray,
    waves: ComplexArray,
    fit: GroupFit,
    r: float,
    fits: tuple[GroupFit, ...],
    reflections: ReflectionList,
) -> _Attempt:
    averaged = symmetrised(hkl, waves, fit)
    polished = None
    if data.d_min <= ATOMIC:
        density = density_on_grid(data, hkl, averaged)
        polished = polish(data, fit.candidate, density, reflections.formula)
    return _Attempt(data=data, fit=fit, hkl=hkl, waves=averaged, r=r, polished=polished, alternatives=fits)


def _is_doubtful(polished: Polished) -> bool:
    """Whether atoms should also be told without the formula: files carry wrong ones, and so do people."""
    return not polished.named or polished.fit.r1 > _DOUBT_THE_FORMULA


def _in_groups(
    data: MergedData, groups: list[CandidateGroup], reflections: ReflectionList, seed: int, tell: Tell
) -> list[_Attempt]:
    """Projections with the symmetry imposed, in the groups that the absences speak for."""
    if reflections.space_group is not None:
        stated = [candidate_of(reflections.space_group)]
    else:
        stated = [g for g in groups if g.absent == groups[0].absent][:2] if groups else []
    attempts = []
    for candidate in stated:
        if len(candidate.turns) < 2:
            continue
        result = phase_in_group(data, candidate, seed=seed)
        hkl, waves = waves_of(result.density, data)
        fit = GroupFit(candidate=candidate, origin=np.zeros(3), mean=1.0, worst=1.0, each=np.ones(0))
        attempt = _polished(data, hkl, waves, fit, result.r, (), reflections)
        attempt = replace(attempt, agreed=data.d_min > ATOMIC)
        tell(f"within {candidate.name}: R {result.r:.3f}; {attempt.told()}")
        attempts.append(attempt)
    return attempts


def waves_of(density: npt.NDArray[np.floating[Any]], data: MergedData) -> tuple[IntArray, ComplexArray]:
    """F of a map over the whole sphere."""
    hkl = sphere_indices(data)
    transform = np.conj(fft.fftn(density))
    return hkl, np.asarray(transform[tuple((hkl % np.array(density.shape)).T)], dtype=np.complex128)


def _answer(reflections: ReflectionList, data: MergedData, best: _Attempt, seconds: float) -> PhasedCrystal:
    candidate = best.fit.candidate
    model, named, r = None, False, best.r
    if best.polished is not None:
        fit = best.polished.fit
        r = fit.r1
        model, named = fit.model, best.polished.named
    trusted = model is not None and r < 0.35
    notes = reflections.notes
    if reflections.formula and trusted and not named:
        notes += ("the formula does not fit the map: atoms are told without it, as if most were carbon",)
    if trusted and best.polished is not None and model is not None:
        calculated = structure_factors_of(model, sphere_indices(data))
        hkl, waves = whole_sphere(data, candidate, calculated, scale=best.polished.fit.scale, fill=True)
    elif best.agreed:
        hkl, waves = best.hkl, best.waves  # |F| weighted by how far the starts agree
    else:
        hkl, waves = whole_sphere(data, candidate, best.waves, scale=1.0, fill=True)
    return PhasedCrystal(
        source=reflections.source,
        data=data,
        candidate=candidate,
        stated=str(reflections.space_group.short_name()) if reflections.space_group else "",
        symmetry=best.fit.mean,
        hkl=hkl,
        waves=waves,
        density=density_on_grid(data, hkl, waves, per_d=3.0),
        model=model if trusted else None,
        named=named and trusted,
        r=r,
        verdict=judge(data, r=r, fit=best.fit, alternatives=best.alternatives, atoms=model if trusted else None),
        alternatives=best.alternatives,
        notes=notes,
        seconds=seconds,
    )
