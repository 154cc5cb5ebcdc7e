"""A fit of the inner voxels, from which the prior, the reach of the order and the start of the whole fit are taken."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.linalg as linalg

from dsfu.model.measured.symmetry.groups import laue_operators
from dsfu.model.measured.volume.bragg import find_peaks
from dsfu.model.measured.volume.building import build_fit
from dsfu.model.measured.volume.cutoff import scale_held, shells_needed
from dsfu.model.measured.volume.evidence import best_prior
from dsfu.model.measured.volume.fit import VolumeFit
from dsfu.model.measured.volume.prior import FormFactorPrior
from dsfu.model.measured.volume.settings import FARTHEST, VolumeSettings
from dsfu.model.measured.volume.terms import OrderTerms, period_of
from dsfu.model.measured.volume.voxels import Voxels
from dsfu.model.measured.volume.watch import Watch
from dsfu.simulate.arrays import FloatArray

SEARCHED: Final = 1.5
"""The prior is looked for with voxels of |h|, |k|, |l| up to this; more do not change it, and take longer."""

FLAT: Final = 0.5
"""An index that spans less than this cannot tell vectors apart that differ along its axis."""

FIRST: Final = FormFactorPrior(width=(0.4, 0.4, 0.4), amplitude=3.0)
SMALL: Final = FormFactorPrior(width=(0.32, 0.32, 0.32), amplitude=5.0)
"""Where too few cells were measured to find it from the data: in the middle of what larger volumes want."""

LEAST_CELLS: Final = 6.0
"""Reciprocal cells, measured, from which on the prior is found from the data and they are judged. At 1.7 (25³ voxels of
0.05, with gaps) the evidence took all for order and none for I_FF; at 10 it never did."""

_FIXED: Final = 0.02
"""Largest relative standard uncertainty of the strongest α from which the fit of all voxels may start."""

_ASTRAY: Final = 1.5
"""χ² per voxel from which on a fit is made again from little background. Where order is strong, most of the intensity
lies in narrow maxima, and a first guess without order takes it for background, from where no step leads back. Good
fits have .9 to 1.1, that one had 3.4 after 24 steps."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ahead:
    """What a fit of the inner voxels tells before all are fitted.

    Order up to `FARTHEST` is fitted here whatever the cut-off is: what a short one leaves out would widen I_FF.
    """

    prior: FormFactorPrior
    terms: OrderTerms
    fit: VolumeFit | None = None
    alpha: FloatArray
    scale_known: bool = True
    prior_found: bool = True
    asymmetry: float | None = None
    needed: int = 1


def look_ahead(voxels: Voxels, settings: VolumeSettings, apart: OrderTerms, watch: Watch) -> Ahead:
    """The prior of the largest evidence, how far the order reaches, and whether it has the symmetry."""
    group = laue_operators(settings.laue, voxels.cell)
    terms = apart if is_flat(voxels) else apart.symmetric(group)
    if settings.prior is not None:
        terms = terms.kept(terms.shells() <= (settings.cutoff or FARTHEST))
        return Ahead(prior=settings.prior, terms=terms, alpha=np.zeros(len(terms)))
    part = voxels.cropped(SEARCHED)
    peaks = find_peaks(part) if settings.bragg else None
    peaks = peaks if peaks is not None and peaks.any else None
    fit, _ = build_fit(part, settings, FIRST, apart, peaks, None)
    fit.start()
    watch.stage("width of I_FF's Patterson", fit, 8)
    fit.newton(10, watch)
    astray = fit.chi_square() > _ASTRAY
    values, covariance = fit.parts()[1], fit.order_covariance()
    if astray or not scale_is_known(values, covariance):
        first, reached = fit.parameters, fit.chi_square()
        fit.start_without_columns()
        watch.stage("the same with little background", fit, 6)
        fit.newton(10, watch)
        if astray and fit.chi_square() > reached:
            fit.parameters = first
            fit.reweight()
        values, covariance = fit.parts()[1], fit.order_covariance()
    enough = voxels.cells_measured() >= LEAST_CELLS
    found = best_prior(fit, FIRST) if enough else SMALL
    watch.say(f"width of the Patterson function {found.width[0]:.2f} cells, strength {found.amplitude:.1f}")
    known = scale_is_known(values, covariance)
    if not known:
        values, covariance = scale_held(values, covariance)
    mean, asymmetry = averaged(apart, values, covariance, terms)
    needed = shells_needed(terms.shells(), *mean) if len(terms) else 1
    farthest = needed + 1 if settings.cutoff is None else settings.cutoff  # all voxels may see one more
    kept = terms.shells() <= farthest
    terms, mean = terms.kept(kept), (mean[0][kept], mean[1][np.ix_(kept, kept)])
    return Ahead(
        prior=found,
        terms=terms,
        fit=fit,
        alpha=mean[0],
        scale_known=known,
        prior_found=enough,
        asymmetry=asymmetry,
        needed=needed,
    )


def scale_is_known(values: FloatArray, covariance: FloatArray) -> bool:
    """Whether the strongest α is known to a few per cent: where it is not, no α is, as all share its scale."""
    if not len(values):
        return True
    largest = int(np.abs(values).argmax())
    return bool(np.sqrt(covariance[largest, largest]) < _FIXED * abs(float(values[largest])))


def is_flat(voxels: Voxels) -> bool:
    """Whether an index spans too little to tell vectors apart, other than by none of them being told apart."""
    spans = voxels.ranges() < FLAT
    return any(flat and period_of(axis) != 1 for flat, axis in zip(spans, voxels.axes, strict=True))


def averaged(
    apart: OrderTerms, values: FloatArray, covariance: FloatArray, terms: OrderTerms
) -> tuple[tuple[FloatArray, FloatArray], float | None]:
    """Means over orbits, weighted with the covariance, and χ² per degree of freedom of what is left.

    Parameters
    ----------
    apart
        One parameter for each vector.
    terms
        The same vectors, or some of them, joined.
    """
    place = {tuple(v): i for i, v in enumerate(apart.vectors.tolist())}
    chosen = np.array([place[tuple(v)] for v in terms.vectors.tolist()], np.int64)
    if len(terms) == len(apart):
        return (values, covariance), None
    some, block = values[chosen], covariance[np.ix_(chosen, chosen)]
    averages = np.zeros((len(chosen), len(terms)))
    averages[np.arange(len(chosen)), terms.number] = 1.0
    factor = linalg.cho_factor(block, lower=True)
    mean_covariance = np.asarray(linalg.inv(averages.T @ linalg.cho_solve(factor, averages)))
    mean = mean_covariance @ (averages.T @ linalg.cho_solve(factor, some))
    rest = some - averages @ mean
    freedom = len(chosen) - len(terms)
    asymmetry = float(rest @ linalg.cho_solve(factor, rest)) / freedom if freedom else None
    return (mean, mean_covariance), asymmetry
