"""Warren–Cowley sets for fresh samples: from the store, with permuted axes, drawn afresh, or without any order."""

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

import numpy as np

from dsfu.model.problems.disorder.data.store_parameters import Rules, StoreParameters
from dsfu.model.problems.disorder.training.data_config import SynthesisConfig
from dsfu.model.training.draws import Draws
from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SHELL_CUTOFF
from dsfu.simulate.disorder.zone import MOST_ATTEMPTS, share_below_zero
from dsfu.simulate.shapes import GROUPS

_OSCILLATOR_FRACTION: Final = 0.5

Vector = tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnSet:
    """A set of Warren–Cowley parameters (11, 11, 11) and its mole fraction.

    ``layered`` says that there is no order along b: planes are then taken normal to b.
    """

    alpha: Float32Array
    fraction_a: float
    layered: bool


class SroDraws:
    """Draws sets for crystals of a group."""

    def __init__(self, parameters: StoreParameters, config: SynthesisConfig) -> None:
        self._sets, self._rules, self._config = parameters.sets, parameters.rules, config
        self._monte_carlo = np.flatnonzero(~self._sets.is_oscillator)
        self._stored_oscillators = _oscillators_by_lattice(parameters)

    def draw(self, draws: Draws, group: int) -> DrawnSet:
        config = self._config
        if draws.chance(config.no_order):
            return DrawnSet(alpha=no_order(), fraction_a=self._any_fraction(draws), layered=False)
        if draws.chance(config.oscillators) or not len(self._monte_carlo):
            return self._oscillator(draws, is_hexagonal(group))
        number = self._monte_carlo[draws.whole(len(self._monte_carlo))]
        alpha = self._sets.alpha[number]
        if draws.chance(config.permuted):
            alpha = permuted(alpha, draws)
        return DrawnSet(alpha=alpha, fraction_a=float(self._sets.fraction_a[number]), layered=False)

    def _any_fraction(self, draws: Draws) -> float:
        numbers = self._monte_carlo
        return (
            float(self._sets.fraction_a[numbers[draws.whole(len(numbers))]]) if len(numbers) else _OSCILLATOR_FRACTION
        )

    def _oscillator(self, draws: Draws, hexagonal: bool) -> DrawnSet:
        stored = self._stored_oscillators[hexagonal]
        if draws.chance(self._config.fresh_oscillators) or not len(stored):
            alpha = fresh_oscillator(draws, hexagonal, self._rules)
            return DrawnSet(alpha=alpha, fraction_a=_OSCILLATOR_FRACTION, layered=True)
        number = stored[draws.whole(len(stored))]
        return DrawnSet(alpha=self._sets.alpha[number], fraction_a=float(self._sets.fraction_a[number]), layered=True)


def no_order() -> Float32Array:
    """1 at the origin, 0 elsewhere: I_SRO is 1 everywhere."""
    alpha = np.zeros(ALPHA_SHAPE, np.float32)
    alpha[SHELL_CUTOFF, SHELL_CUTOFF, SHELL_CUTOFF] = 1
    return alpha


def permuted(alpha: Float32Array, draws: Draws) -> Float32Array:
    """The set with its three axes in random order, each reversed or not: as good a set on any lattice."""
    alpha = alpha.transpose(draws.order(3))
    reversed_axes = tuple(axis for axis in range(3) if draws.chance(0.5))
    return np.ascontiguousarray(np.flip(alpha, reversed_axes))


def fresh_oscillator(draws: Draws, hexagonal: bool, rules: Rules) -> Float32Array:
    """α_x = A exp(−d x) cos(ω x) over the shells x of the layer normal to b, drawn until a crystal can have it."""
    for _ in range(MOST_ATTEMPTS):
        amplitude, decay = draws.between(rules.amplitude), draws.between(rules.decay)
        alpha = oscillator_alpha(hexagonal, amplitude, decay, draws.between(rules.frequency))
        if np.abs(alpha).max() <= 1 and share_below_zero(alpha[:, SHELL_CUTOFF, :]) <= rules.most_clipped:
            return alpha.astype(np.float32)
    raise ValueError(f"rules = {rules}: none of {MOST_ATTEMPTS} draws gave a set that a crystal can have")


def oscillator_alpha(hexagonal: bool, amplitude: float, decay: float, frequency: float) -> FloatArray:
    """The set of A, d and ω, whether a crystal can have it or not."""
    shell = _shell_numbers(hexagonal)
    values = np.where(shell > 0, amplitude * np.exp(-decay * shell) * np.cos(frequency * shell), 0.0)
    alpha = np.zeros(ALPHA_SHAPE)
    alpha[:, SHELL_CUTOFF, :] = values
    alpha[SHELL_CUTOFF, SHELL_CUTOFF, SHELL_CUTOFF] = 1.0
    return alpha


def is_hexagonal(group: int) -> bool:
    return GROUPS[group].lattice == "hexagonal"


def _oscillators_by_lattice(parameters: StoreParameters) -> dict[bool, IntArray]:
    """Places of the store's symmetry-restricted sets, by whether samples of a hexagonal crystal have them."""
    columns = parameters.split.coordinates
    hexagonal_groups = [group.number for group in GROUPS if group.lattice == "hexagonal"]
    groups = np.array([species.group for species in parameters.species])[columns["species_a"]]
    places = parameters.sets.place(columns["sro_set"])
    of_oscillators = parameters.sets.is_oscillator[places]
    in_hexagonal = np.isin(groups, hexagonal_groups)
    return {kind: np.unique(places[of_oscillators & (in_hexagonal == kind)]) for kind in (False, True)}


@cache
def _shell_numbers(hexagonal: bool) -> IntArray:
    """(11, 11) over u and w: the shell of each vector u a + w c, counted from 1; 0 where it has none.

    A shell is what sixfold or fourfold symmetry with mirrors (the latter only on a square lattice) makes of a vector;
    shells count in order of length, and only if they lie within the cutoff as a whole.
    """
    inside = range(-SHELL_CUTOFF, SHELL_CUTOFF + 1)
    numbers = np.zeros((2 * SHELL_CUTOFF + 1,) * 2, np.int64)
    orbits: dict[Vector, frozenset[Vector]] = {}
    for vector in product(inside, inside):
        orbit = _orbit(vector, hexagonal)
        if vector != (0, 0) and all(max(abs(u), abs(w)) <= SHELL_CUTOFF for u, w in orbit):
            first = max((each for each in orbit if each[1] >= 0), key=lambda each: (each[0], -each[1]))
            orbits[first] = orbit
    mixed = -1 if hexagonal else 0
    in_order = sorted(orbits, key=lambda v: (v[0] ** 2 + mixed * v[0] * v[1] + v[1] ** 2, v[1]))
    for number, first in enumerate(in_order, start=1):
        for u, w in orbits[first]:
            numbers[u + SHELL_CUTOFF, w + SHELL_CUTOFF] = number
    return numbers


def _orbit(vector: Vector, hexagonal: bool) -> frozenset[Vector]:
    found, (u, w) = set(), vector
    if hexagonal:
        for _ in range(6):
            found.add((u, w))
            u, w = u - w, u
        return frozenset(found)
    return frozenset((i * a, j * b) for a, b in ((u, w), (w, u)) for i in (-1, 1) for j in (-1, 1))
