"""The training loop: step after step, until it is done or told to stop."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from dsfu.model.training.checkpoint import Checkpoints
from dsfu.model.training.config import Config
from dsfu.model.training.config_file import values_of
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.loss_log import LossLog
from dsfu.model.training.outputs import Outputs
from dsfu.model.training.random_states import random_states, set_random_states
from dsfu.model.training.recipes import Recipe
from dsfu.model.training.reporting import TrainingReporter
from dsfu.model.training.run_folder import CHECKPOINTS
from dsfu.model.training.schedule import Progress, Schedule
from dsfu.model.training.signals import StopRequests
from dsfu.model.training.sources import BatchSource
from dsfu.model.training.validation import Validation


class Outcome(Enum):
    """How a session of training ended."""

    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class TrainerParts:
    """What a training is put together from.

    Attributes
    ----------
    run
        Folder of everything that is written.
    validation
        None: the network is not watched.
    """

    config: Config
    recipe: Recipe[Any]
    source: BatchSource[Any]
    ranks: Ranks
    run: Path
    outputs: Outputs
    reporter: TrainingReporter
    validation: Validation[Any] | None


class Trainer:
    """Trains a recipe on a source. All processes take the same steps and stop after the same one."""

    def __init__(self, parts: TrainerParts) -> None:
        self.parts, self.config = parts, parts.config
        self.recipe, self.source, self.ranks = parts.recipe, parts.source, parts.ranks
        self.progress = Progress()
        self.schedule = Schedule(
            limits=self.config.limits,
            optimiser=self.config.optimiser,
            batches_per_epoch=parts.source.batches_per_epoch,
        )
        self.checkpoints = Checkpoints(parts.run / CHECKPOINTS)
        self._losses = LossLog(parts.ranks)
        self._errors: Mapping[str, float] = {}

    def resume(self, checkpoint: Mapping[str, Any]) -> None:
        """Go on from a checkpoint. With another number of processes, random numbers are not those of before."""
        self.recipe.load_state_dict(checkpoint["recipe"])
        self.source.load_state_dict(checkpoint["source"])
        self.progress = Progress(**checkpoint["progress"])
        self._errors = checkpoint["errors"]
        if len(checkpoint["random"]) == self.ranks.world_size:
            set_random_states(checkpoint["random"][self.ranks.rank])

    def run(self, requests: StopRequests) -> Outcome:
        """Train until it is done, or asked to stop; in either case there is a checkpoint of that moment."""
        self.parts.reporter.begin(self.progress)
        try:
            return self._train(requests)
        finally:
            self.parts.reporter.end()

    def _train(self, requests: StopRequests) -> Outcome:
        clock = _Clock(self.config, self.progress.seconds)
        if self.progress.owes_validation and not self._made_up_for(requests):
            return Outcome.STOPPED
        if self.schedule.is_done(self.progress):
            return Outcome.DONE
        for batch in _endless(self.source):
            self._step(batch)
            stop, is_due, self.progress.seconds = self.ranks.highest(
                [requests.received != "" or clock.session_is_over, clock.checkpoint_is_due, clock.seconds]
            )
            is_done, epoch_ended = self.schedule.is_done(self.progress), self._count_epoch()
            self.progress.owes_validation = self._is_time_to_look(epoch_ended=epoch_ended, is_done=is_done)
            is_best = self.progress.owes_validation and not stop and self._look(requests)
            stop = stop or self.progress.owes_validation
            if stop or is_due or is_best or is_done:
                self._keep(is_best=is_best)
                clock.checkpoint_was_kept()
            if is_done and not self.progress.owes_validation:
                return Outcome.DONE
            if stop:
                return Outcome.STOPPED
        raise AssertionError("batches never end")

    def _made_up_for(self, requests: StopRequests) -> bool:
        """Whether the validation that an earlier session owed was done; if so, what came of it is kept."""
        is_best = self._look(requests)
        if not self.progress.owes_validation:
            self._keep(is_best=is_best)
        return not self.progress.owes_validation

    def _step(self, batch: Any) -> None:
        progress, learning_rate = self.progress, self.schedule.learning_rate(self.progress)
        losses = self.recipe.step(batch, learning_rate, progress.step + 1)
        progress.step += 1
        progress.batch += 1
        progress.samples += len(batch) * self.ranks.world_size
        self._losses.add(losses, progress)
        if progress.step % self.config.watching.log_steps == 0:
            self.parts.reporter.losses(progress, self._losses.checked_means(), learning_rate)
        self.parts.reporter.stepped(progress)

    def _count_epoch(self) -> bool:
        """Whether an epoch ended with the last step."""
        if self.progress.batch < self.source.batches_per_epoch:
            return False
        self.progress.epoch, self.progress.batch = self.progress.epoch + 1, 0
        return True

    def _is_time_to_look(self, *, epoch_ended: bool, is_done: bool) -> bool:
        every = self.config.watching.validation_steps
        is_time = self.progress.step % every == 0 if every else epoch_ended
        return self.parts.validation is not None and (is_time or is_done)

    def _look(self, requests: StopRequests) -> bool:
        """Validate and draw; whether the network is better than it ever was. Still owed if it was asked to stop."""
        validation = self.parts.validation
        if validation is None:  # settings have changed since it was owed
            self.progress.owes_validation = False
            return False
        self._losses.check()
        errors = validation.errors(self.recipe.result, self.recipe.engine.device, self.ranks, requests)
        if errors is None:
            return False
        self._errors, self.progress.owes_validation = errors, False
        is_best = self._errors["score"] < self.progress.best_score
        self.progress.best_score = min(self._errors["score"], self.progress.best_score)
        if self.ranks.is_first:
            self.parts.reporter.validated(self.progress, self._errors, is_best=is_best)
            picture = self.parts.outputs.draw(self.recipe, validation, self.progress)
            if picture is not None:
                self.parts.reporter.picture(self.progress, picture)
        return is_best

    def _keep(self, *, is_best: bool) -> None:
        """Write weights and a checkpoint. Only the first process writes, and the others wait until it has.

        The checkpoint comes last: what is killed in between goes on from the one before, and comes here again.
        """
        self._losses.check()
        states = self.ranks.gathered(random_states())
        if self.ranks.is_first:
            self.parts.reporter.keep()
            self.parts.outputs.write_weights(self.recipe.result, self.progress, self._errors, is_best=is_best)
            self.checkpoints.save(
                {
                    "progress": asdict(self.progress),
                    "errors": dict(self._errors),
                    "config": values_of(self.config),
                    "data": dict(self.parts.outputs.data),
                    "recipe": self.recipe.state_dict(),
                    "source": self.source.state_dict(),
                    "random": states,
                },
                is_best=is_best,
            )
        self.ranks.gathered(None)


class _Clock:
    """What this process knows of time."""

    def __init__(self, config: Config, seconds_before: float) -> None:
        self._config, self._before = config, seconds_before
        self._began = self._kept = time.monotonic()

    @property
    def seconds(self) -> float:
        """Of training, earlier sessions included."""
        return self._before + time.monotonic() - self._began

    @property
    def session_is_over(self) -> bool:
        minutes = self._config.limits.session_minutes
        return minutes > 0 and time.monotonic() - self._began >= 60 * minutes

    @property
    def checkpoint_is_due(self) -> bool:
        return time.monotonic() - self._kept >= 60 * self._config.watching.checkpoint_minutes

    def checkpoint_was_kept(self) -> None:
        self._kept = time.monotonic()


def _endless(source: BatchSource[Any]) -> Iterator[Any]:
    while True:
        yield from source.batches()
