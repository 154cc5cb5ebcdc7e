"""Uncertainties: Laplace's approximation around the optimum of one plane.

With weights 1 / variance the second derivatives of the objective, without those of the model (Gauss–Newton), are
J^T W J plus the prior's. What the plane says of the coefficients of I_SRO, whatever I_FF may be, is the Schur
complement of the block of I_FF. A single plane leaves a common factor free; the convention on I_SRO's mean fixes it.
What is known of I_FF, in dead zones too, is the prior narrowed by the data, I_SRO being held.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import zoom
from torch import Tensor

from dsfu.model.measured.solver.patterson import PattersonTerms
from dsfu.model.measured.solver.prepared import Prepared
from dsfu.model.measured.solver.series import Terms
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

_ROWS_AT_ONCE = 4096

_MOST_ROWS = 8000
"""So many live pixels, drawn at random, stand for all of a plane: there are far fewer coefficients than that."""

_NEGLIGIBLE = 0.02
"""Coefficients of I_FF whose prior is narrower than this, relative to the widest, are left out …"""

_MOST_TERMS = 800
"""… and those beyond so many: the matrix of large cells would take longer than the fit."""

_EVERY = 4
"""The uncertainty of I_FF, a smooth one, is computed on one of so many pixels along both axes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Information:
    """What a plane says of the coefficients of both factors.

    Attributes
    ----------
    order
        (2 terms, 2 terms): of I_SRO, cosines and then sines, I_FF being unknown.
    smooth
        Of I_FF's whitened coefficients, the prior included, I_SRO being held.
    """

    order: FloatArray
    smooth: Tensor


def information_of(
    plane: Prepared, smooth: FloatArray, order: FloatArray, variance: FloatArray, dtype: torch.dtype = torch.float32
) -> Information:
    """What a plane says of the coefficients of both its factors.

    J^T W J is gathered over the live pixels, a few thousand at a time; sines that there are not get zeros.

    Parameters
    ----------
    smooth, order
        (y, x): G and S at the optimum, not clipped.
    variance
        (y, x): of the noise, in units of the plane's scale.
    """
    clipped = np.maximum(order, 0.0)
    rows, columns, share = _some(plane.live & (order > 0) & (variance > 0))
    known = rows, columns
    offsets = plane.measured.plane.offsets
    # ∂I/∂I_SRO = I_FF and ∂I/∂I_FF = I_SRO, over σ: rows of J whose JᵀJ is the information.
    root = 1 / np.sqrt(variance[known] * share)
    to_order = plane.falloff[known] * np.maximum(smooth[known], 0) * root
    to_smooth = plane.falloff[known] * clipped[known] * root * plane.mean
    lattice, patterson = plane.lattice.terms, _wide_enough(plane)
    size, count = 2 * len(lattice), int(len(patterson.terms) + patterson.terms.has_sine.sum())
    total = torch.zeros(size + count, size + count, dtype=torch.float64)
    scales = _scales(patterson)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        y, x = offsets[rows[part]], offsets[columns[part]]
        jacobian = torch.cat(
            [
                _waves(lattice, x, y, np.ones(len(lattice), np.bool_)).to(dtype) * _column(to_order[part], dtype),
                _waves(patterson.terms, x, y, patterson.terms.has_sine).to(dtype)
                * _column(to_smooth[part], dtype)
                * torch.as_tensor(scales).to(dtype),
            ],
            1,
        )
        total += (jacobian.T @ jacobian).double()
    smooth_block = total[size:, size:] + torch.eye(count, dtype=torch.float64)
    cross = total[size:, :size]
    factor, failed = torch.linalg.cholesky_ex(smooth_block)
    if failed and dtype != torch.float64:  # strong data against a prior of 1: more than single precision can hold
        return information_of(plane, smooth, order, variance, torch.float64)
    # I_FF is unknown too: its block is taken out, A − Bᵀ C⁻¹ B, which is what marginalising a Gaussian does.
    schur = total[:size, :size] - cross.T @ torch.cholesky_solve(cross, factor)
    has = np.r_[np.ones(len(lattice)), lattice.has_sine.astype(np.float64)]
    return Information(order=np.asarray(schur.numpy() * np.outer(has, has)), smooth=smooth_block)


def covariance_of(information: FloatArray, free: FloatArray, deviation: float) -> FloatArray:
    """Covariance of coefficients from information and a prior; zero for those that are not free."""
    chosen = np.flatnonzero(free)
    # Prior and data are independent: their information adds.
    matrix = information[np.ix_(chosen, chosen)] + np.eye(len(chosen)) / deviation**2
    out = np.zeros_like(information)
    out[np.ix_(chosen, chosen)] = np.linalg.inv((matrix + matrix.T) / 2)
    return out


def sigma_of_sro(plane: Prepared, covariance: FloatArray) -> FloatArray:
    """Standard uncertainty of I_SRO on every pixel, from the covariance of its coefficients (2 terms, 2 terms)."""
    offsets, terms = plane.measured.plane.offsets, plane.lattice.terms
    everything = np.ones(len(terms), np.bool_)
    out = np.empty(plane.data.shape)
    for i, y in enumerate(offsets):
        waves = _waves(terms, offsets, np.full_like(offsets, y), everything).numpy()
        out[i] = np.sqrt(np.maximum(np.einsum("pt,tu,pu->p", waves, covariance, waves, optimize=True), 0))
    return out


def sigma_of_form_factor(plane: Prepared, information: Information) -> FloatArray:
    """Standard uncertainty of I_FF on every pixel, in the plane's scale."""
    pixels = plane.measured.plane.pixels
    coarse = np.arange(0, pixels, _EVERY)
    patterson = _wide_enough(plane)
    offsets, terms = plane.measured.plane.offsets[coarse], patterson.terms
    factor = torch.linalg.cholesky(information.smooth)
    scales = torch.as_tensor(_scales(patterson) * plane.mean)
    sigma = np.empty((len(coarse), len(coarse)))
    for row, y in enumerate(offsets):
        waves = _waves(terms, offsets, np.full_like(offsets, y), terms.has_sine) * scales
        # With H = L Lᵀ the variance of a wave w is w H⁻¹ wᵀ = |L⁻¹ wᵀ|².
        spread = torch.linalg.solve_triangular(factor, waves.T, upper=False)
        sigma[row] = spread.square().sum(0).sqrt().numpy()
    everywhere = zoom(sigma, _EVERY, order=1, mode="nearest", grid_mode=True)[:pixels, :pixels]
    return np.asarray(plane.falloff * everywhere)


def _some(known: BoolArray) -> tuple[IntArray, IntArray, float]:
    """Rows and columns of some of the known pixels, and which share of them they are."""
    rows, columns = np.nonzero(known)
    if len(rows) <= _MOST_ROWS:
        return rows, columns, 1.0
    chosen = np.random.Generator(np.random.Philox(2)).choice(len(rows), _MOST_ROWS, replace=False)
    return rows[chosen], columns[chosen], _MOST_ROWS / len(rows)


def _wide_enough(plane: Prepared) -> PattersonTerms:
    """The terms of I_FF whose prior leaves them any freedom."""
    terms, deviation = plane.patterson.terms, plane.patterson.deviation
    chosen = deviation >= _NEGLIGIBLE * deviation[1:].max(initial=0.0)
    chosen[_MOST_TERMS:] = False  # they are in the order of their priors
    some = Terms(vectors=terms.vectors[chosen], phases=terms.phases[chosen], has_sine=terms.has_sine[chosen])
    return PattersonTerms(terms=some, deviation=deviation[chosen])


def _scales(patterson: PattersonTerms) -> FloatArray:
    """Prior standard deviations of the variables of G: all cosines, and the sines that there are."""
    return np.asarray(np.r_[patterson.deviation, patterson.deviation[patterson.terms.has_sine]])


def _waves(terms: Terms, x: FloatArray, y: FloatArray, with_sine: np.ndarray) -> Tensor:
    """cos θ of all terms, then sin θ of some, at points: (points, columns)."""
    angles = torch.as_tensor(np.column_stack([x, y]) @ terms.vectors.T + terms.phases)
    return torch.cat([torch.cos(angles), torch.sin(angles[:, torch.as_tensor(with_sine)])], 1)


def _column(values: FloatArray, dtype: torch.dtype) -> Tensor:
    return torch.as_tensor(values).to(dtype)[:, None]
