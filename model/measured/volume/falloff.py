"""How I_FF falls off with |Q| as a whole: a power of carbon's form factor that suits the data.

Only the prior rests on it: what is left of I_FF varies about a mean that is the same everywhere. Molecules of light
atoms fall off as carbon does; metals, and crystals that hardly move, less.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from dsfu.model.measured.volume.voxels import Voxels
from dsfu.simulate.form_factors import form_factor

_CARBON: Final = 6
_POWERS: Final = (2.0, 1.0, 3.0, 0.5)
"""Of carbon's amplitude; its intensity is the power 2, and taken unless another is clearly better."""

_CLEARLY: Final = 0.8

_BINS: Final = 30


def falloff_of(voxels: Voxels, lengths: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """E(|Q|) on the grid, 1 at the origin."""
    live = voxels.live
    high = float(lengths[live].max())
    number = np.minimum((lengths[live] / high * _BINS).astype(int), _BINS - 1)
    count = np.bincount(number, minlength=_BINS)
    total = np.bincount(number, voxels.counts[live], _BINS)
    used = count > min(100, live.sum() // (2 * _BINS))
    centre = (np.arange(_BINS)[used] + 0.5) * high / _BINS
    mean = np.maximum(total[used] / count[used], 0)
    # relative errors of all bins count alike: strong bins at low |Q| shall not decide alone
    scale = np.maximum(mean, 0.02 * mean.max())
    carbon = form_factor(_CARBON, centre) / form_factor(_CARBON, 0.0)
    best, power = np.inf, 2.0
    for each in _POWERS:
        design = np.stack([carbon**each, np.ones_like(centre)], axis=1) / scale[:, None]
        _, misfit = nnls(design, mean / scale)
        if misfit < _CLEARLY * best:
            best, power = misfit, each
    points = np.linspace(0.0, float(lengths.max()) + 1e-3, 2000)
    curve = (form_factor(_CARBON, points) / form_factor(_CARBON, 0.0)) ** power
    return np.interp(lengths, points, curve).astype(np.float32)
