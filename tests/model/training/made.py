"""A small source of batches and a small training, for tests of the trainer."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.problem import LEARNER
from dsfu.model.training.config import Config
from dsfu.model.training.config_file import load_config
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.engine import TrainingEngine
from dsfu.model.training.loop import Outcome, Trainer, TrainerParts
from dsfu.model.training.outputs import Outputs
from dsfu.model.training.random_states import seed_all
from dsfu.model.training.recipes import recipe_of
from dsfu.model.training.reporting import TrainingReporter
from dsfu.model.training.signals import StopRequests
from dsfu.model.training.validation import Validation

torch.set_num_threads(1)  # planes are small, and threads would wait for one another

PIXELS = 32

TINY = {
    "dsfu": ["network.channels=[8,12]", "network.blocks=[1,1]", "optimiser.warm_up_steps=2", "batch_size=2"],
    "pix2pix": ["network.channels=[8,12,16]", "pix2pix.discriminator_channels=4", "batch_size=2"],
}


def batch_of(number: int, planes: int = 2, pixels: int = PIXELS, seed: int = 0) -> Batch:
    """Smooth form factors, periodic order, holes: planes that have a factorisation to learn."""
    generator = torch.Generator().manual_seed(1000 * seed + number)
    along = torch.linspace(-1, 1, pixels)
    y, x = along[:, None], along[None, :]
    centre, width, periods = (torch.rand(planes, 2, 1, 1, generator=generator) for _ in range(3))
    off = (x - centre[:, :1] + 0.5) ** 2 + (y - centre[:, 1:] + 0.5) ** 2
    form_factor = torch.exp(-off / (0.3 + width[:, :1]))
    sro = 1 + 0.9 * torch.cos((4 + 8 * periods[:, :1]) * x) * torch.cos((4 + 8 * periods[:, 1:]) * y)
    form_factor, sro = (each / each.amax((2, 3), keepdim=True) for each in (form_factor, sro))
    clean = form_factor * sro
    live = (torch.rand(clean.shape, generator=generator) < 0.9).to(torch.bool)
    return Batch(
        intensity=7 * clean * live,
        live=live,
        clean=clean / clean.amax((2, 3), keepdim=True),
        form_factor=form_factor,
        sro=sro,
    )


class MadeSource:
    """Batches that depend on their number and nothing else."""

    def __init__(self, batches_per_epoch: int = 5, planes: int = 2, rank: int = 0) -> None:
        self.batches_per_epoch, self._planes, self._rank = batches_per_epoch, planes, rank
        self.position = 0

    def batches(self) -> Iterator[Batch]:
        while True:
            self.position += 1
            yield self.made(self.position - 1)
            if self.position % self.batches_per_epoch == 0:
                return

    def made(self, number: int) -> Batch:
        return batch_of(number, self._planes, seed=self._rank)

    def state_dict(self) -> dict[str, Any]:
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.position = state["position"]


class Notes(TrainingReporter):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.means: list[Mapping[str, float]] = []
        self.errors: list[Mapping[str, float]] = []

    def losses(self, progress: Any, losses: Mapping[str, float], learning_rate: float) -> None:
        self.means.append(losses)

    def say(self, text: str) -> None:
        self.said.append(text)

    def validated(self, progress: Any, errors: Mapping[str, float], *, is_best: bool) -> None:
        self.errors.append(errors)


def config_of(recipe: str = "dsfu", *overrides: str) -> Config:
    return load_config(recipe, None, [*TINY[recipe], f"data.pixels={PIXELS}", "watching.pictures=0", *overrides])


def trainer_of(
    run: Path, config: Config, source: MadeSource | None = None, *, validation: bool = False, ranks: Ranks | None = None
) -> Trainer:
    """A trainer as the command makes it, but for its data."""
    ranks = ranks or Ranks()
    seed_all(config.seed, 0)
    recipe = recipe_of(config, TrainingEngine(config, torch.device("cpu")), ranks, LEARNER)
    seed_all(config.seed, 1 + ranks.rank)
    return Trainer(
        TrainerParts(
            config=config,
            recipe=recipe,
            source=source or MadeSource(rank=ranks.rank),
            ranks=ranks,
            run=run,
            outputs=Outputs(run=run, config=config, learner=LEARNER, data={}),
            reporter=Notes(),
            validation=Validation(
                batches=[batch_of(number, seed=99) for number in range(2)], learner=LEARNER, recipe=type(recipe)
            )
            if validation
            else None,
        )
    )


def run(trainer: Trainer) -> Outcome:
    with StopRequests() as requests:
        return trainer.run(requests)


def weights_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    """All weights of a trainer, its moving average and its optimisers' moments, by name."""
    found: dict[str, torch.Tensor] = {}

    def collect(value: Any, name: str) -> None:
        if isinstance(value, torch.Tensor):
            found[name] = value.detach().clone()
        elif isinstance(value, Mapping):
            for key, each in value.items():
                collect(each, f"{name}.{key}")

    collect(trainer.recipe.state_dict(), "recipe")
    return found


def assert_equal_weights(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> None:
    """Bit for bit."""
    assert one.keys() == other.keys()
    differing = [name for name, value in one.items() if not torch.equal(value, other[name])]
    assert not differing
