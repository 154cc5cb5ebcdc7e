"""Within which limits b, B and the number of atoms are: from fits that are nearly as good as the best."""

from dataclasses import dataclass
from math import ceil, expm1, floor, hypot
from typing import Final

import numpy as np

from dsfu.model.problems.particles.envelope import common_volume
from dsfu.model.problems.particles.fit_space import noise_floor
from dsfu.model.problems.particles.ranking import beyond_noise, diameter_of, lattice_of, left_beyond_noise
from dsfu.model.problems.particles.settings import Q_DAMPS
from dsfu.model.problems.particles.solving import Candidate, ParticleSolution
from dsfu.model.problems.particles.verdict import EXACT_RW

_AS_LIKELY: Final = 0.5
"""Difference of scores (ln R_w, and what is unlikely beforehand) up to which a shape of the same lattice may be the
true one. Set on 42 files of an independent Debye program; see BENCHMARKS.md for what others came to."""

_DEVIATIONS: Final = 2.0
"""Of each fit's own uncertainty, which takes the misfit for noise."""

_LEAST: Final = 1e-4
"""Least uncertainty of b over b: distances of the table are in bins of .002 b, and c/a is found to some .002."""

_MODEL: Final = (4e-4, 0.03)
"""Uncertainty of b and of B, over them, that comes of what the model lacks, where a fit leaves more than noise: an
outermost layer nearer to the others, other laws of how neighbours move together. Set on files of an independent
program."""

_SURFACE: Final = 0.4
"""Atoms more or less, over N^(2/3), that as many fits leave open where more than noise is left: a surface of another
shape, or worn. Set on the same files; a whole layer of atoms around a particle is some 5 N^(2/3)."""

_DAMPINGS: Final = np.arange(0.0, Q_DAMPS[-1] + 1e-9, 0.005)
_SIZES: Final = np.exp(np.arange(-0.3, 0.5, 0.01))
"""Diameters, over the one that was found, which another damping by the instrument may make of it."""

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """Low and high of b in Å, of B in Å², and of the number of atoms."""

    bond: Interval
    b_iso: Interval
    atoms: tuple[int, int]


def intervals_of(solution: ParticleSolution) -> Intervals:
    """What the best candidate and those of its lattice that may be the true one have between them.

    That the shape is not the true one changes b and B by more than noise does: no single fit knows that.
    """
    best = solution.candidates[0]
    own = [each for each in solution.candidates if lattice_of(each.family) == lattice_of(best.family)]
    likely = [each for each in own if each.score - best.score < _AS_LIKELY]
    of_table = [each for each in own if each.parameters]
    if not best.parameters and of_table and not _is_exact(solution, best):
        # The search moves atoms to explain whatever the model lacks: how far it comes so says nothing of sizes.
        first = min(each.score for each in of_table)
        likely += [each for each in of_table if best.score + _AS_LIKELY <= each.score < first + _AS_LIKELY]
    fits = [each.refined for each in likely]
    of_bond, of_b_iso = (0.0, 0.0) if _is_exact(solution, best) else _MODEL

    def around(values: list[float], errors: list[float]) -> Interval:
        ends = [
            (value - _DEVIATIONS * error, value + _DEVIATIONS * error)
            for value, error in zip(values, errors, strict=True)
        ]
        return max(min(low for low, _ in ends), 0.0), max(high for _, high in ends)

    open_ends = 0.0 if _is_exact(solution, best) else _SURFACE * best.atoms ** (2 / 3)
    sizes = [each.atoms * other for each in likely for other in _at_other_dampings(solution, each)]
    return Intervals(
        bond=around(
            [fit.bond for fit in fits],
            [hypot(max(fit.uncertainties[0], _LEAST * fit.bond), of_bond * fit.bond) for fit in fits],
        ),
        b_iso=around([fit.b_iso for fit in fits], [hypot(fit.uncertainties[1], of_b_iso * fit.b_iso) for fit in fits]),
        atoms=(floor(min(sizes) - open_ends + 1e-6), ceil(max(sizes) + open_ends - 1e-6)),
    )


def _is_exact(solution: ParticleSolution, candidate: Candidate) -> bool:
    """Whether a fit leaves no more than noise does."""
    noise = noise_floor(solution.space)
    uncertain = noise**2 * (2 / len(solution.space.data)) ** 0.5
    return bool(beyond_noise(candidate.refined, solution.space, noise) < max(uncertain, EXACT_RW**2))


def _at_other_dampings(solution: ParticleSolution, candidate: Candidate) -> list[float]:
    """Numbers of atoms, over the candidate's, with which other dampings by the instrument explain as much.

    A larger particle damped more by the instrument looks nearly the same: as good are those that differ by less than
    what a fit may leave more than the best. 1 only, if the damping is known.
    """
    if solution.is_damping_known:
        return [1.0]
    space, fit = solution.space, candidate.refined
    diameter = diameter_of(candidate.family, candidate.atoms, fit.bond)
    # The envelope of G(r): the share of pairs that lie within the particle, times exp(−(r Q_damp)²/2).
    found = common_volume(space.r, diameter) * np.exp(-((space.r * solution.limits.q_damp) ** 2) / 2)
    shapes = np.array([common_volume(space.r, diameter * size) for size in _SIZES])
    most = expm1(2 * _AS_LIKELY) * left_beyond_noise(fit, space, noise_floor(space))
    ratios = [1.0]
    for q_damp in _DAMPINGS:
        others = shapes * np.exp(-((space.r * q_damp) ** 2) / 2)
        # 1 − cos² of the angle between two envelopes: what stays apart with the best scale.
        misfit = 1 - (others @ found) ** 2 / ((others**2).sum(axis=1) * float(found @ found))
        best = int(misfit.argmin())
        if misfit[best] < most:
            ratios.append(float(_SIZES[best]) ** 3)
    return [min(ratios), max(ratios)]


def interval_words(intervals: Intervals) -> str:
    """In a line."""
    (b_low, b_high), (low, high), (fewest, most) = intervals.bond, intervals.b_iso, intervals.atoms
    atoms = f"{fewest}–{most}" if fewest < most else f"{most}"
    return f"b {b_low:.4f}–{b_high:.4f} Å, B {low:.2f}–{high:.2f} Å², {atoms} atoms"
