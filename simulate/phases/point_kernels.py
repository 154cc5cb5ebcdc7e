"""Waves and maps of point atoms in one pass: what NumPy does in a dozen calls, each as long as the work itself."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from dsfu.simulate.phases.atoms import CellContents

LARGEST: Final = 64
"""Voxels along an axis up to which a map is summed atom by atom; on larger grids a fast transform is faster."""


def points_on_grid(
    contents: CellContents, n: int, *, sigma: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """|F| of points of Z electrons over the half l ≥ 0, (n, n, n//2+1), and their map with Gaussians, (n, n, n).

    The same as `structure_factors` and `density_of` on the centred grid. A Gaussian of ``sigma`` voxels that is cut at
    the grid's largest indices is a product of three functions of one coordinate, which needs no Fourier transform.
    """
    depth = n // 2 + 1
    positions = np.ascontiguousarray(contents.positions)
    weights = contents.numbers.astype(np.float64)
    waves = np.empty((2, 3, depth, len(weights)))
    _waves(positions, n, waves)
    size, density = np.empty((n, n, depth)), np.zeros((n, n, n), dtype=np.float32)
    _moduli(waves, weights, size)
    _map(waves, weights, _smoothing(n, float(sigma)), density)
    return size, density


@lru_cache(maxsize=8)
def _smoothing(n: int, sigma: float) -> npt.NDArray[np.float64]:
    """(2 (n//2+1), n): a function at n points of the real and imaginary parts of its waves, smoothed."""
    last = np.arange(n // 2 + 1)
    # A Gaussian of σ voxels has the transform exp(−2π²σ²h²/n²). h and −h are one real wave, which counts twice.
    twice = np.where((last == 0) | (2 * last == n), 1.0, 2.0) * np.exp(-2 * (np.pi * sigma / n * last) ** 2) / n
    angle = 2 * np.pi / n * np.arange(n) * last[:, None]
    return np.concatenate([twice[:, None] * np.cos(angle), twice[:, None] * np.sin(angle)])


@njit(nogil=True, cache=True)
def _waves(positions, n, out):  # type: ignore[no-untyped-def]
    """exp(2πi h x), real and imaginary, (2, axes, h from 0 to n//2, atoms); at n/2 the mean of n/2 and −n/2."""
    for axis in range(3):
        for atom in range(positions.shape[0]):
            turn = 2 * np.pi * positions[atom, axis]
            cosine, sine = np.cos(turn), np.sin(turn)
            real, imaginary = 1.0, 0.0
            for h in range(out.shape[2]):
                out[0, axis, h, atom] = real
                out[1, axis, h, atom] = imaginary
                # The next power of exp(2πi x): a product instead of two sines.
                real, imaginary = real * cosine - imaginary * sine, real * sine + imaginary * cosine
            if n % 2 == 0:
                out[1, axis, n // 2, atom] = 0.0


@njit(nogil=True, cache=True)
def _moduli(waves, weights, out):  # type: ignore[no-untyped-def]
    """|Σ w exp(2πi h·x)|, (n, n, n//2+1): h and −h share their products, and the last two axes one table."""
    n, depth = out.shape[0], out.shape[2]
    real, imaginary = np.zeros((n, n * depth)), np.zeros((n, n * depth))
    cosine, sine = np.empty(n * depth), np.empty(n * depth)
    for atom in range(weights.shape[0]):
        for k in range(n):
            row = k if k < depth else n - k
            # exp(−2πi |k| y) is the conjugate.
            sign = 1.0 if k < depth else -1.0
            a, b = weights[atom] * waves[0, 1, row, atom], sign * weights[atom] * waves[1, 1, row, atom]
            for last in range(depth):
                c, d = waves[0, 2, last, atom], waves[1, 2, last, atom]
                cosine[k * depth + last] = a * c - b * d
                sine[k * depth + last] = a * d + b * c
        for h in range(depth):
            a, b = waves[0, 0, h, atom], waves[1, 0, h, atom]
            back = (n - h) % n
            if back == h:
                for i in range(n * depth):
                    real[h, i] += a * cosine[i] - b * sine[i]
                    imaginary[h, i] += a * sine[i] + b * cosine[i]
            else:
                for i in range(n * depth):
                    # (a ± ib)(c + is): h and −h share all four products.
                    first, second = a * cosine[i], b * sine[i]
                    third, fourth = a * sine[i], b * cosine[i]
                    real[h, i] += first - second
                    real[back, i] += first + second
                    imaginary[h, i] += third + fourth
                    imaginary[back, i] += third - fourth
    for h in range(n):
        for k in range(n):
            for last in range(depth):
                i = k * depth + last
                out[h, k, last] = np.sqrt(real[h, i] ** 2 + imaginary[h, i] ** 2)


@njit(nogil=True, cache=True)
def _map(waves, weights, smoothing, out):  # type: ignore[no-untyped-def]
    """Σ w f(x) f(y) f(z) over atoms, (n, n, n); each f is a sum of smoothed waves."""
    n, depth = out.shape[0], waves.shape[2]
    along, plane = np.empty((3, n)), np.empty(n * n, dtype=np.float32)
    flat = out.reshape(n, n * n)
    for atom in range(weights.shape[0]):
        along[:] = 0.0
        for axis in range(3):
            for h in range(depth):
                a, b = waves[0, axis, h, atom], waves[1, axis, h, atom]
                for x in range(n):
                    along[axis, x] += a * smoothing[h, x] + b * smoothing[depth + h, x]
        for y in range(n):
            for z in range(n):
                plane[y * n + z] = np.float32(weights[atom] * along[1, y] * along[2, z])
        for x in range(n):
            factor = np.float32(along[0, x])
            for i in range(n * n):
                flat[x, i] += factor * plane[i]
