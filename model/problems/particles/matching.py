"""Which shapes, at which bond lengths, are like the data: every shape of the table at every bond length that may be."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.problems.particles.fit_space import FitSpace
from dsfu.model.problems.particles.shape_table import ShapeTable
from dsfu.model.problems.particles.sine_sums import SineSums, SumsOnDemand
from dsfu.simulate.arrays import FloatArray, IntArray

BOND_RANGE: Final = (2.15, 3.45)
"""In Å: b of all metals of the published set, and more than 5 % beyond."""

_COARSE_STEP, _FINE_STEP = 1.007, 1.004
_WINDOW: Final = 1.02
_B_VALUES: Final = (0.4, 1.4)  # Å²: a cold large particle, and a small one at room temperature
_SECOND: Final = 1.15
"""A second bond length of a family is looked at if its misfit is within this factor of the best. Chosen."""

_FAR: Final = (3.0, 0.1)
"""A family has no second round if the first left more than this many times the share of the best, and this more. In 26
files of an independent program the second took .05 off at most. Chosen."""

_COARSE_ATOMS: Final = 250


@dataclass(frozen=True, eq=False)
class Matches:
    """Of each shape: the least misfit (share of the data's square), its b in Å and its B in Å²."""

    misfit: FloatArray
    bond: FloatArray
    b_iso: FloatArray


def match(table: ShapeTable, sums: SumsOnDemand, space: FitSpace, bonds: tuple[float, float] = BOND_RANGE) -> Matches:
    """Two rounds: some shapes of each family at all b, then all shapes of a family near its two best b.

    A family whose first round was far worse than that of another has no second one: what it lists is for comparison.
    """
    families = np.array(table.families)
    found = Matches(np.full(len(table), 9.0), np.full(len(table), bonds[0]), np.full(len(table), _B_VALUES[0]))
    grid = np.exp(np.arange(np.log(bonds[0]), np.log(bonds[1]) + 1e-9, np.log(_COARSE_STEP)))
    scouts = np.concatenate([_scouts(table, families == family) for family in dict.fromkeys(table.families)])
    of_scouts = sums.of(scouts)
    rounds = np.stack([_misfits(of_scouts, space, scouts, float(bond), _B_VALUES, found) for bond in grid])
    most = _FAR[0] * float(rounds.min()) + _FAR[1]
    for family in dict.fromkeys(table.families):
        curve = rounds[:, families[scouts] == family].min(axis=1)
        least, near = float(curve.min()), np.zeros(0)
        if least > most:
            continue
        for _ in range(2):
            if curve.min() > _SECOND * least:
                break
            best = grid[int(curve.argmin())]
            near = np.append(near, best * _FINE_STEP ** np.arange(-4, 5))
            curve = np.where(np.abs(np.log(grid / best)) < np.log(_WINDOW) * 2, 9.0, curve)
        own = scouts[families[scouts] == family]
        b_iso = float(found.b_iso[own[found.misfit[own].argmin()]])
        members = np.flatnonzero(families == family)
        of_members = sums.of(members)
        for bond in np.unique(np.clip(near, *bonds)):
            _misfits(of_members, space, members, float(bond), (b_iso,), found)
    return found


def _scouts(table: ShapeTable, members: np.ndarray) -> IntArray:
    """Some thirty shapes of a family, small and large."""
    own = np.flatnonzero(members)
    small = own[table.atoms[own] <= _COARSE_ATOMS]
    chosen = small if len(small) else own
    chosen = chosen[np.argsort(table.atoms[chosen], kind="stable")]
    large = own[table.atoms[own] > _COARSE_ATOMS]
    large = large[np.argsort(table.atoms[large], kind="stable")]
    return np.concatenate([chosen[:: max(1, len(chosen) // 30)], large[:: max(1, len(large) // 8)]])


def _misfits(
    sums: SineSums, space: FitSpace, shapes: IntArray, bond: float, b_values: tuple[float, ...], found: Matches
) -> FloatArray:
    """The misfit of some shapes, given with their sums, at one b, at the best of some B; ``found`` is kept up."""
    plain = sums.at(space.q * bond)
    least = np.full(len(shapes), 9.0)
    for b_iso in b_values:
        damping = np.exp(-b_iso / (8 * np.pi**2) * space.q**2).astype(np.float32)
        fits = (space.transform * damping[:, None]).T @ plain
        # The least misfit over all scales that are not negative: 1 − (f·d)² / f², as the data have the length 1.
        overlap = space.data @ fits
        power = np.maximum((fits**2).sum(axis=0), 1e-20)
        misfit = 1.0 - np.where(overlap > 0, overlap**2 / power, 0.0)
        better = shapes[misfit < found.misfit[shapes]]
        found.bond[better], found.b_iso[better] = bond, b_iso
        found.misfit[shapes] = np.minimum(found.misfit[shapes], misfit)
        least = np.minimum(least, misfit)
    return least
