"""How well α, background and tails of a volume are known: noise, a prior not found, a scale that is hardly known."""

from dataclasses import replace
from typing import Final

import numpy as np
import torch

from dsfu.model.measured.volume.bragg import Peaks
from dsfu.model.measured.volume.building import build_fit
from dsfu.model.measured.volume.fit import VolumeFit
from dsfu.model.measured.volume.look_ahead import Ahead
from dsfu.model.measured.volume.settings import VolumeSettings
from dsfu.model.measured.volume.terms import OrderTerms
from dsfu.model.measured.volume.voxels import Voxels
from dsfu.simulate.arrays import BoolArray, FloatArray

_UNFOUND: Final = (0.24, 0.4)
"""Widths, in cells, between which those of all good crystals lay, and more."""

_SOFT: Final = 0.03
"""Standard uncertainty of the common scale of all α, relative, beyond which it is more than the linear theory says."""


def covariance_of(
    voxels: Voxels,
    settings: VolumeSettings,
    fit: VolumeFit,
    peaks: Peaks | None,
    masked: BoolArray,
    found: Ahead,
    factor: FloatArray,
) -> FloatArray:
    """Of α and columns, I_FF marginalised; ``factor`` is the Cholesky factor of the fit's normal matrix."""
    covariance = fit.covariance(factor) * max(fit.chi_square(), 1.0)
    if settings.prior is None and not found.prior_found:
        covariance += _of_prior(voxels, settings, fit, peaks, masked)
    n = len(fit.parts()[1])
    if n and not found.scale_known:
        covariance[:n, :n] += _of_scale(fit, covariance)
    return covariance


def _of_prior(
    voxels: Voxels, settings: VolumeSettings, fit: VolumeFit, peaks: Peaks | None, masked: BoolArray
) -> FloatArray:
    """What α and columns owe to a prior that is not found: the larger change, to a narrow or to a wide one."""
    p = fit.sizes[0]
    values, columns = fit.parts()[1:]
    found = []
    for width in _UNFOUND:
        prior = replace(fit.prior, width=(width,) * 3)
        other, _ = build_fit(voxels, settings, prior, fit.terms, peaks, masked, fit.columns.curvature)
        other.start_from(values, columns, fit.model().numpy())
        other.newton(8)
        found.append(other.parameters[other.sizes[0] :])
    change = np.abs(found - fit.parameters[p:]).max(axis=0) * np.sign(found[1] - found[0])
    return np.outer(change, change)


def _of_scale(fit: VolumeFit, covariance: FloatArray) -> FloatArray:
    """What α owe to a scale that hardly anything fixes: so much that all of the background may belong to I_FF."""
    alpha = fit.parts()[1]
    n = len(alpha)
    square = max(float(alpha @ alpha), 1e-300)
    if np.sqrt(max(float(alpha @ covariance[:n, :n] @ alpha), 0.0)) < _SOFT * square:
        return np.zeros((n, n))
    form_factor, order, extra = fit.factors()
    live = torch.from_numpy(fit.voxels.live)
    share = float((extra * torch.ones_like(order))[live].mean() / (form_factor * order)[live].mean())
    return np.outer(alpha, alpha) * min(share, 1.0) ** 2


def damping(voxels: Voxels, terms: OrderTerms) -> FloatArray:
    """What the mean over a voxel's box makes of each parameter's cosines."""
    steps = np.array([axis[1] - axis[0] if len(axis) > 1 else 0.0 for axis in voxels.axes])
    # The mean of cos 2π v h over a box of width w is its middle times sinc(v w).
    each = np.sinc(terms.vectors * steps).prod(axis=1)
    return terms.gathered(each) / terms.gathered(np.ones(len(each)))
