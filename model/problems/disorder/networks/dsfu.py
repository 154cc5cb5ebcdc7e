"""The recipe ``dsfu``: one encoder for both factors, the mask seen as such, and the product relation built in.

A U-Net of residual blocks works on patches of 4 × 4 pixels. Then the two estimates are corrected towards each other
where something was measured, since there their product is known; how far, the network says for every pixel. No layer
looks beyond its own plane, so that a plane's answer does not depend on what else is in the batch.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.model.problems.disorder.networks.gate import SpectralGate

PATCH: Final = 4
_MEAN_ROOT: Final = 0.25
"""What √I of live pixels is scaled to on average. A mean, unlike the maximum, is not moved by a hot pixel."""

LEAST: Final = 0.15
"""Below this, one factor says little about the other: the width of the division's damping."""

_FURTHEST: Final = 1.0
"""By how much a correction moves a factor at most: factors are from 0 to 1. Without it, single planes on which a first
estimate was far off upset a training, the more so the more corrections there are."""


class Dsfu(Factoriser):
    """Parameters
    ----------
    channels
        Of the U-Net's levels, the finest first; each level halves the resolution.
    blocks
        Residual blocks of each level on the way down; the way up has as many.
    corrections
        How often the factors are corrected by their product.
    gates
        On how many of the finest levels a gate weights spatial frequencies, on the way down and on the way up.
    """

    additions: ClassVar[Mapping[str, Any]] = {"gates": 0}

    def __init__(
        self,
        channels: Sequence[int] = (32, 64, 128, 192),
        blocks: Sequence[int] = (2, 2, 2, 3),
        corrections: int = 1,
        gates: int = 0,
    ) -> None:
        super().__init__()
        if not 0 <= gates < len(channels):
            raise ValueError(f"gates = {gates}: expected 0 to {len(channels) - 1}, on levels with a way up")
        if len(channels) != len(blocks):
            raise ValueError(f"channels = {channels}, blocks = {blocks}: expected as many of one as of the other")
        self.corrections = corrections
        self.stem = nn.Conv2d(2 * PATCH**2 + 1, channels[0], 3, padding=1)
        self.down = nn.ModuleList(_Stage(c, n) for c, n in zip(channels, blocks, strict=True))
        finer_coarser = list(pairwise(channels))
        self.coarser = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in finer_coarser)
        self.finer = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in finer_coarser)
        self.up = nn.ModuleList(_Stage(c, n) for c, n in zip(channels[:-1], blocks[:-1], strict=True))
        for number in range(gates):
            for way in (self.down, self.up):
                way[number].append(SpectralGate(channels[number]))  # type: ignore[operator]
        self.head = nn.Conv2d(channels[0], (2 + 2 * corrections) * PATCH**2, 3, padding=1)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.head.weight, std=1e-3)

    def forward(self, intensity: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
        seen = live.to(torch.float32)
        root = relative_root(intensity, seen)
        maps = functional.pixel_shuffle(self._features(root, seen).float(), PATCH)
        form_factor, sro = 0.3 + maps[:, :1], 0.3 + maps[:, 1:2]
        for number in range(self.corrections):
            trust = torch.sigmoid(maps[:, 2 + 2 * number : 4 + 2 * number]) * seen
            form_factor, sro = corrected(form_factor, sro, root, seen, trust)
        return form_factor, sro

    def _features(self, root: Tensor, seen: Tensor) -> Tensor:
        patches = functional.pixel_unshuffle(torch.cat([root, seen], 1), PATCH)
        x = self.stem(torch.cat([patches, _distance(patches)], 1))
        skips = []
        for number, stage in enumerate(self.down):
            x = stage(x)
            if number < len(self.coarser):
                skips.append(x)
                x = self.coarser[number](x)
        for number in reversed(range(len(self.finer))):
            finer = functional.interpolate(self.finer[number](x), scale_factor=2.0, mode="nearest")
            x = self.up[number](finer + skips[number])
        features: Tensor = self.head(x)
        return features


def relative_root(intensity: Tensor, seen: Tensor) -> Tensor:
    """√I scaled by its mean over the live pixels of each plane; 0 where dead or negative."""
    root = torch.where(seen > 0, intensity, 0.0).clamp(min=0).sqrt()
    mean = root.sum((2, 3), keepdim=True) / seen.sum((2, 3), keepdim=True).clamp(min=1)
    return root * (_MEAN_ROOT / mean.clamp(min=1e-30))


def corrected(form_factor: Tensor, sro: Tensor, root: Tensor, seen: Tensor, trust: Tensor) -> tuple[Tensor, Tensor]:
    """Move both factors, as far as each pixel is trusted, to where their product is what was measured."""
    positive_form_factor, positive_sro = form_factor.clamp(min=0), sro.clamp(min=0)
    product = positive_form_factor * positive_sro
    # Least squares: the scale that brings the measured root to the product of both factors.
    scale = (product * root * seen).sum((2, 3), keepdim=True) / root.square().sum((2, 3), keepdim=True).clamp(min=1e-6)
    missing = (scale * root - product) * trust
    damping = LEAST**2
    # Newton's step of either factor with the other held, damped where that one is near zero.
    more_sro = missing[:, :1] * positive_form_factor / (positive_form_factor.square() + damping)
    more_form_factor = missing[:, 1:] * positive_sro / (positive_sro.square() + damping)
    return form_factor + more_form_factor.clamp(-_FURTHEST, _FURTHEST), sro + more_sro.clamp(-_FURTHEST, _FURTHEST)


def _distance(patches: Tensor) -> Tensor:
    """Squared distance of each patch from the plane's middle, 1 at the middle of a side."""
    height, width = patches.shape[-2:]
    y = torch.linspace(-1, 1, height, dtype=patches.dtype, device=patches.device)[:, None]
    x = torch.linspace(-1, 1, width, dtype=patches.dtype, device=patches.device)[None, :]
    return (x.square() + y.square()).expand(patches.shape[0], 1, height, width)


class _Stage(nn.Sequential):
    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__(*(_Block(channels) for _ in range(blocks)))


class _Block(nn.Module):
    """Two 3 × 3 convolutions beside an identity; dense ones, which take less time than their products suggest."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_groups(channels), channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.normal_(self.second.weight, std=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.second(functional.silu(self.first(self.norm(x))))
        return x + inner


def _groups(channels: int) -> int:
    return next(groups for groups in (8, 4, 2, 1) if channels % groups == 0)
