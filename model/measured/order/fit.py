"""The least-squares problem of I_SRO: sums over pixels, its solution, and scales of planes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy.optimize import minimize

from dsfu.model.measured.order.planes import OrderPixels
from dsfu.model.measured.order.positivity import nearest_feasible
from dsfu.model.measured.order.series import OrbitSeries
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

_CHUNK: Final = 4096

_UNDETERMINED: Final = 1e-7
"""Share of the square of a scale's column that other parameters leave to it, under which it is not determined."""

Best = Callable[[FloatArray], "tuple[FloatArray, Normal]"]
"""The best coefficients at given scales, and the normal equations there."""


@dataclass(frozen=True, eq=False)
class Sums:
    """Products of columns and data, Σ w c_i c_j and Σ w c_i y, for each block of pixels.

    Attributes
    ----------
    gram, moment, square
        (blocks, n, n), (blocks, n), (blocks,).
    plane
        (blocks,): the plane that a block lies on.
    """

    gram: FloatArray
    moment: FloatArray
    square: FloatArray
    plane: IntArray

    @classmethod
    def over(cls, pixels: OrderPixels, block: IntArray, series: OrbitSeries, use: BoolArray) -> Self:
        """Sum over those pixels that are to be used."""
        blocks, size = int(block.max()) + 1, len(series.orbits)
        gram, moment = np.zeros((blocks, size, size)), np.zeros((blocks, size))
        square, plane = np.zeros(blocks), np.zeros(blocks, np.int64)
        for number in range(blocks):
            inside = np.flatnonzero(block == number)
            plane[number] = pixels.plane[inside[0]]
            inside = inside[use[inside]]
            for start in range(0, len(inside), _CHUNK):
                some = inside[start : start + _CHUNK]
                columns = series.columns(pixels.hkl[some])
                weighted = columns * pixels.weight[some, None]
                gram[number] += weighted.T @ columns
                moment[number] += weighted.T @ pixels.sro[some]
                square[number] += pixels.weight[some] @ np.square(pixels.sro[some])
        return cls(gram, moment, square, plane)

    def of(self, chosen: IntArray) -> Self:
        """The same for some of the columns."""
        return type(self)(self.gram[:, chosen[:, None], chosen], self.moment[:, chosen], self.square, self.plane)

    def without(self, block: int) -> Self:
        """The same without one of the blocks."""
        rest = np.arange(len(self.plane)) != block
        return type(self)(self.gram[rest], self.moment[rest], self.square[rest], self.plane[rest])


@dataclass(frozen=True, eq=False)
class Normal:
    """Normal equations: gram · β = moment, with the weighted square of the data."""

    gram: FloatArray
    moment: FloatArray
    square: float

    def solve(self) -> FloatArray:
        # Columns of length 1: vectors in many orbits and in few are then judged by one rcond.
        scale = 1 / np.sqrt(np.maximum(np.diag(self.gram), 1e-300))
        scaled = self.gram * np.outer(scale, scale)
        return np.asarray(np.linalg.lstsq(scaled, self.moment * scale, rcond=1e-14)[0] * scale)

    def misfit(self, beta: FloatArray) -> float:
        """Weighted square of the residuals."""
        return float(self.square - 2 * beta @ self.moment + beta @ self.gram @ beta)


def normal_equations(sums: Sums, scales: FloatArray) -> Normal:
    """Sum of all blocks when the model on each plane is multiplied by its scale."""
    factor = scales[sums.plane]
    # A model times s has s² in the products of columns, s in those with the data, and 1 in the square of the data.
    gram = np.einsum("b,bij->ij", factor**2, sums.gram)
    return Normal(gram, factor @ sums.moment, float(sums.square.sum()))


@dataclass(frozen=True, eq=False)
class OrderSolution:
    """Coefficients β in the units of the data, and the scale of each plane relative to the first."""

    beta: FloatArray
    scales: FloatArray


def solve(
    sums: Sums, planes: int, own_scales: bool, constraints: FloatArray | None = None, without: int | None = None
) -> OrderSolution:
    """Least squares for coefficients and, if planes have their own, for scales.

    Parameters
    ----------
    sums
        Of the columns that are determined.
    planes
        How many there are.
    own_scales
        Whether each has a scale of its own.
    constraints
        (m, n): constraints · β ≥ 0.
    without
        A block to leave out.
    """
    if without is not None:
        sums = sums.without(without)

    def best(scales: FloatArray) -> tuple[FloatArray, Normal]:
        normal = normal_equations(sums, scales)
        beta = normal.solve()
        return (beta if constraints is None else nearest_feasible(normal.gram, beta, constraints)), normal

    scales = np.ones(planes)
    if own_scales and planes > 1:
        scales = _scales(sums, planes, best)
    return OrderSolution(best(scales)[0], scales)


def _scales(sums: Sums, planes: int, best: Best) -> FloatArray:
    """Scales that make the misfit least; its derivative is that at fixed coefficients, which are at their best."""
    per_plane = [one_plane(sums, number) for number in range(planes)]
    unit = max(float(sums.square.sum()), 1e-300)

    def misfit(logarithms: FloatArray) -> tuple[float, FloatArray]:
        scales = np.exp(np.concatenate([[0.0], logarithms]))
        beta, normal = best(scales)
        # Σ w (s c·β − y)² by ln s, β held: 2 s (s βᵀGβ − β·m). At the best β its own change counts nothing.
        slopes = [
            2 * scale * (scale * beta @ each.gram @ beta - beta @ each.moment)
            for scale, each in zip(scales, per_plane, strict=True)
        ]
        return normal.misfit(beta) / unit, np.array(slopes[1:]) / unit

    # To begin with: as if all planes had the same mean square of I_SRO.
    rough = np.array([np.sqrt(max(each.square, 1e-300) / max(np.trace(each.gram), 1e-300)) for each in per_plane])
    start = np.log(rough[1:] / rough[0])
    found = minimize(misfit, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-12})
    return np.asarray(np.exp(np.concatenate([[0.0], found.x])))


def scales_are_determined(sums: Sums, solution: OrderSolution) -> bool:
    """Whether the planes have so much in common that their scales follow from the data."""
    if len(solution.scales) == 1:
        return True
    beta = solution.beta
    gram = normal_equations(sums, solution.scales).gram
    grams = [one_plane(sums, number).gram for number in range(1, len(solution.scales))]
    across = np.array([scale * each @ beta for scale, each in zip(solution.scales[1:], grams, strict=True)])
    of_scales = np.diag([float(beta @ each @ beta) for each in grams])
    # What of the scales no change of α imitates: the Schur complement.
    left = of_scales - across @ np.linalg.pinv(gram, rcond=1e-13, hermitian=True) @ across.T
    size = np.sqrt(np.diag(of_scales))
    return bool(np.linalg.eigvalsh(left / np.outer(size, size)).min() > _UNDETERMINED)


def one_plane(sums: Sums, plane: int) -> Normal:
    """Normal equations of the pixels of one plane at scale 1."""
    inside = sums.plane == plane
    return Normal(sums.gram[inside].sum(0), sums.moment[inside].sum(0), float(sums.square[inside].sum()))
