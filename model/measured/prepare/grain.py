"""How far noise reaches on pixels that were interpolated from larger voxels."""

import numpy as np

from dsfu.model.measured.data.plane import Grain
from dsfu.model.measured.prepare.interpolation import Taps, lagrange_weights
from dsfu.simulate.arrays import FloatArray

_PHASES = 64


def grain_of(along_x: FloatArray, along_y: FloatArray, taps: Taps) -> Grain:
    """Of pixels for which a step along x and one along y pass so many voxels along each axis, (3,) each."""
    lags = [max(1, int(np.ceil(1 / max(float(np.abs(each).max()), 1e-9) - 1e-6))) for each in (along_x, along_y)]
    shared = [_correlation(lag * each, taps) for lag, each in zip(lags, (along_x, along_y), strict=True)]
    area = float(np.linalg.norm(np.cross(along_x, along_y)))
    if max(lags) == 1:
        return Grain(independent=min(area, 1.0))
    return Grain(lag_x=lags[0], lag_y=lags[1], shared_x=shared[0], shared_y=shared[1], independent=min(area, 1.0))


def _correlation(distance: FloatArray, taps: Taps) -> float:
    """Of the noise at two points so many voxels apart along each axis, on average; 0 if it is negative."""
    return max(float(np.prod([_along(float(each), taps) for each in np.abs(distance)])), 0.0)


def _along(distance: float, taps: Taps) -> float:
    here = (np.arange(_PHASES) + 0.5) / _PHASES
    there = here + distance
    one, other = lagrange_weights(here, taps), lagrange_weights(there - np.floor(there), taps)
    total = 0.0
    for passed in np.unique(np.floor(there).astype(np.int64)):
        if passed < taps:
            rows = np.floor(there) == passed
            total += float((one[rows, passed:] * other[rows, : taps - passed]).sum())
    return total / float(np.square(one).sum())
