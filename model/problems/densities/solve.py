"""From a measured pattern and a formula to ranked crystal structures, with a verdict on how far to trust the first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.problems.densities.candidates import decorations
from dsfu.model.problems.densities.fitting import Fit, fit, wavelengths_of
from dsfu.model.problems.densities.formulas import Formula
from dsfu.model.problems.densities.powder import PowderPattern, Signal, prepared
from dsfu.model.problems.densities.search import Found, search
from dsfu.simulate.densities.structure_types import StructureType, from_crystal, shipped_types

FITTED: Final = 24
"""Candidates of the search whose whole pattern is fitted. Chosen."""

WITH_POSITIONS: Final = 5
"""Candidates whose free positions are fitted, too."""

_AXES: Final = ((0, 0, 1), (1, 0, 0), (1, 1, 0), (1, 1, 1))

GOOD: Final = 0.30
"""R up to which a fit explains a pattern: of background-subtracted counts. Chosen, not calibrated."""

LEAD: Final = 0.85
"""The first candidate must have an R at most this times that of the next other type. Chosen, not calibrated."""

_PER_PARAMETER: Final = 0.02
"""A parameter more must lower R by this share: types of lower symmetry always fit a little better. Chosen."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DensityAnswer:
    """What came out: the signal as it was used, candidates by rank, and a verdict in words."""

    signal: Signal
    wavelength: float
    tried: int
    candidates: tuple[Fit, ...]
    verdict: str
    reason: str


NEARLY: Final = 0.15
"""Å by which atoms may be away from a higher symmetry that is tried, too. Chosen."""


def solve(
    pattern: PowderPattern, formula: Formula, *, kinds: Sequence[StructureType] | None = None, keep: int = 5,
    progress: Callable[[str], None] = lambda text: None,
) -> DensityAnswer:  # fmt: skip
    """Search over structure types, fit the best, rank by how well the pattern is explained.

    Parameters
    ----------
    pattern
        With its wavelength.
    formula
        What is in the sample.
    kinds
        Structure types to choose from; those shipped, if none are given.
    keep
        How many candidates are told.
    """
    if pattern.wavelength is None:
        raise InputError(
            "the file does not say its wavelength", where=pattern.name, remedy="give it: --wavelength 1.5406 (Å)"
        )
    signal = prepared(pattern)
    source = wavelengths_of(pattern.wavelength)
    trials = list(decorations(formula, shipped_types() if kinds is None else kinds))
    if not trials:
        return DensityAnswer(
            signal=signal, wavelength=source[0][0], tried=0, candidates=(), verdict="no type",
            reason=f"no structure type in the pool has the stoichiometry of {formula.text}",
        )  # fmt: skip
    progress(f"{len(trials)} decorated structure types")
    found = search(trials, signal, source[0][0])
    first = [fit(each.kind, each.cell, signal, source, positions=False) for each in _varied(found, FITTED)]
    progress(f"{len(first)} fitted")
    first.sort(key=rank)
    fits = [
        fit(each.kind, np.array(each.kind.cell), signal, source, positions=True, texture_axes=_AXES)
        for each in first[:WITH_POSITIONS]
    ]
    ranked = _varied_fits(sorted(_symmetric(fits, signal, source) + first[WITH_POSITIONS:], key=rank))[:keep]
    verdict, reason = judge(ranked)
    return DensityAnswer(
        signal=signal,
        wavelength=source[0][0],
        tried=len(trials),
        candidates=tuple(ranked),
        verdict=verdict,
        reason=reason,
    )


def rank(found: Fit) -> float:
    """R, raised for each parameter."""
    return found.r * (1 + _PER_PARAMETER * found.parameters)


def judge(ranked: Sequence[Fit]) -> tuple[str, str]:
    """A word and a sentence: solved, uncertain or not explained."""
    if not ranked:
        return "not explained", "no candidate has lines where the pattern has peaks"
    best = ranked[0]
    if best.r > 2 * GOOD:
        return "not explained", f"the best candidate leaves R = {best.r:.2f}; its type is probably not in the pool"
    others = [each for each in ranked[1:] if each.kind.wyckoff_counts != best.kind.wyckoff_counts]
    lead = best.r / others[0].r if others else 0.0
    if best.r <= GOOD and lead <= LEAD:
        return (
            "solved",
            f"R = {best.r:.2f}, the next other type has {others[0].r:.2f}" if others else f"R = {best.r:.2f}",
        )
    return (
        "uncertain",
        f"R = {best.r:.2f}, and other candidates fit nearly as well" if lead > LEAD else f"R = {best.r:.2f}",
    )


def _symmetric(fits: Sequence[Fit], signal: Signal, source: tuple[tuple[float, float], ...]) -> list[Fit]:
    """Each fit, and in its place the one of higher symmetry where it nearly has that and fits about as well."""
    chosen = []
    for each in fits:
        try:
            higher = from_crystal(each.kind.crystal(), each.kind.name, NEARLY, each.kind.source)
        except (ValueError, TypeError):
            chosen.append(each)
            continue
        if (
            higher.number <= each.kind.number
            or higher.atoms * each.kind.volume > 1.05 * each.kind.atoms * higher.volume
        ):
            chosen.append(each)
            continue
        named = replace(higher, prototype=f"{each.kind.prototype}, in its higher symmetry")
        again = fit(named, np.array(named.cell), signal, source, positions=True)
        chosen.append(again if rank(again) < rank(each) * 1.05 else each)
    return chosen


def _varied_fits(ranked: Sequence[Fit]) -> list[Fit]:
    """By rank, without those whose sites, elements and cell are the same as those of a better one."""
    seen: set[object] = set()
    chosen = []
    for each in ranked:
        key = (each.kind.number, each.kind.wyckoff_counts, round(each.kind.volume))
        if key not in seen:
            seen.add(key)
            chosen.append(each)
    return chosen


def _varied(found: Sequence[Found], most: int) -> list[Found]:
    """The best of each of the systems with few cell parameters, then the best of all; at most four of a type.

    Types of low symmetry have more lines and cells to choose from, and would fill the list.
    """
    seen: dict[str, int] = {}
    chosen: list[Found] = []
    systems = ("cubic", "hexagonal", "rhombohedral", "tetragonal", "orthorhombic")
    reserved = [each for system in systems for each in [f for f in found if f.kind.system == system][:4]]
    for each in (*reserved, *found):
        if seen.get(each.kind.name, 0) < 4 and each not in chosen:
            seen[each.kind.name] = seen.get(each.kind.name, 0) + 1
            chosen.append(each)
        if len(chosen) == most:
            break
    return chosen
