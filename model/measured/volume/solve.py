"""A volume taken apart: prior, fit, peaks and uncertainties, one after the other, with word of how it goes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.volume.bragg import CORE, HOLE, TAIL_SHARE, Peaks, find_peaks
from dsfu.model.measured.volume.columns import SPLINES, columns_of
from dsfu.model.measured.volume.cosines import half_of_box
from dsfu.model.measured.volume.evidence import best_prior
from dsfu.model.measured.volume.falloff import falloff_of
from dsfu.model.measured.volume.fit import VolumeFit
from dsfu.model.measured.volume.prior import FormFactorPrior
from dsfu.model.measured.volume.voxels import Voxels, fold_sum, folded, unfold, voxels_of
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

SEARCHED: Final = 1.5
"""The prior is looked for with voxels of |h|, |k|, |l| up to this; more do not change it, and take longer."""

WIDEST_FITTED: Final = 0.36
"""In cells. Where the data want a wider I_FF, it would take up what is not of this model, and hide it."""

_NODE: Final = 0.02
_FIRST: Final = FormFactorPrior(width=(0.4, 0.4, 0.4), amplitude=3.0)
_FIXED: Final = 0.02
"""Largest relative standard uncertainty of the strongest α from which the fit of all voxels may start."""

_PASSES: Final = 2
"""Fits after the first in which the peaks' integrals and tails are taken anew; they no longer change then."""

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class VolumeSettings:
    """How to take a volume apart.

    Attributes
    ----------
    cutoff
        Largest |u|, |v|, |w| with an α.
    background
        Whether to fit one that depends on |Q|.
    bragg
        Whether to look for Bragg peaks.
    box
        Whether each voxel is a mean over its box, and not a point: α far away are damped by it, and it is undone.
    prior
        That of I_FF, where it is not to be found from the data.
    """

    cutoff: int = 5
    background: bool = True
    bragg: bool = True
    box: bool = False
    prior: FormFactorPrior | None = None


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
    vectors, alpha, covariance
        Lattice vectors, one of each pair, their α, and the covariance with everything else marginalised.
    column_covariance
        That of background and tails.
    chi_square
        Per voxel; standard uncertainties contain its root where it is above one.
    width
        That of the Patterson function with the largest evidence, in cells; the fit's own is not wider than
        `WIDEST_FITTED`.
    scale_known
        Whether the data tell the scale of all α, and so I_FF from a background that falls off as it does.
    seconds
        Wall time.
    """

    reconstruction: Reconstruction
    settings: VolumeSettings
    fit: VolumeFit
    voxels: Voxels
    masked: BoolArray
    peaks: Peaks | None
    vectors: IntArray
    alpha: FloatArray
    covariance: FloatArray
    column_covariance: FloatArray
    chi_square: float
    width: float
    scale_known: bool
    seconds: float

    @property
    def misfit(self) -> float:
        """Root mean square of observed − model over that of what was observed."""
        rest, _, _ = self.fit.residuals()
        live = self.fit.voxels.live
        observed = self.fit.voxels.counts[live].astype(np.float64)
        return float(np.sqrt((rest[live].astype(np.float64) ** 2).mean() / (observed**2).mean()))


COARSE_STEP: Final = 0.2
"""Reciprocal lattice units between layers above which peaks fall between them; the fit was tried on steps of 0.05."""


def solve_volume(reconstruction: Reconstruction, settings: VolumeSettings, say: Say = lambda _: None) -> VolumeSolution:
    """Take a volume, a slab or a plane apart."""
    begun = time.monotonic()
    voxels = voxels_of(reconstruction)
    _warn_of_coarse_steps(voxels, say)
    watch = _Watch(say, begun)
    peaks = find_peaks(voxels) if settings.bragg else None
    if peaks is not None and not peaks.any:
        say("no Bragg peaks")
        peaks = None
    elif peaks is not None:
        say(f"Bragg peaks at {int(peaks.strong.sum())} of {int(peaks.seen.sum())} lattice points")
    alpha_vectors = _alpha_vectors(voxels, settings.cutoff)
    prior, first = _look_for_prior(voxels, settings, alpha_vectors, watch)
    width = prior.width[0]
    if width > WIDEST_FITTED:
        assert first is not None
        prior = best_prior(first, _FIRST, width=WIDEST_FITTED)
    fixed = first is None or _fixes_scale(first)
    if first is not None and fixed:
        fit, masked = _build(voxels, settings, prior, alpha_vectors, peaks, None)
        fit.start_from(first.parts()[1], np.zeros(0))
    else:
        # from nothing, which takes more steps
        fit, masked = _build(voxels, settings, prior, alpha_vectors, peaks, None)
        fit.start()
    watch.stage("fit", fit, 4 + (3 * _PASSES if peaks is not None else 0))
    fit.newton(12, watch)
    if peaks is not None and fixed:  # else tails, background and order are too alike to be refined together
        fit, masked, peaks = _with_tails(voxels, settings, prior, fit, peaks, watch)
    say("uncertainties")
    chi_square = fit.chi_square()
    covariance = fit.covariance() * max(chi_square, 1.0)
    alpha = fit.parts()[1].copy()
    n = len(alpha)
    damping = _damping(voxels, alpha_vectors) if settings.box else np.ones(n)
    return VolumeSolution(
        reconstruction=reconstruction,
        settings=settings,
        fit=fit,
        voxels=voxels,
        masked=masked & voxels.live,
        peaks=peaks,
        vectors=alpha_vectors,
        alpha=alpha / damping,
        covariance=covariance[:n, :n] / np.outer(damping, damping),
        column_covariance=covariance[n:, n:],
        chi_square=chi_square,
        width=width,
        scale_known=fixed,
        seconds=time.monotonic() - begun,
    )


def _warn_of_coarse_steps(voxels: Voxels, say: Say) -> None:
    for name, axis in zip("hkl", voxels.axes, strict=True):
        if len(axis) > 1 and axis[1] - axis[0] > COARSE_STEP:
            say(
                f"{name} goes in steps of {axis[1] - axis[0]:g}: too coarse for Bragg peaks to be seen whole, and the "
                "verdict may be NO for that alone; prepare and factorise take planes one by one"
            )


def _alpha_vectors(voxels: Voxels, cutoff: int) -> IntArray:
    return half_of_box([cutoff] * 3)[1:]


def _damping(voxels: Voxels, vectors: IntArray) -> FloatArray:
    """What the mean over a voxel's box makes of each cosine."""
    steps = np.array([axis[1] - axis[0] if len(axis) > 1 else 0.0 for axis in voxels.axes])
    return np.asarray(np.sinc(vectors * steps).prod(axis=1))


def _look_for_prior(
    voxels: Voxels, settings: VolumeSettings, alpha_vectors: IntArray, watch: "_Watch"
) -> tuple[FormFactorPrior, VolumeFit | None]:
    """The prior of the largest evidence, and the fit from which it was found."""
    if settings.prior is not None:
        return settings.prior, None
    part = voxels.cropped(SEARCHED)
    peaks = find_peaks(part) if settings.bragg else None
    peaks = peaks if peaks is not None and peaks.any else None
    fit, _ = _build(part, settings, _FIRST, alpha_vectors, peaks, None)
    fit.start()
    watch.stage("how wide the Patterson function is", fit, 8)
    fit.newton(10, watch)
    found = best_prior(fit, _FIRST)
    watch.say(f"width of the Patterson function {found.width[0]:.2f} cells, strength {found.amplitude:.1f}")
    return found, fit


def _fixes_scale(fit: VolumeFit) -> bool:
    """Whether the data tell the scale of all α, and so I_FF from a background that falls off as it does."""
    alpha = fit.parts()[1]
    largest = int(np.abs(alpha).argmax())
    return bool(np.sqrt(fit.covariance()[largest, largest]) < _FIXED * abs(float(alpha[largest])))


def _build(
    voxels: Voxels,
    settings: VolumeSettings,
    prior: FormFactorPrior,
    alpha_vectors: IntArray,
    peaks: Peaks | None,
    masked: BoolArray | None,
) -> tuple[VolumeFit, BoolArray]:
    """A fit of voxels but for those beside peaks."""
    if masked is None:
        from dsfu.model.measured.volume.bragg import lattice_distance

        masked = peaks.mask(HOLE) if peaks is not None else lattice_distance(voxels.axes)[0] < _NODE
    kept = Voxels(
        counts=voxels.counts,
        weight=np.where(masked, np.float32(0), voxels.weight),
        axes=voxels.axes,
        cell=voxels.cell,
        gain=voxels.gain,
    )
    folds = folded(kept)
    tails = peaks.tails() if peaks is not None else []
    if folds.folded:
        tails = [np.float32(0.5) * fold_sum(each) for each in tails]
    lengths = folds.lengths()
    typical = float(np.median(folds.counts[folds.live]))
    columns = columns_of(lengths, folds.live, max(typical, 1.0), tails, SPLINES if settings.background else 0)
    return VolumeFit(folds, prior, alpha_vectors, columns, falloff_of(folds, lengths)), masked


def _with_tails(
    voxels: Voxels, settings: VolumeSettings, prior: FormFactorPrior, fit: VolumeFit, peaks: Peaks, watch: "_Watch"
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
        peaks = find_peaks(voxels, beneath)
        masked = peaks.mask(CORE) | strong
        alpha = fit.parts()[1]
        fit, masked = _build(voxels, settings, prior, fit.alpha_vectors, peaks, masked)
        fit.start_from(alpha, amplitudes[:first], diffuse + extra)
        watch.stage(f"Bragg peaks, pass {number + 1}", fit, 3 * (_PASSES - number))
        fit.newton(6, watch)
    return fit, masked, peaks


class _Watch:
    """Says how a fit goes: the misfit, and how long it will take still."""

    def __init__(self, say: Say, begun: float) -> None:
        self.say, self._begun = say, begun
        self._name, self._expected, self._number, self._since = "", 1, 0, begun

    def stage(self, name: str, fit: VolumeFit, expected: int) -> None:
        self._name, self._expected, self._number, self._since = name, expected, 0, time.monotonic()
        p, a, b = fit.sizes
        self.say(f"{name}: {int(fit.voxels.live.sum())} voxels, {p} coefficients of I_FF, {a} α, {b} of the background")

    def __call__(self, fit: VolumeFit, loss: float) -> None:
        self._number += 1
        now = time.monotonic()
        each = (now - self._since) / self._number
        left = max(self._expected - self._number, 0) * each
        chi = 2 * loss / max(int(fit.voxels.live.sum()), 1)
        took = now - self._begun
        self.say(f"{self._name}: step {self._number}, χ² per voxel {chi:.3f}, {took:.0f} s, about {left:.0f} s left")
