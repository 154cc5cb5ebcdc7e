"""The width of I_FF's prior, and its strength, from the data themselves: those with the largest evidence.

Near the optimum the fit is a quadratic form. With α and the background marginalised once, the evidence of any prior
costs one Cholesky factor, so that a search over priors costs less than one fit.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import scipy.linalg as linalg
from scipy.optimize import minimize

from dsfu.model.measured.volume.fit import ALPHA_DEVIATION, VolumeFit
from dsfu.model.measured.volume.prior import FormFactorPrior
from dsfu.simulate.arrays import FloatArray

WIDEST: Final = 0.5
"""In cells. Beyond it, I_FF could hold half of the order between neighbouring cells."""

_NARROWEST: Final = 0.12
_STRENGTHS: Final = (1.5, 300.0)


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

    first = np.log([start.amplitude, start.width[0]])[: 1 if width else 2]
    options = {"xatol": 0.02, "fatol": 1.0, "maxfev": 40}
    found = minimize(lambda x: -evidence.of(prior_of(x)), first, method="Nelder-Mead", options=options)
    return prior_of(found.x)
