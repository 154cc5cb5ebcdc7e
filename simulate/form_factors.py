"""Atomic form factors of neutral atoms: four Gaussians and a constant, from gemmi's copy of International Tables C.

f(s) = Σ a_k exp(−b_k s²) + c with s = sin θ / λ = |Q| / 4π (International Tables for Crystallography, volume C, 1992,
table 6.1.1.4). Here the exponents are kept for |Q| itself: exp(−B_k |Q|²), B_k = b_k / 16π².

Being Gaussian, f separates along the axes of a plane, which is what the kernels live on. The fit is for s up to 2 1/Å,
|Q| = 8π = 25 1/Å, more than molybdenum radiation reaches. Further out it is not to be trusted: the first element falls
below 0 before 40 1/Å.
"""

from functools import lru_cache

import gemmi
import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray

GAUSSIANS = 4

CANCELLATION = 0.2
"""Share of the largest form factor below which a difference of two molecules is summed in double precision: the terms
of a smaller one cancel, and single precision would leave too few digits."""

EIGHT_PI_SQUARED = 8 * np.pi**2
"""B = 8π² U."""


@lru_cache(maxsize=128)
def it92(number: int) -> tuple[FloatArray, FloatArray, float]:
    """Amplitudes (electrons), exponents for s² (Å²) and constant (electrons), as the tables have them."""
    table = gemmi.Element(number).it92
    amplitudes, exponents = np.array(table.a, dtype=np.float64), np.array(table.b, dtype=np.float64)
    amplitudes.setflags(write=False)
    exponents.setflags(write=False)
    return amplitudes, exponents, float(table.c)


@lru_cache(maxsize=128)
def coefficients(atomic_number: int) -> tuple[FloatArray, FloatArray, float]:
    """Amplitudes a_k (electrons), exponents B_k (Å²) and constant c (electrons) of an element's form factor."""
    if not 1 <= atomic_number <= 98:
        raise ValueError(
            f"atomic number {atomic_number}: it has no form factor; expected an element from H (1) to Cf (98)"
        )
    amplitudes, of_s, constant = it92(atomic_number)
    exponents = of_s / (16 * np.pi**2)
    exponents.setflags(write=False)
    return amplitudes, exponents, constant


def form_factor(atomic_number: int, q_inv_angstrom: npt.ArrayLike) -> FloatArray:
    """Form factor in electrons of an element at |Q| in 1/Å."""
    amplitudes, exponents, constant = coefficients(atomic_number)
    q_squared = np.square(np.asarray(q_inv_angstrom, dtype=np.float64))[..., np.newaxis]
    return np.asarray((amplitudes * np.exp(-exponents * q_squared)).sum(axis=-1) + constant)
