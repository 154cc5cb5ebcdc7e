"""Has a simulation settled? Drift within a run, the gap between two runs, and standard errors, from snapshots of α.

Differences between two sets of α are measured as differences of I_SRO: by Parseval's theorem the mean square of I_SRO
over the zone is Σ_v α_v², so the root of Σ_v (Δα_v)² over that of Σ_v α_v² is the relative change of I_SRO.
"""

from math import fsum, sqrt
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray

_STRONGEST_CORRELATION: Final = 0.9
"""Of neighbouring snapshots; with more, so few of them would say nothing of their error."""

_TINY: Final = 1e-300


def drift(snapshots: FloatArray) -> float:
    """Relative change of I_SRO from the first to the second half of the snapshots (K, 11, 11, 11), beyond their noise.

    The noise is taken from differences between neighbouring snapshots, as if these were independent; fluctuations so
    slow that they are not count as drift, which they are indistinguishable from.
    """
    half = snapshots.shape[0] // 2
    early, late = snapshots[:half], snapshots[half : 2 * half]
    change = (late.mean(axis=0) - early.mean(axis=0)).ravel()
    return _relative(_sum_of_squares(change) - 2 * _noise(snapshots) / half, snapshots)


def gap(first: FloatArray, second: FloatArray) -> float:
    """Relative difference of the mean I_SRO of two runs' snapshots, each (K, 11, 11, 11), beyond their noise."""
    difference = (first.mean(axis=0) - second.mean(axis=0)).ravel()
    noise = _noise(first) / first.shape[0] + _noise(second) / second.shape[0]
    return _relative(_sum_of_squares(difference) - noise, np.concatenate([first, second]))


def standard_error(runs: FloatArray) -> FloatArray:
    """Standard error (11, 11, 11) of the mean over all snapshots of runs (G, K, 11, 11, 11) that are independent.

    For each shell, from the scatter of the snapshots about the mean of their run, so that its own relative error is
    about 1/√(2 G (K − 1)). Two things are judged by all shells together, as one shell would not show them: how far the
    snapshots of a run are correlated, and whether the means of the runs differ by more than this explains; if so, the
    errors of all shells are raised by the factor by which they do.
    """
    groups, count = runs.shape[:2]
    means = runs.mean(axis=1)
    deviation = runs - means[:, np.newaxis]
    scatter = (deviation**2).mean(axis=(0, 1))
    ratio = (deviation[:, 1:] * deviation[:, :-1]).mean() / max(scatter.mean(), _TINY)
    # From its run's own mean a snapshot deviates by less than from the true one: variance (1 − share) instead of 1,
    # where share is the variance of the mean.
    share = _variance_of_mean(_correlation(float(ratio), count), count)
    variance = scatter * share / (1 - share) / groups
    if groups > 1:
        between = means.var(axis=0, ddof=1) / groups
        variance = variance * max(1.0, between.mean() / max(variance.mean(), _TINY))
    return np.asarray(np.sqrt(variance), dtype=np.float64)


def _variance_of_mean(correlation: float, count: int) -> float:
    """Variance of a run's mean over that of one snapshot, if correlation falls as a power of the distance."""
    return float(_correlations(correlation, count).mean())


def _correlation(ratio: float, count: int) -> float:
    """Correlation of neighbouring snapshots from that of their deviations from the run's mean, which is lower."""
    low, high = 0.0, _STRONGEST_CORRELATION
    for _ in range(40):
        middle = (low + high) / 2
        if _ratio_about_mean(middle, count) < ratio:
            low = middle
        else:
            high = middle
    return high


def _ratio_about_mean(correlation: float, count: int) -> float:
    """Correlation to be expected of neighbouring snapshots' deviations from the mean of their run."""
    centring = np.eye(count) - 1 / count
    # Taking off the mean is a projection P, and a covariance C becomes P C P.
    expected = centring @ _correlations(correlation, count) @ centring
    return float(np.diagonal(expected, 1).mean() / np.diagonal(expected).mean())


def _correlations(correlation: float, count: int) -> FloatArray:
    distance = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    return np.asarray(correlation**distance, dtype=np.float64)


def _noise(snapshots: FloatArray) -> float:
    """Σ_v variance of one snapshot, from differences of neighbours: first and second, third and fourth, …"""
    pairs = snapshots.shape[0] // 2
    steps = (snapshots[1 : 2 * pairs : 2] - snapshots[0 : 2 * pairs : 2]).reshape(pairs, -1)
    return float(fsum(_sum_of_squares(step) for step in steps) / (2 * pairs))


def _relative(square: float, snapshots: FloatArray) -> float:
    return sqrt(max(square, 0.0) / _sum_of_squares(snapshots.mean(axis=0).ravel()))


def _sum_of_squares(values: FloatArray) -> float:
    """Correctly rounded, so that what is decided by it does not depend on the order of summation."""
    return fsum((values * values).tolist())
