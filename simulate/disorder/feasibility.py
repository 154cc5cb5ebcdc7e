"""Which three nearest-neighbour targets (α_100, α_010, α_001) a box of a given composition can have together.

In an infinite crystal the three are independent: each may be anywhere in max(−m_A/m_B, −m_B/m_A) ≤ α ≤ 1. (With m_A no
more than ½, order that is perfect along any axes and alternating along the others exists at every composition: A in
whole planes, whole columns, or isolated; and domains of the eight extremes, of equal composition, side by side average
to every point between them.)

A finite box cannot have the walls of such domains arbitrarily far apart. Along axis i there are n w_i walls (steps
from the rarer species to the other) for the n sites of the rarer species, with w_i = m_B (1 − α_i) if that is A; so a
domain is 1/w_i sites long, a needle takes 1/w_1 sites, a plate 1/(w_1 w_2), a block 1/(w_1 w_2 w_3). (That is the
least: by the inequality of Loomis and Whitney, 1949, no shape has less surface in all three directions than a cuboid.)
Asked for is that domains are no longer than half the box, and that it holds at least two blocks, ten plates and thirty
needles: with fewer, the correlation across them is a matter of how those few happen to lie, and not one of statistics.
"""

from math import prod
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.checks import finite_array, number_between
from dsfu.simulate.disorder.fields import SHELL_CUTOFF
from dsfu.simulate.random_stream import UniformSource

SMALLEST_BOX: Final = 2 * SHELL_CUTOFF + 2
LARGEST_BOX: Final = 64
"""A row of the box is one 64-bit word."""

FEWEST_SITES: Final = 50
"""Fewest sites of the rarer species for which short-range order means anything."""

_FEWEST_PIECES: Final = {1: 30.0, 2: 10.0, 3: 2.0}
"""Fewest needles (domains in one dimension), plates (in two) and blocks (in three) in a box."""

_STEPS: Final = 1e6
"""Targets that have to be moved are rounded to so many steps in 1, so that they do not depend on a library's roots."""


class InfeasibleTargetsError(ValueError):
    """No box of the given size and composition has the targets that were asked for."""

    def __init__(self, message: str, nearest: tuple[float, float, float]) -> None:
        super().__init__(message)
        self.nearest = nearest


def target_bounds(fraction_a: float) -> tuple[float, float]:
    """Lowest and highest α of any vector at a composition: max(−m_A/m_B, −m_B/m_A) and 1."""
    fraction_a = number_between("fraction_a", fraction_a, 0.0, 1.0)
    rare = min(fraction_a, 1 - fraction_a)
    return -rare / (1 - rare), 1.0


def sites_of_a(fraction_a: float, box: int) -> int:
    """Number of A sites in a box: the nearest to the fraction. Refuses boxes and compositions that cannot be used."""
    if (
        isinstance(box, bool)
        or not isinstance(box, int | np.integer)
        or box % 2
        or not SMALLEST_BOX <= box <= LARGEST_BOX
    ):
        raise ValueError(f"box = {box!r}: expected an even number of sites from {SMALLEST_BOX} to {LARGEST_BOX}")
    fraction_a = number_between("fraction_a", fraction_a, 0.0, 1.0)
    sites_a = round(fraction_a * box**3)
    rare = min(sites_a, box**3 - sites_a)
    if rare < FEWEST_SITES:
        raise ValueError(
            f"fraction_a = {fraction_a} in a box of {box}³ sites leaves {rare} sites of the rarer species: expected "
            f"at least {FEWEST_SITES}, that is a fraction of {FEWEST_SITES / box**3:.2g} of either species"
        )
    return sites_a


def tolerance(box: int) -> float:
    """How closely targets are met: the noise of α in one random box, 1/√sites (0.002 at 64³)."""
    return float(1 / np.sqrt(box**3))


def feasible_targets(fraction_a: float, targets: npt.ArrayLike, box: int = LARGEST_BOX) -> FloatArray:
    """Return the targets as an array (3,), after checking that a box of ``box``³ sites can have all three together.

    Raises
    ------
    InfeasibleTargetsError
        A ValueError with the reason and the nearest targets that can be had (also as its attribute ``nearest``).
    """
    wanted = finite_array("targets", targets, (3,))
    sites_a = sites_of_a(fraction_a, box)
    low, high = target_bounds(sites_a / box**3)
    slack = 2 / box**3  # by so much the bounds move when the composition is rounded to whole sites
    inside = np.clip(wanted, low, high)
    nearest = _with_enough_walls(sites_a, inside, box)
    if np.abs(wanted - nearest).max() <= slack:
        return nearest
    if np.abs(wanted - inside).max() > slack:
        reason = f"at fraction_a = {sites_a / box**3:.6g} every α lies in [{low:.6g}, {high:g}]"
    else:
        reason = f"the domains of such order are too large for a box of {box}³ sites of which {sites_a} are A"
    first, second, third = (float(t) for t in nearest)
    raise InfeasibleTargetsError(
        f"targets = {tuple(wanted.tolist())}: {reason}; the nearest feasible targets are "
        f"({first:.6g}, {second:.6g}, {third:.6g})",
        (first, second, third),
    )


def sample_targets(
    rng: UniformSource,
    *,
    fraction_range: tuple[float, float] = (0.02, 0.54),
    target_range: tuple[float, float] = (-0.6, 0.6),
    box: int = LARGEST_BOX,
) -> tuple[float, tuple[float, float, float]]:
    """Draw a composition, uniform in ``fraction_range``, and three feasible targets for it.

    Each target is uniform in the part of ``target_range`` that is feasible at the composition; targets that the box
    cannot have together are moved to the nearest that it can.

    Parameters
    ----------
    rng
        A RandomStream, or a numpy Generator.
    """
    fraction_a = rng.uniform(*_range("fraction_range", fraction_range, 0.0, 1.0))
    lowest, highest = _range("target_range", target_range, -1.0, 1.0)
    sites_a = sites_of_a(fraction_a, box)
    low, high = (min(max(end, target_bounds(sites_a / box**3)[0]), 1.0) for end in (lowest, highest))
    drawn = np.array([rng.uniform(low, high) for _ in range(3)])
    first, second, third = (float(t) for t in _with_enough_walls(sites_a, drawn, box))
    return fraction_a, (first, second, third)


def _range(name: str, value: tuple[float, float], low: float, high: float) -> tuple[float, float]:
    first, last = (number_between(name, end, low, high) for end in value)
    if first > last:
        raise ValueError(f"{name} = {value}: expected the lower end first")
    return first, last


def _with_enough_walls(sites_a: int, targets: FloatArray, box: int) -> FloatArray:
    """The targets, with those that are positive lowered, by one common factor of 1 − α, until the domains fit."""
    rare = min(sites_a, box**3 - sites_a)
    # 1 − α is the share of unlike neighbours over that of a random crystal; two walls at least cut a periodic row.
    common = 1 - rare / box**3
    moved = np.where(targets > 0, np.minimum(targets, 1 - 2 / (box * common)), targets)
    while (factor := _walls_missing(rare, common * (1 - moved))) > 1 + 1e-9:
        lowered = np.floor((1 - factor * (1 - moved)) * _STEPS) / _STEPS
        moved = np.where(moved > 0, np.maximum(lowered, 0.0), moved)
    return moved


def _walls_missing(rare: int, walls_per_site: FloatArray) -> float:
    """By how much walls must become more frequent along each axis for there to be enough plates and blocks."""
    fewest_first = sorted(walls_per_site.tolist())
    return max(
        float((fewest / (rare * prod(fewest_first[:dimensions]))) ** (1 / dimensions))
        for dimensions, fewest in _FEWEST_PIECES.items()
    )
