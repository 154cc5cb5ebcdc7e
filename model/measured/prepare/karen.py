"""Bragg peaks found as outliers in a moving window, where the lattice need not be known.

After the K-space Algorithmic REconstructioN (KAREN) of Weng et al., J. Appl. Cryst. 53 (2020) 159: what exceeds the
median of a window by more than so many robust standard deviations (1.4826 times the median absolute deviation) is no
diffuse scattering. Here windows move on by half their width, and the threshold is interpolated between them.
"""

from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.model.measured.prepare.filling import without_voxels
from dsfu.model.measured.prepare.robust import WindowGrid, gaps_filled, median_and_deviation
from dsfu.model.measured.prepare.slabs import slabs
from dsfu.simulate.constants import SIGMA_PER_MAD

LEAST_WIDTH: Final = 3


def without_outliers(
    reconstruction: Reconstruction, *, width: int = 7, factor: float = 3.0, fill: bool = False
) -> Reconstruction:
    """Voxels far above the median of a window around them are not live, or filled.

    Parameters
    ----------
    width
        Of the window along each axis, in voxels: wider than Bragg peaks, but not wider than features of the diffuse
        scattering, or their tops are cut off.
    factor
        How many robust standard deviations above the median are too many.
    fill
        Fill the holes (see `filling`); otherwise they are left dead.
    """
    if width < LEAST_WIDTH:
        raise InputError(f"a window {width} voxels wide", expected=f"{LEAST_WIDTH} or more")
    if not factor > 0:
        raise InputError(f"outliers beyond {factor} standard deviations", expected="more than 0")
    grid = WindowGrid.over(reconstruction.shape, width, max(1, width // 2))
    statistics = grid.statistics(
        reconstruction.intensity, reconstruction.live, lambda rows: np.stack(median_and_deviation(rows))
    )
    threshold = gaps_filled(statistics[0] + factor * SIGMA_PER_MAD * statistics[1])
    outliers = np.zeros(reconstruction.shape, np.bool_)
    for slab in slabs(reconstruction.shape):
        outliers[slab] = reconstruction.live[slab] & (reconstruction.intensity[slab] > grid.at_voxels(threshold, slab))
    changes, filled = without_voxels(reconstruction, outliers, fill=fill)
    step = Step(
        name="without outliers",
        parameters={
            "width": width,
            "factor": factor,
            "fill": fill,
            "voxels": int(np.count_nonzero(outliers)),
            "filled": filled,
        },
    )
    return reconstruction.after(step, **changes)
