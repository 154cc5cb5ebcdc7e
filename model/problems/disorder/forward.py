"""The torch twin of the kernels: both factors of diffuse scattering on batches of planes, on any device.

I_FF(Q) = m_A m_B |F_A − F_B|² and I_SRO(Q) = Σ_v α_v cos(Q·v), as in `dsfu.simulate.disorder.scattering`, the
reference; here they can be differentiated. Everything separates along the two axes of a plane: an atom's form factor is
a sum of Gaussians, and a phase is a product of one in x and one in y. So both factors are matrix products of (y, terms)
with (terms, x).

Phases reach hundreds of radians, so they are computed in double precision; only then are sines and cosines rounded.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import numpy as np
import torch
from torch import Tensor

from dsfu.simulate.disorder.fields import PIXELS, SHELL_CUTOFF
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.form_factors import CANCELLATION, GAUSSIANS, coefficients

_LAST_ELEMENT: Final = 98


_PARALLEL: Final = 1e-9
"""Component of a lattice vector in the plane, relative to its length, that counts as none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PlaneBatch:
    """A batch of square planes of reciprocal space, each as `dsfu.simulate.disorder.planes.Plane`; float64.

    Attributes
    ----------
    centre
        (planes, 3): Q at pixel (pixels // 2, pixels // 2), in 1/Å.
    axis_x, axis_y
        (planes, 3): orthonormal directions in which x and y grow.
    q_max
        (planes,): half the side, in 1/Å.
    """

    centre: Tensor
    axis_x: Tensor
    axis_y: Tensor
    q_max: Tensor
    pixels: int = PIXELS

    @classmethod
    def of(cls, planes: list[Plane], device: torch.device | str = "cpu") -> Self:
        if len({plane.pixels for plane in planes}) != 1:
            raise ValueError(
                f"planes: {sorted({plane.pixels for plane in planes})} pixels; expected one size in a batch"
            )

        def stacked(name: str) -> Tensor:
            return torch.tensor(
                np.array([getattr(plane, name) for plane in planes]), dtype=torch.float64, device=device
            )

        return cls(
            centre=stacked("centre"),
            axis_x=stacked("axis_x"),
            axis_y=stacked("axis_y"),
            q_max=stacked("q_max"),
            pixels=planes[0].pixels,
        )

    def __len__(self) -> int:
        return self.centre.shape[0]

    def __getitem__(self, chosen: Tensor) -> Self:
        """Some of the planes, by number or by mask."""
        return type(self)(
            centre=self.centre[chosen],
            axis_x=self.axis_x[chosen],
            axis_y=self.axis_y[chosen],
            q_max=self.q_max[chosen],
            pixels=self.pixels,
        )

    @property
    def offsets(self) -> Tensor:
        """(planes, pixels): coordinates along either axis relative to the centre, in 1/Å."""
        half = self.pixels // 2
        steps = torch.arange(-half, self.pixels - half, dtype=torch.float64, device=self.q_max.device)
        return steps * (2 * self.q_max / self.pixels)[:, None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Atoms:
    """The atoms of both species of each crystal of a batch, padded to the same number.

    Attributes
    ----------
    positions
        (planes, atoms, 3) in Å relative to the site, float64.
    numbers
        (planes, atoms): atomic numbers; what is padding may have any.
    signs
        (planes, atoms): +1 in A, −1 in B, 0 in the padding.
    """

    positions: Tensor
    numbers: Tensor
    signs: Tensor

    def __getitem__(self, chosen: Tensor) -> Self:
        return type(self)(positions=self.positions[chosen], numbers=self.numbers[chosen], signs=self.signs[chosen])


def form_factor(atoms: Atoms, weight: Tensor, planes: PlaneBatch, dtype: torch.dtype = torch.float32) -> Tensor:
    """I_FF = m_A m_B |F_A − F_B|² in electrons² per unit cell, (planes, y, x).

    Parameters
    ----------
    weight
        (planes,): m_A m_B.
    dtype
        In which the sums over atoms are done. Planes on which the two species nearly cancel are done in double
        precision whatever it is.
    """
    difference = _difference(atoms, planes, dtype)
    intensity = weight.to(dtype)[:, None, None] * difference
    if dtype != torch.float64:
        largest = _largest_form_factor(atoms, planes)
        cancels = difference.detach().amax((1, 2)) < (CANCELLATION * largest) ** 2
        if cancels.any():
            precise = _difference(atoms[cancels], planes[cancels], torch.float64)
            again = (weight.double()[cancels][:, None, None] * precise).to(dtype)
            intensity = intensity.index_put((cancels,), again)
    return intensity


def short_range_order(
    alpha: Tensor, vectors: Tensor, planes: PlaneBatch, *, clip: bool = True, dtype: torch.dtype = torch.float32
) -> Tensor:
    """I_SRO = Σ_v α_v cos(Q·v), (planes, y, x).

    Parameters
    ----------
    alpha
        (planes, 11, 11, 11): Warren–Cowley parameters, α[u + 5, v + 5, w + 5], the same for v and −v.
    vectors
        (planes, 3, 3): the lattice vectors a, b, c as rows, in Å.
    clip
        Whether negative values of the truncated series are set to zero.
    """
    alpha, vectors = alpha.double(), vectors.double()
    normal = _axis_normal_to(vectors, planes)
    if normal is None:
        values = _series(*_all_vectors(alpha, vectors, planes), planes, dtype)
    else:
        values = _series(*_projected_vectors(alpha, vectors, planes, normal), planes, dtype)
    return values.clamp(min=0) if clip else values


def _difference(atoms: Atoms, planes: PlaneBatch, dtype: torch.dtype) -> Tensor:
    """|F_A − F_B|², (planes, y, x)."""
    amplitudes, exponents = (table[atoms.numbers] for table in _tables(atoms.positions.device))
    amplitudes = amplitudes * atoms.signs.double()[..., None]
    positions = atoms.positions.double()
    along_x = (positions @ planes.axis_x[..., None])[..., 0]
    along_y = (positions @ planes.axis_y[..., None])[..., 0]
    at_centre = (positions @ planes.centre[..., None])[..., 0]
    # As in the kernels: Gaussians and phases are factors of x times factors of y, so that a plane is one matrix
    # product.
    centre_x, centre_y, out_of_plane_squared = _centres(planes)
    offsets = planes.offsets
    fall_x = torch.exp(-exponents[..., None] * (centre_x[:, None] + offsets).square()[:, None, None, :])
    fall_y = torch.exp(-exponents[..., None] * (centre_y[:, None] + offsets).square()[:, None, None, :])
    height = amplitudes * torch.exp(-exponents * out_of_plane_squared[:, None, None])
    wave_x = torch.polar(
        torch.ones((), dtype=torch.float64, device=offsets.device), along_x[..., None] * offsets[:, None]
    )
    wave_y = torch.polar(
        torch.ones((), dtype=torch.float64, device=offsets.device),
        along_y[..., None] * offsets[:, None] + at_centre[..., None],
    )
    # One column for each atom and Gaussian; amplitudes go with y.
    in_x = (wave_x[:, :, None, :] * fall_x).flatten(1, 2)
    in_y = (wave_y[:, :, None, :] * (fall_y * height[..., None])).flatten(1, 2)
    real, imaginary = _complex_product(in_y, in_x, dtype)
    return real.square() + imaginary.square()


def _complex_product(in_y: Tensor, in_x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Real and imaginary part of Σ_t in_y[t, y] in_x[t, x], as one real matrix product."""
    x_parts = torch.cat([in_x.real, in_x.imag], 1).to(dtype)
    y_parts = torch.cat([torch.cat([in_y.real, -in_y.imag], 1), torch.cat([in_y.imag, in_y.real], 1)], 2).to(dtype)
    real, imaginary = (y_parts.mT @ x_parts).chunk(2, dim=1)
    return real, imaginary


def _largest_form_factor(atoms: Atoms, planes: PlaneBatch) -> Tensor:
    """The larger of Σ f over A and over B where each plane comes nearest to the origin: (planes,)."""
    amplitudes, exponents = (table[atoms.numbers] for table in _tables(atoms.positions.device))
    *_, out_of_plane_squared = _centres(planes)
    of_atoms = (amplitudes * torch.exp(-exponents * out_of_plane_squared[:, None, None])).sum(-1)
    of_species = [(of_atoms * (atoms.signs * sign > 0)).sum(-1) for sign in (1, -1)]
    return torch.maximum(*of_species)


def _centres(planes: PlaneBatch) -> tuple[Tensor, Tensor, Tensor]:
    """Coordinates of the centre along x and y, and the square of the plane's distance from the origin."""
    centre_x = (planes.centre * planes.axis_x).sum(-1)
    centre_y = (planes.centre * planes.axis_y).sum(-1)
    return centre_x, centre_y, (planes.centre.square().sum(-1) - centre_x.square() - centre_y.square()).clamp(min=0)


def _series(amplitudes: Tensor, vectors: Tensor, planes: PlaneBatch, dtype: torch.dtype) -> Tensor:
    """Re Σ_t c_t exp(i (Q − centre)·v_t) for complex c (planes, terms) and v (planes, terms, 3)."""
    one = torch.ones((), dtype=torch.float64, device=vectors.device)
    offsets = planes.offsets[:, None]
    in_x = torch.polar(one, (vectors @ planes.axis_x[..., None]) * offsets)
    in_y = amplitudes[..., None] * torch.polar(one, (vectors @ planes.axis_y[..., None]) * offsets)
    y_parts = torch.cat([in_y.real, -in_y.imag], 1).to(dtype)
    x_parts = torch.cat([in_x.real, in_x.imag], 1).to(dtype)
    return y_parts.mT @ x_parts


def _all_vectors(alpha: Tensor, vectors: Tensor, planes: PlaneBatch) -> tuple[Tensor, Tensor]:
    """Amplitudes and vectors of the series, one of each ±v."""
    indices = _indices(3, vectors.device)
    half, counts = _half(indices)
    where = indices[half] @ vectors
    phases = (where @ planes.centre[..., None])[..., 0]
    return alpha.flatten(1)[:, half] * counts * torch.exp(1j * phases), where


def _projected_vectors(alpha: Tensor, vectors: Tensor, planes: PlaneBatch, normal: Tensor) -> tuple[Tensor, Tensor]:
    """The same on planes normal to a lattice vector: all vectors that differ by multiples of it are one term."""
    order = torch.stack([(normal + 1) % 3, (normal + 2) % 3, normal], 1)
    rows = torch.arange(len(normal), device=vectors.device)
    ways = [alpha.permute(0, *(1 + (axis + step) % 3 for step in (1, 2, 3))) for axis in range(3)]
    # The axes of α and the vectors alike, the one along the normal last.
    permuted = torch.stack(ways)[normal, rows]
    ordered = vectors[rows[:, None], order]
    steps = torch.arange(-SHELL_CUTOFF, SHELL_CUTOFF + 1, dtype=torch.float64, device=vectors.device)
    # v = v_in + n·normal: exp(iQ·v) depends on n by exp(i n centre·normal) alone, the same on the whole plane.
    phases = steps * (ordered[:, 2] * planes.centre).sum(-1, keepdim=True)
    summed = (permuted.flatten(1, 2).to(torch.complex128) @ torch.exp(1j * phases)[..., None])[..., 0]
    indices = _indices(2, vectors.device)
    half, counts = _half(indices)
    # α_−v = α_v: one of each pair is kept, and counts twice.
    where = indices[half] @ ordered[:, :2]
    in_plane_phases = (where @ planes.centre[..., None])[..., 0]
    return summed[:, half] * counts * torch.exp(1j * in_plane_phases), where


def _axis_normal_to(vectors: Tensor, planes: PlaneBatch) -> Tensor | None:
    """For each plane the number of a lattice vector normal to it; None if there is a plane without one."""
    in_x = (vectors @ planes.axis_x[..., None])[..., 0].abs()
    in_y = (vectors @ planes.axis_y[..., None])[..., 0].abs()
    is_normal = torch.maximum(in_x, in_y) <= _PARALLEL * vectors.norm(dim=-1)
    return is_normal.int().argmax(1) if bool(is_normal.any(1).all()) else None


def _indices(dimensions: int, device: torch.device) -> Tensor:
    steps = torch.arange(-SHELL_CUTOFF, SHELL_CUTOFF + 1, dtype=torch.float64, device=device)
    return torch.cartesian_prod(*[steps] * dimensions)


def _half(indices: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers of the origin and of one of each ±v, and how many vectors each stands for."""
    middle = len(indices) // 2
    counts = torch.full((middle + 1,), 2.0, dtype=torch.float64, device=indices.device)
    counts[0] = 1.0
    return torch.arange(middle, len(indices), device=indices.device), counts


@lru_cache(maxsize=8)
def _tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """Amplitudes and exponents of the form factors by atomic number, the constant as a Gaussian without fall."""
    amplitudes = np.zeros((_LAST_ELEMENT + 1, GAUSSIANS + 1))
    exponents = np.zeros_like(amplitudes)
    for number in range(1, _LAST_ELEMENT + 1):
        amplitudes[number, :-1], exponents[number, :-1], amplitudes[number, -1] = coefficients(number)
    return torch.tensor(amplitudes, device=device), torch.tensor(exponents, device=device)
