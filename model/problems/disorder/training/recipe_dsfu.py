"""The recipe ``dsfu``: one network, trained on both scales and on the product of what it says."""

from collections.abc import Mapping

from torch import Tensor, nn

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.training.losses import dsfu_losses
from dsfu.model.problems.disorder.training.recipe import FactoriserRecipe
from dsfu.model.training.config import Config
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.engine import TrainingEngine
from dsfu.model.training.loss_log import GRADIENT
from dsfu.model.training.muon import Muon, hidden_convolutions
from dsfu.model.training.recipes import TIMES, adam

_OUTER = ("stem", "head")
"""Convolutions that see and make pixels; AdamW updates them in any case."""


class DsfuRecipe(FactoriserRecipe):
    takes_muon = True

    def __init__(self, config: Config, engine: TrainingEngine, ranks: Ranks, network: nn.Module) -> None:
        super().__init__(config, engine, ranks, network)
        rates = config.optimiser
        if rates.muon:
            hidden, others = hidden_convolutions(self.network, _OUTER)
            self.optimisers["factoriser"] = adam(others, config, engine.device)
            self.optimisers["hidden"] = Muon(hidden, rates.muon)
            self.optimisers["hidden"].param_groups[0][TIMES] = (
                rates.muon / rates.learning_rate if rates.learning_rate else 1.0
            )
        else:
            self.optimisers["factoriser"] = adam(self.network.parameters(), config, engine.device)
        self._called = self.ready(self.network)

    def training_step(self, batch: Batch) -> Mapping[str, Tensor]:
        with self.engine.autocast():
            form_factor, sro = self._called(batch.intensity, batch.live)
        parts = dsfu_losses(form_factor, sro, batch, self.config.sections["dsfu"])
        loss = sum(parts.values(), start=form_factor.new_zeros(()))
        norm = self.engine.update(loss, *self.optimisers.values())
        return {"loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}, GRADIENT: norm}
