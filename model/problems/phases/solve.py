"""From reflections to a map and atoms: projections in P1, symmetry from the map, polishing, and a verdict."""

import time
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dsfu.model.problems.phases.atom_model import AtomModel, structure_factors_of
from dsfu.model.problems.phases.attempts import Attempt, Polisher, attempt_of, waves_of
from dsfu.model.problems.phases.choosing import likeliest
from dsfu.model.problems.phases.crystal_data import ComplexArray, FloatArray, IntArray, ReflectionList
from dsfu.model.problems.phases.groups import CandidateGroup, candidate_of, candidates
from dsfu.model.problems.phases.hidden_symmetry import hidden_symmetry
from dsfu.model.problems.phases.in_group import phase_in_group
from dsfu.model.problems.phases.judging import PhasingVerdict, judge
from dsfu.model.problems.phases.laue import find_laue_class
from dsfu.model.problems.phases.light_atoms import doubts_of_elements
from dsfu.model.problems.phases.merging import ATOMIC, MergedData, grid_shape, merge, on_grid
from dsfu.model.problems.phases.origin import GroupFit
from dsfu.model.problems.phases.polishing import (
    Polished,
    density_on_grid,
    sphere_indices,
    whole_sphere,
)
from dsfu.model.problems.phases.projections import SUPPORT, PhasedMap, phase, support_of_points
from dsfu.model.problems.phases.twinning import TwinLaw, twin_law_of
from dsfu.progress import Tell

_ITERATIONS: Final = 300
_ROUNDS: Final = (2, 4, 8, 16, 32)
"""Starts in P1 until something is accepted: of a molecule in P2₁2₁2₁ to .9 Å one start in twelve found the map."""

_FOUND: Final = 0.2
"""R of the best map below which there are no more than `_FEW_STARTS`: others find the same. Right maps had .15 to .17,
wrong ones .27 and more."""

_FEW_STARTS: Final = 8


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
    twin
        Second domain that the atoms speak for, if any.
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
    twin: TwinLaw | None
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
        Smallest d in Å of what is phased; 0 for all. Laue class and space group are told by all.
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
    # Absences and the spread of intensities tell the group, of what the phases leave out too.
    every = merge(reflections, laue) if resolution > 0 else data
    groups = candidates(every)
    best: Attempt | None = None
    tried = 0
    ranked: list[PhasedMap] = []
    attempted: set[int] = set()
    for count in _ROUNDS:
        while tried < count:
            # Every other start takes atoms for points: sharp ones are found in a quarter of the iterations.
            support = support_of_points(data.d_min) if tried % 2 else SUPPORT
            ranked.append(phase(sphere, seed=1000 * seed + tried, iterations=_ITERATIONS, support=support))
            tried += 1
        ranked.sort(key=lambda each: each.r)
        for p1 in ranked[:2]:
            if id(p1) in attempted:
                continue
            attempted.add(id(p1))
            attempt = attempt_of(data, p1, groups, reflections)
            if best is None or attempt.better_than(best):
                best = attempt
            if best.accepted:
                break
        tell(f"{tried} starts: R {ranked[0].r:.3f}; {best.told()}" if best else "")
        enough = count >= _FEW_STARTS and ranked[0].r < _FOUND
        if (best and best.accepted) or enough or data.d_min > ATOMIC:
            break
    if best is None:
        raise AssertionError("at least one attempt was made")
    if not best.accepted:
        for attempt in _in_groups(data, every, groups, reflections, seed, tell):
            # At low resolution R of maps of different symmetry says nothing; what many starts agree upon is better.
            if attempt.agreed or attempt.better_than(best):
                best = attempt
    return _answer(reflections, data, best, time.perf_counter() - began)


def _in_groups(
    data: MergedData,
    every: MergedData,
    groups: list[CandidateGroup],
    reflections: ReflectionList,
    seed: int,
    tell: Tell,
) -> list[Attempt]:
    """Projections with the symmetry imposed, in the groups that absences and intensities of all data speak for."""
    coarse = data.d_min > ATOMIC
    if reflections.space_group is not None:
        wanted = [candidate_of(reflections.space_group)]
    else:
        wanted = [g for g in groups if g.absent == groups[0].absent] if groups else []
        wanted = likeliest(every, wanted)[:1] if coarse else wanted[:2]
    attempts = []
    for candidate in wanted:
        if len(candidate.turns) < 2:
            continue
        result = phase_in_group(data, candidate, seed=seed)
        hkl, waves = waves_of(result.density, data)
        fit = GroupFit(candidate=candidate, origin=np.zeros(3), mean=1.0, worst=1.0, each=np.ones(0))
        polished = Polisher(data=data, hkl=hkl, waves=waves, r=result.r, fits=(), reflections=reflections)
        attempt = replace(polished.attempt(fit), agreed=coarse)
        tell(f"within {candidate.name}: R {result.r:.3f}; {attempt.told()}")
        attempts.append(attempt)
    return attempts


def _answer(reflections: ReflectionList, data: MergedData, best: Attempt, seconds: float) -> PhasedCrystal:
    candidate = best.fit.candidate
    model, named, r = None, False, best.r
    if best.polished is not None:
        fit = best.polished.fit
        r = fit.r1
        model, named = fit.model, best.polished.named
    trusted = model is not None and r < 0.35
    twin = twin_law_of(data, model) if trusted and model is not None else None
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
            doubts=_doubts(reflections, data, best.polished, twin) if trusted and best.polished is not None else (),
        ),
        twin=twin,
        alternatives=best.alternatives,
        notes=notes,
        seconds=seconds,
    )


def _doubts(reflections: ReflectionList, data: MergedData, polished: Polished, twin: TwinLaw | None) -> tuple[str, ...]:
    """What may be wrong with atoms that explain the amplitudes."""
    said = [twin.told] if twin is not None else []
    said.append(hidden_symmetry(reflections, data))
    said += doubts_of_elements(reflections, data, polished)
    return tuple(each for each in said if each)
