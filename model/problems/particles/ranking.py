"""The order of candidates: how well they fit, and what is unlikely beforehand.

The score is ln(R_w beyond noise) plus penalties that never exceed some tenths: they decide between fits of nearly the
same R_w, which noise, ligands and a distribution of sizes make alike, and nothing where the data are clear.
"""

from collections.abc import Sequence
from math import log, pi, sqrt
from typing import Final

from dsfu.model.problems.particles.envelope import EnvelopeFit
from dsfu.model.problems.particles.fit_space import FitSpace
from dsfu.model.problems.particles.refining import Refined

VOLUMES: Final = {"SC": 1.0, "BCC": 0.5, "Icosahedron": 0.76085}
CLOSE_PACKED: Final = 0.70711
"""Of an atom in b³: 1/√2 in all other families. In icosahedra b is the distance along a radius, and neighbours on a
sphere are 5 % further apart (Mackay 1962): b is 2.4 % shorter than in a crystal of as many atoms."""

_UNLIKELY: Final = {"Faulted": 0.10, "HCP": 0.06, "SC": 0.10, "BCC": 0.06}
"""Of a family beforehand: it has many shapes (one of which fits by chance) or metals seldom have it. Chosen."""

_FREEDOM: Final = (0.10, 0.10)
"""More for Faulted where this R_w is left beyond noise, and less in proportion below it: with some thousand stackings
it explains best what models lack (ligands, loose surfaces), as HCP does with its c/a. Set on 112 files of an
independent program, where right families came .01 to .08 behind Faulted of the same R_w; see BENCHMARKS.md."""

_SIZE_WEIGHT, _MOST_SIZE = 0.5, 0.3
_SIZE_FREE: Final = 1.35
_FLOOR: Final = 0.003
"""R_w below this is as good as exact: rounding of tables and of files."""

_EXPLAINED: Final = 3.0
"""Standard deviations of χ² that a fit may leave beyond noise. Chosen."""

_TELLS: Final = 2.0
"""Difference of χ² at which the likelier shape comes first: a factor e of the likelihood. Chosen."""


def diameter_of(family: str, atoms: int, bond: float) -> float:
    """Of the sphere with the volume of that many atoms, in Å."""
    return float(bond * (6 / pi * atoms * VOLUMES.get(family, CLOSE_PACKED)) ** (1 / 3))


def lattice_of(family: str) -> str:
    """FCC and Octahedron are shapes of one lattice."""
    return "FCC" if family == "Octahedron" else family


def score(family: str, atoms: int, fit: Refined, envelope: EnvelopeFit, space: FitSpace, noise_floor: float) -> float:
    """Lower is better. R_w is that beyond noise, and never below what noise leaves uncertain of it."""
    left = left_beyond_noise(fit, space, noise_floor)
    value = 0.5 * log(left) + (_FREEDOM[0] * min(sqrt(left) / _FREEDOM[1], 1.0) if family == "Faulted" else 0.0)
    return value + _UNLIKELY.get(family, 0.0) + size_penalty(family, atoms, fit.bond, envelope) + disorder_penalty(fit)


def left_beyond_noise(fit: Refined, space: FitSpace, noise_floor: float) -> float:
    """Square of the R_w that noise does not explain, and of what noise leaves uncertain of it."""
    # χ² of n numbers has the standard deviation √(2n): relative to its mean √(2/n).
    uncertain = noise_floor**2 * sqrt(2 / len(space.data)) + (_FLOOR * 1e-2) ** 2
    return beyond_noise(fit, space, noise_floor) + uncertain


def beyond_noise(fit: Refined, space: FitSpace, noise_floor: float) -> float:
    """Square of the R_w that neither noise nor what no particle reaches explains."""
    return max(fit.rw**2 - space.outside - noise_floor**2, 0.0)


def likeliest(families: Sequence[str], rw: Sequence[float], space: FitSpace, noise_floor: float) -> int:
    """Which of some fits, in the order of their scores, is to be first: the first one, if more than noise is left.

    Where noise is all that is left, χ² tells shapes of one family apart by far less than ln(R_w) and penalties see.
    """
    floor = noise_floor**2
    least = min(rw) ** 2 - space.outside - floor
    # χ² of n points is n ± √(2n): within some of these nothing but noise is left.
    if floor < (_FLOOR * 1e-2) ** 2 or least > _EXPLAINED * floor * sqrt(2 / len(space.data)):
        return 0
    unit = floor / len(space.data)
    own = [i for i, family in enumerate(families) if family == families[0]]
    best = min(own, key=lambda i: rw[i])
    return best if rw[0] ** 2 - rw[best] ** 2 > _TELLS * unit else 0


def size_penalty(family: str, atoms: int, bond: float, envelope: EnvelopeFit) -> float:
    """For particles larger than the range over which the data are ordered: a large twinned one hides in its twins."""
    excess = log(diameter_of(family, atoms, bond) / (envelope.diameter * _SIZE_FREE))
    return min(_SIZE_WEIGHT * max(excess, 0.0), _MOST_SIZE)


def disorder_penalty(fit: Refined) -> float:
    """For B and strain that metals do not have: beyond 2 Å² and 1.5 %."""
    return min(0.1 * max(fit.b_iso - 2.0, 0.0) + 10 * max(fit.strain - 0.015, 0.0), 0.3)
