"""Whether a structure is solved: by R1 of atoms, by the symmetry of the map, and by what the data allow to tell."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from dsfu.model.problems.phases.atom_model import AtomModel
from dsfu.model.problems.phases.merging import ATOMIC, MergedData
from dsfu.model.problems.phases.origin import GroupFit

Outcome3 = Literal["solved", "doubtful", "not solved"]

SOLVED: Final = 0.2
DOUBTFUL: Final = 0.35
"""R1 of isotropic atoms without hydrogen. Right structures have .04 to .19 on what was tried; random ones have .59
(centrosymmetric .83), partly wrong ones .3 and more, one in a wrong group had .217."""

_UNEXPLAINED: Final = 3
_NEARLY: Final = 0.5
"""A group that explains so many more absences, and whose images correlate so well, speaks against the chosen one."""

_HIGHER: Final = 0.6
"""The same for a group of more operations, beside P1 _NEARLY. On 48 simulated crystals of molecules at 1.0 and 1.2 Å
right groups had .56 beside them at most."""

_BY_CHANCE: Final = (0.15, 0.14)
"""R1 that atoms reach where there is no structure: the first and the second times the logarithm of reflections for each
parameter. |F|² of four crystals permuted among those of like d gave .24 at 1.9, .34 at 4.1 and .49 at 12."""

_FEWEST_PER_PARAMETER: Final = 2.0
"""Fewer prove nothing: 97 wrong atoms had R1 .092 of 673 reflections."""

_INCOMPLETE: Final = 0.8
"""Share of the reflections below which the verdict says how many there are; it is no worse for that."""

_BELOW_CHANCE: Final = 0.5
"""Times that, R1 still proves a structure; chosen: of real intensities wrong atoms explain somewhat more."""


@dataclass(frozen=True, kw_only=True)
class PhasingVerdict:
    """One word, and the sentences that give its reasons."""

    outcome: Outcome3
    reasons: tuple[str, ...]


def judge(
    data: MergedData,
    *,
    r: float,
    fit: GroupFit,
    alternatives: tuple[GroupFit, ...],
    atoms: AtomModel | None,
    refuted: tuple[str, ...] = (),
    doubts: tuple[str, ...] = (),
) -> PhasingVerdict:
    """The verdict on a map with its atoms, if it has any.

    Parameters
    ----------
    refuted
        Groups that are known not to be right.
    doubts
        Sentences on what else is in doubt: a twin, a symmetry that was not looked for, an element that was not found.
    """
    there = f"Only {100 * data.completeness:.0f} % of the reflections to d = {data.d_min:.2f} Å are there."
    missing = [there] if data.completeness < _INCOMPLETE else []
    if atoms is not None:
        parameters = atoms.coordinates + len(atoms.numbers)
        ratio = len(data.hkl) / parameters
        reasons = [f"{len(atoms.numbers)} atoms explain the amplitudes with R1 = {r:.3f}.", *missing]
        outcome: Outcome3 = "solved" if r < SOLVED else "doubtful" if r < DOUBTFUL else "not solved"
        if r > _BELOW_CHANCE * r_by_chance(ratio) and outcome == "solved":
            outcome = "doubtful"
            reasons.append(f"There are only {ratio:.1f} reflections for each parameter: a low R1 proves little.")
        if outcome == "doubtful" and r >= SOLVED:
            reasons.append(f"Right structures have less than {SOLVED}.")
        if np.median(atoms.u_iso) > 0.2:
            outcome = "doubtful" if outcome == "solved" else outcome
            reasons.append("The displacements are larger than those of atoms in crystals.")
        if refuted:
            named = " and ".join(refuted)
            reasons.append(f"The map nearly has the symmetry of {named} too; atoms fit much worse in it.")
        if doubts:
            outcome = "doubtful" if outcome == "solved" else outcome
            reasons += doubts
        rival = rival_of(fit, alternatives, refuted)
        if rival is not None:
            outcome = "doubtful" if outcome == "solved" else outcome
            reasons.append(f"The map nearly has the symmetry of {rival.candidate.name}: the space group may be that.")
        return PhasingVerdict(outcome=outcome, reasons=tuple(reasons))
    told = f"The positive peaks of the map explain the amplitudes with R = {r:.3f}; no atoms were told apart."
    reasons = [told, *missing]
    if data.d_min > ATOMIC:
        reasons.append(f"At d ≥ {data.d_min:.2f} Å atoms merge, and R alone does not tell right maps from wrong ones.")
        return PhasingVerdict(outcome="doubtful", reasons=tuple(reasons))
    reasons.append("At this resolution a right map would show atoms.")
    return PhasingVerdict(outcome="not solved", reasons=tuple(reasons))


def r_by_chance(ratio: float) -> float:
    """R1 of atoms that mean nothing, by the number of reflections for each parameter; 0 of too few."""
    constant, slope = _BY_CHANCE
    return float(constant + slope * np.log(ratio)) if ratio >= _FEWEST_PER_PARAMETER else 0.0


def rival_of(fit: GroupFit, alternatives: tuple[GroupFit, ...], refuted: tuple[str, ...] = ()) -> GroupFit | None:
    """A group that explains more absences, or has more operations, if the map nearly has its symmetry."""
    alternatives = tuple(each for each in alternatives if each.candidate.name not in refuted)
    # The same group is no rival: where the file states it, its absences are not counted, and in its other settings.
    others = [each for each in alternatives if each.candidate.group.number != fit.candidate.group.number]
    for other in sorted(others, key=lambda each: -each.candidate.absent):
        if other.candidate.absent >= fit.candidate.absent + _UNEXPLAINED and other.worst > _NEARLY:
            return other
        least = _HIGHER if len(fit.candidate.turns) > 1 else _NEARLY
        if len(other.candidate.turns) > len(fit.candidate.turns) and other.worst > least:
            return other
    return None
