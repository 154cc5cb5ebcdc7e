"""The model of a volume: I = E(|Q|) · G(h) · S(h) + background(|Q|) + tails of Bragg peaks, and its derivatives.

G and S are cosine series, on a grid of Patterson vectors and on the lattice.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from dsfu.model.measured.volume.columns import Columns
from dsfu.model.measured.volume.cosines import CosineSeries, normal_block
from dsfu.model.measured.volume.prior import FormFactorPrior
from dsfu.model.measured.volume.terms import OrderTerms
from dsfu.model.measured.volume.voxels import Voxels
from dsfu.simulate.arrays import FloatArray

_PIECE: Final = 4096
"""Voxels whose products are summed in single precision."""


@dataclass(eq=False)
class VolumeModel:
    """What folded voxels should be.

    Attributes
    ----------
    prior
        Of I_FF; it says which Patterson vectors there are.
    falloff
        E on the grid.
    parameters
        Coefficients of G, then the parameters of the order, then amplitudes of the columns.
    """

    voxels: Voxels
    prior: FormFactorPrior
    terms: OrderTerms
    columns: Columns
    falloff: npt.NDArray[np.float32]
    parameters: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        cell = self.voxels.cell
        self.periods = self.prior.periods(self.voxels.ranges_with_mates(), cell)
        self.vectors = self.prior.vectors(self.periods, cell)
        self._g = CosineSeries(self.voxels.axes, self.vectors, self.periods.tolist())
        self._s = CosineSeries(self.voxels.axes, self.terms.vectors, [1, 1, 1])
        self._counts = torch.from_numpy(np.ascontiguousarray(self.voxels.counts))
        self._weight = torch.from_numpy(np.ascontiguousarray(self.voxels.weight))
        self._falloff = torch.from_numpy(np.ascontiguousarray(self.falloff))
        self._maps = torch.from_numpy(self.columns.maps)
        self.parameters = np.zeros(sum(self.sizes))

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Of G, α and the columns."""
        return len(self.vectors), len(self.terms), len(self.columns)

    def parts(self, parameters: FloatArray | None = None) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Coefficients of G, α, amplitudes of the columns."""
        p, a, _ = self.sizes
        x = self.parameters if parameters is None else parameters
        return x[:p], x[p : p + a], x[p + a :]

    def factors(self, parameters: FloatArray | None = None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """I_FF, I_SRO and the columns' sum, on the grid."""
        first, values, last = self.parts(parameters)
        spread = self.terms.spread(values)
        p, a, b = (torch.from_numpy(np.ascontiguousarray(each)) for each in (first, spread, last))
        extra = (b.float() @ self._maps).view(self._counts.shape) if len(b) else torch.zeros(())
        return self._falloff * self._g.on_grid(p), 1 + self._s.on_grid(a), extra

    def model(self, parameters: FloatArray | None = None) -> torch.Tensor:
        """What the voxels should be."""
        form_factor, order, extra = self.factors(parameters)
        return form_factor * order + extra

    def _gradient(self, weight: torch.Tensor) -> FloatArray:
        """Of half of χ² with weights of the voxels, without the prior."""
        form_factor, order, extra = self.factors()
        wr = weight * (form_factor * order + extra - self._counts)
        return self._products(wr, self._falloff * order, form_factor)

    def _products(self, weighted: torch.Tensor, by_p: torch.Tensor, by_a: torch.Tensor) -> FloatArray:
        """Of some weighted pattern with the derivatives of the model: one column of a normal matrix."""
        of_factors = self._products_with_factors(weighted, by_p, by_a)
        return np.concatenate([of_factors, sums_of_products(self._maps, weighted.reshape(1, -1))[:, 0]])

    def _products_with_factors(self, weighted: torch.Tensor, by_p: torch.Tensor, by_a: torch.Tensor) -> FloatArray:
        """The same with derivatives by G and α alone."""
        of_order = self.terms.gathered(self._s.sums(weighted * by_a).numpy())
        return np.concatenate([self._g.sums(weighted * by_p).numpy(), of_order])

    def _matrix(self, weight: torch.Tensor) -> FloatArray:
        """JᵀWJ with weights of the voxels, without the prior."""
        form_factor, order, _ = self.factors()
        # I = I_FF(p) · I_SRO(a) + Σ b · map. Derivatives: falloff · I_SRO · cos(2π h·u) by p, I_FF · cos(2π h·v) by a.
        # A product of two cosines is a sum of cosines of h·(u + v) and h·(u − v): each block is made of transforms of
        # the weight at these.
        by_p, by_a = self._falloff * order, form_factor
        p, a, b = self.sizes
        axes, one = self.voxels.axes, [1, 1, 1]
        matrix = np.zeros((p + a + b,) * 2)
        periods = self.periods.tolist()
        matrix[:p, :p] = self._block_of_form_factor(weight, by_p)
        v, gathered = self.terms.vectors, self.terms.gathered
        block = normal_block(axes, weight * by_a * by_a, v, v, one)
        matrix[p : p + a, p : p + a] = gathered(gathered(block).T)
        cross = gathered(normal_block(axes, weight * by_a * by_p, v * self.periods, self.vectors, periods))
        matrix[p : p + a, :p] = cross
        matrix[:p, p : p + a] = cross.T
        weighted = self._maps * weight.reshape(1, -1)
        for number, each in enumerate(weighted, p + a):
            matrix[: p + a, number] = self._products_with_factors(each.view(weight.shape), by_p, by_a)
        matrix[p + a :, : p + a] = matrix[: p + a, p + a :].T
        matrix[p + a :, p + a :] = sums_of_products(self._maps, weighted)
        return matrix

    def _matrix_without_order(self, weight: torch.Tensor) -> FloatArray:
        """The same of I_FF's coefficients and the columns alone."""
        p, _, b = self.sizes
        by_p = self._falloff * self.factors()[1]
        weighted = self._maps * weight.reshape(1, -1)
        matrix = np.zeros((p + b,) * 2)
        matrix[:p, :p] = self._block_of_form_factor(weight, by_p)
        for number, each in enumerate(weighted, p):
            matrix[:p, number] = self._g.sums(each.view(weight.shape) * by_p).numpy()
        matrix[p:, :p] = matrix[:p, p:].T
        matrix[p:, p:] = sums_of_products(self._maps, weighted)
        return matrix

    def _block_of_form_factor(self, weight: torch.Tensor, by_p: torch.Tensor) -> FloatArray:
        vectors, periods = self.vectors, self.periods.tolist()
        return normal_block(self.voxels.axes, weight * by_p * by_p, vectors, vectors, periods)


def sums_of_products(first: torch.Tensor, second: torch.Tensor) -> FloatArray:
    """Σ over voxels of first · second, each with each, of maps (first, voxels) and (second, voxels).

    Single precision within pieces, double for their sum: columns are so alike that rounding would show.
    """
    whole = first.shape[1] // _PIECE * _PIECE
    one, other = (maps[:, :whole].view(len(maps), whole // _PIECE, _PIECE).transpose(0, 1) for maps in (first, second))
    pieces = torch.bmm(one, other.transpose(1, 2)).double().sum(0)
    return (pieces + (first[:, whole:] @ second[:, whole:].T).double()).numpy()
