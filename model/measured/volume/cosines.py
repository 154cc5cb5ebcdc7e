"""Cosine series on a rectilinear grid of hkl, both ways, and the normal matrix of two such series.

    f(h) = Σ_t c_t m_t cos 2π Σ_i h_i n_ti / L_i,    m = 2 off the origin, where ±n are one term, and 1 at it

The vectors n are integers and the periods L integers too, so that products of any two cosines are again cosines of such
vectors: every element of a normal matrix is read from one table. Each table takes three thin matrix products, which is
faster here than an FFT, and works on any grid, a plane too.
"""

from collections.abc import Sequence

import numpy as np
import torch

from dsfu.simulate.arrays import FloatArray, IntArray


def half_of_box(limits: Sequence[int]) -> IntArray:
    """One of each pair ±v of integer vectors within limits, (n, 3), the origin first, then by length."""
    axes = [np.arange(-limit, limit + 1) for limit in limits]
    box = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    u, v, w = box.T
    half = box[(w > 0) | ((w == 0) & ((u > 0) | ((u == 0) & (v >= 0))))]
    return np.asarray(half[np.argsort((half**2).sum(axis=1), kind="stable")])


class CosineSeries:
    """The series of some vectors on a grid.

    Parameters
    ----------
    axes
        Coordinates of the grid along h, k and l, in reciprocal lattice units.
    vectors
        (terms, 3) integers; of ±n one, with n_3 ≥ 0.
    periods
        L, three integers.
    double
        Whether to compute in double precision.
    """

    def __init__(
        self, axes: Sequence[FloatArray], vectors: IntArray, periods: Sequence[int], *, double: bool = False
    ) -> None:
        self.real = torch.float64 if double else torch.float32
        self.complex = torch.complex128 if double else torch.complex64
        self.vectors = vectors
        self.limits = np.abs(vectors).max(axis=0)
        lowest = (-self.limits[0], -self.limits[1], 0)
        phases = [
            2 * np.pi * np.outer(axis, np.arange(low, high + 1) / period)
            for axis, low, high, period in zip(axes, lowest, self.limits, periods, strict=True)
        ]
        self._first, self._second = (torch.tensor(np.exp(1j * each)).to(self.complex) for each in phases[:2])
        cosine, sine = np.cos(phases[2]), np.sin(phases[2])
        self._up = torch.tensor(np.concatenate([cosine, -sine], axis=1).T.copy(), dtype=self.real)
        self._down = torch.tensor(np.concatenate([cosine, sine], axis=1), dtype=self.real)
        self.shape = (2 * self.limits[0] + 1, 2 * self.limits[1] + 1, self.limits[2] + 1)
        places = np.ravel_multi_index(tuple((vectors + np.array([self.limits[0], self.limits[1], 0])).T), self.shape)
        self._places = torch.tensor(places)
        self.multiplicity = torch.tensor(np.where((vectors == 0).all(axis=1), 1.0, 2.0), dtype=self.real)

    def on_grid(self, coefficients: torch.Tensor) -> torch.Tensor:
        """The series' values on the grid."""
        first, second, third = self.shape
        box = torch.zeros(first * second * third, dtype=self.real)
        box[self._places] = coefficients.to(self.real) * self.multiplicity
        along_two = (self._first @ box.view(first, -1).to(self.complex)).view(-1, second, third)
        waves = torch.matmul(self._second, along_two)
        return torch.cat([waves.real, waves.imag], dim=-1) @ self._up

    def sums(self, values: torch.Tensor) -> torch.Tensor:
        """Σ over the grid of values · m cos, for every term: the adjoint of `on_grid`, in double precision."""
        return (self.table(values)[self._places] * self.multiplicity).double()

    def table(self, values: torch.Tensor) -> torch.Tensor:
        """Σ over the grid of values · cos for the whole box of vectors with n_3 ≥ 0, flat."""
        products = values.to(self.real) @ self._down
        third = self.shape[2]
        waves = torch.complex(products[..., :third], products[..., third:])
        along_two = torch.matmul(self._second.T, waves)
        return (self._first.T @ along_two.reshape(along_two.shape[0], -1)).real.reshape(-1)


def normal_block(
    axes: Sequence[FloatArray], weights: torch.Tensor, rows: IntArray, columns: IntArray, periods: Sequence[int]
) -> FloatArray:
    """Σ over the grid of weights · (m cos)_row · (m cos)_column: (rows, columns).

    Both sets of vectors are in units of the same periods. A product of cosines is half the sum of those of the sum and
    of the difference of the vectors.
    """
    limits = np.abs(rows).max(axis=0) + np.abs(columns).max(axis=0)
    series = CosineSeries(axes, limits[None], periods, double=True)
    half = series.table(weights).numpy().reshape(series.shape)
    # cos is even, so that vectors with n_3 < 0 are those of the half turned round.
    table = np.concatenate([half[::-1, ::-1, :0:-1], half], axis=2)
    strides = np.array([table.shape[1] * table.shape[2], table.shape[2], 1])
    of_columns = np.where((columns == 0).all(axis=1), 0.5, 1.0)
    of_rows = np.where((rows == 0).all(axis=1), 1.0, 2.0)
    at, places = rows @ strides + table.size // 2, columns @ strides
    flat = table.ravel()
    symmetric = rows is columns
    block = np.empty((len(rows), len(columns)))
    for number, middle in enumerate(at):
        end = number + 1 if symmetric else len(columns)
        both = flat.take(middle + places[:end])
        both += flat.take(middle - places[:end])
        both *= of_columns[:end]
        block[number, :end] = of_rows[number] * both
        if symmetric:
            block[:number, number] = block[number, :number]
    return block
