"""The generator of the published recipe: a U-Net that halves the resolution level by level, and back.

Convolutions of 4 × 4 with stride 2, instance normalisation, leaky ReLU on the way down and ReLU on the way up, as in
Isola et al., CVPR 2017 (arXiv:1611.07004), whose design the paper follows. No layer depends on other planes of a batch.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

_SLOPE = 0.2


class UNet(nn.Module):
    """From one channel to one channel between −1 and +1.

    Parameters
    ----------
    channels
        Of the levels, the finest first: as many halvings as there are numbers, six from 256 pixels down to 4.
    dropout
        Probability in the deepest levels on the way up; it is the noise that the recipe's generator has.
    dropped_levels
        How many of them have it.
    """

    def __init__(self, channels: Sequence[int], dropout: float, dropped_levels: int) -> None:
        super().__init__()
        self.down = nn.ModuleList([_first_halving(channels[0])])
        self.down.extend(_halving(finer, coarser) for finer, coarser in pairwise(channels))
        depth = len(channels)
        self.up = nn.ModuleList()
        for level in reversed(range(1, depth)):
            joined = channels[level] * (1 if level == depth - 1 else 2)
            is_dropped = level >= depth - dropped_levels
            self.up.append(_doubling(joined, channels[level - 1], dropout if is_dropped else 0.0))
        joined = channels[0] * (2 if depth > 1 else 1)
        self.last = nn.Sequential(nn.ConvTranspose2d(joined, 1, 4, stride=2, padding=1), nn.Tanh())
        self.apply(initialise)

    def forward(self, planes: Tensor) -> Tensor:
        skips = []
        x = planes
        for halving in self.down:
            x = halving(x)
            skips.append(x)
        skips.pop()
        for doubling in self.up:
            x = torch.cat([doubling(x), skips.pop()], 1)
        result: Tensor = self.last(x)
        return result


def initialise(layer: nn.Module) -> None:
    """Normal weights of width 0.02 and no bias, as Isola et al. begin."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, std=0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _first_halving(channels: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, channels, 4, stride=2, padding=1), nn.LeakyReLU(_SLOPE))


def _halving(finer: int, coarser: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(finer, coarser, 4, stride=2, padding=1, bias=False),
        nn.InstanceNorm2d(coarser),
        nn.LeakyReLU(_SLOPE),
    )


def _doubling(coarser: int, finer: int, dropout: float) -> nn.Module:
    layers: list[nn.Module] = [
        nn.ConvTranspose2d(coarser, finer, 4, stride=2, padding=1, bias=False),
        nn.InstanceNorm2d(finer),
    ]
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.ReLU())
