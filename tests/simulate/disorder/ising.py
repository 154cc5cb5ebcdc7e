"""Exact correlations of the square Ising model without field, above its critical temperature (spins ±1, K = J/kT)."""

from math import cosh, pi, sinh, sqrt, tanh

from scipy.optimize import brentq
from scipy.special import ellipe, ellipk


def nearest_neighbour_correlation(coupling):
    """Onsager (1944): coth(2K)/2 · [1 + 2/π (2 tanh²2K − 1) K(κ)] with κ = 2 sinh 2K / cosh² 2K."""
    kappa = 2 * sinh(2 * coupling) / cosh(2 * coupling) ** 2
    return (1 + 2 / pi * (2 * tanh(2 * coupling) ** 2 - 1) * ellipk(kappa**2)) / (2 * tanh(2 * coupling))


def diagonal_correlation(coupling):
    """Of next neighbours across a square: 2/(πk) · [E(k) − (1 − k²) K(k)] with k = sinh² 2K < 1."""
    k = sinh(2 * coupling) ** 2
    return 2 / (pi * k) * (ellipe(k**2) - (1 - k**2) * ellipk(k**2))


def coupling_of(correlation):
    """The coupling with that nearest-neighbour correlation, which must be below 1/√2, its critical value."""
    assert 0 < correlation < 1 / sqrt(2)
    return brentq(lambda coupling: nearest_neighbour_correlation(coupling) - correlation, 1e-6, 0.4406)
