"""Interactions that hold a box at its targets: a first guess, and how stiffly to steer them."""

from math import frexp
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.metropolis_kernels import LARGEST_COUPLING, Steering

_STIFFNESS: Final = 8.0
"""Strength of the spring on a target relative to the box's own: fluctuations of the targets shrink by √(1 + this)."""

_LEEWAY: Final = 1.5
"""How far a coupling may go beyond 0 and the first guess, in kT: more would freeze a box far from its targets."""

_LN_2: Final = 0.6931471805599453


def pair_probabilities(fraction_a: float, alpha: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P^AA, P^BB and P^AB (A on the first site, B on the second) of a vector with the Warren–Cowley parameter α."""
    product = fraction_a * (1 - fraction_a)
    return fraction_a**2 + alpha * product, (1 - fraction_a) ** 2 + alpha * product, product * (1 - alpha)


def initial_steering(sites: int, sites_a: int, targets: FloatArray) -> Steering:
    """Couplings of independent chains with the targets' α, exp(J) = P^AA P^BB / (P^AB)², and springs to match.

    That is exact for one axis alone. With several, neighbours are also joined by detours, so that the true couplings
    are weaker; they are found by following the springs.
    """
    # A probability of 0 would want an infinite coupling: half a pair in the box is less than any.
    least = 0.5 / sites
    p_aa, p_bb, p_ab = (np.maximum(p, least) for p in pair_probabilities(sites_a / sites, targets))
    couplings = np.array([natural_logarithm(ratio) for ratio in p_aa * p_bb / p_ab**2])
    couplings = np.clip(couplings, -LARGEST_COUPLING, LARGEST_COUPLING)
    return Steering(
        target_bonds=sites * pair_probabilities(sites_a / sites, targets)[0],
        couplings=couplings.copy(),
        # The springs of the chains themselves, dJ/dP^AA: when P^AA grows, P^BB grows and P^AB falls by as much.
        stiffness=_STIFFNESS * (1 / p_aa + 1 / p_bb + 2 / p_ab) / sites,
        lowest=np.minimum(couplings, 0) - _LEEWAY,
        highest=np.maximum(couplings, 0) + _LEEWAY,
    )


def natural_logarithm(x: float) -> float:
    """ln x from sums, products and quotients in a fixed order: the same to the last bit on every machine."""
    mantissa, exponent = frexp(x)
    # ln m = 2 artanh ((m − 1) / (m + 1)), a series in an argument of 1/3 at most.
    ratio = (mantissa - 1) / (mantissa + 1)
    square, term, total = ratio * ratio, ratio, 0.0
    for odd in range(1, 60, 2):
        total += term / odd
        term *= square
    return exponent * _LN_2 + 2 * total
