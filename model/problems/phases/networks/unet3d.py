"""The published 3D U-Net (Çiçek et al., MICCAI 2016) on intensities, for grids of any size."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

_LEVELS = 3
"""Times that the grid is halved."""


class GridUNet(nn.Module):
    """Three levels down and up, two convolutions each, batch normalisation and ReLU, zeros beyond the edges.

    Grids are enlarged by repetition to a multiple of 8, and the answer is averaged back.

    Parameters
    ----------
    width
        Channels of the first convolution. Published network: 32, 19 million weights.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"width = {width}: expected 1 or more")
        self.down = nn.ModuleList()
        before = 1
        for level in range(_LEVELS + 1):
            self.down.append(_pair(before, width * 2**level, width * 2 ** (level + 1)))
            before = width * 2 ** (level + 1)
        self.enlarge, self.up = nn.ModuleList(), nn.ModuleList()
        for level in reversed(range(_LEVELS)):
            beside = width * 2 ** (level + 1)
            self.enlarge.append(nn.ConvTranspose3d(before, before, 2, stride=2))
            self.up.append(_pair(before + beside, beside, beside))
            before = beside
        self.last = nn.Conv3d(before, 1, 1)

    def forward(self, given: Tensor) -> Tensor:
        """(samples, n, n, n) of intensities to as many voxels."""
        step = 2**_LEVELS
        side = -(-given.shape[1] // step) * step
        x = interpolate(given[:, None], size=(side,) * 3, mode="nearest")
        kept: list[Tensor] = []
        for level, pair in enumerate(self.down):
            x = pair(x if level == 0 else nn.functional.max_pool3d(x, 2))
            kept.append(x)
        for enlarge, pair, beside in zip(self.enlarge, self.up, reversed(kept[:-1]), strict=True):
            x = pair(torch.cat([enlarge(x), beside], dim=1))
        return nn.functional.adaptive_avg_pool3d(self.last(x), (given.shape[1],) * 3)[:, 0]


def _pair(before: int, middle: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(before, middle, 3, padding=1), nn.BatchNorm3d(middle), nn.ReLU(),
        nn.Conv3d(middle, after, 3, padding=1), nn.BatchNorm3d(after), nn.ReLU(),
    )  # fmt: skip
