"""A fit of a volume's voxels put together: what is left out, columns of background and tails, the falloff."""

from dataclasses import replace
from typing import Final

import numpy as np

from dsfu.model.measured.volume.bragg import HOLE, Peaks, lattice_distance
from dsfu.model.measured.volume.columns import SPLINES, columns_of
from dsfu.model.measured.volume.falloff import falloff_of
from dsfu.model.measured.volume.fit import VolumeFit
from dsfu.model.measured.volume.prior import FormFactorPrior
from dsfu.model.measured.volume.settings import VolumeSettings
from dsfu.model.measured.volume.terms import OrderTerms
from dsfu.model.measured.volume.voxels import Voxels, fold_sum, folded
from dsfu.simulate.arrays import BoolArray

_NODE: Final = 0.02
"""In reciprocal lattice units: lattice points are left out even where no peak was found."""


def build_fit(
    voxels: Voxels,
    settings: VolumeSettings,
    prior: FormFactorPrior,
    terms: OrderTerms,
    peaks: Peaks | None,
    masked: BoolArray | None,
    curvature: float | None = None,
) -> tuple[VolumeFit, BoolArray]:
    """A fit of voxels but for those beside peaks."""
    if masked is None:
        masked = peaks.mask(HOLE) if peaks is not None else lattice_distance(voxels.axes)[0] < _NODE
    kept = replace(voxels, weight=np.where(masked, np.float32(0), voxels.weight))
    folds = folded(kept)
    tails = peaks.tails() if peaks is not None else []
    if folds.folded:
        tails = [np.float32(0.5) * fold_sum(each) for each in tails]
    lengths = folds.lengths()
    typical = float(np.median(folds.counts[folds.live]))
    splines = SPLINES if settings.background else 0
    columns = columns_of(lengths, folds.live, max(typical, 1.0), tails, splines, curvature)
    return VolumeFit(folds, prior, terms, columns, falloff_of(folds, lengths)), masked
