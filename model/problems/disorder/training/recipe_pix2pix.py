"""The recipe ``pix2pix``: the published training, with two discriminators and a step for the product.

Each step is three updates: of both discriminators, of both generators against them, and of both generators by the
product of their answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.networks.patchgan import PatchGan
from dsfu.model.problems.disorder.networks.pix2pix import Pix2Pix
from dsfu.model.problems.disorder.networks.scaling import measured_to_unit_range, roots_to_unit_range
from dsfu.model.problems.disorder.training.losses import adversarial, product_loss
from dsfu.model.problems.disorder.training.recipe import FactoriserRecipe
from dsfu.model.problems.disorder.training.recipe_settings import Pix2PixLoss
from dsfu.model.training.config import Config
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.engine import TrainingEngine
from dsfu.model.training.recipes import adam

FACTORS = ("form_factor", "sro")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Planes:
    """A batch from −1 to +1: as measured, without what measuring does to it, and the truth about both factors."""

    measured: Tensor
    clean: Tensor
    truth: dict[str, Tensor]

    @classmethod
    def of(cls, batch: Batch) -> "_Planes":
        return cls(
            measured=measured_to_unit_range(batch.intensity, batch.live),
            clean=roots_to_unit_range(batch.clean),
            truth={name: roots_to_unit_range(getattr(batch, name)) for name in FACTORS},
        )


class Pix2PixRecipe(FactoriserRecipe):
    def __init__(self, config: Config, engine: TrainingEngine, ranks: Ranks, network: nn.Module) -> None:
        super().__init__(config, engine, ranks, network)
        self._settings: Pix2PixLoss = config.sections["pix2pix"]
        network = cast(Pix2Pix, self.network)
        self._judges = nn.ModuleDict({name: PatchGan(self._settings.discriminator_channels) for name in FACTORS})
        self.placed(self._judges)
        self.modules["discriminators"] = self._judges
        self.optimisers["generators"] = adam(network.parameters(), config, engine.device)
        self.optimisers["discriminators"] = adam(self._judges.parameters(), config, engine.device)
        self._generators = {name: self.ready(getattr(network, name)) for name in FACTORS}
        self._called_judges = {name: self.ready(self._judges[name]) for name in FACTORS}

    def training_step(self, batch: Batch) -> Mapping[str, Tensor]:
        planes = _Planes.of(batch)
        made = self._made(planes)
        losses = {"discriminators": self._train_discriminators(planes, made)}
        losses |= self._train_generators(planes, made)
        if self._settings.product:
            losses["product"] = self._train_product(planes)
        return {"loss": sum(losses.values(), start=torch.zeros_like(losses["l1"])), **losses}

    def _made(self, planes: _Planes) -> dict[str, Tensor]:
        with self.engine.autocast():
            return {name: self._generators[name](planes.measured) for name in FACTORS}

    def _train_discriminators(self, planes: _Planes, made: dict[str, Tensor]) -> Tensor:
        loss = planes.clean.new_zeros(())
        for name, judge in self._called_judges.items():
            # True and made planes in one pass, which processes share one gradient of.
            clean, shown = torch.cat([planes.clean] * 2), torch.cat([planes.truth[name], made[name].detach().float()])
            with self.engine.autocast():
                of_true, of_made = judge(clean, shown).chunk(2)
            loss = loss + (adversarial(of_true.float(), is_true=True) + adversarial(of_made.float(), is_true=False)) / 2
        self.engine.update(loss, self.optimisers["discriminators"])
        return loss.detach()

    def _train_generators(self, planes: _Planes, made: dict[str, Tensor]) -> dict[str, Tensor]:
        zero = planes.clean.new_zeros(())
        adversaries, distance = zero, zero
        self._judges.requires_grad_(False)
        for name in FACTORS:
            with self.engine.autocast():
                answer = self._judges[name](planes.clean, made[name])
            adversaries = adversaries + adversarial(answer.float(), is_true=True)
            distance = distance + (made[name].float() - planes.truth[name]).abs().mean()
        self.engine.update(adversaries + self._settings.l1 * distance, self.optimisers["generators"])
        self._judges.requires_grad_(True)
        return {"adversarial": adversaries.detach(), "l1": distance.detach()}

    def _train_product(self, planes: _Planes) -> Tensor:
        made = self._made(planes)
        loss = self._settings.product * product_loss(
            made["form_factor"], made["sro"], planes.truth["form_factor"], planes.truth["sro"]
        )
        self.engine.update(loss, self.optimisers["generators"])
        return loss.detach()
