"""A gate that weights spatial frequencies: what repeats over a plane stands out in the spectrum of its features.

Convolutions see some pixels around; a lattice is seen in the whole plane at once, at any angle.
"""

import torch
from torch import Tensor, nn


class SpectralGate(nn.Module):
    """Features plus themselves with each frequency weighted by 0 to 2, as small convolutions read from the spectrum.

    The last layer begins as zero, so that a network with a gate begins as the same network without.
    """

    def __init__(self, channels: int, hidden: int = 16) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8 if channels % 8 == 0 else 1, channels)
        self.before = nn.Conv2d(channels, channels, 1)
        self.first = nn.Conv2d(channels, hidden, 3, padding=1)
        self.second = nn.Conv2d(hidden, channels, 3, padding=1)
        self.after = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.after.weight)
        nn.init.zeros_(self.after.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(self.norm(x)).float()
        spectrum = torch.fft.rfft2(y, norm="ortho")
        power = torch.log1p(spectrum.real.square() + spectrum.imag.square())
        half = power.shape[-2] // 2
        power = torch.roll(power, half, -2)  # low frequencies in one piece, for the convolutions
        gain = 2 * torch.sigmoid(self.second(nn.functional.silu(self.first(power))))
        gain = torch.roll(gain, -half, -2)
        weighted = torch.fft.irfft2(spectrum * gain, s=y.shape[-2:], norm="ortho")
        inner: Tensor = self.after(weighted.to(x.dtype))
        return x + inner
