"""A measured plane made ready for fitting: scaled, its terms chosen, its noise known or to be estimated."""

from dataclasses import dataclass

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.solver.lattice_terms import LatticeTerms, lattice_terms
from dsfu.model.measured.solver.noise import smoothed, stated_variance
from dsfu.model.measured.solver.patterson import PattersonTerms, falloff, patterson_terms
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

_TOP = 0.999
"""Quantile of the live intensities that is taken for 1; the maximum may be a hot pixel."""

_FEWEST_LIVE = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """One plane, in units of its own scale.

    Attributes
    ----------
    data
        (y, x), 0 where dead.
    variance
        (y, x), of the data; None if unknown.
    level
        (y, x): a smooth estimate of the noise-free data.
    mean
        Start of G: the mean of the data over that of E.
    """

    measured: MeasuredPlane
    live: BoolArray
    data: FloatArray
    variance: FloatArray | None
    level: FloatArray
    falloff: FloatArray
    scale: float
    mean: float
    lattice: LatticeTerms
    patterson: PattersonTerms


def prepare(measured: MeasuredPlane, cutoff: int, width: float) -> Prepared:
    """Scale a plane and choose its terms; say plainly what makes it unfit."""
    where = measured.name or "plane"
    if measured.cell is None:
        raise InputError(
            "its cell is unknown", where=where, expected="cell constants", remedy="give --cell, or use --method network"
        )
    intensity = np.asarray(measured.intensity, np.float64)
    live = measured.live & np.isfinite(intensity)
    if np.count_nonzero(live) < _FEWEST_LIVE:
        raise InputError(
            f"only {np.count_nonzero(live)} of its pixels were measured",
            where=where,
            expected=f"at least {_FEWEST_LIVE} live pixels with finite intensity",
        )
    scale = float(np.quantile(intensity[live], _TOP))
    if not scale > 0:
        raise InputError(
            "it has no intensity", where=where, expected="diffuse scattering above zero on more than a few pixels"
        )
    data = np.where(live, intensity, 0.0) / scale
    envelope = falloff(measured.plane)
    variance = stated_variance(measured.sigma, live)
    return Prepared(
        measured=measured,
        live=live,
        data=data,
        variance=None if variance is None else variance / scale**2,
        level=np.maximum(smoothed(data, live, 3), 0.0),
        falloff=envelope,
        scale=scale,
        mean=max(float(data[live].mean()), 1e-6) / float(envelope[live].mean()),
        lattice=lattice_terms(measured.plane, measured.cell, cutoff),
        patterson=patterson_terms(measured.plane, measured.cell, width),
    )


def thinned(pixels: int, every: int) -> IntArray:
    """One of every so many pixels, not always the same: evenly spaced ones would alias a large cell's series."""
    starts = np.arange(0, pixels, every)
    jitter = np.random.Generator(np.random.Philox(1)).random(len(starts))
    return np.minimum(starts + np.floor(jitter * every).astype(np.int64), pixels - 1)
