"""From a measured pattern and a formula to ranked crystal structures, with a verdict on how far to trust the first."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.problems.densities.assigned import assigned_types
from dsfu.model.problems.densities.candidates import decorations
from dsfu.model.problems.densities.colourings import is_coloured
from dsfu.model.problems.densities.fitting import Fit, Rough, fit, rough_fit, wavelengths_of
from dsfu.model.problems.densities.formulas import Formula, without_mixing
from dsfu.model.problems.densities.judging import GOOD, identity, judge, ordered, rank
from dsfu.model.problems.densities.orderings import is_ordered, merges, ordered_types
from dsfu.model.problems.densities.pattern_model import Source
from dsfu.model.problems.densities.powder import PowderPattern, Signal, prepared
from dsfu.model.problems.densities.raising import Fitting, raised
from dsfu.model.problems.densities.search import Found, search
from dsfu.model.problems.densities.variety import varied
from dsfu.simulate.densities.structure_types import StructureType, shipped_types

FITTED: Final = 56
"""Candidates of the search whose whole pattern is fitted roughly, and half as many with sites divided anew. Chosen."""

CLOSER: Final = 0.5
"""Share of these that are fitted to the end, by what the rough fit leaves. Chosen."""

WITH_POSITIONS: Final = 12
"""Candidates whose free positions are fitted, too, and half as many with sites divided anew. Chosen."""

SECONDS: Final = 120.0
"""After this time no further type or fit is begun. Chosen; all nine measured powders need less than a tenth."""

HOPELESS: Final = 3.0
"""Times the R of the best so far, beyond which positions are not fitted: that halves R, seldom more. Chosen."""

BROAD: Final = 1.5
"""Degrees of width from which on twice as many are fitted: lines overlap, and the search hardly tells types."""

BEATEN: Final = 0.7
"""Share of the best known type's R up to which a structure of no known type comes before it. Chosen."""

SINGLE: Final = 0.9
"""Share of what a tube's doublet leaves beyond the noise up to which K-alpha-1 alone is taken, as monochromators leave
it. Chosen."""

MERGED: Final = 4
MERGED_FITTED: Final = 16
"""Types with two elements counted as one that are fitted roughly, and of which atoms are told apart. Chosen."""

_SHARE_OF_SEARCH: Final = 0.6
"""Of the time, for the search over types."""

AXES: Final = ((0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1), (0, 1, 1), (1, 0, 4))
"""Along which crystallites may lie: faces that minerals cleave along, that of calcite last."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DensityAnswer:
    """What came out: the signal as it was used, candidates by rank, and a verdict in words.

    ``tried`` of ``possible`` decorated types were looked at: fewer where time was up.
    """

    signal: Signal
    wavelength: float
    tried: int
    possible: int
    candidates: tuple[Fit, ...]
    verdict: str
    reason: str


def solve(
    pattern: PowderPattern, formula: Formula, *, kinds: Sequence[StructureType] | None = None, keep: int = 5,
    seconds: float = SECONDS, progress: Callable[[str], None] = lambda text: None,
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
    seconds
        Of the processor, after which no further type or fit is begun: what comes out does not depend on how busy the
        machine is. Small types come first.
    """
    begun = time.process_time()
    until = begun + seconds
    if pattern.wavelength is None:
        raise InputError(
            "the file does not say its wavelength", where=pattern.name, remedy="give it: --wavelength 1.5406 (Å)"
        )
    signal = prepared(pattern)
    source = wavelengths_of(pattern.wavelength)
    types = shipped_types() if kinds is None else kinds
    trials = sorted(decorations(formula, types), key=lambda each: each.atoms)
    orders = partial(_of_orderings, formula, types, signal, source, until, progress)
    assigned = partial(_of_no_type, formula, signal, source, until, progress)

    def answer(tried: int, candidates: Sequence[Fit], verdict: str, reason: str) -> DensityAnswer:
        return DensityAnswer(
            signal=signal, wavelength=source[0][0], tried=tried, possible=len(trials), candidates=tuple(candidates),
            verdict=verdict, reason=reason,
        )  # fmt: skip

    ranked: list[Fit] = []
    tried, verdict = 0, "no type"
    reason = f"no structure type in the pool has the stoichiometry of {formula.text}"
    if trials:
        progress(f"{len(trials)} decorated structure types")
        found, tried = search(trials, signal, source[0][0], until=begun + _SHARE_OF_SEARCH * seconds)
        if tried < len(trials):
            progress(f"time is up after {tried}")
        ranked, verdict, reason = _judged(_fitted(found, signal, source, until), tried == len(trials), orders, until)
    if not ranked or ranked[0].excess > GOOD:
        left = max(until - time.process_time(), 1.0)
        again = partial(solve, pattern, kinds=kinds, keep=keep, seconds=left, progress=progress)
        if (whole := _unmixed(formula, ranked, again, progress)) is not None:
            return whole
        for others, how in ((orders, _TOLD_APART), (assigned, _PUT_IN_ALL_WAYS)):
            other = others()
            if _is_better(other, ranked):
                return answer(tried, ordered([*other, *ranked])[:keep], "uncertain", _no_type_but(other[0], how))
    return answer(tried, ranked[:keep], verdict, reason)


_TOLD_APART: Final = "atoms of one site were told apart, in some of the ways that there are"

_OUT_OF_TIME: Final = (
    "time was up before other orders of its atoms were tried: give more with --seconds, or see whether the sites that "
    "were divided anew make sense"
)

_PUT_IN_ALL_WAYS: Final = (
    "its atoms were put on sites in all simple ways, of which one may fit by chance: see whether its distances make "
    "sense"
)


def _judged(
    ranked: list[Fit], complete: bool, orders: Callable[[], Sequence[Fit]], until: float
) -> tuple[list[Fit], str, str]:  # fmt: skip
    """Fits by rank, and the verdict. Where sites divided anew explain a pattern, an order of no type may, too."""
    verdict, reason = judge(ranked, complete)
    if verdict != "solved" or not is_coloured(ranked[0].kind):
        return ranked, verdict, reason
    own = identity(ranked[0].kind)
    others = [each for each in orders() if identity(each.kind) != own]
    if time.process_time() > until:
        return ranked, "uncertain", _OUT_OF_TIME
    every = ordered([*ranked, *others])
    if is_ordered(every[0].kind):
        return every, "uncertain", _no_type_but(every[0], _TOLD_APART)
    return every, *judge(every, complete)


def _is_better(other: Sequence[Fit], ranked: Sequence[Fit]) -> bool:
    return bool(other) and (not ranked or rank(other[0]) < BEATEN * rank(ranked[0]))


def _no_type_but(best: Fit, words: str) -> str:
    return f"R = {best.r:.2f} ({best.excess:.2f} without noise); no known type fits, and {words}"


def _unmixed(
    formula: Formula, ranked: Sequence[Fit], again: Callable[[Formula], DensityAnswer], progress: Callable[[str], None]
) -> DensityAnswer | None:
    """The answer with elements that share sites taken for one, where that explains the pattern better."""
    simpler = without_mixing(formula)
    if simpler is None:
        return None
    told = f"elements that share sites were taken for one: {simpler.text}"
    progress(told)
    found = again(simpler)
    if not found.candidates or (ranked and rank(found.candidates[0]) > BEATEN * rank(ranked[0])):
        return None
    return replace(found, reason=f"{found.reason}; {told}")


def _of_orderings(
    formula: Formula, kinds: Sequence[StructureType], signal: Signal, source: Source, until: float,
    progress: Callable[[str], None],
) -> list[Fit]:  # fmt: skip
    """What explains the pattern once two elements are counted as one, and their atoms told apart in the best types."""
    trials: list[StructureType] = []
    for merge in merges(formula):
        found, _ = search(list(decorations(merge.formula, kinds, anew=False)), signal, source[0][0], until=until)
        rough = [rough_fit(each.kind, each.cell, signal, source) for each in varied(found, MERGED_FITTED)]
        for one in sorted(rough, key=lambda each: each.cost)[:MERGED]:
            trials += ordered_types(one.kind.moved(one.cell, np.zeros(one.kind.free)), merge)
        if time.process_time() > until:
            break
    if not trials or time.process_time() > until:
        return []
    progress(f"no known type explains it; {len(trials)} ways to tell atoms of one site apart")
    found, _ = search(trials, signal, source[0][0], until=until)
    return [each for each in _fitted(found, signal, source, until) if each.excess < GOOD]


def _of_no_type(
    formula: Formula, signal: Signal, source: Source, until: float,
    progress: Callable[[str], None],
) -> list[Fit]:  # fmt: skip
    """What explains the pattern among structures of no known type; nothing if none does."""
    trials = sorted(assigned_types(formula, until=until), key=lambda each: (each.free, each.atoms))
    if not trials or time.process_time() > until:
        return []
    progress(f"no known type explains it; {len(trials)} ways to put the atoms on sites")
    found, _ = search(trials, signal, source[0][0], until=until)
    return [each for each in _fitted(found, signal, source, until) if each.excess < GOOD]


def _fitted(found: Sequence[Found], signal: Signal, source: Source, until: float) -> list[Fit]:
    """The whole pattern fitted with the best of the search, by rank; with free positions where that is worth it."""
    rough: list[Rough] = []
    for each in varied(found, FITTED if signal.fwhm < BROAD else 2 * FITTED):
        if rough and time.process_time() > until:
            break
        rough.append(rough_fit(each.kind, each.cell, signal, source))
    rough.sort(key=lambda each: each.cost)
    closer = [one for anew in (False, True) for one in _half([r for r in rough if is_coloured(r.kind) == anew])]
    first = [fit(one.kind, one.cell, signal, source, positions=False, start=one.values) for one in closer]
    first.sort(key=rank)
    if first and len(source) > 1 and (alone := _alone(first, signal, source)):
        source, first = alone
    moving = [*_first(first, WITH_POSITIONS, False), *_first(first, WITH_POSITIONS // 2, True)]
    again, fits = Fitting(signal, source, AXES), list[Fit]()
    best = min(map(rank, first), default=np.inf)
    for one in first:
        hopeless = rank(one) > HOPELESS * max(best, GOOD)
        left = hopeless or one not in moving or time.process_time() > until
        more = [one] if left else raised(again(one.kind, one.zero), again)
        best = min(best, *map(rank, more))
        fits += more
    return _varied_fits(ordered(fits))


def _half(rough: Sequence[Rough]) -> Sequence[Rough]:
    return rough[: max(WITH_POSITIONS, round(CLOSER * len(rough)))]


def _alone(fits: Sequence[Fit], signal: Signal, source: Source) -> tuple[Source, list[Fit]] | None:
    """The first line of a doublet alone, and fits with it by rank, where the best fit says that it is alone."""
    single = ((source[0][0], 1.0),)

    def again(each: Fit) -> Fit:
        return fit(each.kind, np.array(each.kind.cell), signal, single, positions=False, zero=each.zero)

    first = again(fits[0])
    if first.excess > SINGLE * fits[0].excess:
        return None
    return single, sorted([first, *map(again, fits[1:])], key=rank)


def _first(fits: Sequence[Fit], most: int, anew: bool) -> list[Fit]:
    """The first of those whose sites are divided anew, or of those whose are not."""
    return [each for each in fits if is_coloured(each.kind) == anew][:most]


def _varied_fits(ranked: Sequence[Fit]) -> list[Fit]:
    """By rank, without those whose sites, elements and size are the same as those of a better one."""
    seen: set[object] = set()
    chosen = []
    for each in ranked:
        key = (identity(each.kind), round(each.kind.volume / each.kind.atoms, 1))
        if key not in seen:
            seen.add(key)
            chosen.append(each)
    return chosen
