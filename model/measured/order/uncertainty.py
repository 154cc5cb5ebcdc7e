"""Standard uncertainties of Warren–Cowley parameters that hold when the errors of neighbouring pixels hang together.

If pixels were independent, the inverse of the normal matrix would be the covariance. They are not: planes are resampled
and averaged, and what is wrong with a form factor is wrong over a whole region. So the pixels are divided into compact
blocks, and the refinement is repeated without each of them in turn (the delete-a-group jackknife). The scatter of the
results gives the standard uncertainties; correlations are those that independent pixels would have.
"""

from dataclasses import dataclass

import numpy as np

from dsfu.model.measured.order.fit import OrderSolution, Sums, normal_equations, one_plane, solve
from dsfu.simulate.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Covariance of α, without the origin.

    Attributes
    ----------
    covariance
        (n, n).
    inflation
        How many times greater the variances are, all together, than if the residuals of all pixels were independent.
    """

    covariance: FloatArray
    inflation: float


def relative(beta: FloatArray) -> FloatArray:
    """α of all coefficients but the first, which is the scale."""
    return np.asarray(beta[1:] / beta[0])


def uncertainty(
    sums: Sums, solution: OrderSolution, own_scales: bool, conditions: FloatArray | None, variance: float
) -> Uncertainty:
    """Covariance of the α of a solution; ``variance`` is that of a pixel of weight 1."""
    planes = len(solution.scales)
    independent = _of_ratios(solution.beta, variance * _inverse(sums, solution, own_scales))
    blocks = len(sums.plane)
    repeats = np.array(
        [relative(solve(sums, planes, own_scales, conditions, without=block).beta) for block in range(blocks)]
    )
    # The jackknife of n groups: (n − 1)/n of the sum of squares, and `var` divides by n.
    scatter = (blocks - 1) * repeats.var(axis=0)
    expected = np.diag(independent)
    factor = scatter / np.maximum(expected, 1e-300)
    root = np.sqrt(factor)
    return Uncertainty(independent * np.outer(root, root), _ratio(scatter, expected))


def _inverse(sums: Sums, solution: OrderSolution, own_scales: bool) -> FloatArray:
    """Inverse of the normal matrix, of the coefficients' part if there are scales beside them."""
    beta = solution.beta
    whole = normal_equations(sums, solution.scales).gram
    if own_scales and len(solution.scales) > 1:
        grams = [one_plane(sums, number).gram for number in range(1, len(solution.scales))]
        # The model s c·β by β is s c, by s it is c·β: summed over pixels s G β, and βᵀGβ among the scales.
        across = np.array([scale * gram @ beta for scale, gram in zip(solution.scales[1:], grams, strict=True)])
        of_scales = np.diag([beta @ gram @ beta for gram in grams])
        whole = np.block([[whole, across.T], [across, of_scales]])
    size = 1 / np.sqrt(np.diag(whole))
    inverse = np.linalg.pinv(whole * np.outer(size, size), rcond=1e-13, hermitian=True) * np.outer(size, size)
    return np.asarray(inverse[: len(beta), : len(beta)])


def _of_ratios(beta: FloatArray, covariance: FloatArray) -> FloatArray:
    """Covariance of β_i / β_0 for i > 0, from that of β."""
    # d(β_i/β_0) = (dβ_i − α_i dβ_0) / β_0.
    slopes = np.column_stack([-relative(beta), np.eye(len(beta) - 1)]) / beta[0]
    return np.asarray(slopes @ covariance @ slopes.T)


def _ratio(scatter: FloatArray, expected: FloatArray) -> float:
    return float(scatter.sum() / expected.sum()) if expected.sum() > 0 else 1.0
