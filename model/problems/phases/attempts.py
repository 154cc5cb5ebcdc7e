"""One map tried in the space groups that it may have: atoms in each, and which of them is right."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import fft

from dsfu.model.problems.phases.atom_model import structure_factors_of
from dsfu.model.problems.phases.choosing import choose, say_of_a_centre
from dsfu.model.problems.phases.crystal_data import ComplexArray, IntArray, ReflectionList
from dsfu.model.problems.phases.groups import CandidateGroup
from dsfu.model.problems.phases.judging import DOUBTFUL, rival_of
from dsfu.model.problems.phases.merging import ATOMIC, MergedData
from dsfu.model.problems.phases.origin import GroupFit, SymmetryOfMap, symmetrised
from dsfu.model.problems.phases.polishing import Polished, density_on_grid, polish, sphere_indices
from dsfu.model.problems.phases.projections import PhasedMap

_ACCEPTED: Final = 0.25
"""R1 of atoms below which no more starts are made: wrong structures have .4 and more at atomic resolution."""

_EXCELLENT: Final = 0.08
_DOUBT_THE_FORMULA: Final = 0.2
_MUCH_BETTER: Final = 0.72
_BETTER: Final = 0.85
"""A subgroup must lower R1 by this factor to be preferred: twice the parameters lower it somewhat in any case. By less
where the intensities speak for it: in Pca2₁ a flat molecule beside a pseudomirror had .74 of its R1 in Pcam."""

_RIVALS: Final = 3
_AS_WELL: Final = 1.1
"""R1 in a group of higher symmetry, relative, up to which it is taken: it has half the parameters; chosen."""

_PSEUDOSYMMETRIC: Final = 0.85
"""Correlation of atoms with their images from which R1 does not refute a group: an atom missed makes as much (.93)."""

_FAR_WORSE: Final = 4.0
"""Times R1 that refute a group even so: heavy atoms alone may have its symmetry. Chosen; right groups had 2.3."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Attempt:
    """A map in one space group, with its atoms if there are any.

    Parameters
    ----------
    waves
        F of the averaged map at ``hkl``, origin of the group.
    agreed
        Whether it is what many starts agree upon.
    refuted
        Groups whose symmetry the map nearly has, and whose atoms fit much worse.
    """

    data: MergedData
    fit: GroupFit
    hkl: IntArray
    waves: ComplexArray
    r: float
    polished: Polished | None
    alternatives: tuple[GroupFit, ...]
    agreed: bool = False
    refuted: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether no more starts are needed."""
        return self.polished is not None and self.polished.fit.r1 < _ACCEPTED

    def better_than(self, other: "Attempt") -> bool:
        """By R1 of atoms; maps without any come last."""
        mine = self.polished.fit.r1 if self.polished else 1 + self.r
        theirs = other.polished.fit.r1 if other.polished else 1 + other.r
        return mine < theirs

    def told(self) -> str:
        """A line of progress."""
        name = self.fit.candidate.name
        if self.polished is None:
            return f"{name} by correlation {self.fit.mean:.2f}"
        return f"{name}, {len(self.polished.fit.model.numbers)} atoms, R1 {self.polished.fit.r1:.3f}"


def attempt_of(data: MergedData, p1: PhasedMap, groups: list[CandidateGroup], reflections: ReflectionList) -> Attempt:
    """Symmetry of one map, and atoms in the best groups."""
    hkl, waves = waves_of(p1.density, data)
    choice = choose(data, SymmetryOfMap(hkl, waves), groups, reflections.space_group)
    polished = Polisher(data=data, hkl=hkl, waves=waves, r=p1.r, fits=choice.nearest, reflections=reflections)
    chosen = polished.attempt(choice.first)
    if reflections.formula and chosen.polished is not None and _is_doubtful(chosen.polished):
        plain = polished.without_formula(chosen)
        enough = _MUCH_BETTER if chosen.polished.named else 1.0
        if plain.polished is not None and plain.polished.fit.r1 < enough * chosen.polished.fit.r1:
            chosen = plain
            polished = replace(polished, reflections=replace(reflections, formula={}))
    excellent = chosen.polished is not None and chosen.polished.fit.r1 < _EXCELLENT
    for fit in choice.others:
        # A pseudosymmetric crystal satisfies a group that is too high: its subgroups then fit much better.
        if not excellent or len(fit.candidate.turns) == len(choice.first.candidate.turns):
            chosen = _lower(chosen, polished.attempt(fit), _MUCH_BETTER)
    for fit in choice.by_intensities:
        chosen = _lower(chosen, polished.attempt(fit), _BETTER)
    return _against_rivals(chosen, polished)


def _against_rivals(chosen: Attempt, polisher: "Polisher") -> Attempt:
    """The attempt, or one in a rival group whose atoms fit as well; rivals that fit far worse are noted as refuted.

    Rivals are looked for, and start from, the atoms of the attempt too, which have less noise than its map.
    """
    for _ in range(_RIVALS):
        atoms_fit = chosen.polished.fit if chosen.polished else None
        if atoms_fit is None or atoms_fit.r1 > DOUBTFUL:
            break
        waves = structure_factors_of(atoms_fit.model, polisher.hkl)
        atoms = SymmetryOfMap(polisher.hkl, waves)
        of_atoms = {each.candidate.name: atoms.fit(each.candidate) for each in polisher.fits}
        nearest = tuple(max(each, of_atoms[each.candidate.name], key=lambda fit: fit.worst) for each in polisher.fits)
        chosen = replace(chosen, alternatives=nearest)
        rival = rival_of(chosen.fit, nearest, chosen.refuted)
        if rival is None:
            break
        fit = of_atoms[rival.candidate.name]
        trial = replace(polisher, waves=waves).attempt(fit)
        ratio = (trial.polished.fit.r1 if trial.polished else 1.0) / atoms_fit.r1
        said = say_of_a_centre(chosen.data, fit.candidate, chosen.fit.candidate)
        against, speak_for = said < 0, said > 0
        if ratio < (1 / _MUCH_BETTER if speak_for else _AS_WELL) and not against:
            chosen = replace(trial, refuted=chosen.refuted)
        elif (fit.worst < _PSEUDOSYMMETRIC or ratio > _FAR_WORSE) and (
            (against and ratio > 1 / _BETTER)
            or (ratio > 1 / _MUCH_BETTER and (not speak_for or atoms_fit.r1 < _EXCELLENT))
        ):
            chosen = replace(chosen, refuted=(*chosen.refuted, rival.candidate.name))
        else:
            break
    return chosen


def _lower(chosen: Attempt, trial: Attempt, factor: float) -> Attempt:
    """The trial if its atoms fit better, and by a factor if its symmetry is lower."""
    if trial.polished is None:
        return chosen
    lower = len(trial.fit.candidate.turns) < len(chosen.fit.candidate.turns)
    if chosen.polished is None or trial.polished.fit.r1 < (factor if lower else 1.0) * chosen.polished.fit.r1:
        return trial
    return chosen


@dataclass(frozen=True, kw_only=True, eq=False)
class Polisher:
    """Makes attempts of one map, in one group or another."""

    data: MergedData
    hkl: IntArray
    waves: ComplexArray
    r: float
    fits: tuple[GroupFit, ...]
    reflections: ReflectionList

    def attempt(self, fit: GroupFit) -> Attempt:
        """The map averaged over a group, and atoms of that."""
        averaged = symmetrised(self.hkl, self.waves, fit)
        attempt = Attempt(
            data=self.data, fit=fit, hkl=self.hkl, waves=averaged, r=self.r, polished=None, alternatives=self.fits
        )
        return self._with_atoms(attempt, self.reflections.formula)

    def without_formula(self, attempt: Attempt) -> Attempt:
        """The same averaged map, its atoms told without the formula."""
        return self._with_atoms(attempt, {})

    def _with_atoms(self, attempt: Attempt, formula: dict[str, float]) -> Attempt:
        if self.data.d_min > ATOMIC:
            return attempt
        density = density_on_grid(self.data, self.hkl, attempt.waves)
        return replace(attempt, polished=polish(self.data, attempt.fit.candidate, density, formula))


def _is_doubtful(polished: Polished) -> bool:
    """Whether atoms should also be told without the formula: files carry wrong ones, and so do people."""
    return not polished.named or polished.fit.r1 > _DOUBT_THE_FORMULA


def waves_of(density: npt.NDArray[np.floating[Any]], data: MergedData) -> tuple[IntArray, ComplexArray]:
    """F of a map over the whole sphere."""
    hkl = sphere_indices(data)
    transform = np.conj(fft.fftn(density))
    return hkl, np.asarray(transform[tuple((hkl % np.array(density.shape)).T)], dtype=np.complex128)
