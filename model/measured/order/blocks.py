"""Blocks of pixels whose errors may hang together: compact regions, with those that symmetry has made alike."""

from typing import Final

import numpy as np

from dsfu.model.measured.order.planes import OrderPixels, SroPlane
from dsfu.model.measured.order.series import OrbitSeries, determined
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.lattice import Cell

_ALIKE: Final = 0.25
"""Correlation of residuals at equivalent points from which the data count as averaged over that symmetry."""

_SAMPLE: Final = 4000
_FEWEST: Final = 50


def blocks(planes: list[SroPlane], pixels: OrderPixels, series: OrbitSeries, group: IntArray, count: int) -> IntArray:
    """Number of the block of each pixel; no block holds pixels of two planes."""
    numbers = np.zeros(len(pixels), np.int64)
    each_plane = max(8, count // len(planes))
    first = 0
    for number, plane in enumerate(planes):
        inside = np.flatnonzero(pixels.plane == number)
        alike = duplicating_operators(plane, pixels, inside, series, group)
        found = compact_blocks(pixels.hkl[inside], pixels.weight[inside], alike, plane.cell, each_plane)
        numbers[inside] = found + first
        first += int(found.max()) + 1
    return numbers


def duplicating_operators(
    plane: SroPlane, pixels: OrderPixels, inside: IntArray, series: OrbitSeries, group: IntArray
) -> IntArray:
    """Operators over which the data of a plane were averaged, told by residuals that are alike at equivalent points."""
    rng = np.random.default_rng(0)
    some = rng.permutation(len(inside))[: max(_SAMPLE, 10 * len(series.orbits))]
    at = np.full(plane.sro.shape, -1, np.int64)
    at[tuple(_pixel_of(plane, pixels.hkl[inside]).T)] = np.arange(len(inside))
    hkl, root = pixels.hkl[inside], np.sqrt(pixels.weight[inside])
    columns = series.columns(hkl[some])
    chosen = determined((columns * root[some, None]).T @ (columns * root[some, None])).basis
    weighted = columns[:, chosen] * root[some, None]
    beta = np.linalg.lstsq(weighted, pixels.sro[inside[some]] * root[some], rcond=1e-9)[0]
    # Data agree at equivalent points anyway: only noise that is the same at both tells that they were averaged.
    residual = (pixels.sro[inside[some]] - columns[:, chosen] @ beta) * root[some]
    alike = [np.eye(3, dtype=np.int64)]
    for operator in group:
        image = _pixel_of(plane, hkl[some] @ operator)
        on_plane = _is_on_plane(plane, hkl[some] @ operator) & ((image >= 0) & (image < plane.plane.pixels)).all(axis=1)
        mates = np.full(len(some), -1)
        mates[on_plane] = at[tuple(image[on_plane].T)]
        paired = np.flatnonzero((mates >= 0) & (mates != some))
        if len(paired) < _FEWEST:
            continue
        there = mates[paired]
        model = series.columns(hkl[there], chosen) @ beta
        other = (pixels.sro[inside[there]] - model) * root[there]
        # Correlation of residuals with those at the image: 1 for averaged data, 0 for data measured apart.
        size = np.sqrt((residual[paired] ** 2).sum() * (other**2).sum())
        if size > 0 and residual[paired] @ other > _ALIKE * size:
            alike.append(operator)
    return np.stack(alike)


def _pixel_of(plane: SroPlane, hkl: FloatArray) -> IntArray:
    """[y, x] of the nearest pixel, which may be outside."""
    from_centre = plane.cell.q_of_hkl(hkl) - plane.plane.centre
    along = np.column_stack([from_centre @ plane.plane.axis_y, from_centre @ plane.plane.axis_x])
    return np.rint(along / plane.plane.step).astype(np.int64) + plane.plane.pixels // 2


def _is_on_plane(plane: SroPlane, hkl: FloatArray) -> "np.typing.NDArray[np.bool_]":
    height = (plane.cell.q_of_hkl(hkl) - plane.plane.centre) @ plane.plane.normal
    return np.asarray(np.abs(height) < plane.plane.step / 2)


def compact_blocks(hkl: FloatArray, weight: FloatArray, group: IntArray, cell: Cell, count: int) -> IntArray:
    """Divide points into compact blocks of equal weight, a power of two of them, at least half of ``count``.

    Equivalent points come into one block: where data were averaged over symmetry, they have the same errors.
    """
    q = cell.q_of_hkl(_same_for_equivalents(hkl, group))
    block = np.zeros(len(q), np.int64)
    for _ in range(int(np.log2(count))):
        halves = np.zeros(len(q), np.int64)
        for number in range(int(block.max()) + 1):
            inside = np.flatnonzero(block == number)
            coordinate = q[inside]
            longest = coordinate[:, np.ptp(coordinate, axis=0).argmax()]
            order = np.argsort(longest, kind="stable")
            cumulative = np.cumsum(weight[inside][order])
            halves[inside[order]] = cumulative > cumulative[-1] / 2
        block = 2 * block + halves
    return np.unique(block, return_inverse=True)[1].astype(np.int64)


def _same_for_equivalents(hkl: FloatArray, group: IntArray) -> FloatArray:
    """One of the points that are equivalent to each, always the same one."""
    best = np.round(hkl, 6)
    for operator in group:
        image = np.round(hkl @ operator, 6)
        first_difference = np.argmax(image != best, axis=1)
        rows = np.arange(len(hkl))
        greater = image[rows, first_difference] > best[rows, first_difference]
        best = np.where(greater[:, None], image, best)
    return best
