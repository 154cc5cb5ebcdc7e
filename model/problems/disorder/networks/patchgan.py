"""The discriminator of the published recipe: which 70 × 70 patches look like truth, given the scattering."""

import torch
from torch import Tensor, nn

from dsfu.model.problems.disorder.networks.unet import initialise

_SLOPE = 0.2


class PatchGan(nn.Module):
    """Conditional PatchGAN (Isola et al., arXiv:1611.07004).

    Parameters
    ----------
    channels
        Of the first level; the next have two, four and eight times as many.
    """

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(2, channels, 4, stride=2, padding=1),
            nn.LeakyReLU(_SLOPE),
            *_level(channels, 2 * channels, stride=2),
            *_level(2 * channels, 4 * channels, stride=2),
            *_level(4 * channels, 8 * channels, stride=1),
            nn.Conv2d(8 * channels, 1, 4, padding=1),
        )
        self.apply(initialise)

    def forward(self, scattering: Tensor, factor: Tensor) -> Tensor:
        """Log-odds that patches of a factor are true: (planes, 1, patches, patches).

        Both planes (planes, 1, y, x) from −1 to +1; the scattering is the clean one, without dead zones, or else the
        generator would be rewarded for drawing them (section 2.3 of the paper).
        """
        result: Tensor = self.layers(torch.cat([scattering, factor], 1))
        return result


def _level(channels: int, wider: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels, wider, 4, stride=stride, padding=1, bias=False),
        nn.InstanceNorm2d(wider),
        nn.LeakyReLU(_SLOPE),
    ]
