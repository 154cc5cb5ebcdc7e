import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.training.recipe_dsfu import DsfuRecipe
from dsfu.model.training.checkpoint import Checkpoints, load_checkpoint
from dsfu.model.training.loop import Outcome
from dsfu.model.training.loss_log import LossNotFinite
from dsfu.model.training.signals import StopRequests
from dsfu.model.weights.files import load_weights
from tests.model.training.made import (
    MadeSource,
    Notes,
    assert_equal_weights,
    config_of,
    run,
    trainer_of,
    weights_of,
)


class Interrupting(MadeSource):
    """Sends a signal to this process while it makes a batch."""

    def __init__(self, at: int, number: signal.Signals, batches_per_epoch: int = 5) -> None:
        super().__init__(batches_per_epoch)
        self._at, self._number = at, number

    def made(self, number: int) -> Batch:
        if number == self._at:
            os.kill(os.getpid(), self._number)
        return super().made(number)


class Broken(MadeSource):
    """Has infinite planes from some batch on."""

    def made(self, number: int) -> Batch:
        batch = super().made(number)
        if number >= 7:
            batch.sro.fill_(float("nan"))
        return batch


@pytest.mark.parametrize(
    ("recipe", "more"), [("dsfu", []), ("pix2pix", []), ("dsfu", ["optimiser.muon=0.01", "network.gates=1"])]
)
@pytest.mark.parametrize(("at", "number"), [(2, signal.SIGUSR1), (4, signal.SIGTERM), (5, signal.SIGUSR1)])
def test_interrupted_and_uninterrupted_training_are_equal(tmp_path, recipe, more, at, number):
    config = config_of(recipe, "limits.steps=9", *more)
    straight = trainer_of(tmp_path / "straight", config, validation=True)
    assert run(straight) is Outcome.DONE

    first = trainer_of(tmp_path / "halted", config, Interrupting(at, number), validation=True)
    assert run(first) is Outcome.STOPPED
    assert first.progress.step == at + 1
    torch.manual_seed(12345)  # whatever the next process begins with
    second = trainer_of(tmp_path / "halted", config, validation=True)
    second.resume(load_checkpoint(first.checkpoints.last))
    assert run(second) is Outcome.DONE

    assert second.progress.step == straight.progress.step == 9
    assert second.progress.epoch == straight.progress.epoch
    assert second.progress.best_score == straight.progress.best_score
    assert_equal_weights(weights_of(straight), weights_of(second))


class Looked(DsfuRecipe):
    """Its answers to validation are counted; at the third a signal comes, and what follows would take for ever."""

    answers = 0

    @staticmethod
    def answer(network: torch.nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        Looked.answers += 1
        if Looked.answers == 3:
            os.kill(os.getpid(), signal.SIGTERM)
            raise AssertionError("the answer goes on")
        return DsfuRecipe.answer(network, batch)


@pytest.mark.parametrize("steps", [4, 9])
def test_a_validation_is_left_at_once_and_made_up_for(tmp_path, monkeypatch, steps):
    """After the second epoch, once in the middle of the training and once at its end; two batches are looked at."""
    config = config_of("dsfu", f"limits.steps={steps}", "watching.validation_steps=2")
    straight = trainer_of(tmp_path / "straight", config, validation=True)
    assert run(straight) is Outcome.DONE

    monkeypatch.setattr(Looked, "answers", 0)
    first = trainer_of(tmp_path / "halted", config, validation=True)
    assert first.parts.validation is not None
    first.parts = replace(first.parts, validation=replace(first.parts.validation, recipe=Looked))
    assert run(first) is Outcome.STOPPED
    kept = load_checkpoint(first.checkpoints.last)
    assert kept["progress"]["step"] == first.progress.step == 4
    second = trainer_of(tmp_path / "halted", config, validation=True)
    second.resume(kept)
    assert run(second) is Outcome.DONE

    looks = [trainer.parts.reporter.errors for trainer in (straight, first, second)]  # type: ignore[attr-defined]
    assert looks[0] == looks[1] + looks[2]
    assert second.progress.best_score == straight.progress.best_score
    assert_equal_weights(weights_of(straight), weights_of(second))


def test_work_is_not_begun_once_a_stop_was_asked_for():
    with StopRequests() as requests:
        assert requests.unless_asked(lambda: 3) == 3
        os.kill(os.getpid(), signal.SIGUSR1)  # what may not be broken off goes on
        assert requests.received == "SIGUSR1"
        assert requests.unless_asked(lambda: 3) is None


def test_handlers_of_signals_are_as_before(tmp_path):
    before = signal.getsignal(signal.SIGUSR1)
    run(trainer_of(tmp_path, config_of("dsfu", "limits.steps=1")))
    assert signal.getsignal(signal.SIGUSR1) is before


class Repeating(MadeSource):
    """The same planes in every epoch."""

    def made(self, number: int) -> Batch:
        return super().made(number % self.batches_per_epoch)


def test_learns(tmp_path):
    config = config_of("dsfu", "limits.steps=60", "optimiser.learning_rate=3e-3", "watching.log_steps=10")
    trainer = trainer_of(tmp_path, config, Repeating(batches_per_epoch=4))
    run(trainer)
    notes = trainer.parts.reporter
    assert isinstance(notes, Notes)
    assert notes.means[-1]["loss"] < 0.6 * notes.means[0]["loss"]


def test_nan_stops_and_the_checkpoint_is_from_before(tmp_path):
    config = config_of("dsfu", "limits.steps=40", "watching.log_steps=4", "watching.checkpoint_minutes=0")
    trainer = trainer_of(tmp_path, config, Broken())
    with pytest.raises(LossNotFinite, match=r"step 8 .*batch 3 of epoch 2"):
        run(trainer)
    kept = load_checkpoint(trainer.checkpoints.last)
    assert kept["progress"]["step"] == 7
    assert all(value.isfinite().all() for value in kept["recipe"]["modules"]["factoriser"].values())


def test_weights_are_the_moving_average(tmp_path):
    trainer = trainer_of(tmp_path, config_of("dsfu", "limits.steps=6"), validation=True)
    run(trainer)
    network, card = load_weights(tmp_path / "weights.safetensors")
    assert card.steps == 6
    assert card.samples == 12
    assert card.metrics["score"] > 0
    stored, average, last = (each.state_dict() for each in (network, trainer.recipe.result, trainer.recipe.network))
    assert_equal_weights(stored, average)
    assert not torch.equal(stored["stem.weight"], last["stem.weight"])


def test_a_session_may_be_shorter_than_the_training(tmp_path):
    config = config_of("dsfu", "limits.steps=1000", "limits.session_minutes=1e-9")
    trainer = trainer_of(tmp_path, config)
    assert run(trainer) is Outcome.STOPPED
    assert trainer.progress.step == 1


def test_time_ends_a_training(tmp_path):
    trainer = trainer_of(tmp_path, config_of("dsfu", "limits.minutes=0.0001"))
    assert run(trainer) is Outcome.DONE
    again = trainer_of(tmp_path, config_of("dsfu", "limits.minutes=0.0001"))
    again.resume(load_checkpoint(trainer.checkpoints.last))
    assert run(again) is Outcome.DONE
    assert again.progress.step == trainer.progress.step


class Counting(MadeSource):
    def batches(self) -> Iterator[Batch]:
        self.asked = getattr(self, "asked", 0) + 1
        return super().batches()


def test_epochs_end_where_batches_do(tmp_path):
    source = Counting(batches_per_epoch=3)
    trainer = trainer_of(tmp_path, config_of("dsfu", "limits.epochs=2"), source, validation=True)
    run(trainer)
    assert trainer.progress.step == 6
    assert (trainer.progress.epoch, trainer.progress.batch) == (2, 0)
    assert source.asked == 2


def test_killed_before_the_checkpoint_nothing_is_lost(tmp_path, monkeypatch):
    config = config_of("dsfu", "limits.steps=3")
    killed = trainer_of(tmp_path, config, validation=True)

    def end(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "save", end)
    with pytest.raises(KeyboardInterrupt):
        run(killed)
    assert killed.checkpoints.newest() is None
    for name in ("weights.safetensors", "best.safetensors"):
        assert load_weights(tmp_path / name)[1].steps == 3
