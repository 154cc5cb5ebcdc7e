"""Diffuse scattering calculated from two molecules and α, with no fit: I = m_A m_B · |F_A − F_B|² e^(−D_w Q²) · I_SRO.

In electrons² a site: with I_SRO = Σ_v α_v cos 2π h·v over all vectors, α_0 = 1.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.model.measured.order.result import Vector
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.form_factors import form_factor
from dsfu.simulate.lattice import Cell
from dsfu.simulate.structures.structure import Structure

_MOST_VOXELS = 2**28


def form_factor_on(
    axes: Sequence[FloatArray], cell: Cell, structures: tuple[Structure, Structure], dw: float = 0.0
) -> FloatArray:
    """|F_A − F_B|² exp(−D_w Q²) in electrons² on a grid of hkl, both structures relative to their common site."""
    lengths = _lengths(axes, cell)
    table = np.linspace(0.0, float(lengths.max()) + 1e-9, 4000)
    amplitude = np.zeros(lengths.shape, np.complex128)
    for sign, structure in zip((1.0, -1.0), structures, strict=True):
        places = structure.positions @ np.linalg.inv(cell.vectors)
        for number in np.unique(structure.numbers):
            waves = np.zeros(lengths.shape, np.complex128)
            for atom in np.flatnonzero(structure.numbers == number):
                # exp(2πi h·x) is a product over the three axes
                h, k, l = (np.exp(2j * np.pi * axis * x) for axis, x in zip(axes, places[atom], strict=True))  # noqa: E741
                waves += structure.occupancies[atom] * h[:, None, None] * k[None, :, None] * l[None, None, :]
            amplitude += sign * np.interp(lengths, table, form_factor(int(number), table)) * waves
    return np.asarray(np.abs(amplitude) ** 2 * np.exp(-dw * lengths**2))


def order_on(axes: Sequence[FloatArray], alpha: Mapping[Vector, float]) -> FloatArray:
    """I_SRO on a grid of hkl; of each pair ±v both have to be given, and α_0 = 1 is added."""
    total = np.ones([len(axis) for axis in axes])
    for (u, v, w), value in alpha.items():
        if (u, v, w) == (0, 0, 0):
            continue
        h, k, l = (np.exp(2j * np.pi * axis * n) for axis, n in zip(axes, (u, v, w), strict=True))  # noqa: E741
        total += value * (h[:, None, None] * k[None, :, None] * l[None, None, :]).real
    return total


def calculated(
    limits: Sequence[tuple[float, float]],
    step: float,
    cell: Cell,
    structures: tuple[Structure, Structure],
    alpha: Mapping[Vector, float],
    *,
    fraction_a: float,
    dw: float = 0.0,
) -> Reconstruction:
    """A volume, or a plane where the two limits of an index are the same."""
    axes = [_axis(low, high, step) for low, high in limits]
    if np.prod([float(len(axis)) for axis in axes]) > _MOST_VOXELS:
        raise InputError(
            "too many voxels", where="--limits, --step", expected=f"at most {_MOST_VOXELS}", remedy="larger steps"
        )
    weight = fraction_a * (1 - fraction_a)
    intensity = weight * form_factor_on(axes, cell, structures, dw) * order_on(axes, alpha)
    steps = np.diag([axis[1] - axis[0] if len(axis) > 1 else 1.0 for axis in axes])
    made = {"fraction_a": fraction_a, "dw": dw, "vectors": len(alpha)}
    return Reconstruction(
        intensity=intensity,
        live=np.ones(intensity.shape, bool),
        origin=np.array([axis[0] for axis in axes]),
        steps=steps,
        cell=cell,
        source=f"calculated from {structures[0].name} and {structures[1].name}",
        history=(Step(name="calculated", parameters=made),),
    )


def _axis(low: float, high: float, step: float) -> FloatArray:
    return np.asarray(low + step * np.arange(round((high - low) / step) + 1), np.float64)


def _lengths(axes: Sequence[FloatArray], cell: Cell) -> FloatArray:
    metric = cell.reciprocal @ cell.reciprocal.T
    h = np.meshgrid(*axes, indexing="ij", sparse=True)
    square: FloatArray = sum(metric[i, j] * h[i] * h[j] for i in range(3) for j in range(3))
    return np.asarray(np.sqrt(np.maximum(square, 0)))
