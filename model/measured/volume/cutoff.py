"""How far the order reaches: the shells of α that the data ask for.

All α with the same largest |u|, |v|, |w| are a shell. A shell that is nothing but noise is told from one that is not by
the evidence: that of α with a variance of their own, the best there is, against that of none. Shells are tried from
outside, each given that those beyond it are zero.
"""

from typing import Final

import numpy as np
import scipy.linalg as linalg

from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

GAIN: Final = 2.0
"""Log evidence that a shell has to add. One of noise alone adds more in some 2 % of cases (χ² of one degree, 4)."""

_DEVIATIONS: Final = np.geomspace(1e-5, 0.3, 30)
_HELD: Final = 1e-3
"""Share of the variance of a common scale that is left where it is held."""

_KNOWN: Final = 0.1
"""Standard uncertainty beyond which an α is not known, and says nothing of its shell."""


def gain_of(values: FloatArray, covariance: FloatArray) -> float:
    """How much the log evidence of some values grows if they may have a variance of their own."""
    known = np.sqrt(np.diag(covariance)) < _KNOWN
    if not known.any():
        return 0.0
    variances, axes = linalg.eigh(covariance[np.ix_(known, known)], check_finite=False)
    variances = np.maximum(variances, 1e-300)
    projected = (axes.T @ values[known]) ** 2
    total = variances + _DEVIATIONS[:, None] ** 2
    # ln N(x; 0, σ² + d²) − ln N(x; 0, σ²), summed over the principal axes, for every d that is tried.
    gains = 0.5 * (projected / variances - projected / total + np.log(variances / total)).sum(axis=1)
    return max(float(gains.max()), 0.0)


def shells_needed(shells: IntArray, values: FloatArray, covariance: FloatArray) -> int:
    """The largest shell that the data ask for; at least 1.

    Parameters
    ----------
    shells
        (n,): of each parameter the largest |u|, |v|, |w|.
    values, covariance
        Of the parameters, with all else marginalised.
    """
    last = int(shells.max())
    while last > 1:
        inner, there = shells <= last, shells == last
        some, block = values[inner], covariance[np.ix_(inner, inner)]
        outer = shells > last
        if outer.any():
            some, block = without(values, covariance, outer)
        kept = there[inner]
        if gain_of(some[kept], block[np.ix_(kept, kept)]) > GAIN:
            break
        last -= 1
    return last


def scale_held(values: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The same if the common scale of all values were known: which of them are there does not depend on it."""
    factor = linalg.cho_factor(covariance, lower=True, check_finite=False)
    # Along the values themselves 1/weight is the variance of a common factor: it alone is taken off.
    weight = float(values @ linalg.cho_solve(factor, values))
    return values, covariance - (1 - _HELD) * np.outer(values, values) / max(weight, 1e-300)


def without(values: FloatArray, covariance: FloatArray, dropped: BoolArray) -> tuple[FloatArray, FloatArray]:
    """The other values and their covariance, if those that are dropped are known to be zero."""
    kept = ~dropped
    factor = linalg.cho_factor(covariance[np.ix_(dropped, dropped)], lower=True, check_finite=False)
    cross = covariance[np.ix_(kept, dropped)]
    # The mean and covariance of a Gaussian, given that some of its variables are 0.
    mean = values[kept] - cross @ linalg.cho_solve(factor, values[dropped], check_finite=False)
    block = covariance[np.ix_(kept, kept)] - cross @ linalg.cho_solve(factor, cross.T, check_finite=False)
    return np.asarray(mean), np.asarray(block)
