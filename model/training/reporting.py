"""What people see of a training: a bar or lines, TensorBoard, and pictures."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dsfu.model.training.schedule import Progress, Schedule
from dsfu.progress import PlainLines, ProgressBars
from dsfu.simulate.arrays import Float32Array

_SECONDS_BETWEEN_LINES = 30.0
_TRAINING = "training"


class TrainingReporter:
    """Tells nothing; what the processes use that are not the first."""

    def begin(self, progress: Progress) -> None:
        """Training begins, or goes on, from here."""

    def stepped(self, progress: Progress) -> None:
        """A step is done."""

    def losses(self, progress: Progress, losses: Mapping[str, float], learning_rate: float) -> None:
        """Mean losses since the last time."""

    def validated(self, progress: Progress, errors: Mapping[str, float], *, is_best: bool) -> None:
        """Errors in validation."""

    def picture(self, progress: Progress, picture: Float32Array) -> None:
        """A picture was drawn."""

    def say(self, text: str) -> None:
        """Something else."""

    def keep(self) -> None:
        """A checkpoint is about to be written: what was told until now has to outlast a power failure too."""

    def end(self) -> None:
        """Training is over, for now."""


class RunReporter(TrainingReporter):
    """Tells on stderr, and in RUN/tensorboard and RUN/validation.jsonl; ``told`` puts scores in words."""

    def __init__(self, run: Path, schedule: Schedule, told: Callable[[Mapping[str, float]], str]) -> None:
        self._run, self._schedule, self._told = run, schedule, told
        self._shown = _Bar(schedule) if sys.stderr.isatty() else _Lines(schedule)
        self._last: Mapping[str, float] = {}

    def begin(self, progress: Progress) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # Of steps that are done again only the last time counts; the step of the checkpoint is not done again.
        purge_step = progress.step + 1 if progress.step else None
        self._board: Any = SummaryWriter(str(self._run / "tensorboard"), purge_step=purge_step)
        self._shown.begin(progress)

    def stepped(self, progress: Progress) -> None:
        self._shown.stepped(progress, self._last)

    def losses(self, progress: Progress, losses: Mapping[str, float], learning_rate: float) -> None:
        self._last = losses
        for name, value in losses.items():
            self._board.add_scalar(f"training/{name}", value, progress.step)
        self._board.add_scalar("training/learning_rate", learning_rate, progress.step)
        self._board.add_scalar("training/samples_per_second", self._shown.speed, progress.step)

    def validated(self, progress: Progress, errors: Mapping[str, float], *, is_best: bool) -> None:
        for name, value in errors.items():
            self._board.add_scalar(f"validation/{name}", value, progress.step)
        row = {"step": progress.step, "samples": progress.samples, "hours": progress.seconds / 3600, **errors}
        with (self._run / "validation.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.say(f"step {progress.step}: {self._told(errors)}" + (", the best so far" if is_best else ""))

    def picture(self, progress: Progress, picture: Float32Array) -> None:
        self._board.add_image("validation", picture, progress.step, dataformats="HWC")

    def keep(self) -> None:
        self._board.flush()

    def say(self, text: str) -> None:
        self._shown.say(text)

    def end(self) -> None:
        self._shown.end()
        self._board.close()


class _Speed:
    """Samples per second, since training began in this process."""

    def __init__(self) -> None:
        self.speed = 0.0

    def begin(self, progress: Progress) -> None:
        self._first, self._since = progress.samples, time.monotonic()

    def count(self, progress: Progress) -> None:
        self.speed = (progress.samples - self._first) / max(time.monotonic() - self._since, 1e-9)


class _Lines(_Speed):
    """A line now and then, for files."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule, self._lines = schedule, PlainLines(_SECONDS_BETWEEN_LINES)

    def stepped(self, progress: Progress, losses: Mapping[str, float]) -> None:
        self.count(progress)
        if self._lines.due():
            self.say(_line(self._schedule, progress, losses, self.speed))

    def say(self, text: str) -> None:
        self._lines.say(text)

    def end(self) -> None:
        """Lines need no end."""


class _Bar(_Speed):
    """A bar, for terminals."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule, self._bars = schedule, ProgressBars(clocks=True)

    def begin(self, progress: Progress) -> None:
        super().begin(progress)
        self._bars.add(_TRAINING, 1.0, self._schedule.done_share(progress))
        self._bars.start()

    def stepped(self, progress: Progress, losses: Mapping[str, float]) -> None:
        self.count(progress)
        line = _line(self._schedule, progress, losses, self.speed)
        self._bars.update(_TRAINING, self._schedule.done_share(progress), line)

    def say(self, text: str) -> None:
        self._bars.say(text)

    def end(self) -> None:
        self._bars.stop()


def _line(schedule: Schedule, progress: Progress, losses: Mapping[str, float], speed: float) -> str:
    of_all = f"/{schedule.last_step}" if schedule.last_step else f", {100 * schedule.done_share(progress):.1f} %"
    loss = f", loss {losses['loss']:.4f}" if "loss" in losses else ""
    return f"step {progress.step}{of_all}, epoch {progress.epoch + 1}{loss}, {speed:.1f} samples/s"
