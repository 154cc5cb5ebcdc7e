"""I_SRO of a layer over one zone, where its sign is looked at. Light: no numba."""

from functools import cache
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.fields import SHELL_CUTOFF

_POINTS: Final = 48
"""Along each side of the zone: finer than half the shortest wave, 1/5 of a zone."""

MOST_ATTEMPTS: Final = 10_000
"""Sets that are drawn until one has an I_SRO that is negative over no more of the zone than is allowed."""


def share_below_zero(layer: FloatArray) -> float:
    """Share of the zone over which I_SRO is negative, for α[u + 5, w + 5] of a layer."""
    # Σ α cos(x + y) = Σ α (cos x cos y − sin x sin y): two products of matrices instead of a sum over all vectors.
    cosines, sines = _waves()
    intensity = cosines @ layer @ cosines.T - sines @ layer @ sines.T
    return np.count_nonzero(intensity < 0) / float(intensity.size)


@cache
def _waves() -> tuple[FloatArray, FloatArray]:
    angles = 2 * np.pi * np.outer(np.arange(_POINTS) / _POINTS, np.arange(-SHELL_CUTOFF, SHELL_CUTOFF + 1))
    return np.cos(angles), np.sin(angles)
