"""Order farther away than what is fitted: how much of it there is, and what it does to all that is fitted.

α that are not fitted leave waves of the lattice in the residuals. On whole reciprocal cells they are orthogonal to
those of the fitted α; with holes around lattice points they are not, and all fitted α err together. Finite boxes of a
simulation have such α at all distances, by chance.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.linalg as linalg
import torch

from dsfu.model.measured.volume.cosines import CosineSeries, half_of_box, normal_block
from dsfu.model.measured.volume.fit import VolumeFit
from dsfu.simulate.arrays import FloatArray, IntArray

_FARTHEST: Final = 10
"""Cells along each axis up to which α are looked for."""

_LEAST: Final = 200
_MOST: Final = 1500
"""Vectors; of more, every second or third stands for all."""

_EXCESS: Final = 1.5
"""Power of waves of the lattice over that of waves between them, from which on there is order far away. Chosen: with
2 × 1000 waves chance makes 1.2."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FarOrder:
    """α beyond the fitted ones as if they were noise.

    Attributes
    ----------
    deviation
        Their root mean square.
    vectors
        Some of theirs.
    solved
        (parameters, vectors): what each does to the fit, by the factor of its normal matrix, times the deviation and
        the root of how many each stands for.
    weight
        This factor.
    """

    deviation: float
    vectors: IntArray
    solved: FloatArray
    weight: float

    def covariance(self, fit: VolumeFit, factor: FloatArray) -> FloatArray:
        """What they add to that of α and columns."""
        p = fit.sizes[0]
        shifts = linalg.solve_triangular(factor[p:, p:], self.solved[p:], lower=True, trans=1, check_finite=False)
        return np.asarray(shifts @ shifts.T)

    def of_patterns(self, fit: VolumeFit, patterns: list[torch.Tensor], solved: FloatArray) -> FloatArray:
        """What they add to the covariance of scores of patterns, whose products with the fit are solved already."""
        series = CosineSeries(fit.voxels.axes, self.vectors, [1, 1, 1])
        weighted = fit.weights * fit.factors()[0]
        rows = [series.sums(each * weighted).numpy() * self.weight for each in patterns]
        score = np.stack(rows) - solved.T @ self.solved
        return np.asarray(score @ score.T)

    def sentence(self, cutoff: int) -> str:
        return (
            f"Beyond {cutoff} cells the data hold α of {self.deviation:.2g} (root mean square), which were not fitted; "
            "uncertainties allow for it. A simulation of finite boxes has them by chance."
        )


def far_order(fit: VolumeFit, factor: FloatArray, cutoff: int) -> FarOrder | None:
    """How much order there is beyond a cut-off; None if no more than chance leaves, or if it cannot be told."""
    far = _far_vectors(fit, cutoff)
    if len(far) < _LEAST:
        return None
    fine = (np.array(_limits(fit)) > 1).astype(int)
    power, between = _power(fit, 2 * far), _power(fit, 2 * far + fine)
    noise = float((between[0] ** 2).sum() / between[1].sum())
    found = float((power[0] ** 2).sum() / power[1].sum())
    if found < _EXCESS * noise:
        return None
    deviation = float(np.sqrt((found - noise) / power[1].mean()))
    step = -(-len(far) // _MOST)
    vectors = far[::step]
    weight = deviation * float(np.sqrt(len(far) / len(vectors)))
    products = _products(fit, vectors) * fit.deviations[:, None] * weight
    solved = linalg.solve_triangular(factor, products, lower=True, overwrite_b=True, check_finite=False)
    return FarOrder(deviation=deviation, vectors=vectors, solved=np.asarray(solved), weight=weight)


def _limits(fit: VolumeFit) -> list[int]:
    """The longest waves along each axis that the grid tells from shorter ones."""
    steps = [axis[1] - axis[0] if len(axis) > 1 else np.inf for axis in fit.voxels.axes]
    return [min(_FARTHEST, int(0.5 / step + 1e-6)) for step in steps]


def _far_vectors(fit: VolumeFit, cutoff: int) -> IntArray:
    box = half_of_box(_limits(fit))
    return np.asarray(box[np.abs(box).max(axis=1) > cutoff])


def _power(fit: VolumeFit, doubled: IntArray) -> tuple[FloatArray, FloatArray]:
    """Of waves v / 2 of the order: their sums with the residuals, and the variance of these if there is but noise."""
    form_factor, order, extra = fit.factors()
    weighted = fit.weights * form_factor
    rest = torch.from_numpy(fit.voxels.counts) - form_factor * order - extra
    score = CosineSeries(fit.voxels.axes, doubled, [2, 2, 2]).sums(weighted * rest).numpy()
    # (2 cos x)² = 2 + 2 cos 2x
    square = weighted * form_factor
    twice = CosineSeries(fit.voxels.axes, doubled, [1, 1, 1]).sums(square).numpy()
    return score, 2 * float(square.double().sum()) + twice


def _products(fit: VolumeFit, vectors: IntArray) -> FloatArray:
    """Of the waves with the derivatives of the model: (parameters, vectors)."""
    form_factor, order, _ = fit.factors()
    weighted, axes, periods = fit.weights * form_factor, fit.voxels.axes, fit.periods.tolist()
    by_p = torch.from_numpy(fit.falloff) * order
    series = CosineSeries(axes, vectors, [1, 1, 1])
    maps = torch.from_numpy(fit.columns.maps).view(len(fit.columns), *weighted.shape)
    return np.concatenate(
        [
            normal_block(axes, weighted * by_p, vectors * fit.periods, fit.vectors, periods).T,
            fit.terms.gathered(normal_block(axes, weighted * form_factor, fit.terms.vectors, vectors, [1, 1, 1])),
            *(series.sums(each * weighted).numpy()[None] for each in maps),
        ]
    )
