"""Whether intensities are spread as those of a centrosymmetric crystal: evidence for or against an inversion centre.

With many atoms at random |F|² relative to its mean, z, has the density exp(−z) where the phase is free, and
exp(−z/2) / √(2πz) where symmetry leaves two values (Wilson, Acta Cryst. 2, 318, 1949). A reflection is of the second
kind if some operator turns h into −h. So two groups of one Laue class are told apart by the reflections that are
restricted in one of them only. Of 21 published molecular crystals at .8 Å the mean of ln p(free) − ln p(restricted) was
.02 to .18 in the 7 without a centre, −.44 to −.07 in the 14 with one; at 2.0 Å the two overlap (BENCHMARKS.md).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.model.problems.phases.crystal_data import FloatArray, IntArray
from dsfu.model.problems.phases.groups import CandidateGroup, absent_by
from dsfu.model.problems.phases.merging import MergedData
from dsfu.simulate.phases.atoms import inverse_d_squared

_OF_A_SHELL: Final = 60
"""Reflections whose mean is taken; as many as leave the fall-off with 1/d² small within a shell at 2.0 Å."""

_TRUSTED: Final = 0.5
_SMALLEST: Final = 0.02
"""Of z, chosen: weaker reflections are noise, and their logarithm would outweigh all others."""


def spread_of_intensities(data: MergedData, group: CandidateGroup) -> float:
    """ln of how likely the intensities are in a group; only differences between groups of equal absences count.

    Halved: atoms that are no accident (flat molecules, heavy atoms) make reflections less independent than counted.
    """
    kept = ~absent_by(data.hkl, group.turns, group.shifts)
    hkl, intensity = data.hkl[kept], np.maximum(data.intensity[kept], 0.0)
    # How many operators leave h as it is: its mean intensity is so many times larger.
    epsilon = sum((hkl @ turn == hkl).all(axis=1).astype(float) for turn in group.turns)
    z = np.maximum(_relative(intensity / epsilon, inverse_d_squared(data.cell, hkl)), _SMALLEST)
    each = np.where(_restricted(hkl, group), -0.5 * z - 0.5 * np.log(2 * np.pi * z), -z)
    return float(_TRUSTED * (each - np.log(epsilon)).sum())


def _relative(value: FloatArray, s_squared: FloatArray) -> FloatArray:
    """To the mean of those of similar d."""
    result = np.ones(len(value))
    order = np.argsort(s_squared)
    for shell in np.array_split(order, max(1, len(order) // _OF_A_SHELL)):
        result[shell] = value[shell] / max(float(value[shell].mean()), 1e-12)
    return result


def _restricted(hkl: IntArray, group: CandidateGroup) -> npt.NDArray[np.bool_]:
    """Which reflections have only two phases: an operator turns h into −h."""
    restricted = np.zeros(len(hkl), dtype=bool)
    for turn in group.turns:
        restricted |= (hkl @ turn == -hkl).all(axis=1)
    return restricted
