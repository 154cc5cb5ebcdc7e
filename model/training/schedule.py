"""When a training is done, and how the learning rate goes until then."""

from dataclasses import dataclass
from math import cos, pi

from dsfu.errors import InputError
from dsfu.model.training.config import OptimiserConfig, TrainingLimits


@dataclass(kw_only=True)
class Progress:
    """How far a training has come. It is part of a checkpoint.

    Attributes
    ----------
    step
        Updates so far.
    epoch, batch
        Whole passes over the data, and batches of the current one.
    samples
        Seen by all processes.
    seconds
        Spent on it, all sessions together.
    best_score
        The lowest of validation so far.
    owes_validation
        Whether the network of this step is still to be validated: the training was asked to stop before that was done.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    samples: int = 0
    seconds: float = 0.0
    best_score: float = float("inf")
    owes_validation: bool = False


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Learning rate and end as functions of the progress and of nothing else, so that resuming needs no state."""

    limits: TrainingLimits
    optimiser: OptimiserConfig
    batches_per_epoch: int

    def __post_init__(self) -> None:
        if not (self.limits.epochs or self.limits.steps or self.limits.minutes):
            raise InputError("the training would never end", where="limits", expected="epochs, steps or minutes")

    @property
    def last_step(self) -> int:
        """Steps of the whole training; 0 if only time limits it."""
        ends = [self.limits.steps, self.limits.epochs * self.batches_per_epoch]
        return min((end for end in ends if end), default=0)

    def done_share(self, progress: Progress) -> float:
        """From 0 at the beginning to 1 at the end, by the limit that is nearest."""
        of_steps = progress.step / self.last_step if self.last_step else 0.0
        of_time = progress.seconds / (60 * self.limits.minutes) if self.limits.minutes else 0.0
        return min(1.0, max(of_steps, of_time))

    def is_done(self, progress: Progress) -> bool:
        return self.done_share(progress) >= 1.0

    def learning_rate(self, progress: Progress) -> float:
        """For the next step."""
        settings = self.optimiser
        warm_up = min(1.0, (progress.step + 1) / settings.warm_up_steps) if settings.warm_up_steps else 1.0
        if settings.schedule == "constant":
            return settings.learning_rate * warm_up
        cosine = (1 + cos(pi * self.done_share(progress))) / 2
        return settings.learning_rate * warm_up * (settings.final_share + (1 - settings.final_share) * cosine)
