"""Tables that the kernels of planes are made of: phases, Gaussians and lattice points, in double precision.

There is no `fastmath` in any of the kernels, not even fused multiply-adds: the same plane has the same bits on every
processor, and a store is the same whoever made it. Numba's cache does not see that a function which another file
calls has changed: whoever edits this file removes `__pycache__` beside it.
"""

from math import cos, exp, sin
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.fields import SHELL_CUTOFF
from dsfu.simulate.form_factors import GAUSSIANS

RealArray = npt.NDArray[np.floating[Any]]

ACROSS = 2 * SHELL_CUTOFF + 1


@njit(nogil=True, cache=True)
def fill_phases(frequency: float, start: float, step: float, out: np.ndarray) -> None:
    """exp(i · frequency · (start + n·step)) for all n, by doubling: two sines instead of one for every n."""
    out[0] = complex(cos(frequency * start), sin(frequency * start))
    # out[n + d] = out[n] · exp(i f d step): the ratio of what is there to what comes next is squared each time.
    ratio = complex(cos(frequency * step), sin(frequency * step))
    done = 1
    while done < out.shape[0]:
        for i in range(min(done, out.shape[0] - done)):
            out[done + i] = out[i] * ratio
        ratio *= ratio
        done *= 2


@njit(nogil=True, cache=True)
def write_parts(phases: npt.NDArray[np.complex128], cosines: RealArray, sines: RealArray) -> None:
    """Real and imaginary parts, in the precision of what they go into."""
    for i in range(phases.shape[0]):
        cosines[i] = phases[i].real
        sines[i] = phases[i].imag


@njit(nogil=True, cache=True)
def fill_gaussians(exponents: FloatArray, start: float, step: float, out: FloatArray) -> None:
    """exp(−B (start + n·step)²) for every element, Gaussian and n."""
    for e in range(exponents.shape[0]):
        for k in range(GAUSSIANS):
            for p in range(out.shape[2]):
                q = start + p * step
                out[e, k, p] = exp(-exponents[e, k] * q * q)


@njit(nogil=True, cache=True)
def lattice_points(vectors: FloatArray) -> FloatArray:
    """All sums u·a + v·b + … with −5 ≤ u, v ≤ 5 of zero to three vectors, the last index fastest: (11^vectors, 3)."""
    points = np.zeros((ACROSS ** vectors.shape[0], 3))
    for i in range(points.shape[0]):
        # The digits of i to the base of 11, the last vector's first.
        rest = i
        for k in range(vectors.shape[0] - 1, -1, -1):
            count = rest % ACROSS - SHELL_CUTOFF
            rest //= ACROSS
            for axis in range(3):
                points[i, axis] += count * vectors[k, axis]
    return points


@njit(nogil=True, cache=True)
def phase(vector: FloatArray, q: FloatArray) -> np.complex128:
    angle = dot(vector, q)
    return np.complex128(complex(cos(angle), sin(angle)))


@njit(nogil=True, cache=True)
def dot(first: FloatArray, second: FloatArray) -> np.float64:
    return np.float64(first[0] * second[0] + first[1] * second[1] + first[2] * second[2])
