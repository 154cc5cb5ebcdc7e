"""A volume taken apart: prior, fit, peaks and uncertainties, one after the other, with word of how it goes."""

import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import torch

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.volume.background import BackgroundFound, background_found
from dsfu.model.measured.volume.bragg import CORE, HOLE, TAIL_SHARE, Peaks, find_peaks
from dsfu.model.measured.volume.building import build_fit
from dsfu.model.measured.volume.cutoff import scale_held, shells_needed
from dsfu.model.measured.volume.evidence import best_curvature, best_prior
from dsfu.model.measured.volume.fit import VolumeFit
from dsfu.model.measured.volume.look_ahead import FIRST, look_ahead
from dsfu.model.measured.volume.settings import FARTHEST, VolumeSettings
from dsfu.model.measured.volume.terms import OrderTerms, order_terms
from dsfu.model.measured.volume.voxels import Voxels, unfold, voxels_of
from dsfu.model.measured.volume.watch import Say, Watch
from dsfu.simulate.arrays import BoolArray, FloatArray

WIDEST_FITTED: Final = 0.36
"""In cells. Where the data want a wider I_FF, it would take up what is not of this model, and hide it."""


_UNFOUND: Final = (0.24, 0.4)
"""Widths, in cells, between which those of all good crystals lay, and more."""

_SOFT: Final = 0.03
"""Standard uncertainty of the common scale of all α, relative, beyond which it is more than the linear theory says."""

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
    prior, terms, first = found.prior, found.terms, found.fit
    width = prior.width[0]
    if first is not None and width > WIDEST_FITTED:
        prior = best_prior(first, FIRST, width=WIDEST_FITTED)
    fit, masked = build_fit(voxels, settings, prior, terms, peaks, None)
    if first is not None:
        fit.start_from(found.alpha, np.zeros(0))
    else:
        fit.start()
    passes = _PASSES if peaks is not None and found.scale_known else 0  # else tails and order are too alike
    watch.stage("fit", fit, 4 + 3 * passes)
    fit.newton(12, watch)
    near = fit.covariance()
    fit.columns = fit.columns.bent(best_curvature(fit, near))
    needed = settings.cutoff or FARTHEST
    enough = found.needed <= needed
    if settings.cutoff is None and len(terms):
        needed = _cutoff_needed(fit, near, scale_known=found.scale_known)
        enough = needed < FARTHEST
        say(f"order up to {needed} cells is asked for by the data")
    if peaks is not None and passes:
        fit, masked, peaks = _with_tails(voxels, settings, fit, peaks, needed, watch)
    elif len(terms) and needed < terms.shells().max():
        fit, masked = _shortened(voxels, settings, fit, peaks, needed, watch)
    else:
        fit.newton(6, watch)
    say("uncertainties")
    chi_square = fit.chi_square()
    factor = fit.factored()
    # Three sources: noise, a prior that the data did not give, and a scale that they hardly give.
    covariance = fit.covariance(factor) * max(chi_square, 1.0)
    if settings.prior is None and not found.prior_found:
        covariance += _of_prior(voxels, settings, fit, peaks, masked)
    alpha = fit.parts()[1].copy()
    n = len(alpha)
    if n and not found.scale_known:
        covariance[:n, :n] += _of_scale(fit, covariance)
    damping = _damping(voxels, fit.terms) if settings.box else np.ones(n)
    return VolumeSolution(
        reconstruction=reconstruction,
        settings=settings,
        fit=fit,
        voxels=voxels,
        masked=masked & voxels.live,
        peaks=peaks,
        terms=fit.terms,
        alpha=alpha / damping,
        covariance=covariance[:n, :n] / np.outer(damping, damping),
        column_covariance=covariance[n:, n:],
        factor=factor,
        chi_square=chi_square,
        width=width,
        scale_known=found.scale_known,
        asymmetry=found.asymmetry,
        cutoff_enough=enough,
        seconds=time.monotonic() - begun,
    )


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


def _damping(voxels: Voxels, terms: OrderTerms) -> FloatArray:
    """What the mean over a voxel's box makes of each parameter's cosines."""
    steps = np.array([axis[1] - axis[0] if len(axis) > 1 else 0.0 for axis in voxels.axes])
    # The mean of cos 2π v h over a box of width w is its middle times sinc(v w).
    each = np.sinc(terms.vectors * steps).prod(axis=1)
    return terms.gathered(each) / terms.gathered(np.ones(len(each)))


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
        fit.newton(6, watch)
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
