from pathlib import Path

import pytest
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.model.cli import app
from dsfu.model.networks.build import build
from dsfu.model.training import train as training
from dsfu.model.training.checkpoint import Checkpoints
from dsfu.model.training.config_file import load_config
from dsfu.model.training.loop import Outcome
from dsfu.model.training.loss_log import LossNotFinite
from dsfu.model.training.train import Job
from dsfu.model.weights.card import Card
from dsfu.model.weights.files import load_weights, save_weights

OPTIONS = {"channels": [4, 8], "blocks": [1, 1]}


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Trainings that were asked for; none of them takes place."""
    asked: list[Job] = []

    def remember(job: Job, requests: object) -> Outcome:
        asked.append(job)
        return Outcome.DONE

    monkeypatch.setattr(training, "train", remember)
    return asked


def answer(*arguments: str | Path, status: int = 0) -> str:
    told = CliRunner().invoke(app, [str(each) for each in arguments])
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    assert told.exit_code == status, told.output
    return told.output


def test_train_asks_for_what_it_was_told(jobs, tmp_path):
    answer("train", "some/store", "--out", tmp_path, "--recipe", "pix2pix", "limits.steps=3", "--resume", "none")
    (job,) = jobs
    assert (job.store, job.run, job.resume, job.start_from) == ("some/store", tmp_path, "none", None)
    assert (job.config.recipe, job.config.limits.steps, job.config.batch_size) == ("pix2pix", 3, 64)


def test_settings_are_checked_before_anything_is_done(jobs, tmp_path):
    with pytest.raises(InputError, match="did you mean limits"):
        answer("train", "some/store", "--out", tmp_path, "limit.steps=3")
    assert jobs == []


def test_statuses(monkeypatch, tmp_path):
    monkeypatch.setattr(training, "train", lambda job, requests: Outcome.STOPPED)
    answer("train", "some/store", "--out", tmp_path, status=75)

    def fail(job: Job, requests: object) -> Outcome:
        raise LossNotFinite("the loss of step 8 is not finite (batch 3 of epoch 2)")

    monkeypatch.setattr(training, "train", fail)
    told = answer("train", "some/store", "--out", tmp_path, status=3)
    assert "step 8" in told
    assert "checkpoints" in told


def test_a_store_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no closed store"):
        answer("train", tmp_path / "nothing", "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_begun_anew_over_another(tmp_path):
    job = Job(store="some/store", run=tmp_path, config=load_config(), resume="none")
    assert training._chosen_checkpoint(job) is None
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save({"progress": {}, "config": {}, "recipe": {}, "source": {}, "random": []})
    with pytest.raises(InputError, match="would be lost"):
        training._chosen_checkpoint(job)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    card = Card(recipe="dsfu", network=OPTIONS, more={"pixels": 16})
    save_weights(folder / "best.safetensors", build("dsfu", OPTIONS), card)
    return folder


def test_export_of_a_runs_best_weights(run, tmp_path):
    out = tmp_path / "out.safetensors"
    assert str(out) in answer("export", run, "--weights", out, "--half")
    assert load_weights(out)[1].dtype == "float16"


@pytest.mark.slow
def test_export_as_onnx(run, tmp_path):
    out = tmp_path / "out.onnx"
    assert "differs from torch" in answer("export", run / "best.safetensors", "--onnx", out)
    assert out.stat().st_size > 1000


def test_export_needs_to_know_what(run, tmp_path):
    with pytest.raises(InputError, match="nothing to write"):
        answer("export", run)
    with pytest.raises(InputError, match="--half is for"):
        answer("export", run, "--onnx", tmp_path / "out.onnx", "--half")
    with pytest.raises(InputError, match="no weights in this folder"):
        answer("export", tmp_path, "--weights", tmp_path / "out.safetensors")
