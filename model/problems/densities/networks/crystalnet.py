"""The published network (Guo et al., CrystalNet, 2024): a density that is asked for point by point.

Pattern and composition are encoded as means and spreads, from which one embedding is drawn; it scales and shifts what
is known of a point, and four blocks read the density there. Not periodic: the frequencies of positions are any numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import pi
from typing import Final

import torch
from torch import Tensor, nn

from dsfu.simulate.densities.conventions import ATOMIC_NUMBERS, BINS

WIDTH: Final = 512

_GROWTH: Final = 8
_DENSE: Final = 4
_BLOCKS: Final = 4
_LAYERS: Final = 4
_FREQUENCIES: Final = 128
_SPREAD_OF_FREQUENCIES: Final = 3.0


@dataclass(frozen=True)
class Encoded:
    """Means and spreads of pattern and composition, each (samples, 512). Spreads may be negative."""

    pattern_mean: Tensor
    pattern_spread: Tensor
    formula_mean: Tensor
    formula_spread: Tensor

    def draw(self) -> Tensor:
        """One embedding of each sample, (samples, 1024)."""
        pattern = self.pattern_mean + torch.randn_like(self.pattern_mean) * self.pattern_spread
        formula = self.formula_mean + torch.randn_like(self.formula_mean) * self.formula_spread
        return torch.cat([pattern, formula], dim=1)

    def divergences(self) -> tuple[Tensor, Tensor]:
        """−⟨1 + log(s² + 1e-4) − m² − s²⟩ of the pattern and of the composition, as published."""
        return (
            _divergence(self.pattern_mean, self.pattern_spread),
            _divergence(self.formula_mean, self.formula_spread),
        )


def _divergence(mean: Tensor, spread: Tensor) -> Tensor:
    square = spread.square()
    return -(1 + (square + 1e-4).log() - mean.square() - square).mean()


class _Convolved(nn.Module):
    """Convolution of width 3, normalised over channels and bins, rectified."""

    def __init__(self, inputs: int, outputs: int, bins: int, width: int = 3) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(inputs, outputs, width, padding=width // 2)
        self.norm = nn.LayerNorm([outputs, bins])

    def forward(self, values: Tensor) -> Tensor:
        return torch.relu(self.norm(self.convolution(values)))


class _Dense(nn.Module):
    """Layers that each see what all before them gave."""

    def __init__(self, inputs: int, bins: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Convolved(inputs + _GROWTH * n, _GROWTH, bins) for n in range(_DENSE))

    def forward(self, values: Tensor) -> Tensor:
        for layer in self.layers:
            values = torch.cat([values, layer(values)], dim=1)
        return values


class PatternEncoder(nn.Module):
    """(samples, 1024) → (samples, 512)."""

    def __init__(self) -> None:
        super().__init__()
        grown = _GROWTH * (1 + _DENSE)
        self.first = _Convolved(1, _GROWTH, BINS)
        self.fine = _Dense(_GROWTH, BINS)
        self.between = _Convolved(grown, 2 * _GROWTH, BINS, width=1)
        self.pool = nn.AvgPool1d(2)
        self.coarse = _Dense(2 * _GROWTH, BINS // 2)
        self.last = nn.Conv1d(2 * _GROWTH + _GROWTH * _DENSE, 1, 1)
        self.out = nn.Sequential(nn.Linear(BINS // 2, WIDTH), nn.BatchNorm1d(WIDTH))

    def forward(self, pattern: Tensor) -> Tensor:
        values = self.between(self.fine(self.first(pattern[:, None])))
        read: Tensor = self.out(self.last(self.coarse(self.pool(values)))[:, 0])
        return read


def formula_encoder() -> nn.Sequential:
    """(samples, 119) → (samples, 512)."""
    layers: list[nn.Module] = [nn.Linear(ATOMIC_NUMBERS, WIDTH), nn.BatchNorm1d(WIDTH)]
    for _ in range(2):
        layers += [nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH)]
    return nn.Sequential(*layers)


def _stack(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU()]
    return nn.Sequential(*layers)


class CrystalNet(nn.Module):
    """The whole: two encoders twice, the reader of positions, the regressor.

    Parameters
    ----------
    draws
        Embeddings that are drawn of each sample when the network is used. Published: 5.
    """

    frequencies: Tensor

    def __init__(self, draws: int = 5) -> None:
        super().__init__()
        self.draws = draws
        self.pattern_mean, self.pattern_spread = PatternEncoder(), PatternEncoder()
        self.formula_mean, self.formula_spread = formula_encoder(), formula_encoder()
        self.scale = _stack((2 * WIDTH, 2 * WIDTH, 2 * WIDTH, 2 * WIDTH, WIDTH))
        self.shift = _stack((2 * WIDTH, 2 * WIDTH, 2 * WIDTH, 2 * WIDTH, WIDTH))
        self.register_buffer("frequencies", _SPREAD_OF_FREQUENCIES * torch.randn(3, _FREQUENCIES))
        self.position = nn.Sequential(
            nn.Linear(2 * _FREQUENCIES, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH)
        )
        self.blocks = nn.ModuleList(
            _stack((WIDTH if n == 0 else 2 * WIDTH, *[WIDTH] * _LAYERS)) for n in range(_BLOCKS)
        )
        self.density = nn.Linear(WIDTH, 1)

    def encode(self, pattern: Tensor, composition: Tensor) -> Encoded:
        """What pattern (samples, 1024) and composition (samples, 119) say."""
        return Encoded(
            self.pattern_mean(pattern),
            self.pattern_spread(pattern),
            self.formula_mean(composition),
            self.formula_spread(composition),
        )

    def at(self, embedding: Tensor, points: Tensor) -> Tensor:
        """Densities (samples, points) of embeddings (samples, 1024) at fractional coordinates (samples, points, 3)."""
        samples, number = points.shape[:2]
        angles = 2 * pi * (points - 0.5) @ self.frequencies
        known = self.position(torch.cat([angles.sin(), angles.cos()], dim=2).reshape(samples * number, -1))
        scale, shift = self.scale(embedding), self.shift(embedding)
        known = (known.reshape(samples, number, -1) * scale[:, None] + shift[:, None]).reshape(samples * number, -1)
        values = self.blocks[0](known)
        for block in self.blocks[1:]:
            values = block(torch.cat([values, known], dim=1))
        density: Tensor = self.density(values).reshape(samples, number)
        return density

    def forward(self, pattern: Tensor, composition: Tensor, points: Tensor) -> Tensor:
        """One draw: densities (samples, points)."""
        return self.at(self.encode(pattern, composition).draw(), points)
