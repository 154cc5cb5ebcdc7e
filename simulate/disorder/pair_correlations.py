"""Warren–Cowley parameters read off a box of sites: pair counts from one Fourier transform, or by counting."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import fft

from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SHELL_CUTOFF

_LARGEST_ROUNDING: Final = 0.2
"""A correlation of whole numbers must come out of the transform this close to one, or it is done again in float64."""

_WIDTH: Final = 2 * SHELL_CUTOFF + 1
_HALF_WIDTH: Final = SHELL_CUTOFF + 1
_OFFSETS: Final = np.arange(-SHELL_CUTOFF, SHELL_CUTOFF + 1)


def pair_counts(occupied: BoolArray) -> IntArray:
    """Number of sites r of a periodic box with A both at r and at r + v, for every v = (u, v, w) of ``ALPHA_SHAPE``.

    One transform of the box and one back, in single precision; as counts are whole numbers, rounding makes them exact
    and the same on every machine. A box too large for that is transformed in double precision.
    """
    box = _checked_box(occupied)
    counts = _correlation(box.astype(np.float32))
    whole = np.rint(counts)
    if np.abs(counts - whole).max() > _LARGEST_ROUNDING:
        whole = np.rint(_correlation(box.astype(np.float64)))
    return np.asarray(whole, dtype=np.int64)


def pair_counts_by_counting(occupied: BoolArray) -> IntArray:
    """The same numbers by shifting the box along every vector: the slow reference for ``pair_counts``."""
    box = _checked_box(occupied)
    counts = np.empty(ALPHA_SHAPE, dtype=np.int64)
    for index in np.ndindex(ALPHA_SHAPE):
        shift = tuple(SHELL_CUTOFF - i for i in index)
        counts[index] = np.count_nonzero(box & np.roll(box, shift, axis=(0, 1, 2)))
    return counts


def alpha_from_counts(counts: IntArray, sites: int, sites_a: int) -> FloatArray:
    """Warren–Cowley parameters from A–A pair counts: α_v = (P_v^AA − m_A²) / (m_A m_B), with the box's own m_A.

    In terms of whole numbers, (N n_v − n_A²) / (n_A n_B), which is 1 at the origin to the last bit. Counts summed over
    several boxes (axes before the last three are averaged over) are divided once.

    The composition is that of the box, so a random box has α of −1/(N − 1) on average and not 0: −4·10⁻⁶ at 64³ sites,
    a five-hundredth of the noise of one box, and not corrected for.
    """
    boxes = counts.size // int(np.prod(ALPHA_SHAPE))
    total = counts.reshape(-1, *ALPHA_SHAPE).sum(axis=0)
    return np.asarray((sites * total - boxes * sites_a**2) / (boxes * sites_a * (sites - sites_a)), dtype=np.float64)


def mirror_images(counts: IntArray) -> IntArray:
    """Counts (11, 11, 11) and their images (4, 11, 11, 11) with the sign of u, v, or both changed.

    With inversion, which every box's counts have, these are all equivalents of a vector in an ensemble that has the
    mirrors of its three axes.
    """
    return np.stack([counts, counts[::-1], counts[:, ::-1], counts[::-1, ::-1]])


def alpha_of_box(occupied: BoolArray) -> FloatArray:
    """Warren–Cowley parameters of a periodic box of sites, True where A is: (11, 11, 11), see ``contract``."""
    box = _checked_box(occupied)
    sites_a = int(np.count_nonzero(box))
    if sites_a in (0, box.size):
        raise ValueError(f"occupied has {sites_a} A sites of {box.size}: expected both species")
    return alpha_from_counts(pair_counts(box), box.size, sites_a)


def _checked_box(occupied: BoolArray) -> BoolArray:
    box = np.asarray(occupied)
    if box.dtype != np.bool_ or box.ndim != 3 or min(box.shape) < _WIDTH:
        raise ValueError(
            f"occupied has dtype {box.dtype} and shape {box.shape}: expected a boolean box of at least "
            f"{_WIDTH} sites along each axis, so that v and -v are different sites"
        )
    return box


def _correlation(box: npt.NDArray[np.floating]) -> FloatArray:
    """Σ_r box(r) box(r + v) for the vectors of ``ALPHA_SHAPE``, not rounded yet.

    The transform back is needed at few of its offsets only, so it is summed there, axis by axis. The large constant
    part is added last, for precision.
    """
    amplitude = fft.rfftn(box, workers=1)
    along_x, along_y, along_z = (_waves(n) for n in box.shape)
    half = _sum_over_frequencies(amplitude, *along_x, *along_y, *along_z)
    half += np.count_nonzero(box) ** 2
    return np.concatenate([half[::-1, ::-1, :0:-1], half], axis=2) / box.size


@lru_cache(maxsize=32)
def _waves(count: int) -> tuple[FloatArray, FloatArray]:
    """Cosine and sine of 2π k v / count for frequencies k (rows) and offsets v (columns)."""
    angles = 2 * np.pi * np.outer(np.arange(count), _OFFSETS) / count
    return np.cos(angles), np.sin(angles)


@njit(nogil=True, cache=True)
def _sum_over_frequencies(
    amplitude: npt.NDArray[np.complexfloating],
    cos_x: FloatArray,
    sin_x: FloatArray,
    cos_y: FloatArray,
    sin_y: FloatArray,
    cos_z: FloatArray,
    sin_z: FloatArray,
) -> FloatArray:
    """Σ_k |amplitude(k)|² exp(2πi k·v), without k = 0, for w ≥ 0; ``amplitude`` is that of a real transform.

    Of the frequencies along z, it has one of each pair ±k, which counts twice. Returns (11, 11, 6). (Not by matrix
    products: libraries run those on several threads, which costs more than it gains for matrices so small.)
    """
    count_x, count_y, count_z = cos_x.shape[0], cos_y.shape[0], cos_z.shape[0]
    result = np.zeros((_WIDTH, _WIDTH, _HALF_WIDTH))
    plane_cos, plane_sin = np.empty((_WIDTH, _HALF_WIDTH)), np.empty((_WIDTH, _HALF_WIDTH))
    row_cos, row_sin = np.empty(_HALF_WIDTH), np.empty(_HALF_WIDTH)
    # One axis after the other: 11 · 11 · 6 sums of N³ terms become N³ · 6 + N² · 66 + N · 726 steps.
    for x in range(count_x):
        plane_cos[:], plane_sin[:] = 0.0, 0.0
        for y in range(count_y):
            row_cos[:], row_sin[:] = 0.0, 0.0
            for z in range(amplitude.shape[2]):
                here = amplitude[x, y, z]
                # k = 0 is the mean, which correlates with nothing; ±k_z are one pair, but at 0 and at the edge of the
                # zone.
                pairs = 0.0 if x == y == z == 0 else 2.0 if 0 < 2 * z < count_z else 1.0
                power = pairs * (here.real * here.real + here.imag * here.imag)
                for w in range(_HALF_WIDTH):
                    row_cos[w] += power * cos_z[z, w + SHELL_CUTOFF]
                    row_sin[w] += power * sin_z[z, w + SHELL_CUTOFF]
            for v in range(_WIDTH):
                for w in range(_HALF_WIDTH):
                    plane_cos[v, w] += cos_y[y, v] * row_cos[w] - sin_y[y, v] * row_sin[w]
                    plane_sin[v, w] += cos_y[y, v] * row_sin[w] + sin_y[y, v] * row_cos[w]
        for u in range(_WIDTH):
            for v in range(_WIDTH):
                for w in range(_HALF_WIDTH):
                    result[u, v, w] += cos_x[x, u] * plane_cos[v, w] - sin_x[x, u] * plane_sin[v, w]
    return result
