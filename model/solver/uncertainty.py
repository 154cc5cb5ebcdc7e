"""Uncertainties: Laplace's approximation around the optimum of one plane.

With weights 1 / variance the second derivatives of the objective, without those of the model (Gauss–Newton), are
J^T W J plus the prior's. What the plane says of the coefficients of I_SRO, whatever I_FF may be, is the Schur
complement of the block of I_FF. A single plane leaves a common factor free; the convention on I_SRO's mean fixes it.
"""

import numpy as np
import torch
from torch import Tensor

from dsfu.model.solver.prepared import Prepared
from dsfu.model.solver.series import Terms
from dsfu.simulate.contract import FloatArray

_ROWS_AT_ONCE = 4096


def information_of(
    plane: Prepared, smooth: FloatArray, order: FloatArray, variance: FloatArray, dtype: torch.dtype = torch.float32
) -> FloatArray:
    """What a plane says of the coefficients of its I_SRO (cosines, then sines), I_FF being unknown: (2 terms, 2 terms).

    J^T W J is gathered over the live pixels, a few thousand at a time; sines that there are not get zeros.

    Parameters
    ----------
    smooth, order
        (y, x): G and S at the optimum, not clipped.
    variance
        (y, x): of the noise, in units of the plane's scale.
    """
    clipped = np.maximum(order, 0.0)
    known = plane.live & (order > 0) & (variance > 0)
    rows, columns = np.nonzero(known)
    offsets = plane.measured.plane.offsets
    root = 1 / np.sqrt(variance[known])
    to_order = plane.falloff[known] * np.maximum(smooth[known], 0) * root
    to_smooth = plane.falloff[known] * clipped[known] * root * plane.mean
    lattice, patterson = plane.lattice.terms, plane.patterson
    size, count = 2 * len(lattice), int(len(patterson.terms) + patterson.terms.has_sine.sum())
    total = torch.zeros(size + count, size + count, dtype=torch.float64)
    scales = np.r_[patterson.deviation, patterson.deviation[patterson.terms.has_sine]]
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
    schur = total[:size, :size] - cross.T @ torch.cholesky_solve(cross, torch.linalg.cholesky(smooth_block))
    has = np.r_[np.ones(len(lattice)), lattice.has_sine.astype(np.float64)]
    return np.asarray(schur.numpy() * np.outer(has, has))


def covariance_of(information: FloatArray, free: FloatArray, deviation: float) -> FloatArray:
    """Covariance of coefficients from information and a prior; zero for those that are not free."""
    chosen = np.flatnonzero(free)
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


def _waves(terms: Terms, x: FloatArray, y: FloatArray, with_sine: np.ndarray) -> Tensor:
    """cos θ of all terms, then sin θ of some, at points: (points, columns)."""
    angles = torch.as_tensor(np.column_stack([x, y]) @ terms.vectors.T + terms.phases)
    return torch.cat([torch.cos(angles), torch.sin(angles[:, torch.as_tensor(with_sine)])], 1)


def _column(values: FloatArray, dtype: torch.dtype) -> Tensor:
    return torch.as_tensor(values).to(dtype)[:, None]
