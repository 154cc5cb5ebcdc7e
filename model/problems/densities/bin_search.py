"""The search from a pattern in the published form: 1024 bins of Mo Kα, no width, no background. For comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

from dsfu.model.problems.densities.candidates import decorations
from dsfu.model.problems.densities.formulas import Formula
from dsfu.model.problems.densities.orderings import merges, ordered_types
from dsfu.model.problems.densities.powder import Signal
from dsfu.model.problems.densities.search import Found, search
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.constants import MO_KALPHA
from dsfu.simulate.densities.conventions import BINS
from dsfu.simulate.densities.crystals import UnitCell
from dsfu.simulate.densities.structure_types import StructureType, from_crystal

LAST: Final = 74.0
"""Degrees of 2θ up to which patterns are compared. Chosen: beyond, lines of large cells fill every bin."""

REFINED: Final = 4
"""Candidates whose free positions are refined."""

LOOKED_AT: Final = 60
"""Candidates of the search whose binned patterns are compared. Chosen."""

NEARLY: Final = 0.05
"""Å by which atoms may move for a higher symmetry or a smaller cell. Chosen."""

AS_WELL: Final = 2e-3
"""What the cosine may lose by that. Chosen."""

EXPLAINED: Final = 0.98
"""Cosine from which on a pattern is explained, and nothing else is tried. Chosen."""

CERTAIN: Final = 0.995
"""Cosine from which on no further two elements are counted as one. Chosen."""

CLEARLY: Final = 0.6
"""Share of what a type lacks to a cosine of 1 that its atoms told apart may lack. Chosen with Ti3FeCu2S8 in view."""

MERGED: Final = 4
"""Types with two elements counted as one whose atoms are told apart. Chosen."""

MOST_FREE: Final = 8

_USED: Final = int(BINS * LAST / 180)
_BLUR: Final = (0.2, 0.5, 0.8, 1.0, 0.8, 0.5, 0.2)


@dataclass(frozen=True, eq=False)
class BinAnswer:
    """A crystal, the type it is of, and the cosine of the blurred roots of both patterns."""

    kind: StructureType
    crystal: UnitCell
    cosine: float


def solve_bins(pattern: FloatArray, kinds: Sequence[StructureType], most: int = 12) -> list[BinAnswer]:
    """Decorated types that explain a pattern of 1024 bins, best first. No truth is used."""
    target = _prepared(np.asarray(pattern, np.float64))
    found, _ = search(kinds, _signal(pattern), MO_KALPHA)
    # The search takes lines that are split over neighbouring bins for better; both patterns blurred, they are not.
    again = sorted(found[:LOOKED_AT], key=lambda each: -_cosine(each.kind.crystal(each.cell), target))
    first = sorted((_scored(each, target) for each in again[:most]), key=lambda each: -each[0])
    answers = [_refined(each, target) if n < REFINED else _plain(each) for n, each in enumerate(first)]
    ranked = sorted(answers, key=lambda each: -each.cosine)
    return [_standard(each, target) if n == 0 else each for n, each in enumerate(ranked)]


def solve_formula(pattern: FloatArray, formula: Formula, kinds: Sequence[StructureType]) -> list[BinAnswer]:
    """Types of a formula that explain a pattern of 1024 bins, best first; atoms ordered anew where none explains it."""
    trials = list(decorations(formula, kinds, anew=False))
    answers = solve_bins(pattern, trials) if trials else []
    for merged in (1, 2):
        if answers and answers[0].cosine > EXPLAINED:
            break
        more = _ordered(pattern, formula, kinds, merged)
        # They have more to choose from, so that a little better is not better.
        if more and (not answers or 1 - more[0].cosine < CLEARLY * (1 - answers[0].cosine)):
            answers = sorted([*answers, *more], key=lambda each: -each.cosine)
    return answers


def _ordered(
    pattern: FloatArray, formula: Formula, kinds: Sequence[StructureType], merged: int
) -> list[BinAnswer]:  # fmt: skip
    """Answers with two elements counted as one, whose atoms are then told apart; ``merged``: how many times."""
    answers: list[BinAnswer] = []
    for merge in merges(formula):
        near = (
            _nearest(pattern, list(decorations(merge.formula, kinds, anew=False)))
            if merged == 1
            else [
                each for one in _ordered(pattern, merge.formula, kinds, 1)[:MERGED] if (each := _as_type(one.crystal))
            ]
        )
        ordered = [each for kind in near for each in ordered_types(kind, merge)]
        answers += solve_bins(pattern, ordered) if ordered else []
        if any(each.cosine > CERTAIN for each in answers):
            break
    return sorted(answers, key=lambda each: -each.cosine)


def _nearest(pattern: FloatArray, trials: Sequence[StructureType]) -> list[StructureType]:
    """The best types of the search, in the cells that it found."""
    target = _prepared(np.asarray(pattern, np.float64))
    found, _ = search(trials, _signal(pattern), MO_KALPHA)
    again = sorted(found[:LOOKED_AT], key=lambda each: -_cosine(each.kind.crystal(each.cell), target))
    return [each.kind.moved(each.cell, np.zeros(each.kind.free)) for each in again[:MERGED]]


def _as_type(crystal: UnitCell) -> StructureType | None:
    try:
        return from_crystal(crystal, "", NEARLY)
    except (ValueError, TypeError):
        return None


def _standard(answer: BinAnswer, target: FloatArray) -> BinAnswer:
    """In the conventional cell of the symmetry that it nearly has, where it explains the pattern as well in that."""
    try:
        crystal = from_crystal(answer.crystal, answer.kind.name, NEARLY).crystal()
    except (ValueError, TypeError):
        return answer
    cosine = _cosine(crystal, target)
    return answer if cosine < answer.cosine - AS_WELL else BinAnswer(answer.kind, crystal, cosine)


def _signal(pattern: FloatArray) -> Signal:
    step = 180 / BINS
    angles: FloatArray = np.asarray((np.arange(_USED) + 0.5) * step, np.float64)
    net = np.asarray(pattern[:_USED], np.float64)
    peaks = np.flatnonzero(net > 0.007 * net.max())
    return Signal(
        two_theta=angles, net=net, background=np.zeros(_USED), sigma=np.full(_USED, 1e-6), fwhm=1.25 * step,
        peak_angles=angles[peaks], peak_heights=net[peaks],
    )  # fmt: skip


def _prepared(pattern: FloatArray) -> FloatArray:
    blurred = np.convolve(np.sqrt(pattern[:_USED]), _BLUR, "same")
    return np.asarray(blurred / max(float(np.linalg.norm(blurred)), 1e-12))


def _cosine(crystal: UnitCell, target: FloatArray) -> float:
    from dsfu.simulate.densities.pattern import binned, powder_lines

    try:
        lines = powder_lines(crystal, MO_KALPHA, last=LAST)
    except ValueError:
        return 0.0
    return float(_prepared(binned(lines)) @ target)


def _scored(found: Found, target: FloatArray) -> tuple[float, Found, FloatArray]:
    """With the cell stretched by up to a tenth of a per cent: the search knows it to half a bin."""
    trials = []
    for factor in (0.998, 0.999, 1.0, 1.001, 1.002):
        cell = found.cell.copy()
        cell[:3] *= factor
        trials.append((_cosine(found.kind.crystal(cell), target), cell))
    best, cell = max(trials, key=lambda each: each[0])
    return best, found, cell


def _plain(scored: tuple[float, Found, FloatArray]) -> BinAnswer:
    cosine, found, cell = scored
    return BinAnswer(found.kind, found.kind.crystal(cell), cosine)


def _refined(scored: tuple[float, Found, FloatArray], target: FloatArray) -> BinAnswer:
    """Free positions by a simplex (Nelder and Mead 1965), from those of the type."""
    cosine, found, cell = scored
    free = found.kind.free
    if not 0 < free <= MOST_FREE:
        return _plain(scored)
    start = np.zeros((free + 1, free))
    start[1:] = 0.02 * np.eye(free)
    fitted = minimize(
        lambda shifts: -_cosine(found.kind.crystal(cell, shifts), target), np.zeros(free), method="Nelder-Mead",
        options={"maxfev": 25 + 20 * free, "initial_simplex": start, "xatol": 2e-4, "fatol": 1e-5},
    )  # fmt: skip
    if -fitted.fun <= cosine:
        return _plain(scored)
    return BinAnswer(found.kind, found.kind.crystal(cell, fitted.x), float(-fitted.fun))
