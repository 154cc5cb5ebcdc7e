"""Short vectors whose distance is the sliced Wasserstein distance between planes.

A plane, normalised to unit sum, is a distribution of intensity over positions. Its projection on a direction is a
distribution on a line, where the Wasserstein distance W_2 is the L2 distance between quantile functions. The quantile
functions of the projections on a fixed set of directions, side by side, are therefore a vector whose Euclidean distance
from another plane's is the sliced W_2 of the two planes (Bonneel et al., J. Math. Imaging Vis. 51, 22, 2015).

A quantile function is kept as its means over equal shares of the intensity: the mean position of the first fortieth, of
the second, and so on. This is its projection on step functions, so distances come out a little too small and never too
large, and noise averages out.

Conventions
-----------
- Positions are measured from the plane's centre in units of the plane's width, so that distances do not depend on the
  number of pixels. Of 256 pixels, one is 0.0039.
- By I(−Q) = I(Q), the layers at k and −k are one another turned by 180°. Such twins count as the same plane. A turn
  reverses a quantile function and its sign, q(t) → −q(1 − t), so that a vector is stored as the half that a turn leaves
  alone, followed by the half whose sign it changes; the distance is the smaller of those to a plane and to its twin.
- A plane with an even number of pixels reaches from −q_max to q_max less a pixel. Its first row and column have no
  partners at the other side and are left out, so that twins coincide exactly.
- Numbers are stored as int16 in steps of 2⁻¹⁵ of the width (1/128 of a pixel of 256). Sums of their products are exact
  in double precision, so that what is a duplicate does not depend on the order of additions, hence on no library or
  number of threads.
- A plane without any intensity is embedded as if all of it were at the centre: all zeros, equal to other dark planes
  and far from all others.
"""

from math import cos, floor, pi, sin, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from dsfu.simulate.arrays import Float32Array, FloatArray

EmbeddingArray = npt.NDArray[np.int16]

DIRECTIONS: Final = 12
"""Directions of projection, 15° apart: they include the rows of square and of hexagonal lattices."""

LEVELS: Final = 40
"""Equal shares of the intensity along each direction. Even, so that a turn pairs them off."""

EMBEDDING_SIZE: Final = DIRECTIONS * LEVELS
"""Length of the vector of a plane: 960 bytes."""

EMBEDDING_DTYPE: Final = np.dtype(np.int16)

STEP: Final = 2.0**-15
"""Of the numbers in a vector, in widths of a plane."""

SLICED_UNIT: Final = STEP * sqrt(2 / EMBEDDING_SIZE)
"""Sliced W_2, in widths of the plane, for a Euclidean distance of 1 between stored vectors."""


def embed_quantiles(intensities: npt.ArrayLike) -> EmbeddingArray:
    """Vectors (planes, EMBEDDING_SIZE) whose distance is the sliced W_2 of planes (planes, pixels, pixels)."""
    return halves(projected_quantiles(intensities, DIRECTIONS, LEVELS))


def halves(quantiles: FloatArray) -> EmbeddingArray:
    """Vectors (planes, EMBEDDING_SIZE) of quantile functions: what a turn leaves alone, then what it reverses."""
    # A turn by 180° takes q(t) to −q(1 − t): the sum of the two stays, the difference changes its sign.
    turned = -quantiles[:, :, ::-1]
    half = LEVELS // 2
    parts = np.stack([quantiles + turned, quantiles - turned], axis=1)[..., :half] / 2
    return np.rint(parts.reshape(len(quantiles), EMBEDDING_SIZE) / STEP).astype(EMBEDDING_DTYPE)


def projected_quantiles(intensities: npt.ArrayLike, directions: int, levels: int) -> FloatArray:
    """Quantile functions of the projections of planes on directions j · 180° / directions from x towards y.

    Returns
    -------
    (planes, directions, levels): mean position, in widths of the plane, of each of ``levels`` equal shares of the
    intensity. The root mean square of the difference of two planes is their sliced W_2.
    """
    planes = checked_planes("intensities", intensities)
    for name, value in (("directions", directions), ("levels", levels)):
        if value < 1:
            raise ValueError(f"{name} = {value}: expected at least 1")
    out = np.empty((len(planes), directions, levels))
    _fill_quantiles(planes, out)
    return out


def sliced_distances(intensities: npt.ArrayLike, directions: int, levels: int) -> FloatArray:
    """Sliced W_2 (planes, planes) in widths of the plane, unrounded, or that to the twin if it is smaller."""
    quantiles = projected_quantiles(intensities, directions, levels)
    same = quantiles.reshape(len(quantiles), -1)
    turned = -quantiles[:, :, ::-1].reshape(len(quantiles), -1)
    squares = np.array([((same - one) ** 2).mean(axis=1) for one in same])
    twins = np.array([((same - one) ** 2).mean(axis=1) for one in turned])
    return np.asarray(np.sqrt(np.minimum(squares, twins)), dtype=np.float64)


def vector_distances(one: EmbeddingArray, other: EmbeddingArray | None, unit: float) -> FloatArray:
    """Distances (n, m) between vectors (n, EMBEDDING_SIZE) and (m, EMBEDDING_SIZE), or (n, n), times ``unit``.

    The second half of a vector may have either sign: twins are at distance zero.
    """
    first = checked_vectors("one", one).astype(np.float64)
    second = first if other is None else checked_vectors("other", other).astype(np.float64)
    half = EMBEDDING_SIZE // 2
    # |a − b|² = |a|² + |b|² − 2 a·b, where the twin has the other sign of the second half: the smaller distance has the
    # product's absolute value.
    products = first[:, :half] @ second[:, :half].T + np.abs(first[:, half:] @ second[:, half:].T)
    squares = (first**2).sum(axis=1)[:, np.newaxis] + (second**2).sum(axis=1) - 2 * products
    return np.asarray(unit * np.sqrt(squares), dtype=np.float64)


def checked_planes(name: str, intensities: npt.ArrayLike) -> Float32Array:
    """Return planes (planes, pixels, pixels) as C-contiguous float32, after checking that they can be intensity."""
    planes = np.ascontiguousarray(intensities, dtype=np.float32)
    # Of two pixels the centred part is one, and all planes would be alike.
    if planes.ndim != 3 or planes.shape[1] != planes.shape[2] or planes.shape[1] < 3:
        raise ValueError(f"{name} has shape {planes.shape}: expected (planes, pixels, pixels) with 3 pixels or more")
    if not _is_intensity(planes.reshape(-1)):
        plane, y, x = np.argwhere(~((planes >= 0) & np.isfinite(planes)))[0]
        value = planes[plane, y, x]
        raise ValueError(f"{name}[{plane}, {y}, {x}] = {value}: expected finite intensities, not below 0")
    return planes


def centred_part(planes: Float32Array) -> Float32Array:
    """Planes (…, pixels, pixels) without the row and the column that have no partner across the centre."""
    first = 1 - planes.shape[-1] % 2
    return planes[..., first:, first:]


def checked_vectors(name: str, vectors: EmbeddingArray) -> EmbeddingArray:
    if vectors.ndim != 2 or vectors.shape[1] != EMBEDDING_SIZE or vectors.dtype != EMBEDDING_DTYPE:
        raise ValueError(
            f"{name} is {vectors.dtype} of shape {vectors.shape}: expected {EMBEDDING_DTYPE} of shape "
            f"(planes, {EMBEDDING_SIZE})"
        )
    return vectors


@njit(nogil=True, cache=True)
def _is_intensity(values: Float32Array) -> bool:
    bad = 0
    for i in range(values.shape[0]):
        # Written so that NaN, which is not greater than anything, counts as bad.
        bad += not (values[i] >= 0 and values[i] < np.inf)
    return bad == 0


@njit(nogil=True, cache=True)
def _fill_quantiles(planes: Float32Array, out: FloatArray) -> None:
    """Fill ``out[n, j, m]`` with the mean position of the m-th share of plane n projected on direction j."""
    directions = out.shape[1]
    pixels = planes.shape[1]
    first = 1 - pixels % 2
    across = pixels - first
    rows = np.empty((across, across), np.float32)
    columns = np.empty((across, across), np.float32)
    bins = np.empty(2 * across + 1)
    for n in range(planes.shape[0]):
        for y in range(across):
            for x in range(across):
                rows[y, x] = planes[n, first + y, first + x]
        columns[:] = rows.T
        for j in range(directions):
            x_part, y_part = cos(pi * j / directions), sin(pi * j / directions)
            # x cos φ + y sin φ = cos φ (x + y tan φ): rows that are shifted, in bins of cos φ. Steep directions take
            # columns, so that no row is shifted by more than a pixel against the one before.
            if abs(x_part) >= abs(y_part):
                _project(rows, y_part / x_part, bins)
                _share_out(bins, x_part / pixels, out[n, j])
            else:
                _project(columns, x_part / y_part, bins)
                _share_out(bins, y_part / pixels, out[n, j])


@njit(nogil=True, cache=True)
def _project(rows: Float32Array, slope: float, bins: FloatArray) -> None:
    """Add up rows, each shifted by ``slope`` times its distance from the middle one.

    A shift is not a whole number of bins, so a pixel is shared between two in such a way that its position is kept on
    average. The middle bin is the plane's centre.
    """
    across = rows.shape[0]
    bins[:] = 0
    for y in range(across):
        # Row y moves by y·slope = whole + later: a share ``later`` of each pixel goes to the bin after.
        shift = (y - across // 2) * slope
        whole = floor(shift)
        later = shift - whole
        earlier = 1 - later
        start = bins.shape[0] // 2 - across // 2 + int(whole)
        row = rows[y]
        bins[start] += earlier * row[0]
        # Pixel x gives ``earlier`` to its own bin and ``later`` to the next: one multiply-add each, along both rows.
        inner, here, before = bins[start + 1 : start + across], row[1:], row[: across - 1]
        for x in range(across - 1):
            inner[x] += earlier * here[x] + later * before[x]
        bins[start + across] += later * row[across - 1]


@njit(nogil=True, cache=True)
def _share_out(bins: FloatArray, step: float, means: FloatArray) -> None:
    """Mean position of each of equal shares of what is in the bins, in the order of positions.

    ``step`` is the distance between bins, with the sign of the direction in which positions grow. What is in a bin is
    spread evenly over its width: taken as points, two distributions would be no nearer than their grid lets them be.
    """
    count, levels = bins.shape[0], means.shape[0]
    total = bins.sum()
    if total == 0.0:
        means[:] = 0
        return
    share, width = total / levels, abs(step)
    # room: what the share lacks; moment: of what it has. A mass m from `start` on, spread evenly, has its middle at
    # start + m · spread / 2.
    level, room, moment, start = 0, share, 0.0, 0.0
    for i in range(count):
        b = i if step > 0 else count - 1 - i
        left = bins[b]
        if left == 0.0:
            continue
        start = (b - count // 2) * step - width / 2
        spread = width / left
        while level < levels - 1 and left >= room:
            means[level] = (moment + room * (start + room * spread / 2)) / share
            start += room * spread
            left -= room
            level, room, moment = level + 1, share, 0.0
        moment += left * (start + left * spread / 2)
        start += left * spread
        room -= left
    # What rounding left of the last share, of either sign, is put to the last position.
    means[level] = (moment + room * start) / share
