"""The recipes ``mlp10``, ``mlp20`` and ``unet3d``: from |F|² on a grid straight to the density, as published."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.nn.functional import mse_loss

from dsfu.model.problems.phases.learning.batch import PhaseBatch
from dsfu.model.training.loss_log import GRADIENT
from dsfu.model.training.recipes import AdamRecipe


class GridRecipe(AdamRecipe[PhaseBatch]):
    """Squared differences voxel by voxel, origin and all, as in the published work (Scripps, Cumby & Seth 2021)."""

    def training_step(self, batch: PhaseBatch) -> Mapping[str, Tensor]:
        loss = mse_loss(self.network(batch.given), batch.sought)
        norm = self.update(loss)
        return {"loss": loss.detach(), GRADIENT: norm}

    @staticmethod
    def answer(network: Any, batch: PhaseBatch) -> Tensor:
        """The density, (samples, n, n, n), relative to its maximum."""
        answer: Tensor = network(batch.given)
        return answer
