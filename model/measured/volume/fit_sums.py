"""What the fit of voxels computes with: sums and means of them, and the factor of a normal matrix."""

from typing import Final

import numpy as np
import scipy.linalg as linalg
import torch

from dsfu.errors import InputError
from dsfu.simulate.arrays import FloatArray

LEAST_VARIANCE: Final = 0.5
"""In counts squared: an empty voxel says something, but not everything."""

_WINDOW: Final = 5
_STIFFER: Final = (0.0, 1e-6, 1e-5, 1e-4, 1e-3)


def factor_of(matrix: FloatArray) -> FloatArray:
    """Cholesky factor of a normal matrix, which is made stiffer in place as far as needed."""
    diagonal = np.arange(len(matrix))
    for more in _STIFFER:
        # sums in single precision leave columns that are nearly alike with a matrix that is not quite positive
        matrix[diagonal, diagonal] *= 1 + more
        try:
            return np.asarray(linalg.cholesky(matrix, lower=True, check_finite=False))
        except linalg.LinAlgError:
            continue
    raise InputError(
        "the fit has no single answer: its normal matrix is not positive definite",
        remedy="leave out --bragg or --background, or give more of the volume",
    )


def sum_of(values: torch.Tensor) -> float:
    """In double precision where it matters: rows first, then their sums."""
    return float(values.sum(-1).double().sum())


def local_mean(counts: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The weighted mean of 5³ voxels, at least half a count: a variance before there is a model."""

    def pooled(values: torch.Tensor) -> torch.Tensor:
        for axis, count in enumerate(values.shape):
            size = [_WINDOW if i == axis and count >= _WINDOW else 1 for i in range(3)]
            values = torch.nn.functional.avg_pool3d(values[None, None], size, 1, [n // 2 for n in size])[0, 0]
        return values

    return (pooled(counts * weight) / pooled(weight).clamp_min(1e-6)).clamp_min(LEAST_VARIANCE)
