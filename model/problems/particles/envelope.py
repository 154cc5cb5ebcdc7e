"""How large the particle is, without a shape: a lattice whose peaks a sphere of some diameter damps."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.problems.particles.fit_space import FitSpace, noise_floor
from dsfu.model.problems.particles.lattices import LATTICES
from dsfu.model.problems.particles.matching import Matches
from dsfu.model.problems.particles.shape_table import ShapeTable
from dsfu.simulate.arrays import FloatArray

_DIAMETERS: Final = np.exp(np.arange(np.log(6.0), np.log(150.0), 0.06))
_REACH: Final = 14.0

_AS_GOOD: Final = (0.1025, 4.0)
"""What a crystal without end may leave more than the best sphere, for no damping by size to be seen: a share of the
squares beyond noise (5 % of R_w), and χ² of noise, of which one variable is worth 1. Chosen."""


@dataclass(frozen=True, eq=False)
class EnvelopeFit:
    """The best sphere: its lattice, diameter in Å, b in Å, and R_w; ``endless``: no damping by size is seen."""

    family: str
    diameter: float
    bond: float
    rw: float
    endless: bool


def envelope_fits(space: FitSpace, table: ShapeTable, found: Matches) -> EnvelopeFit:
    """The best of four lattices, each at the bond lengths of the best shapes of its family."""
    families = np.array(table.families)
    best = EnvelopeFit("FCC", 30.0, 2.8, 9.0, False)
    for family in LATTICES:
        members = np.flatnonzero(families == family)
        if not len(members):
            continue
        centre = found.bond[members[found.misfit[members].argmin()]]
        distances, counts = lattice_distances(family, LATTICES[family].basis)
        for bond in centre * 1.003 ** np.arange(-4, 5):
            own = _best_diameter(space, distances, counts, float(bond), family)
            best = own if own.rw < best.rw else best
    return best


def lattice_distances(family: str, basis: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distances from a point of a lattice to sites of its cells up to 14 b, and how many sites each has."""
    vectors = LATTICES[family].vectors
    n = int(_REACH / np.sqrt(2 / 3)) + 2
    steps = np.stack(np.meshgrid(*[np.arange(-n, n + 1)] * 3, indexing="ij"), -1).reshape(-1, 3) @ vectors
    lengths = np.concatenate([np.linalg.norm(steps + site, axis=1) for site in basis])
    lengths = lengths[(lengths > 0.1) & (lengths < _REACH)]
    bins = np.bincount(np.round(lengths / 0.003).astype(int))
    used = np.flatnonzero(bins)
    return np.asarray(used * 0.003, np.float64), bins[used].astype(np.float64)


def common_volume(distances: FloatArray, diameter: FloatArray | float) -> FloatArray:
    """Share of a sphere that it has in common with itself moved by some distances: so many pairs are left."""
    ratio = np.minimum(distances / diameter, 1.0)
    return np.asarray(1 - 1.5 * ratio + 0.5 * ratio**3)


def _best_diameter(space: FitSpace, distances: FloatArray, counts: FloatArray, bond: float, family: str) -> EnvelopeFit:
    d = distances * bond
    weights = counts / d * common_volume(d, _DIAMETERS[:, None])
    sums = weights @ np.sin(np.outer(d, space.q))
    whole = float(space.data @ space.data)
    curve = np.full(len(_DIAMETERS), 9.0)
    for b_iso in (0.4, 0.9, 1.6):
        fits = (sums * np.exp(-b_iso / (8 * np.pi**2) * space.q**2)) @ space.transform
        # At its best scale a fit leaves d² − (f·d)²/f² of the data, of which ``outside`` is in no model.
        overlap = np.maximum(fits @ space.data, 0)
        curve = np.minimum(curve, whole - overlap**2 / np.maximum((fits**2).sum(axis=1), 1e-20))
    i = int(curve.argmin())
    best, diameter = float(np.sqrt(max(curve[i], 0) + space.outside)), float(_DIAMETERS[i])
    noise = noise_floor(space) ** 2
    more = _AS_GOOD[0] * max(curve[i] - noise, 0.0) + _AS_GOOD[1] * noise / len(space.data)
    endless = bool(curve[-1] - curve[i] <= more)
    return EnvelopeFit(family, diameter, bond, best, endless)
