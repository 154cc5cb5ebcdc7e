"""The c/a of HCP, fitted: the table has one or three of them, and metals have any from 1.57 to 1.63."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.problems.particles.fit_space import FitSpace
from dsfu.model.problems.particles.refining import Refined, refine_atoms
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.particles.clusters import C_OVER_A
from dsfu.simulate.particles.shapes import positions_of

_RANGE: Final = (1.55, 1.65)
"""All metals that are HCP but zinc and cadmium (1.86, 1.89), and some beyond. Chosen."""

_STEPS: Final = (0.012, 0.004)
"""Relative, of parabolas through three fits: the first finds the ratio, the second where it lies exactly."""

_FURTHEST: Final = 3.0
"""How many steps a parabola may lead."""

_TELLS: Final = 6.0
"""χ² by which another ratio has to fit better, what it leaves taken for noise: the price of a variable with some
hundreds of data. At 3 % of noise ratios that were fitted whatever they gained moved atoms by more than .002 b."""

_MOST_ATOMS: Final = 1500
"""All distances of more atoms take longer than they are worth: the table has three ratios of large ones."""


def axial_ratio(parameters: tuple[int | str, ...]) -> float:
    """The c/a with which a shape of HCP is built."""
    is_given = "s" in parameters and parameters[-1] != "s"
    return int(parameters[-1]) / 1000 if is_given else C_OVER_A


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedRatio:
    """Positions in b with the c/a that fits best, and the fit."""

    c_over_a: float
    positions: FloatArray
    refined: Refined


def fit_axial_ratio(
    built_as: str, parameters: tuple[int | str, ...], refined: Refined, space: FitSpace
) -> FittedRatio | None:
    """The third axis of a shape made longer or shorter as fits best.

    None if there are too many atoms, or if that fits hardly better.
    """
    positions, own = positions_of(built_as, parameters), axial_ratio(parameters)
    if len(positions) > _MOST_ATOMS:
        return None
    low, high = (float(np.log(each / own)) for each in _RANGE)
    fits = {0.0: refined}

    def stretched(place: float) -> FloatArray:
        return np.asarray(positions * np.array([1, 1, np.exp(place)]))

    def misfit(place: float) -> float:
        if place not in fits:
            start = fits[min(fits, key=lambda other: abs(other - place))]
            fits[place] = refine_atoms(stretched(place), space, start)
        return fits[place].rw ** 2

    middle = 0.0
    for step in _STEPS:
        below, here, above = (misfit(middle + side * step) for side in (-1, 0, 1))
        bend = below - 2 * here + above
        moved = (below - above) / (2 * bend) if bend > 0 else np.sign(below - above) * _FURTHEST
        middle = float(np.clip(middle + step * np.clip(moved, -_FURTHEST, _FURTHEST), low, high))
        misfit(middle)
    best = min((place for place in fits if low <= place <= high), key=lambda place: fits[place].rw)
    unit = max(fits[best].rw ** 2 - space.outside, 0.0) / len(space.data)
    if refined.rw**2 - fits[best].rw ** 2 <= _TELLS * unit:
        return None
    return FittedRatio(c_over_a=own * float(np.exp(best)), positions=stretched(best), refined=fits[best])
