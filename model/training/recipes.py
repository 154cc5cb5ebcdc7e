"""A recipe: a network, how one step trains it, and all state that this needs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from dsfu.errors import InputError
from dsfu.model.networks.build import build
from dsfu.model.problem import BatchLike, Learner
from dsfu.model.training.config import Config
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.ema import Ema
from dsfu.model.training.engine import TrainingEngine

B = TypeVar("B", bound=BatchLike)

_OF_VOLUMES: Final = 5
"""Dimensions of the weights of a convolution in three dimensions."""

TIMES: Final = "times"
"""In a group of an optimiser: how many times the training's learning rate its own is."""


class Recipe(ABC, Generic[B]):
    """What the loop trains, whatever it consists of.

    Attributes
    ----------
    network
        As it is trained.
    name_of_network
        What checkpoints call it among the modules.
    takes_muon
        Whether ``optimiser.muon`` means anything to it.
    modules, optimisers
        Everything with weights, the network included, and what updates them, by name.
    """

    name_of_network: ClassVar[str] = "network"
    takes_muon: ClassVar[bool] = False

    def __init__(self, config: Config, engine: TrainingEngine, ranks: Ranks, network: nn.Module) -> None:
        self.config, self.engine, self.ranks = config, engine, ranks
        self.network: Any = self.placed(network)
        self.modules: dict[str, nn.Module] = {self.name_of_network: self.network}
        self.optimisers: dict[str, Optimizer] = {}
        decay = config.optimiser.ema_decay
        self._ema = Ema(self.network, decay) if decay else None

    @abstractmethod
    def training_step(self, batch: B) -> Mapping[str, Tensor]:
        """Update the weights once; losses by name, without gradients."""

    @staticmethod
    @abstractmethod
    def answer(network: nn.Module, batch: B) -> Any:
        """What a network says of a batch when it is used, and `Learner.scores` judges; called without gradients."""

    @property
    def result(self) -> Any:
        """The network to be used: the moving average, if there is one."""
        return self.network if self._ema is None else self._ema.network

    def step(self, batch: B, learning_rate: float, number: int) -> Mapping[str, Tensor]:
        """Step number ``number``, the first being 1."""
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = learning_rate * group.get(TIMES, 1.0)
        losses = self.training_step(batch)
        if self._ema is not None:
            self._ema.update(self.network, number)
        return losses

    def begin_with(self, weights: nn.Module) -> None:
        """Take the weights of another network of the same kind; what it lacks stays as it is."""
        for network in {self.network, self.result}:
            network.load_state_dict({**network.state_dict(), **weights.state_dict()})

    def placed(self, module: Any) -> Any:
        """On the device, in the memory format that is wanted."""
        if self.config.channels_last:
            volumes = any(weights.dim() == _OF_VOLUMES for weights in module.parameters())
            layout = torch.channels_last_3d if volumes else torch.channels_last
            return module.to(device=self.engine.device, memory_format=layout)
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
                self._ema.network.load_state_dict(state["ema"] or state["modules"][self.name_of_network])
        except (KeyError, RuntimeError, ValueError) as error:
            raise InputError(
                f"the checkpoint is of another network: {' '.join(str(error).split())[:160]}",
                expected="the recipe and the network options with which it was begun",
            ) from error
        self.engine.load_state_dict(state["scaler"])


class AdamRecipe(Recipe[B]):
    """A recipe all of whose network is updated by Adam."""

    def __init__(self, config: Config, engine: TrainingEngine, ranks: Ranks, network: nn.Module) -> None:
        super().__init__(config, engine, ranks, network)
        self.optimisers["network"] = adam(self.network.parameters(), config, engine.device)

    def update(self, loss: Tensor) -> Tensor:
        """Update the weights so that a loss becomes smaller; the gradient's norm."""
        return self.engine.update(loss, self.optimisers["network"])


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


def recipe_of(config: Config, engine: TrainingEngine, ranks: Ranks, learner: Learner[Any]) -> Recipe[Any]:
    """The recipe that a configuration names, with untrained weights."""
    chosen = learner.entry(config.recipe).load_recipe()
    if config.optimiser.muon and not chosen.takes_muon:
        raise InputError(
            f"the recipe {config.recipe} is not trained by Muon", where="optimiser.muon", expected="0, or none"
        )
    recipe = chosen(config, engine, ranks, build(config.recipe, config.network, learner))
    learner.check_fits(recipe.result, config.data, engine.device)
    return recipe


def asked(answer: Callable[[nn.Module, B], Any], network: nn.Module, batch: B) -> Any:
    """A recipe's answer as a network gives it when it is used: nothing random, and nothing is changed."""
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            return answer(network, batch)
    finally:
        network.train(was_training)
