"""Warren–Cowley parameters read off planes of I_SRO, as far as one plane tells them.

On a plane normal to a lattice vector, all vectors that differ by multiples of it are one term of the series, so that
I_SRO = Σ c_v exp(i (Q − centre)·v) over the 11 × 11 vectors v of the other two, with c_v the sum of their α, each with
the phase that the plane's place gives it; c_−v is the complex conjugate of c_v. The terms are fitted by linear least
squares to what is predicted, and to what is true: where the series was negative and set to zero, neither knows better.
The scale of a factor is not known from one plane, so what is compared is c_v / c_0, that is α / α₀.
"""

from dataclasses import dataclass
from typing import Final, Self

import torch
from torch import Tensor

from dsfu.model.problems.disorder.forward import PlaneBatch
from dsfu.simulate.disorder.fields import SHELL_CUTOFF

_SIDE: Final = 2 * SHELL_CUTOFF + 1
_MIDDLE: Final = _SIDE**2 // 2
_NEAREST: Final = (_MIDDLE + 1, _MIDDLE + _SIDE)

_RIDGE: Final = 1e-9
"""Relative to the number of pixels: keeps the fit solvable where a plane is too small to tell its terms apart."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectedSeries:
    """The series on some planes, and its fit.

    Attributes
    ----------
    in_x, in_y
        The factors of exp(i (Q − centre)·v) in x and in y, (planes, pixels, 61), for the origin and one of each ±v.
    inverse
        (planes, 121, 121): inverse of the normal matrix.
    """

    in_x: Tensor
    in_y: Tensor
    inverse: Tensor

    @classmethod
    def of(cls, vectors: Tensor, planes: PlaneBatch, normal: Tensor) -> Self:
        """For planes normal to lattice vectors.

        Parameters
        ----------
        vectors
            (planes, 3, 3): the lattice vectors a, b, c as rows, in Å.
        normal
            (planes,): number of the one that is normal to each plane, 0 a, 1 b, 2 c.
        """
        half = _term_vectors(vectors, normal)[:, _MIDDLE:]
        offsets = planes.offsets[..., None]
        in_x, in_y = (torch.exp(1j * offsets * (half @ axis[..., None]).mT) for axis in (planes.axis_x, planes.axis_y))
        whole_x, whole_y = (torch.cat([each[..., 1:].flip(-1).conj(), each], -1) for each in (in_x, in_y))
        # Waves are products of x and y, so that sums over pixels are products of sums over columns and over rows.
        matrix = (whole_x.mH @ whole_x) * (whole_y.mH @ whole_y)
        ridge = _RIDGE * planes.pixels**2 * torch.eye(_SIDE**2, device=matrix.device)
        return cls(in_x=in_x, in_y=in_y, inverse=torch.linalg.inv(matrix + ridge))

    def fit(self, sro: Tensor) -> Tensor:
        """The terms (planes, 121), complex, that fit planes of I_SRO (planes, y, x), in their own units."""
        real, imaginary = (sro.double() @ torch.cat([self.in_x.real, self.in_x.imag], -1)).chunk(2, -1)
        # Σ I_SRO exp(−iQ·v): real and imaginary parts along x were summed first.
        half = (self.in_y.conj() * torch.complex(real, -imaginary)).sum(-2)
        right = torch.cat([half[:, 1:].flip(-1).conj(), half], -1)
        return (self.inverse @ right[..., None])[..., 0]


def alpha_errors(predicted: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """Errors (planes,) of α / α₀, from the terms of either.

    ``all``: root mean square over all vectors but the origin; ``nearest``: the larger of the two nearest vectors.
    """
    difference = (predicted / predicted[:, _MIDDLE, None] - truth / truth[:, _MIDDLE, None]).abs()
    others = torch.cat([difference[:, :_MIDDLE], difference[:, _MIDDLE + 1 :]], -1)
    return {"all": others.square().mean(-1).sqrt(), "nearest": difference[:, list(_NEAREST)].amax(-1)}


def _term_vectors(vectors: Tensor, normal: Tensor) -> Tensor:
    """(planes, 121, 3): the vectors of the terms, in Å."""
    others = torch.tensor([[1, 2], [0, 2], [0, 1]], device=normal.device)[normal]
    in_plane = vectors[torch.arange(len(others), device=others.device)[:, None], others].double()
    steps = torch.arange(-SHELL_CUTOFF, SHELL_CUTOFF + 1, dtype=torch.float64, device=vectors.device)
    return torch.cartesian_prod(steps, steps) @ in_plane
