"""SSIM and PSNR of densities on a grid, over the rotations of the grid, as CrystalNet was judged."""

from functools import lru_cache
from itertools import permutations, product
from typing import Final

import numpy as np
from scipy.fft import irfftn, rfftn
from scipy.ndimage import uniform_filter

from dsfu.simulate.arrays import FloatArray

WINDOW: Final = 7
_K1: Final = 0.01
_K2: Final = 0.03


def ssim(truth: FloatArray, found: FloatArray) -> float:
    """Mean structural similarity (Wang et al. 2004): 7³ uniform windows, sample covariance, a border of 3 left out.

    The range of the data is max − min of the truth; the same numbers as scikit-image's defaults for 3-D arrays.
    """
    truth, found = np.asarray(truth, np.float64), np.asarray(found, np.float64)
    span = float(np.ptp(truth))
    if span == 0:
        return float(np.array_equal(truth, found))
    unbiased = WINDOW**3 / (WINDOW**3 - 1)
    # Means, variances and covariance of each window: ⟨x²⟩ − ⟨x⟩², made unbiased.
    a, b = uniform_filter(truth, WINDOW), uniform_filter(found, WINDOW)
    aa = unbiased * (uniform_filter(truth * truth, WINDOW) - a * a)
    bb = unbiased * (uniform_filter(found * found, WINDOW) - b * b)
    ab = unbiased * (uniform_filter(truth * found, WINDOW) - a * b)
    c1, c2 = (_K1 * span) ** 2, (_K2 * span) ** 2
    # SSIM = (2 μ_a μ_b + c1)(2 σ_ab + c2) / ((μ_a² + μ_b² + c1)(σ_a² + σ_b² + c2)), their equation 13.
    values = (2 * a * b + c1) * (2 * ab + c2) / ((a * a + b * b + c1) * (aa + bb + c2))
    inner = slice(WINDOW // 2, -(WINDOW // 2))
    return float(values[inner, inner, inner].mean())


def psnr(truth: FloatArray, found: FloatArray) -> float:
    """Peak signal to noise in dB: 10 log₁₀(range of the truth² / mean squared error)."""
    error = float(((np.asarray(truth, np.float64) - found) ** 2).mean())
    return float(10 * np.log10(max(float(np.ptp(truth)), 1e-300) ** 2 / max(error, 1e-300)))


@lru_cache(maxsize=1)
def rotations() -> tuple[FloatArray, ...]:
    """The 24 proper rotations of a cube, as matrices of 0 and ±1."""
    found = []
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        matrix = np.zeros((3, 3))
        matrix[range(3), order] = signs
        if np.linalg.det(matrix) > 0:
            found.append(matrix)
    return tuple(found)


def rotated(grid: FloatArray, rotation: FloatArray) -> FloatArray:
    """The density at rotated grid indices: what lay at index i lies at R i, modulo the grid."""
    order = np.argmax(np.abs(rotation), axis=1)
    turned = grid.transpose(tuple(int(each) for each in order))
    for axis in range(3):
        if rotation[axis].sum() < 0:  # index i becomes −i, and 0 stays where it is
            turned = np.roll(np.flip(turned, axis), 1, axis)
    return turned


def best_over_rotations(truth: FloatArray, found: FloatArray, *, move: bool = False) -> tuple[float, float, FloatArray]:
    """Largest SSIM and largest PSNR over the 24 rotations, each for itself, and the density that gave the SSIM.

    Rotations are put in order by PSNR, and the SSIM of the best six is computed. ``move``: the origin is shifted to the
    best correlation first, as it has to be for structures that are found without one.
    """
    spectrum = np.conj(rfftn(truth)) if move else None
    tried = []
    for rotation in rotations():
        turned = rotated(found, rotation)
        if spectrum is not None:
            correlation = irfftn(rfftn(turned) * spectrum, truth.shape)
            shift = np.unravel_index(int(correlation.argmax()), truth.shape)
            turned = np.roll(turned, tuple(-int(each) for each in shift), (0, 1, 2))
        tried.append((psnr(truth, turned), turned))
    tried.sort(key=lambda each: -each[0])
    scores = [ssim(truth, turned) for _, turned in tried[:6]]
    best = int(np.argmax(scores))
    return scores[best], tried[0][0], tried[best][1]
