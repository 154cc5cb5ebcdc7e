"""The recipe ``cvae``: the published network, trained as published but for what its paper does not say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from dsfu.model.problems.particles.learning.batch import ParticleBatch
from dsfu.model.problems.particles.networks.cvae import NO_ATOM, PADDING, Cvae
from dsfu.model.training.config import AtLeastOne, Config
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.engine import TrainingEngine
from dsfu.model.training.loss_log import GRADIENT
from dsfu.model.training.recipes import AdamRecipe
from dsfu.settings.section import Section

Weight = Annotated[float, Field(ge=0, le=10)]


class CvaeLoss(Section):
    """How the two parts of the loss are weighed: reconstruction + β · divergence.

    Attributes
    ----------
    padding_weight
        Of coordinates of atoms that are not there.
    beta_first, beta_step, beta_most
        β begins at the first, and grows by a step up to the most …
    beta_every, good_reconstruction
        … at most every so many updates, when the mean reconstruction since then is this good. Published: from 0 by
        0.001, once an epoch, at 1e-4. β = 0 leaves the prior untrained: a short training needs more from the beginning.
    """

    padding_weight: Weight = 0.1
    beta_first: Weight = 0.0
    beta_step: Weight = 0.001
    beta_most: Weight = 1.0
    beta_every: AtLeastOne = 36
    good_reconstruction: Weight = 1e-4


class Beta(nn.Module):
    """The weight of the divergence as it is now: part of a checkpoint."""

    value: Tensor
    total: Tensor
    updates: Tensor

    def __init__(self, first: float) -> None:
        super().__init__()
        self.register_buffer("value", torch.tensor(first))
        self.register_buffer("total", torch.tensor(0.0))
        self.register_buffer("updates", torch.tensor(0))

    def seen(self, reconstruction: Tensor, settings: CvaeLoss) -> None:
        """Count one update; when it is time, let β grow if reconstructions are good."""
        self.total += reconstruction
        self.updates += 1
        if int(self.updates) >= settings.beta_every:
            if float(self.total) / int(self.updates) <= settings.good_reconstruction:
                self.value.add_(settings.beta_step).clamp_(max=settings.beta_most)
            self.total.zero_()
            self.updates.zero_()


@dataclass(frozen=True, eq=False)
class DecodedParticles:
    """Positions in Å, (samples, most atoms, 3), and which of the atoms are there, (samples, most atoms)."""

    positions: Tensor
    there: Tensor
    latent: Tensor


class CvaeRecipe(AdamRecipe[ParticleBatch]):
    """See `Cvae`."""

    def __init__(self, config: Config, engine: TrainingEngine, ranks: Ranks, network: nn.Module) -> None:
        super().__init__(config, engine, ranks, network)
        self.settings: CvaeLoss = config.sections["cvae"]
        self.beta = Beta(self.settings.beta_first).to(engine.device)
        self.modules["beta"] = self.beta

    def training_step(self, batch: ParticleBatch) -> Mapping[str, Tensor]:
        network: Cvae = self.network
        prior = network.prior(batch.pdf)
        with self.engine.autocast():  # σ of the posterior is above 1: rounding of its mean is nothing beside it
            posterior = network.posterior(batch)
        target = network.target(batch)
        weight = torch.where(target == PADDING, self.settings.padding_weight, 1.0)
        reconstruction = (weight * (network.decode(posterior.draw()) - target).square()).mean()
        divergence = posterior.divergence_from(prior).mean()
        loss = reconstruction + self.beta.value * divergence
        norm = self.update(loss)
        self.beta.seen(reconstruction.detach(), self.settings)
        parts = {"loss": loss, "reconstruction": reconstruction, "divergence": divergence}
        return {**{name: part.detach() for name, part in parts.items()}, GRADIENT: norm}

    @staticmethod
    def answer(network: Any, batch: ParticleBatch) -> DecodedParticles:
        """What is decoded at the mean of the prior."""
        latent = network.prior(batch.pdf).mean
        decoded = network.decode(latent)
        return DecodedParticles(decoded * network.extent, decoded.mean(dim=2) > NO_ATOM, latent)
