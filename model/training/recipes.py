"""A recipe: a network, how one step trains it, and all state that this needs."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from dsfu.errors import InputError
from dsfu.model.networks.build import build
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.model.training.config import Config
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.ema import Ema
from dsfu.model.training.engine import Engine


class Recipe(ABC):
    """What the loop trains, whatever it consists of.

    Attributes
    ----------
    factoriser
        The network as it is trained.
    modules, optimisers
        Everything with weights, the network included, and what updates them, by name.
    """

    def __init__(self, config: Config, engine: Engine, ranks: Ranks) -> None:
        self.config, self.engine, self.ranks = config, engine, ranks
        self.factoriser: Factoriser = self.placed(build(config.recipe, config.network))
        self.modules: dict[str, nn.Module] = {"factoriser": self.factoriser}
        self.optimisers: dict[str, Optimizer] = {}
        decay = config.optimiser.ema_decay
        self._ema = Ema(self.factoriser, decay) if decay else None

    @abstractmethod
    def training_step(self, batch: Batch) -> Mapping[str, Tensor]:
        """Update the weights once; losses by name, without gradients."""

    @property
    def result(self) -> Factoriser:
        """The network to be used: the moving average, if there is one."""
        return self.factoriser if self._ema is None else self._ema.network

    def step(self, batch: Batch, learning_rate: float, number: int) -> Mapping[str, Tensor]:
        """Step number ``number``, the first being 1."""
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = learning_rate
        losses = self.training_step(batch)
        if self._ema is not None:
            self._ema.update(self.factoriser, number)
        return losses

    def begin_with(self, weights: Factoriser) -> None:
        """Take the weights of another network of the same kind."""
        for network in {self.factoriser, self.result}:
            network.load_state_dict(weights.state_dict())

    def placed(self, module: Any) -> Any:
        """On the device, in the memory format that is wanted."""
        if self.config.channels_last:
            return module.to(device=self.engine.device, memory_format=torch.channels_last)
        return module.to(device=self.engine.device)

    def ready(self, module: nn.Module) -> nn.Module:
        """The module to be called in training steps: compiled if wanted, with gradients from all processes."""
        if self.config.compile:
            module.compile()
        return self.ranks.wrapped(module)

    def state_dict(self) -> dict[str, Any]:
        return {
            "modules": {name: module.state_dict() for name, module in self.modules.items()},
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "ema": None if self._ema is None else self._ema.network.state_dict(),
            "scaler": self.engine.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        try:
            for name, module in self.modules.items():
                module.load_state_dict(state["modules"][name])
            for name, optimiser in self.optimisers.items():
                optimiser.load_state_dict(state["optimisers"][name])
            if self._ema is not None:
                self._ema.network.load_state_dict(state["ema"] or state["modules"]["factoriser"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise InputError(
                f"the checkpoint is of another network: {' '.join(str(error).split())[:160]}",
                expected="the recipe and the network options with which it was begun",
            ) from error
        self.engine.load_state_dict(state["scaler"])


def adam(weights: Iterable[nn.Parameter], config: Config, device: torch.device) -> Optimizer:
    """AdamW as configured; without decay it is Adam."""
    settings = config.optimiser
    return torch.optim.AdamW(
        weights,
        lr=settings.learning_rate,
        betas=(settings.beta_1, settings.beta_2),
        weight_decay=settings.weight_decay,
        fused=device.type == "cuda",
    )


def recipe_of(config: Config, engine: Engine, ranks: Ranks) -> Recipe:
    """The recipe that a configuration names, with untrained weights."""
    from dsfu.model.problems.disorder.training.recipe_dsfu import DsfuRecipe
    from dsfu.model.problems.disorder.training.recipe_pix2pix import Pix2PixRecipe

    recipes: dict[str, type[Recipe]] = {"dsfu": DsfuRecipe, "pix2pix": Pix2PixRecipe}
    recipe = recipes[config.recipe](config, engine, ranks)
    _check_size(recipe.result, config.data.pixels, engine.device)
    return recipe


def _check_size(network: Factoriser, pixels: int, device: torch.device) -> None:
    """Make sure that a network takes planes of a size, by giving it one."""
    plane = torch.zeros(1, 1, pixels, pixels, device=device)
    try:
        with torch.inference_mode():
            network(plane, torch.ones_like(plane, dtype=torch.bool))
    except (ValueError, RuntimeError) as error:
        if isinstance(error, torch.cuda.OutOfMemoryError):
            raise
        raise InputError(
            f"it is {pixels}, and the network does not take planes of this size: {str(error).splitlines()[0]}",
            where="data.pixels",
            expected="a number that can be halved as often as network.channels has levels, with some pixels left",
        ) from error
