"""The width of I_FF's prior, and its strength, from the data themselves: those with the largest evidence.

Near the optimum the fit is a quadratic form. With α and the background marginalised once, the evidence of any prior
costs one Cholesky factor, so that a search over priors costs less than one fit.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import scipy.linalg as linalg
from scipy.optimize import minimize

from dsfu.model.measured.volume.columns import LOOSEST
from dsfu.model.measured.volume.fit import ALPHA_DEVIATION, VolumeFit
from dsfu.model.measured.volume.prior import FormFactorPrior
from dsfu.simulate.arrays import FloatArray

WIDEST: Final = 0.5
"""In cells. Beyond it, I_FF could hold half of the order between neighbouring cells."""

_NARROWEST: Final = 0.12
_BENDS: Final = np.geomspace(5e-3, 1.0, 12)
"""Curvatures of the background that are tried, relative to the loosest."""

_AS_LIKELY: Final = 1.0
"""Log evidence below the best one at which a curvature is still taken for as likely. Where nothing tells curvatures
apart, the stiffest gave a standard uncertainty half as large as the next, and errors of three of it."""

_STRENGTHS: Final = (1.5, 300.0)
_STARTS: Final = (0.22, 0.28)
"""Widths from which the search may start. From .4 alone it ran to the widest for one crystal in eight, whose maximum
at .25 was higher by 288 in log evidence."""


class Evidence:
    """Log evidence of priors of I_FF, near the optimum of a fit."""

    def __init__(self, fit: VolumeFit) -> None:
        self._fit = fit
        near = fit.linearised()
        p, a, _ = fit.sizes
        amplitudes = fit.parts()[2]
        used = np.concatenate([np.ones(p + a, bool), amplitudes > 0])
        rest = np.flatnonzero(used)[p:]
        block = near.matrix[np.ix_(rest, rest)].copy()
        block[np.arange(a), np.arange(a)] += ALPHA_DEVIATION**-2
        columns = np.flatnonzero(amplitudes > 0)
        block[a:, a:] += fit.columns.precision[np.ix_(columns, columns)]
        factor = linalg.cho_factor(block, lower=True, check_finite=False)
        cross = near.matrix[:p, rest]
        # α and columns out of the quadratic form: with their priors, once for all priors of I_FF.
        self._matrix = near.matrix[:p, :p] - cross @ linalg.cho_solve(factor, cross.T, check_finite=False)
        self._target = near.target[:p] - cross @ linalg.cho_solve(factor, near.target[rest], check_finite=False)

    def of(self, prior: FormFactorPrior) -> float:
        """Log evidence but for a constant."""
        fit = self._fit
        deviations = prior.deviations(fit.vectors, fit.periods, fit.voxels.cell) * fit.scale
        kept = deviations > 1e-6 * fit.scale
        deviations = deviations[kept]
        white = self._matrix[np.ix_(kept, kept)] * deviations[:, None] * deviations
        diagonal = np.arange(len(white))
        white[diagonal[1:], diagonal[1:]] += 1.0
        target = self._target[kept] * deviations
        try:
            factor = linalg.cholesky(white, lower=True, overwrite_a=True, check_finite=False)
        except linalg.LinAlgError:
            return -np.inf
        solved = linalg.solve_triangular(factor, target, lower=True, check_finite=False)
        return float(0.5 * solved @ solved - np.log(np.diag(factor)).sum())


def best_prior(fit: VolumeFit, start: FormFactorPrior, *, width: float | None = None) -> FormFactorPrior:
    """The prior with the largest evidence near the optimum of a fit; of a given width, or of any."""
    evidence = Evidence(fit)

    def prior_of(x: FloatArray) -> FormFactorPrior:
        each = width or float(np.clip(np.exp(x[1]), _NARROWEST, WIDEST))
        return replace(start, width=(each,) * 3, amplitude=float(np.clip(np.exp(x[0]), *_STRENGTHS)))

    places = [(start.amplitude, each) for each in ((width,) if width else (start.width[0], *_STARTS))]
    first = max((np.log(each)[: 1 if width else 2] for each in places), key=lambda x: evidence.of(prior_of(x)))
    options = {"xatol": 0.02, "fatol": 1.0, "maxfev": 40}
    found = minimize(lambda x: -evidence.of(prior_of(x)), first, method="Nelder-Mead", options=options)
    return prior_of(found.x)


def best_curvature(fit: VolumeFit, covariance: FloatArray) -> float:
    """How much the background may bend: the most that the evidence allows, as of splines that bend less more is known.

    Parameters
    ----------
    covariance
        That of α and the columns, I_FF marginalised, near the optimum of the fit.
    """
    columns, amplitudes = fit.columns, fit.parts()[2]
    count, alphas = columns.splines, fit.sizes[1]
    used = np.flatnonzero(amplitudes > 0)
    if count < 4 or not len(used):
        return columns.curvature
    block = covariance[np.ix_(alphas + used, alphas + used)]
    prior = columns.precision[np.ix_(used, used)]
    posterior = linalg.inv(block)
    # Posterior precision = that of the data + the prior's; the data's part stays as the prior is changed.
    target, data = posterior @ amplitudes[used], posterior - prior
    some = used[used < count]

    def evidence(curvature: float) -> float:
        precision = prior.copy()
        precision[: len(some), : len(some)] = columns.smoothness(curvature)[np.ix_(some, some)]
        total = data + precision
        # ln p(data | prior) = ½ tᵀ A⁻¹ t − ½ ln |A| + ½ ln |prior| + what is the same for all priors.
        value = 0.5 * target @ linalg.solve(total, target, assume_a="pos")
        return float(value - 0.5 * np.linalg.slogdet(total)[1] + 0.5 * np.linalg.slogdet(precision)[1])

    tried = LOOSEST * columns.typical * _BENDS
    found = np.array([evidence(each) for each in tried])
    return float(tried[found >= found.max() - _AS_LIKELY].max())
