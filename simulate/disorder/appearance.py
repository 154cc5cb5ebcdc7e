"""Short vectors whose distance says how much two planes differ as pictures, pixel by pixel.

The sliced Wasserstein distance asks how far intensity would have to be moved. It is small where intensity differs only
within a Brillouin zone, as between spots and rings, and large where a plane is brighter by a few per cent at one side
than at the other. Here planes are compared as a network sees them instead: by the correlation r of their √I. The
distance is √(1 − r), whatever the planes' scales and backgrounds, and the smaller one of those to a plane and to its
twin, turned by 180° (see `dsfu.simulate.disorder.embedding`, whose layout of the vectors is used).

For √I less its mean and at unit length, 2 (1 − r) is a squared Euclidean distance, which survives a random projection
(Charikar, Chen and Farach-Colton, Theor. Comput. Sci. 312, 3, 2004): pixels are dealt out to a few hundred sums with
random signs. The distance of two vectors is that of the planes within some 5 %.
"""

from functools import lru_cache
from math import sqrt
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from dsfu.simulate.arrays import Float32Array, FloatArray
from dsfu.simulate.disorder.embedding import EMBEDDING_DTYPE, EMBEDDING_SIZE, EmbeddingArray, checked_planes
from dsfu.simulate.random_stream import random_word, stream_key

_STEP: Final = 2.0**-14
"""A vector has unit length, give or take the error of the projection, so that its numbers are well below 2."""

APPEARANCE_UNIT: Final = _STEP / sqrt(2)
"""√(1 − r) for a Euclidean distance of 1 between stored vectors."""

_SIGNS: Final = np.uint64(stream_key(0, "signs of pixels"))


def embed_appearance(intensities: npt.ArrayLike) -> EmbeddingArray:
    """Vectors (planes, EMBEDDING_SIZE) whose distance is √(1 − r) of √I, for planes (planes, pixels, pixels).

    Planes of different numbers of pixels cannot be compared. One without contrast gives zeros.
    """
    planes = checked_planes("intensities", intensities)
    out = np.empty((len(planes), EMBEDDING_SIZE))
    across = planes.shape[1] - 1 + planes.shape[1] % 2
    _fill_sums(planes, _signs(across * across // 2), out)
    return np.rint(out / _STEP).astype(EMBEDDING_DTYPE)


@lru_cache(maxsize=4)
def _signs(pairs: int) -> npt.NDArray[np.int8]:
    """The signs (2, pairs) with which the sum and the difference of each pair of pixels are dealt out."""
    signs: npt.NDArray[np.int8] = _draw_signs(pairs)
    return signs


@njit(nogil=True, cache=True)
def _draw_signs(pairs: int) -> npt.NDArray[np.int8]:
    signs = np.empty((2, pairs), np.int8)
    for i in range(pairs):
        bits = random_word(_SIGNS, np.uint64(i))
        signs[0, i] = 1 if bits & np.uint64(1) else -1
        signs[1, i] = 1 if bits & np.uint64(2) else -1
    return signs


@njit(nogil=True, cache=True)
def _fill_sums(planes: Float32Array, signs: npt.NDArray[np.int8], out: FloatArray) -> None:
    """Deal out the sum of each pixel and its partner across the centre to one half, and their difference to the other.

    The place that a pair goes to follows from its number, so that every place gets pixels from everywhere.
    """
    pixels = planes.shape[1]
    first = 1 - pixels % 2
    across = pixels - first
    count = across * across
    half = out.shape[1] // 2
    roots = np.empty(count, np.float32)
    for n in range(planes.shape[0]):
        total, squares = 0.0, 0.0
        for y in range(across):
            row = planes[n, first + y, first:]
            line = roots[y * across : (y + 1) * across]
            line[:] = np.sqrt(row)
            for x in range(across):
                total += line[x]
                squares += row[x]
        mean = total / count
        length_squared = squares - count * mean * mean
        out[n] = 0
        if length_squared <= 1e-10 * squares:
            continue
        backwards = roots[::-1]
        sums, differences = out[n, :half], out[n, half:]
        for start in range(0, count // 2, half):
            for k in range(min(half, count // 2 - start)):
                here, there = roots[start + k] - mean, backwards[start + k] - mean
                sums[k] += signs[0, start + k] * (here + there)
                differences[k] += signs[1, start + k] * (here - there)
        sums[count // 2 % half] += sqrt(2.0) * (roots[count // 2] - mean)  # the centre has no partner
        out[n] /= np.sqrt(2 * length_squared)
