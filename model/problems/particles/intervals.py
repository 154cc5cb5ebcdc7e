"""Within which limits b, B and the number of atoms are: from fits that are nearly as good as the best."""

from dataclasses import dataclass
from typing import Final

from dsfu.model.problems.particles.solving import ParticleSolution
from dsfu.model.problems.particles.verdict import lattice_of

_AS_LIKELY: Final = 0.5
"""Difference of scores (ln R_w, and what is unlikely beforehand) up to which a shape of the same lattice may be the
true one. Set on 42 files of an independent Debye program; see BENCHMARKS.md for what others came to."""

_DEVIATIONS: Final = 2.0
"""Of each fit's own uncertainty, which takes the misfit for noise."""

_LEAST: Final = 1e-4
"""Least uncertainty of b over b: distances of the table are in bins of .002 b, and c/a is found to some .002."""

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
    likely = [
        each
        for each in solution.candidates
        if lattice_of(each.family) == lattice_of(best.family) and each.score - best.score < _AS_LIKELY
    ]
    fits = [each.refined for each in likely]

    def around(values: list[float], errors: list[float]) -> Interval:
        ends = [
            (value - _DEVIATIONS * error, value + _DEVIATIONS * error)
            for value, error in zip(values, errors, strict=True)
        ]
        return max(min(low for low, _ in ends), 0.0), max(high for _, high in ends)

    return Intervals(
        bond=around([fit.bond for fit in fits], [max(fit.uncertainties[0], _LEAST * fit.bond) for fit in fits]),
        b_iso=around([fit.b_iso for fit in fits], [fit.uncertainties[1] for fit in fits]),
        atoms=(min(each.atoms for each in likely), max(each.atoms for each in likely)),
    )


def interval_words(intervals: Intervals) -> str:
    """In a line."""
    (b_low, b_high), (low, high), (fewest, most) = intervals.bond, intervals.b_iso, intervals.atoms
    atoms = f"{fewest}–{most}" if fewest < most else f"{most}"
    return f"b {b_low:.4f}–{b_high:.4f} Å, B {low:.2f}–{high:.2f} Å², {atoms} atoms"
