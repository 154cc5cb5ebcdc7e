"""What an experiment does to the scattering of a plane before a network sees it; docs/data.md has the formulas.

In the order of the physics: the crystal is strained and its atoms move, which belongs to the truth; then Bragg spots
are added and the resolution blurs both, backgrounds come on top, and what arrives is counted with noise, where live.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dsfu.model.devices import through_pinned_memory
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.forward import PlaneBatch
from dsfu.model.problems.disorder.training.augment_draws import EffectsOfBatch

_BRAGG_FALL: Final = 0.04
"""Å²: Bragg spots fall as exp(−0.04 |Q|²), as a form factor and thermal motion make them."""

_BLUR_REACH: Final = 3
"""The blur's kernel reaches so many standard deviations of the widest."""

_TINY: Final = 1e-30


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """Where the pixels of some planes are: the planes, and the lattice vectors of each (planes, 3, 3) in Å."""

    planes: PlaneBatch
    vectors: Tensor

    def __getitem__(self, chosen: Tensor) -> "Places":
        return Places(planes=self.planes[chosen], vectors=self.vectors[chosen])

    def to(self, device: torch.device) -> "Places":
        planes = self.planes
        moved = {
            name: through_pinned_memory(getattr(planes, name), device)
            for name in ("centre", "axis_x", "axis_y", "q_max")
        }
        return Places(
            planes=PlaneBatch(**moved, pixels=planes.pixels), vectors=through_pinned_memory(self.vectors, device)
        )

    def q_squared(self) -> Tensor:
        """|Q|² of every pixel, (planes, y, x)."""
        planes, offsets = self.planes, self.planes.offsets
        along_x, along_y = (2 * (planes.centre * axis).sum(-1)[:, None] for axis in (planes.axis_x, planes.axis_y))
        of_x = offsets * (offsets + along_x) + planes.centre.square().sum(-1)[:, None]
        return (of_x[:, None, :] + (offsets * (offsets + along_y))[:, :, None]).float()

    def hkl(self) -> Tensor:
        """hkl of every pixel, (planes, 3, y, x)."""
        to_hkl = self.vectors / (2 * torch.pi)
        planes, offsets = self.planes, self.planes.offsets
        centre, along_x, along_y = (
            (to_hkl @ each[..., None]) for each in (planes.centre, planes.axis_x, planes.axis_y)
        )
        of_x = along_x * offsets[:, None]
        of_y = along_y * offsets[:, None]
        return ((centre + of_x)[:, :, None, :] + of_y[:, :, :, None]).float()


def as_measured(form_factor: Tensor, sro: Tensor, live: Tensor, places: Places, effects: EffectsOfBatch) -> Batch:
    """A batch from both factors of its planes, (planes, y, x) in any unit, with all effects but strain."""
    form_factor = _changed(form_factor, effects, "debye_waller_u", lambda some, u, at: _moving(some, u, places[at]))
    form_factor, sro = relative(form_factor), relative(sro)
    clean = relative(form_factor * sro)
    mean = clean.mean((1, 2)).clamp(min=_TINY)
    seen = _with_bragg(clean, places, effects)
    seen = _changed(seen, effects, "blur_sigma", lambda some, sigma, _: blurred(some, sigma))
    seen = _changed(seen, effects, "flat_level", lambda some, level, at: some + _per_plane(level * mean[at]))
    seen = _with_ring(seen, mean, places, effects)
    seen = _with_noise(seen, mean, effects)
    seen = torch.where(live, seen, torch.zeros((), device=seen.device))
    return Batch(
        intensity=seen[:, None],
        live=live[:, None],
        clean=clean[:, None],
        form_factor=form_factor[:, None],
        sro=sro[:, None],
    )


def relative(planes: Tensor) -> Tensor:
    """Planes (planes, y, x) relative to the maximum of each."""
    return planes / planes.amax((1, 2), keepdim=True).clamp(min=_TINY)


def blurred(planes: Tensor, sigma: Tensor) -> Tensor:
    """Planes (planes, y, x), each blurred by a Gaussian with its standard deviation in pixels; edges are continued."""
    reach = max(1, int(np.ceil(_BLUR_REACH * float(sigma.max()))))
    steps = torch.arange(-reach, reach + 1, device=planes.device, dtype=planes.dtype)
    kernels = torch.exp(-steps.square() / (2 * sigma[:, None].square()))
    kernels = (kernels / kernels.sum(1, keepdim=True))[:, None, None, :]
    out = functional.pad(planes[None], (reach, reach, reach, reach), mode="replicate")
    out = functional.conv2d(out, kernels, groups=len(planes))
    return functional.conv2d(out, kernels.mT, groups=len(planes))[0]


def bragg_spots(places: Places, strength: Tensor, width: Tensor, seed: Tensor) -> Tensor:
    """Gaussian spots about all points of the reciprocal lattice but the origin, (planes, y, x).

    Parameters
    ----------
    strength
        (planes,): their mean height, at the origin; heights are distributed exponentially (Wilson's statistics of
        acentric crystals), and fall with |Q|.
    width
        (planes,): standard deviation in pixels.
    seed
        (planes,): whole numbers; the same seed gives a point the same height on every plane.
    """
    hkl = places.hkl()
    nearest = hkl.round()
    reciprocal = 2 * torch.pi * torch.linalg.inv(places.vectors).mT
    away = torch.einsum("pjyx,pjc->pcyx", hkl - nearest, reciprocal.float())
    sigma = width * (2 * places.planes.q_max / places.planes.pixels).float()
    spots = torch.exp(-away.square().sum(1) / (2 * _per_plane(sigma.square())) - _BRAGG_FALL * places.q_squared())
    heights = -torch.log1p(-_hashed(nearest.long(), seed)) * nearest.any(1)
    return _per_plane(strength) * heights * spots


_OfSome = Callable[[Tensor, Tensor, Tensor], Tensor]


def _changed(planes: Tensor, effects: EffectsOfBatch, name: str, change: _OfSome) -> Tensor:
    """Planes, those changed that have an effect: ``change`` gets them, the effect's values, and their numbers."""
    chosen = effects.where(name)
    if not len(chosen):
        return planes
    at = torch.from_numpy(chosen).to(planes.device)
    values = torch.from_numpy(effects.of_samples(name, chosen)).to(planes)
    return planes.index_copy(0, at, change(planes[at], values, at))


def _moving(planes: Tensor, u: Tensor, places: Places) -> Tensor:
    return planes * torch.exp(-_per_plane(u) * places.q_squared())


def _with_bragg(planes: Tensor, places: Places, effects: EffectsOfBatch) -> Tensor:
    def of_some(some: Tensor, strength: Tensor, at: Tensor) -> Tensor:
        width = _values(effects, "bragg_width", some, at)
        seed = torch.from_numpy(effects.whole("bragg_seed")).to(some.device)[at]
        return some + bragg_spots(places[at], strength, width, seed)

    return _changed(planes, effects, "bragg_strength", of_some)


def _with_ring(planes: Tensor, mean: Tensor, places: Places, effects: EffectsOfBatch) -> Tensor:
    def of_some(some: Tensor, level: Tensor, at: Tensor) -> Tensor:
        centre, width = (_values(effects, name, some, at) for name in ("radial_centre", "radial_width"))
        away = places[at].q_squared().sqrt() - _per_plane(centre)
        return some + _per_plane(level * mean[at]) * torch.exp(-away.square() / (2 * _per_plane(width.square())))

    return _changed(planes, effects, "radial_level", of_some)


def _with_noise(planes: Tensor, mean: Tensor, effects: EffectsOfBatch) -> Tensor:
    """Every plane has its own generator, so that its noise does not depend on what else is in the batch."""
    counts, sigma = (effects.columns[name] for name in ("poisson_counts", "gaussian_sigma"))
    noisy = np.flatnonzero((counts != 0) | (sigma != 0))
    if not len(noisy):
        return planes
    planes, generator = planes.clone(), torch.Generator(device=planes.device)
    per_count = (mean / torch.from_numpy(np.asarray(counts)).to(planes))[:, None, None]
    for number in noisy.tolist():
        generator.manual_seed(int(effects.whole("noise_seed")[number]))
        if counts[number]:
            expected = planes[number] / per_count[number]
            planes[number] = torch.poisson(expected, generator) * per_count[number]
        if sigma[number]:
            noise = torch.randn(planes.shape[1:], generator=generator, device=planes.device)
            planes[number] += float(sigma[number]) * mean[number] * noise
    return planes


def _values(effects: EffectsOfBatch, name: str, like: Tensor, at: Tensor) -> Tensor:
    every = effects.of_samples(name, np.arange(len(effects.columns[name])))
    return torch.from_numpy(every).to(like)[at]


def _per_plane(values: Tensor) -> Tensor:
    return values[:, None, None]


def _hashed(hkl: Tensor, seed: Tensor) -> Tensor:
    """A uniform number from 0 to 1 for each point hkl (planes, 3, y, x) and seed (planes,): (planes, y, x).

    Whole numbers below 2³¹ times multipliers below 2³¹ stay within 64 bits on every device.
    """
    word = seed[:, None, None]
    for index in hkl.unbind(1):
        word = ((word + (index + 64)) * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
        word = ((word ^ (word >> 15)) * 739_982_445) & 0x7FFF_FFFF
        word = word ^ (word >> 12)
    return (word >> 8).to(torch.float32) / 0x80_0000
