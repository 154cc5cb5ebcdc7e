"""Has a simulation settled? Drift within a run, the gap between two runs, and standard errors, from snapshots of α.

Differences between two sets of α are measured as differences of I_SRO: by Parseval's theorem the mean square of I_SRO
over the zone is Σ_v α_v², so the root of Σ_v (Δα_v)² over that of Σ_v α_v² is the relative change of I_SRO.
"""

from math import fsum, sqrt

import numpy as np

from dsfu.simulate.contract import FloatArray


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

    It comes from the scatter of the G K snapshots about their mean, each shell by itself, so its own relative error is
    about 1/√(2 (G K − 1)). That snapshots of one run are correlated is allowed for by one correlation coefficient for
    all shells, which the 665 shells together determine well.
    """
    groups, count = runs.shape[:2]
    deviation = runs - runs.mean(axis=(0, 1))
    scatter = (deviation**2).mean(axis=(0, 1))
    ratio = float((deviation[:, 1:] * deviation[:, :-1]).mean() / max((deviation**2).mean(), 1e-300))
    share = _variance_of_mean(_correlation(ratio, groups, count), groups, count)
    return np.asarray(np.sqrt(scatter * share / (1 - share)), dtype=np.float64)


def _variance_of_mean(correlation: float, groups: int, count: int) -> float:
    """Variance of the mean over that of one snapshot, if correlation falls as a power of the distance in a run."""
    tail = fsum((1 - lag / count) * correlation**lag for lag in range(1, count))
    return float(min((1 + 2 * tail) / (groups * count), 0.9))


def _correlation(ratio: float, groups: int, count: int) -> float:
    """Correlation of neighbouring snapshots from the one measured about their own mean, which is too low."""
    correlation = max(ratio, 0.0)
    for _ in range(30):
        share = _variance_of_mean(correlation, groups, count)
        correlation = min(max(ratio * (1 - share) + share, 0.0), 0.95)
    return correlation


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
