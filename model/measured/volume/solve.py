"""A volume taken apart: prior, fit, peaks and uncertainties, one after the other, with word of how it goes."""

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.volume.background import BackgroundFound, background_found
from dsfu.model.measured.volume.bragg import CORE, HOLE, TAIL_SHARE, Peaks, find_peaks
from dsfu.model.measured.volume.building import build_fit
from dsfu.model.measured.volume.cutoff import scale_held, shells_needed
from dsfu.model.measured.volume.evidence import best_curvature, best_prior
from dsfu.model.measured.volume.far_order import FarOrder, far_order
from dsfu.model.measured.volume.fit import MoreNoise, VolumeFit
from dsfu.model.measured.volume.look_ahead import FIRST, Ahead, look_ahead
from dsfu.model.measured.volume.settings import FARTHEST, VolumeSettings
from dsfu.model.measured.volume.terms import OrderTerms, order_terms
from dsfu.model.measured.volume.uncertainties import covariance_of, damping
from dsfu.model.measured.volume.voxels import Voxels, unfold, voxels_of
from dsfu.model.measured.volume.watch import Say, Watch
from dsfu.simulate.arrays import BoolArray, FloatArray

WIDEST_FITTED: Final = 0.36
"""In cells. Where the data want a wider I_FF, it would take up what is not of this model, and hide it."""


_PASSES: Final = 2
"""Fits after the first in which the peaks' integrals and tails are taken anew; they no longer change then."""


STRETCH_REFUSED: Final = (
    "A stretch of h, k and l was looked for, and ran away beyond what a wrong cell can be: it was not taken. Order "
    "beyond the cut-off, or something else that is not of this model, can look like one."
)


@dataclass(frozen=True, kw_only=True)
class GridStretch:
    """By what h, k and l of the file were multiplied to be those of the lattice, with standard uncertainties."""

    factors: tuple[float, float, float]
    uncertainties: tuple[float, float, float]

    def sentence(self) -> str:
        axes = zip("hkl", self.factors, self.uncertainties, strict=True)
        words = ", ".join(
            f"{name} by {factor:.5f} ({deviation:.5f})" for name, factor, deviation in axes if factor != 1
        )
        return (
            f"The grid was stretched to the lattice that the order repeats with: {words}. The cell or orientation "
            "matrix of the reconstruction is off by as much."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeSolution:
    """What came out of a volume.

    Attributes
    ----------
    fit
        The last fit, of folded voxels.
    voxels
        All voxels, unfolded, in counts.
    masked
        Which of the measured voxels were left out beside Bragg peaks.
    peaks
        The peaks; None where none were found, or none looked for.
    terms, alpha, covariance
        What is refined of the order, the values, and their covariance with everything else marginalised.
    asymmetry
        χ² per degree of freedom of the differences between equivalent α, where they were fitted apart.
    cutoff_enough
        Whether the data ask for no shell beyond the last one that was fitted.
    column_covariance
        That of background and tails.
    factor
        Cholesky factor of the fit's whitened normal matrix.
    chi_square
        Per voxel; standard uncertainties contain its root where it is above one.
    width
        That of the Patterson function with the largest evidence, in cells; the fit's own is not wider than
        `WIDEST_FITTED`.
    scale_known
        Whether the data tell the scale of all α, and so I_FF from a background that falls off as it does.
    seconds
        Wall time.
    stretch
        By what h, k and l were multiplied, where they were.
    stretch_refused
        Whether a stretch was looked for and ran away.
    far
        Order beyond the cut-off, if there is any; the covariances contain what it does.
    """

    reconstruction: Reconstruction
    settings: VolumeSettings
    fit: VolumeFit
    voxels: Voxels
    masked: BoolArray
    peaks: Peaks | None
    terms: OrderTerms
    alpha: FloatArray
    covariance: FloatArray
    column_covariance: FloatArray
    factor: FloatArray
    chi_square: float
    width: float
    scale_known: bool
    asymmetry: float | None
    cutoff_enough: bool
    seconds: float
    stretch: GridStretch | None = None
    stretch_refused: bool = False
    far: FarOrder | None = None

    @property
    def more_noise(self) -> MoreNoise | None:
        """What order beyond the cut-off adds to the noise of patterns in the residuals, if there is any."""
        return None if self.far is None else self.far.of_patterns

    @property
    def cutoff(self) -> int:
        return int(self.terms.shells().max()) if len(self.terms) else 0

    @cached_property
    def background(self) -> BackgroundFound | None:
        """The background and how well it is known; None where none was fitted."""
        return background_found(self)

    @property
    def misfit(self) -> float:
        """Root mean square of observed − model over that of what was observed."""
        rest, _, _ = self.fit.residuals()
        live = self.fit.voxels.live
        observed = self.fit.voxels.counts[live].astype(np.float64)
        return float(np.sqrt((rest[live].astype(np.float64) ** 2).mean() / (observed**2).mean()))


def solve_volume(reconstruction: Reconstruction, settings: VolumeSettings, say: Say = lambda _: None) -> VolumeSolution:
    """Take a volume, a slab or a plane apart."""
    begun = time.monotonic()
    voxels = voxels_of(reconstruction)
    watch = Watch(say, begun)
    peaks = _peaks_of(voxels, say) if settings.bragg else None
    without = ["abc".index(axis) for axis in settings.no_order_along]
    terms = order_terms(voxels.axes, max(settings.cutoff or 0, FARTHEST), without)
    found = look_ahead(voxels, settings, terms, watch)
    fit, masked = _started(voxels, settings, found, peaks)
    passes = _PASSES if peaks is not None and found.scale_known else 0  # else tails and order are too alike
    watch.stage("fit", fit, 4 + 3 * passes)
    fit.newton(12, watch)
    near = fit.covariance(fit.near_factor)
    fit.near_factor = None
    fit.columns = fit.columns.bent(best_curvature(fit, near))
    needed = settings.cutoff or FARTHEST
    enough = found.needed <= needed
    if settings.cutoff is None and len(found.terms):
        needed = _cutoff_needed(fit, near, scale_known=found.scale_known)
        enough = needed < FARTHEST
        say(f"order up to {needed} cells is asked for by the data")
    if peaks is not None and passes:
        fit, masked, peaks = _with_tails(voxels, settings, fit, peaks, needed, watch)
    elif len(found.terms) and needed < found.terms.shells().max():
        fit, masked = _shortened(voxels, settings, fit, peaks, needed, watch)
    else:
        fit.newton(6, watch)
    say("uncertainties")
    factor = fit.factored()
    fit.settle(factor)
    covariance = covariance_of(voxels, settings, fit, peaks, masked, found, factor)
    far = far_order(fit, factor, int(fit.terms.shells().max())) if len(fit.terms) else None
    if far is not None:
        covariance += far.covariance(fit, factor)
    alpha = fit.parts()[1].copy()
    n = len(alpha)
    damped = damping(voxels, fit.terms) if settings.box else np.ones(n)
    return VolumeSolution(
        reconstruction=reconstruction,
        settings=settings,
        fit=fit,
        voxels=voxels,
        masked=masked & voxels.live,
        peaks=peaks,
        terms=fit.terms,
        alpha=alpha / damped,
        covariance=covariance[:n, :n] / np.outer(damped, damped),
        column_covariance=covariance[n:, n:],
        factor=factor,
        chi_square=fit.chi_square(),
        width=found.prior.width[0],
        scale_known=found.scale_known,
        asymmetry=found.asymmetry,
        cutoff_enough=enough,
        seconds=time.monotonic() - begun,
        far=far,
    )


def _started(
    voxels: Voxels, settings: VolumeSettings, found: Ahead, peaks: Peaks | None
) -> tuple[VolumeFit, BoolArray]:
    """The fit of all voxels before its first step, and what is left out beside the peaks."""
    prior = found.prior
    if found.fit is not None and prior.width[0] > WIDEST_FITTED:
        prior = best_prior(found.fit, FIRST, width=WIDEST_FITTED)
    fit, masked = build_fit(voxels, settings, prior, found.terms, peaks, None)
    if found.fit is not None:
        fit.start_from(found.alpha, np.zeros(0))
    else:
        fit.start()
    return fit, masked


def _peaks_of(voxels: Voxels, say: Say) -> Peaks | None:
    """The Bragg peaks, if there are any."""
    peaks = find_peaks(voxels)
    if not peaks.any:
        say("no Bragg peaks")
        return None
    say(f"Bragg peaks at {int(peaks.strong.sum())} of {int(peaks.seen.sum())} lattice points")
    return peaks


def _cutoff_needed(fit: VolumeFit, covariance: FloatArray, *, scale_known: bool) -> int:
    """Up to which shell the data ask for order."""
    alpha = fit.parts()[1]
    order = alpha, covariance[: len(alpha), : len(alpha)]
    return shells_needed(fit.terms.shells(), *(order if scale_known else scale_held(*order)))


def _with_tails(
    voxels: Voxels, settings: VolumeSettings, fit: VolumeFit, peaks: Peaks, cutoff: int, watch: Watch
) -> tuple[VolumeFit, BoolArray, Peaks]:
    """Fits with the peaks' integrals freed of the diffuse scattering, and without voxels whose tail matters."""
    masked = peaks.mask(HOLE)
    for number in range(_PASSES):
        molecules, order, extra = (each.numpy() for each in fit.factors())
        amplitudes = fit.parts()[2]
        first = fit.columns.splines
        tail = (amplitudes[first:].astype(np.float32) @ fit.columns.maps[first:]).reshape(molecules.shape)
        diffuse = molecules * order
        strong = tail > TAIL_SHARE * np.maximum(diffuse, 0.5)
        beneath = diffuse + extra - tail
        if fit.voxels.folded:
            strong, beneath = unfold(strong), unfold(beneath)
        again = find_peaks(voxels, beneath)
        peaks = again if again.any else peaks
        masked = peaks.mask(CORE) | strong
        kept, curvature = fit.terms.shells() <= cutoff, fit.columns.curvature
        coefficients, alpha, _ = fit.parts()
        fit, masked = build_fit(voxels, settings, fit.prior, fit.terms.kept(kept), peaks, masked, curvature)
        fit.go_on_from(coefficients, alpha[kept], amplitudes[:first], diffuse + extra)
        watch.stage(f"Bragg peaks, pass {number + 1}", fit, 3 * (_PASSES - number))
        # By a factor of its own: that of the pass before leaves it off the optimum where it is soft.
        fit.newton(6, watch)
        fit.near_factor = None
    return fit, masked, peaks


def _shortened(
    voxels: Voxels, settings: VolumeSettings, fit: VolumeFit, peaks: Peaks | None, cutoff: int, watch: Watch
) -> tuple[VolumeFit, BoolArray]:
    """The fit without shells that the data do not ask for."""
    kept = fit.terms.shells() <= cutoff
    coefficients, values, columns = fit.parts()
    curvature = fit.columns.curvature
    shorter, masked = build_fit(voxels, settings, fit.prior, fit.terms.kept(kept), peaks, None, curvature)
    shorter.go_on_from(coefficients, values[kept], columns, fit.model().numpy())
    shorter.newton(12, watch)
    return shorter, masked
