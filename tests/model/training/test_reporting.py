import json
import sys

import pytest

from dsfu.model.problems.disorder.problem import LEARNER
from dsfu.model.training.config import OptimiserConfig, TrainingLimits
from dsfu.model.training.reporting import RunReporter
from dsfu.model.training.schedule import Progress, Schedule

SCHEDULE = Schedule(limits=TrainingLimits(steps=4), optimiser=OptimiserConfig(), batches_per_epoch=2)
ERRORS = {"score": 0.3, "sro.linear": 0.1, "form_factor.linear": 0.2}


def tell_all(tmp_path):
    reporter = RunReporter(tmp_path, SCHEDULE, LEARNER.told)
    progress = Progress()
    reporter.begin(progress)
    for step in range(1, 5):
        progress.step, progress.samples = step, 8 * step
        reporter.stepped(progress)
        reporter.losses(progress, {"loss": 1 / step}, 1e-3)
    reporter.validated(progress, ERRORS, is_best=True)
    reporter.say("[that] is all")
    reporter.end()


def test_lines_for_files(tmp_path, capsys):
    tell_all(tmp_path)
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("step 1/4, epoch 1")
    assert told[-2] == "step 4: MSE of I_SRO 0.1000, of I_FF 0.2000 on the linear scale, the best so far"
    assert told[-1] == "[that] is all"
    assert len(told) == 3  # not a line for every step


def test_a_bar_for_terminals(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    tell_all(tmp_path)
    told = capsys.readouterr().err
    assert "100.0 %" in told
    assert "[that] is all" in told


def test_numbers_are_kept(tmp_path):
    tell_all(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "validation.jsonl").read_text().splitlines()]
    assert rows == [{"step": 4, "samples": 32, "hours": 0.0, **ERRORS}]

    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert [each.value for each in board.Scalars("training/loss")] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert [each.step for each in board.Scalars("validation/score")] == [4]
