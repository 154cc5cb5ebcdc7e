"""Warren–Cowley parameters read off a box of sites: pair counts from one Fourier transform, or by counting."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import fft

from dsfu.simulate.contract import ALPHA_SHAPE, SHELL_CUTOFF, BoolArray, FloatArray, IntArray

_LARGEST_ROUNDING: Final = 0.2
"""A correlation of whole numbers must come out of the transform this close to one, or it is done again in float64."""

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
    smallest = 2 * SHELL_CUTOFF + 1
    if box.dtype != np.bool_ or box.ndim != 3 or min(box.shape) < smallest:
        raise ValueError(
            f"occupied has dtype {box.dtype} and shape {box.shape}: expected a boolean box of at least "
            f"{smallest} sites along each axis, so that v and -v are different sites"
        )
    return box


def _correlation(box: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Σ_r box(r) box(r + v) for the vectors of ``ALPHA_SHAPE``.

    The transform back is needed at 11 of the offsets along each axis only, so it is done by small matrices, axis by
    axis, which takes a third of the time of a whole one. The large constant part is added last, for precision.
    """
    mean_square = np.count_nonzero(box) ** 2 / box.size
    amplitude = fft.rfftn(box, workers=1)
    power = amplitude.real**2 + amplitude.imag**2
    power[0, 0, 0] = 0
    along_x, along_y, along_z = (_phases(n, half, box.dtype.str) for n, half in zip(box.shape, (0, 0, 1), strict=True))
    real, imaginary = power @ along_z.real, power @ along_z.imag
    partial = np.tensordot(along_y, real + 1j * imaginary, axes=(0, 1))
    return np.asarray(np.tensordot(along_x, partial, axes=(0, 1)).real / box.size + mean_square)


@lru_cache(maxsize=32)
def _phases(count: int, half: int, dtype: str) -> npt.NDArray[np.complexfloating]:
    """exp(2πi k v / count) for frequencies k (rows) and offsets v (columns).

    With ``half``, for the frequencies that a real transform keeps, each with the weight of those that it stands for.
    """
    frequencies = np.arange(count // 2 + 1 if half else count)
    phases = np.exp(2j * np.pi * np.outer(frequencies, _OFFSETS) / count)
    if half:
        phases[1 : (count + 1) // 2] *= 2
    return np.ascontiguousarray(phases.astype(np.result_type(dtype, np.complex64)))
