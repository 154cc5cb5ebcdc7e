"""From reflections to a map and atoms: projections in P1, symmetry from the map, polishing, and a verdict."""

import time
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import fft

from dsfu.model.problems.phases.atom_model import AtomModel, structure_factors_of
from dsfu.model.problems.phases.choosing import choose, likeliest
from dsfu.model.problems.phases.crystal_data import ComplexArray, FloatArray, IntArray, ReflectionList
from dsfu.model.problems.phases.groups import CandidateGroup, candidate_of, candidates
from dsfu.model.problems.phases.in_group import phase_in_group
from dsfu.model.problems.phases.judging import PhasingVerdict, judge
from dsfu.model.problems.phases.laue import find_laue_class
from dsfu.model.problems.phases.merging import ATOMIC, MergedData, SphereOnGrid, grid_shape, merge, on_grid
from dsfu.model.problems.phases.origin import GroupFit, SymmetryOfMap, symmetrised
from dsfu.model.problems.phases.polishing import (
    Polished,
    density_on_grid,
    polish,
    sphere_indices,
    whole_sphere,
)
from dsfu.model.problems.phases.projections import SUPPORT, PhasedMap, phase, support_of_points
from dsfu.progress import Tell

_ITERATIONS: Final = 300
_ROUNDS: Final = (2, 4, 8)
"""Starts in P1 until something is accepted."""

_ACCEPTED: Final = 0.25
"""R1 of atoms below which no more starts are made: wrong structures have .4 and more at atomic resolution."""

_EXCELLENT: Final = 0.08
_DOUBT_THE_FORMULA: Final = 0.2
_MUCH_BETTER: Final = 0.72
_BETTER: Final = 0.85
"""A subgroup must lower R1 by this factor to be preferred: twice the parameters lower it somewhat in any case. By less
where the intensities speak for it: in Pca2₁ a flat molecule beside a pseudomirror had .74 of its R1 in Pcam."""


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
            # Every other start takes atoms for points: sharp ones are found in a quarter of the iterations.
            support = support_of_points(data.d_min) if tried % 2 else SUPPORT
            ranked.append(phase(sphere, seed=1000 * seed + tried, iterations=_ITERATIONS, support=support))
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
        for attempt in _in_groups(data, groups, reflections, seed, tell):
            # At low resolution R of maps of different symmetry says nothing; what many starts agree upon is better.
            if attempt.agreed or attempt.better_than(best):
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
    refuted: str = ""
    """A group of which a subgroup fits better, and intensities say the same."""

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
    choice = choose(data, SymmetryOfMap(hkl, waves), groups, reflections.space_group)
    polished = _Polisher(data=data, hkl=hkl, waves=waves, r=p1.r, fits=choice.nearest, reflections=reflections)
    chosen = polished.attempt(choice.first)
    if reflections.formula and chosen.polished is not None and _is_doubtful(chosen.polished):
        plain = polished.without_formula(chosen)
        enough = _MUCH_BETTER if chosen.polished.named else 1.0
        if plain.polished is not None and plain.polished.fit.r1 < enough * chosen.polished.fit.r1:
            chosen = plain
            polished = replace(polished, reflections=replace(reflections, formula={}))
    if chosen.polished is None or chosen.polished.fit.r1 > _EXCELLENT:
        # A pseudosymmetric crystal satisfies a group that is too high: its subgroups then fit much better.
        for fit in choice.others:
            chosen = _lower(chosen, polished.attempt(fit), _MUCH_BETTER)
    for fit in choice.by_intensities:
        trial = _lower(chosen, polished.attempt(fit), _BETTER)
        if trial is not chosen:
            chosen = replace(trial, refuted=choice.first.candidate.name)
    return chosen


def _lower(chosen: _Attempt, trial: _Attempt, factor: float) -> _Attempt:
    """The trial if its atoms fit better, and by a factor if its symmetry is lower."""
    if trial.polished is None:
        return chosen
    lower = len(trial.fit.candidate.turns) < len(chosen.fit.candidate.turns)
    if chosen.polished is None or trial.polished.fit.r1 < (factor if lower else 1.0) * chosen.polished.fit.r1:
        return trial
    return chosen


@dataclass(frozen=True, kw_only=True, eq=False)
class _Polisher:
    """Makes attempts of one map, in one group or another."""

    data: MergedData
    hkl: IntArray
    waves: ComplexArray
    r: float
    fits: tuple[GroupFit, ...]
    reflections: ReflectionList

    def attempt(self, fit: GroupFit) -> _Attempt:
        averaged = symmetrised(self.hkl, self.waves, fit)
        attempt = _Attempt(
            data=self.data, fit=fit, hkl=self.hkl, waves=averaged, r=self.r, polished=None, alternatives=self.fits
        )
        return self._with_atoms(attempt, self.reflections.formula)

    def without_formula(self, attempt: _Attempt) -> _Attempt:
        """The same averaged map, its atoms told without the formula."""
        return self._with_atoms(attempt, {})

    def _with_atoms(self, attempt: _Attempt, formula: dict[str, float]) -> _Attempt:
        if self.data.d_min > ATOMIC:
            return attempt
        density = density_on_grid(self.data, self.hkl, attempt.waves)
        return replace(attempt, polished=polish(self.data, attempt.fit.candidate, density, formula))


def _is_doubtful(polished: Polished) -> bool:
    """Whether atoms should also be told without the formula: files carry wrong ones, and so do people."""
    return not polished.named or polished.fit.r1 > _DOUBT_THE_FORMULA


def _in_groups(
    data: MergedData, groups: list[CandidateGroup], reflections: ReflectionList, seed: int, tell: Tell
) -> list[_Attempt]:
    """Projections with the symmetry imposed, in the groups that absences and intensities speak for."""
    coarse = data.d_min > ATOMIC
    if reflections.space_group is not None:
        wanted = [candidate_of(reflections.space_group)]
    else:
        wanted = [g for g in groups if g.absent == groups[0].absent] if groups else []
        wanted = likeliest(data, wanted)[:1] if coarse else wanted[:2]
    attempts = []
    for candidate in wanted:
        if len(candidate.turns) < 2:
            continue
        result = phase_in_group(data, candidate, seed=seed)
        hkl, waves = waves_of(result.density, data)
        fit = GroupFit(candidate=candidate, origin=np.zeros(3), mean=1.0, worst=1.0, each=np.ones(0))
        polished = _Polisher(data=data, hkl=hkl, waves=waves, r=result.r, fits=(), reflections=reflections)
        attempt = replace(polished.attempt(fit), agreed=coarse)
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
        verdict=judge(
            data,
            r=r,
            fit=best.fit,
            alternatives=best.alternatives,
            atoms=model if trusted else None,
            refuted=best.refuted,
        ),
        alternatives=best.alternatives,
        notes=notes,
        seconds=seconds,
    )
