"""The published network (Kjær et al., Digital Discovery 2, 69, 2023): a conditional variational autoencoder.

It decodes the positions of a particle from two numbers, which a prior reads from G(r), and a posterior from G(r) and
the atoms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from dsfu.model.problems.particles.learning.batch import ParticleBatch
from dsfu.model.problems.particles.networks.graph_attention import AttentionPooling, GraphAttention, graph_of

PADDING: Final = -1.0
"""What stands for an atom that is not there."""

NO_ATOM: Final = -0.2
"""An atom whose mean coordinate is below this was decoded as one that is not there; as published."""

_GRAPH: Final = (3, 1024, 512, 256, 128, 64, 256)
_READING: Final = (384, 192, 24)
_HEAD: Final = (512, 256, 128, 64)
_DECODER: Final = (32, 64, 128, 256, 512, 1024)
_POOLED: Final = 256
_TOGETHER: Final = 8
_FIRST_SPREAD: Final = 25.0
_FIRST_DECODED: Final = 0.1


@dataclass(frozen=True)
class Latent:
    """A normal distribution of the latent numbers: means and standard deviations, (samples, latent)."""

    mean: Tensor
    deviation: Tensor

    def draw(self) -> Tensor:
        """One draw of each."""
        return self.mean + self.deviation * torch.randn_like(self.mean)

    def divergence_from(self, other: "Latent") -> Tensor:
        """Kullback–Leibler divergence of this from another, (samples,)."""
        ratio = (self.deviation / other.deviation).square()
        shift = ((self.mean - other.mean) / other.deviation).square()
        return 0.5 * (ratio + shift - 1 - ratio.log()).sum(dim=1)


def latent_of(values: Tensor) -> Latent:
    """From what a layer gives; standard deviations are above 1, as in the published code."""
    mean, width = values.chunk(2, dim=1)
    return Latent(mean, (functional.softplus(width) / 2).exp())


class GatedReader(nn.Module):
    """G(r) → numbers: linear layers, each multiplied with a gate of its own."""

    def __init__(self, points: int, outputs: int) -> None:
        super().__init__()
        widths = (points, *_READING, outputs)
        pairs = list(pairwise(widths))
        self.values = nn.ModuleList(nn.Linear(a, b) for a, b in pairs)
        self.gates = nn.ModuleList(nn.Linear(a, b) for a, b in pairs)

    def forward(self, pdf: Tensor) -> Tensor:
        """(samples, points) → (samples, outputs)."""
        for number, (value, gate) in enumerate(zip(self.values, self.gates, strict=True)):
            pdf = value(pdf) * torch.sigmoid(gate(pdf))
            if number < len(self.values) - 1:
                pdf = functional.leaky_relu(pdf)
        return pdf


class Cvae(nn.Module):
    """The whole: encoder of atoms, two readers of G(r), decoder.

    Parameters
    ----------
    points
        Of G(r).
    most_atoms
        Rows that are decoded.
    latent
        Latent numbers.
    extent
        In Å along each axis: coordinates are divided by it. As published.
    """

    extent: Tensor

    def __init__(
        self,
        points: int = 2800,
        most_atoms: int = 200,
        latent: int = 2,
        extent: Sequence[float] = (25.92, 25.92, 50.2637),
    ) -> None:
        super().__init__()
        self.most_atoms, self.latent = most_atoms, latent
        self.register_buffer("extent", torch.tensor(tuple(extent), dtype=torch.float32), persistent=False)
        pairs = pairwise(_GRAPH)
        self.graph = nn.ModuleList(GraphAttention(a, b) for a, b in pairs)
        self.pooling = AttentionPooling(_GRAPH[-1], _POOLED)
        self.prior_reader = GatedReader(points, 2 * latent)
        self.posterior_reader = GatedReader(points, _POOLED)
        self.head = _stack((2 * _POOLED, *_HEAD[1:], 2 * latent))
        self.decoder = _stack((latent, *_DECODER, 3 * most_atoms))
        self._begin()

    def _begin(self) -> None:
        """First weights with which signals keep their size through all layers.

        With torch's own they shrink to 10⁻⁵ on their way to the latent numbers, whose deviations are above 1: a
        training then stays at the mean of all particles for hundreds of updates. The paper is silent.
        """
        for name, layer in self.named_modules():
            if isinstance(layer, nn.Linear) and "gates" not in name:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="leaky_relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        for reader in (self.prior_reader, self.posterior_reader):
            for value in reader.values:
                _enlarge(value, 2.0)  # the gates halve
        for last in (self.prior_reader.values[-1], self.head[-1]):
            _enlarge(last, _FIRST_SPREAD, self.latent)
        _enlarge(self.decoder[-1], _FIRST_DECODED)

    def prior(self, pdf: Tensor) -> Latent:
        """What G(r) alone says."""
        return latent_of(self.prior_reader(pdf))

    def posterior(self, batch: ParticleBatch) -> Latent:
        """What G(r) and the atoms say together."""
        # Sums over neighbours cost the square of the largest particle: those of like size go together.
        order = batch.atoms.argsort()
        parts = torch.split(order, _TOGETHER)
        encoded = torch.cat([self._encoded(batch.some(part)) for part in parts])
        read = self.posterior_reader(batch.pdf)
        return latent_of(self.head(torch.cat([encoded[order.argsort()], read], dim=1)).float())

    def _encoded(self, batch: ParticleBatch) -> Tensor:
        atoms, there, connected = graph_of(batch)
        atoms = atoms / self.extent
        for layer in self.graph:
            atoms = functional.leaky_relu(layer(atoms, there, connected))
        pooled: Tensor = self.pooling(atoms, there)
        return pooled

    def decode(self, latent: Tensor) -> Tensor:
        """(samples, latent) → coordinates over the extent, (samples, most atoms, 3)."""
        decoded: Tensor = self.decoder(latent)
        return decoded.reshape(-1, self.most_atoms, 3)

    def target(self, batch: ParticleBatch) -> Tensor:
        """What should be decoded: coordinates over the extent, −1 where there is no atom."""
        given = batch.positions[:, : self.most_atoms] / self.extent
        given = functional.pad(given, (0, 0, 0, self.most_atoms - given.shape[1]))
        there = torch.arange(self.most_atoms, device=given.device) < batch.atoms[:, None]
        return torch.where(there[..., None], given, PADDING)


def _enlarge(layer: nn.Module, factor: float, rows: int | None = None) -> None:
    """Multiply the weights of a linear layer, or those of its first outputs."""
    weight = layer.get_parameter("weight").data
    weight[:rows] *= factor


def _stack(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.LeakyReLU()]
    return nn.Sequential(*layers[:-1])
