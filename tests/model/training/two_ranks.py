"""What tests/model/training/test_distributed.py lets torchrun start twice. Writes what it found; judges nothing."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.training.checkpoint import load_checkpoint
from dsfu.model.training.distributed import Ranks, connected, ranks_of_environment
from dsfu.model.training.loss_log import LossNotFinite
from tests.model.training.made import MadeSource, config_of, run, trainer_of, weights_of


class Interrupting(MadeSource):
    """Signals this process, which is only one of them, while it makes its third batch."""

    def made(self, number: int) -> Batch:
        if number == 3:
            os.kill(os.getpid(), signal.SIGUSR1)
        return super().made(number)


class Broken(MadeSource):
    """Has no numbers from its seventh batch on."""

    def made(self, number: int) -> Batch:
        batch = super().made(number)
        if number >= 6:
            batch.form_factor.fill_(float("nan"))
        return batch


def interrupted_and_not(folder: Path, recipe: str, ranks: Ranks) -> dict[str, Any]:
    config = config_of(recipe, "limits.steps=7")
    straight = trainer_of(folder / "straight", config, validation=True, ranks=ranks)
    outcomes = [run(straight).value]
    source = Interrupting(rank=1) if ranks.rank == 1 else None
    first = trainer_of(folder / "halted", config, source, validation=True, ranks=ranks)
    outcomes.append(run(first).value)
    torch.manual_seed(12345)
    second = trainer_of(folder / "halted", config, validation=True, ranks=ranks)
    second.resume(load_checkpoint(first.checkpoints.last))
    outcomes.append(run(second).value)
    ours, its = weights_of(straight), weights_of(second)
    return {
        "outcomes": outcomes,
        "stopped_after": first.progress.step,
        "samples": second.progress.samples,
        "differing": [name for name, value in ours.items() if not torch.equal(value, its[name])],
        "weights": len(ours),
        "sum": sum(float(value.double().sum()) for name, value in ours.items() if ".modules." in name),
        "score": straight.progress.best_score,
    }


def one_step(folder: Path, ranks: Ranks) -> dict[str, Any]:
    """The gradient that all processes have after a step, to be compared with that of one process."""
    trainer = trainer_of(folder / "one", config_of("dsfu", "optimiser.clip_norm=0"), ranks=ranks)
    trainer.recipe.training_step(MadeSource(rank=ranks.rank).made(0))
    gradient = trainer.recipe.network.get_parameter("stem.weight").grad
    assert gradient is not None
    return {"gradient": gradient.flatten().tolist()}


def not_finite(folder: Path, ranks: Ranks) -> dict[str, Any]:
    config = config_of("dsfu", "limits.steps=20", "watching.log_steps=4", "optimiser.ema_decay=0")
    trainer = trainer_of(folder / "broken", config, Broken(rank=1) if ranks.rank == 1 else None, ranks=ranks)
    try:
        run(trainer)
    except LossNotFinite as error:
        return {"told": str(error)}
    return {"told": ""}


def main(folder: Path) -> None:
    ranks = ranks_of_environment()
    with connected(ranks, torch.device("cpu")):
        found = {recipe: interrupted_and_not(folder / recipe, recipe, ranks) for recipe in ("dsfu", "pix2pix")}
        found["one_step"] = one_step(folder, ranks)
        found["not_finite"] = not_finite(folder, ranks)
        found["agreed"] = {"highest": ranks.highest([ranks.rank, -ranks.rank]), "total": ranks.total([1 + ranks.rank])}
        distributed.barrier()
    (folder / f"rank-{ranks.rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
