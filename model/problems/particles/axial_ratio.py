"""The c/a of HCP, fitted: the table has one or three of them, and metals have any from 1.57 to 1.63."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.problems.particles.fit_space import FitSpace
from dsfu.model.problems.particles.refining import Refined, refine_distances
from dsfu.model.problems.particles.shape_table import REACH
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.particles.clusters import C_OVER_A
from dsfu.simulate.particles.distances import distances_between
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

_MOST_ATOMS: Final = 4000
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


@dataclass(frozen=True, eq=False, kw_only=True)
class _Pairs:
    """How many pairs are so far apart: square in the plane of layers, square along c; both in b², as they are built."""

    in_plane: FloatArray
    along: FloatArray
    counts: FloatArray
    atoms: int

    def refined(self, place: float, space: FitSpace, before: Refined) -> Refined:
        """The fit with the third axis longer by a logarithm."""
        distances = np.sqrt(self.in_plane + self.along * np.exp(2 * place))
        near = distances < REACH
        return refine_distances(distances[near], self.counts[near], self.atoms, space, before)


def fit_axial_ratio(
    built_as: str,
    parameters: tuple[int | str, ...],
    refined: Refined,
    space: FitSpace,
    expected: float | None = None,
) -> FittedRatio | None:
    """The third axis of a shape made longer or shorter as fits best.

    None if there are too many atoms, or if that fits hardly better. ``expected``: the c/a of another shape of the
    sample, beside which it is sought.
    """
    positions, own = positions_of(built_as, parameters), axial_ratio(parameters)
    if len(positions) > _MOST_ATOMS:
        return None
    low, high = (float(np.log(each / own)) for each in _RANGE)
    pairs, fits = _pairs_of(positions, own), {0.0: refined}

    def misfit(place: float) -> float:
        if place not in fits:
            fits[place] = pairs.refined(place, space, fits[min(fits, key=lambda other: abs(other - place))])
        return fits[place].rw ** 2

    middle = 0.0 if expected is None else float(np.log(expected / own))
    for step in _STEPS if expected is None else _STEPS[1:]:
        below, here, above = (misfit(middle + side * step) for side in (-1, 0, 1))
        # The lowest point of the parabola through three misfits; downhill by the most that is allowed if it opens down.
        bend = below - 2 * here + above
        moved = (below - above) / (2 * bend) if bend > 0 else np.sign(below - above) * _FURTHEST
        middle = float(np.clip(middle + step * np.clip(moved, -_FURTHEST, _FURTHEST), low, high))
        misfit(middle)
    best = min((place for place in fits if low <= place <= high), key=lambda place: fits[place].rw)
    # What one degree of freedom of noise is worth in R_w²: less than a few of these tells nothing.
    unit = max(fits[best].rw ** 2 - space.outside, 0.0) / len(space.data)
    if refined.rw**2 - fits[best].rw ** 2 <= _TELLS * unit:
        return None
    stretched = np.asarray(positions * np.array([1, 1, np.exp(best)]))
    return FittedRatio(c_over_a=own * float(np.exp(best)), positions=stretched, refined=fits[best])


def _pairs_of(positions: FloatArray, c_over_a: float) -> _Pairs:
    """The pairs of atoms on the sites of HCP, whose squares of distances in the plane are whole numbers of b²/3."""
    layer = np.round(2 * (positions[:, 2] - positions[:, 2].min()) / c_over_a).astype(np.int64)
    layers = [positions[layer == k, :2] for k in range(int(layer.max()) + 1)]
    longest = int(3 * (np.ptp(positions[:, :2], axis=0) ** 2).sum()) + 2
    counts = np.zeros((len(layers), longest))
    for k, one in enumerate(layers):
        for further in range(len(layers) - k):
            thirds = np.rint(3 * distances_between(one, layers[k + further]) ** 2).astype(np.int64)
            counts[further] += np.bincount(thirds.ravel(), minlength=longest) * (0.5 if further == 0 else 1.0)
    counts[0, 0] = 0.0  # each atom with itself
    apart, thirds = np.nonzero(counts)
    return _Pairs(
        in_plane=thirds / 3,
        along=(apart * c_over_a / 2) ** 2,
        counts=counts[apart, thirds],
        atoms=len(positions),
    )
