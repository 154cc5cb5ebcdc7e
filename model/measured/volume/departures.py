"""Known departures from the model, looked for where they would be small: what the residuals hold of their patterns.

Each pattern is the derivative of the intensities by a parameter that the model lacks. All that is fitted is
marginalised, so that a pattern which the fit can imitate gets a large uncertainty and not a false zero.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from dsfu.model.measured.volume.cosines import CosineSeries
from dsfu.model.measured.volume.fit import MoreNoise, VolumeFit
from dsfu.simulate.arrays import FloatArray

_SMALL: Final = 1e-3
_MOST_VALUES: Final = 3e7
"""Voxels times patterns: what is held in memory at once."""

SLOW: Final = 0.25
"""Of α that change with Q: waves cos 2πxh with x in cells, slower than most of I_FF."""


@dataclass(frozen=True, kw_only=True)
class Departure:
    """What the data say of some parameters that the model lacks.

    Attributes
    ----------
    chi_square
        Of no departure, over the degrees of freedom: about one if there is none.
    amplitude
        Of the parameters, root mean square; noise taken off.
    """

    chi_square: float
    amplitude: float
    values: FloatArray
    covariance: FloatArray

    @property
    def uncertainties(self) -> FloatArray:
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0)))


def stretched_lattice(fit: VolumeFit, factor: FloatArray, more: MoreNoise | None = None) -> Departure | None:
    """By how much, relatively, the order's lattice is finer than h, k and l say, for each axis that is measured."""
    if not len(fit.terms) or not fit.parts()[1].any():
        return None
    return departure_of(fit, lattice_patterns(fit), factor, more)


def lattice_patterns(fit: VolumeFit) -> list[torch.Tensor]:
    """Derivatives of the intensities by the lattice's constants, for each axis that is measured."""
    form_factor = fit.factors()[0]
    values = torch.from_numpy(fit.terms.spread(fit.parts()[1]))
    axes = fit.voxels.axes

    def order(axis: int, by: float) -> torch.Tensor:
        moved = [each * (1 + by) if i == axis else each for i, each in enumerate(axes)]
        return CosineSeries(moved, fit.terms.vectors, [1, 1, 1], double=True).on_grid(values)

    used = [i for i in range(3) if len(axes[i]) > 1]
    return [form_factor * ((order(i, _SMALL) - order(i, -_SMALL)) / (2 * _SMALL)).float() for i in used]


def order_that_varies(fit: VolumeFit, factor: FloatArray, more: MoreNoise | None = None) -> Departure | None:
    """By how much α of the nearest vectors change over reciprocal space: with two disordered sites they do."""
    near = fit.terms.vectors[(np.abs(fit.terms.vectors) <= 1).all(axis=1)]
    if len(near) != 13:
        return None
    form_factor = fit.factors()[0]
    grid = grid_of(fit)
    square = torch.from_numpy(fit.voxels.lengths() ** 2)
    # α of each vector times slow waves over reciprocal space; with one disordered site none of them is needed.
    slow = [square / square.max(), *(torch.cos(2 * np.pi * SLOW * each) for each in grid)]
    several = max(1, min(len(slow), int(_MOST_VALUES / len(near) / form_factor.numel())))
    patterns = []
    for vector in near:
        phase = sum((int(n) * x for n, x in zip(vector, grid, strict=True)), torch.zeros(()))
        order = 2 * torch.cos(2 * np.pi * phase)
        patterns += [form_factor * wave * order for wave in slow[:several]]
    return departure_of(fit, patterns, factor, more)


def grid_of(fit: VolumeFit) -> list[torch.Tensor]:
    """h, k and l of the voxels, each along its own axis."""
    h, k, l = (torch.from_numpy(np.ascontiguousarray(each)).float() for each in fit.voxels.axes)  # noqa: E741
    return [h[:, None, None], k[None, :, None], l[None, None, :]]


def departure_of(
    fit: VolumeFit, patterns: list[torch.Tensor], factor: FloatArray, more: MoreNoise | None, free: int = 0
) -> Departure:
    """What the residuals hold of patterns, whatever they hold of the first few, which are free."""
    values, covariance = fit.amplitudes_of(patterns, factor, more)
    values, covariance = values[free:], covariance[free:, free:]
    variances = np.diag(covariance)
    known = variances > 0
    # In units of their uncertainties, without combinations that the fit nearly imitates.
    unit = np.sqrt(variances[known])
    shares, axes = np.linalg.eigh(covariance[np.ix_(known, known)] / unit[:, None] / unit)
    kept = shares > _SMALL * shares.max()
    chi_square = float((((axes.T @ (values[known] / unit))[kept] ** 2) / shares[kept]).mean())
    size = float((values[known] ** 2 - variances[known]).mean())
    return Departure(
        chi_square=chi_square,
        amplitude=float(np.sign(size) * np.sqrt(abs(size))),
        values=values,
        covariance=covariance,
    )
