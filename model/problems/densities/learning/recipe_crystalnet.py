"""The recipe ``crystalnet``: the published network, loss, augmentation and schedule."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, pi
from typing import Annotated, Any, Final

import torch
from pydantic import Field
from torch import Tensor, nn

from dsfu.model.problems.densities.learning.batch import DensityBatch
from dsfu.model.training.config import AtLeastOne, Config, Count
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.engine import TrainingEngine
from dsfu.model.training.loss_log import GRADIENT
from dsfu.model.training.recipes import AdamRecipe
from dsfu.settings.section import Section

_AT_ONCE: Final = 12_500
"""Points of a density that are asked for together: a tenth of the published grid."""

_NOISE: Final = 1e-3
_SHIFT: Final = 3


class CrystalNetLoss(Section):
    """How the published network is trained.

    Attributes
    ----------
    points
        Along each axis of the grid of boxes in each of which one point is drawn. Published: 10; 8 in ablations.
    divergence_weight
        Of each of the two divergences.
    restart_steps
        Updates until the learning rate begins anew; each period is twice as long as the one before. Published: 100
        epochs, which are 12 800 updates of 128 on the cubic crystals. 0: the schedule of the optimiser's settings.
    lowest_rate
        Learning rate at the end of a period.
    """

    points: AtLeastOne = 10
    divergence_weight: Annotated[float, Field(ge=0, le=10)] = 0.05
    restart_steps: Count = 12_800
    lowest_rate: Annotated[float, Field(ge=0, le=1)] = 1e-6


@dataclass(frozen=True, eq=False)
class DrawnDensities:
    """Densities that were drawn: (samples, draws, n, n, n) in e/Å³."""

    densities: Tensor


class CrystalNetRecipe(AdamRecipe[DensityBatch]):
    """See `CrystalNet`."""

    def __init__(self, config: Config, engine: TrainingEngine, ranks: Ranks, network: nn.Module) -> None:
        super().__init__(config, engine, ranks, network)
        self.settings: CrystalNetLoss = config.sections["crystalnet"]

    def step(self, batch: DensityBatch, learning_rate: float, number: int) -> Mapping[str, Tensor]:
        if self.settings.restart_steps:
            highest = self.config.optimiser.learning_rate
            learning_rate = restarted_rate(number - 1, self.settings.restart_steps, highest, self.settings.lowest_rate)
        return super().step(batch, learning_rate, number)

    def training_step(self, batch: DensityBatch) -> Mapping[str, Tensor]:
        pattern, composition = augmented(batch.pattern, batch.composition)
        points, truth = drawn_points(batch.density, self.settings.points)
        encoded = self.network.encode(pattern, composition)
        error = (self.network.at(encoded.draw(), points) - truth).abs().mean()
        of_pattern, of_formula = encoded.divergences()
        loss = error + self.settings.divergence_weight * (of_pattern + of_formula)
        norm = self.update(loss)
        parts = {"loss": loss, "error": error, "divergence_pattern": of_pattern, "divergence_formula": of_formula}
        return {**{name: part.detach() for name, part in parts.items()}, GRADIENT: norm}

    @staticmethod
    def answer(network: Any, batch: DensityBatch) -> DrawnDensities:
        """As many draws as the network is made for, on the whole grid of the batch."""
        side = batch.density.shape[1]
        encoded = network.encode(batch.pattern, batch.composition)
        points = grid_points(side, batch.pattern.device)
        draws = []
        for _ in range(network.draws):
            embedding = encoded.draw()
            parts = [
                network.at(embedding, part.expand(len(batch), -1, -1))
                for part in torch.split(points[None], _AT_ONCE, 1)
            ]
            draws.append(torch.cat(parts, dim=1).reshape(len(batch), side, side, side))
        return DrawnDensities(torch.stack(draws, dim=1))


def restarted_rate(step: int, first: int, highest: float, lowest: float) -> float:
    """A cosine from the highest to the lowest rate, begun anew after ``first`` steps, then twice as many, and so on."""
    period = first
    while step >= period:
        step -= period
        period *= 2
    return lowest + 0.5 * (highest - lowest) * (1 + cos(pi * step / period))


def augmented(pattern: Tensor, composition: Tensor) -> tuple[Tensor, Tensor]:
    """Patterns shifted by up to 3 bins, zeros moving in; noise of 1e-3 on both, cut at 0."""
    shifts = torch.randint(-_SHIFT, _SHIFT + 1, (len(pattern), 1), device=pattern.device)
    places = torch.arange(pattern.shape[1], device=pattern.device) - shifts
    inside = (places >= 0) & (places < pattern.shape[1])
    moved = pattern.gather(1, places.clamp(0, pattern.shape[1] - 1)) * inside
    return (
        (moved + _NOISE * torch.randn_like(moved)).relu(),
        (composition + _NOISE * torch.randn_like(composition)).relu(),
    )


def grid_points(side: int, device: torch.device | str) -> Tensor:
    """Fractional coordinates i/side of all points of a grid, (side³, 3), the last axis fastest."""
    axis = torch.arange(side, device=device) / side
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).reshape(-1, 3)


def drawn_points(density: Tensor, boxes: int) -> tuple[Tensor, Tensor]:
    """One point in each of boxes³ equal boxes, moved down to the grid, and the density there.

    Returns (samples, boxes³, 3) in fractions of the cell and (samples, boxes³).
    """
    samples, side = density.shape[:2]
    corners = grid_points(boxes, density.device)
    drawn = corners + torch.rand(samples, boxes**3, 3, device=density.device) / boxes
    index = (drawn * side).long().clamp(max=side - 1)
    flat = (index[..., 0] * side + index[..., 1]) * side + index[..., 2]
    return index / side, density.reshape(samples, -1).gather(1, flat)
