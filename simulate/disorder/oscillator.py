"""Warren–Cowley sets with the symmetry of a layer: a damped oscillation over the shells of the plane normal to b.

α_x = A exp(−d x) cos(ω x) for the vectors of shell x = 1, 2, …, and 0 for every vector out of that plane, at
m_A = ½. A shell is a set of symmetry-equivalent vectors u a + w c, and shells are counted in order of length:

- hexagonal (a = c, β = 120°): the six equivalents under the sixfold axis: (1, 0), (2, 1), (2, 0), (3, 1), … Sets of
  equal length that only a mirror would join, such as (3, 1) and (3, 2), are shells of their own.
- tetragonal and cubic: the four or eight equivalents under 4mm: (1, 0), (1, 1), (2, 0), (2, 1), …

Of two shells of one length that with the smaller w comes first. Only shells that lie within |u|, |w| ≤ 5 as a whole
count: 15 hexagonal ones, 20 tetragonal ones.
"""

from collections.abc import Callable
from functools import cache
from math import cos, exp
from typing import Final, Literal, get_args

import numpy as np

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.checks import finite_array, number_between
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SHELL_CUTOFF
from dsfu.simulate.disorder.sro_set import SroSet
from dsfu.simulate.disorder.zone import MOST_ATTEMPTS, share_below_zero
from dsfu.simulate.random_stream import RandomStream

Lattice = Literal["hexagonal", "tetragonal", "cubic"]
Range = tuple[float, float]
Vector = tuple[int, int]

FRACTION_A: Final = 0.5

STORED_AMPLITUDES: Final = (0.6, 1.5)
STORED_DECAYS: Final = (0.2, 1.2)
STORED_FREQUENCIES: Final = (1.0, 2.0)
"""Ranges of A, d and ω of the published stored sets, by the program that made them."""

PAPER_DECAYS: Final = (0.1, 1.2)
PAPER_FREQUENCIES: Final = (0.0, 1.0)
"""Ranges of d and ω according to the paper."""


@cache
def shells(lattice: Lattice) -> tuple[tuple[Vector, ...], ...]:
    """The shells in order of length, each the (u, w) of its vectors."""
    if lattice not in get_args(Lattice):
        raise ValueError(f"lattice = {lattice!r}: expected one of {', '.join(get_args(Lattice))}")
    orbit, product = (_sixfold, -1) if lattice == "hexagonal" else (_square, 0)
    return _closed_shells(orbit, product)


def oscillator_alpha(lattice: Lattice, amplitude: float, decay: float, frequency: float) -> FloatArray:
    """The set (11, 11, 11) of A, d and ω; its values are not checked against what a crystal can have."""
    number_between("amplitude", amplitude, -1e3, 1e3)
    number_between("decay", decay, 0.0, 1e3)
    number_between("frequency", frequency, -1e3, 1e3)
    alpha = np.zeros(ALPHA_SHAPE)
    alpha[SHELL_CUTOFF, SHELL_CUTOFF, SHELL_CUTOFF] = 1.0
    for x, shell in enumerate(shells(lattice), start=1):
        for u, w in shell:
            alpha[u + SHELL_CUTOFF, SHELL_CUTOFF, w + SHELL_CUTOFF] = amplitude * exp(-decay * x) * cos(frequency * x)
    return alpha


def clipped_share(alpha: FloatArray) -> float:
    """Share of the zone over which I_SRO of a set without order along b is negative, on a grid of 48 × 48 points."""
    layer = finite_array("alpha", alpha, ALPHA_SHAPE).sum(axis=1)
    return share_below_zero(layer)


def draw_oscillator_set(
    seed: int,
    lattice: Lattice,
    *,
    amplitude: Range = STORED_AMPLITUDES,
    decay: Range = STORED_DECAYS,
    frequency: Range = STORED_FREQUENCIES,
    most_clipped: float = 0.3,
) -> SroSet:
    """Draw A, d and ω uniformly from their ranges until a crystal can have the set.

    Draws are rejected that have some |α| > 1, which no crystal with m_A = ½ has, and those whose I_SRO is negative over
    more than a share ``most_clipped`` of the zone. The same arguments give the same set; its ``parameters`` are
    amplitude, decay, frequency, clipped_share, and attempts (draws until this one, itself included).
    """
    most_clipped = number_between("most_clipped", most_clipped, 0.0, 1.0)
    ranges = {"amplitude": amplitude, "decay": decay, "frequency": frequency}
    for name, (low, high) in ranges.items():
        if not low <= high:
            raise ValueError(f"{name} = {(low, high)}: expected a range, the lower end first")
    stream = RandomStream(seed, "damped oscillator", lattice)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        drawn = {name: stream.uniform(low, high) for name, (low, high) in ranges.items()}
        alpha = oscillator_alpha(lattice, **drawn)
        if np.abs(alpha).max() > 1.0:
            continue
        share = clipped_share(alpha)
        if share <= most_clipped:
            parameters = {**drawn, "clipped_share": share, "attempts": float(attempt)}
            return SroSet("oscillator", FRACTION_A, alpha, np.zeros(ALPHA_SHAPE), parameters, seed)
    raise ValueError(
        f"none of {MOST_ATTEMPTS} draws from {ranges} had |α| ≤ 1 and I_SRO negative over at most {most_clipped} of "
        "the zone: expected ranges, or a share, that leave something"
    )


def _sixfold(vector: Vector) -> set[Vector]:
    """Equivalents under rotation by 60°, with β = 120°: a → a + c, c → −a."""
    orbit = {vector}
    u, w = vector
    for _ in range(5):
        u, w = u - w, u
        orbit.add((u, w))
    return orbit


def _square(vector: Vector) -> set[Vector]:
    """Equivalents under 4mm."""
    u, w = vector
    return {(i * a, j * b) for a, b in ((u, w), (w, u)) for i in (-1, 1) for j in (-1, 1)}


def _closed_shells(orbit: Callable[[Vector], set[Vector]], product: int) -> tuple[tuple[Vector, ...], ...]:
    """Orbits that lie within the cutoff, by length² = u² + product · u w + w², then by the w of their first vector."""
    found: dict[Vector, tuple[Vector, ...]] = {}
    inside = range(-SHELL_CUTOFF, SHELL_CUTOFF + 1)
    for u in inside:
        for w in inside:
            vectors = orbit((u, w))
            if (u, w) != (0, 0) and all(max(abs(i), abs(j)) <= SHELL_CUTOFF for i, j in vectors):
                first = max((v for v in vectors if v[1] >= 0), key=lambda v: (v[0], -v[1]))
                found[first] = tuple(sorted(vectors))
    order = sorted(found, key=lambda v: (v[0] ** 2 + product * v[0] * v[1] + v[1] ** 2, v[1]))
    return tuple(found[first] for first in order)
