"""The recipe ``reader``: family, size, bond length and B, with intervals that hold as often as they say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from dsfu.model.problems.particles.learning.batch import FAMILIES, ParticleBatch
from dsfu.model.problems.particles.networks.reader import truth_of
from dsfu.model.training.loss_log import GRADIENT
from dsfu.model.training.recipes import AdamRecipe

_INSIDE = 0.9
_REACH_STEP = 0.01


@dataclass(frozen=True, eq=False)
class Reading:
    """What the network says.

    Attributes
    ----------
    chances
        (samples, families): of each, "none" included.
    mean, low, high
        (samples, 3): logarithms of atoms, b and B, and the ends of 90 % intervals.
    """

    chances: Tensor
    mean: Tensor
    low: Tensor
    high: Tensor


class ReaderRecipe(AdamRecipe[ParticleBatch]):
    """Cross entropy of the family, and the likelihood of the three numbers, of strangers the family only."""

    def training_step(self, batch: ParticleBatch) -> Mapping[str, Tensor]:
        logits, mean, width = self.network(batch.pdf)
        known = batch.family < len(FAMILIES) - 1
        error = (truth_of(batch) - mean)[known] / width[known].exp()
        likelihood = (0.5 * error.square() + width[known]).mean()
        family = functional.cross_entropy(logits, batch.family)
        loss = family + likelihood
        norm = self.update(loss)
        self._follow(error.detach())
        parts = {"loss": loss, "family": family, "likelihood": likelihood}
        return {**{name: part.detach() for name, part in parts.items()}, GRADIENT: norm}

    def _follow(self, error: Tensor) -> None:
        """Widen the intervals where more than a tenth lies outside, narrow them where less does.

        The samples were drawn for this step, and the network had not seen them.
        """
        inside = (error.abs() <= self.network.reach).float().mean(dim=0)
        self.network.reach.mul_(1 + _REACH_STEP * (_INSIDE - inside))

    @staticmethod
    def answer(network: Any, batch: ParticleBatch) -> Reading:
        logits, mean, width = network(batch.pdf)
        half = network.reach * width.exp()
        return Reading(torch.softmax(logits, dim=1), mean, mean - half, mean + half)
