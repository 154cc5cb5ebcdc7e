"""Trainings as jobs of a real SLURM, with all that befalls them: the same losses and weights as left alone."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

from dsfu.model.training.checkpoint import load_checkpoint
from tests.cluster.slurm_here import NODES, SlurmHere
from tests.model.training.stores import library_store

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

PATIENCE_SECONDS = 400

CONFIG: Mapping[str, Any] = {
    "network": {"channels": [4, 8], "blocks": [1, 1]},
    "data": {"pixels": 16, "workers": 0},
    "batch_size": 2,
    "optimiser": {"schedule": "constant"},
    "watching": {"validation_planes": 0, "log_steps": 1, "checkpoint_minutes": 0.02},
}

ENDLESS = 1_000_000
"""Steps: what is interrupted cannot have ended before. How far it came then is where the comparison ends."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return library_store(tmp_path_factory.mktemp("store") / "store")


class Training:
    """A training in the current folder, and its jobs."""

    def __init__(self, slurm: SlurmHere, store: str, run: Path, *options: str) -> None:
        self.slurm, self.run, self.job = slurm, run, ""
        self._config = run.with_suffix(".yaml")
        self._command = ["submit", store, "--out", str(run), "--config", str(self._config), "--gpus", "0"]
        self._command += ["--cores", "2", "--memory", "1500MiB", "--walltime", "0:10:00", "--stop-before", "3min"]
        self._command += ["--job-name", run.name, *options]

    def set_steps(self, steps: int) -> None:
        self._config.write_text(yaml.safe_dump({**CONFIG, "limits": {"steps": steps}}))

    def submit(self) -> None:
        self.job = self.told().split()[2].rstrip(".")

    def told(self, *more: str, status: int = 0) -> str:
        """What the command line says."""
        command = [sys.executable, "-m", "dsfu.model.cli", *self._command, *more]
        told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
        assert told.returncode == status, told.stderr
        return told.stderr if status else told.stdout

    def log(self) -> str:
        return "".join(path.read_text() for path in sorted(Path("dsfu-logs").glob(f"{self.run.name}-*.out")))

    def state(self) -> str:
        return self.slurm.command("squeue", "--noheader", "--states=all", f"--jobs={self.job}", "--format=%T").strip()

    def wait_for(self, state: str) -> None:
        self._wait(lambda: self.state() == state, f"job to be {state}")

    def wait_for_steps(self) -> None:
        """Until its turn has begun to train, and has written a checkpoint of its own."""
        written = self._when_written()
        self._wait(lambda: self._when_written() != written, "a checkpoint")

    def wait_for_next_turn(self) -> None:
        """Until the job is back in the queue, where it waits for as long as its old credentials are valid."""
        self._wait(lambda: self.state() == "PENDING", "the job to be put back in the queue")

    def step_of_checkpoint(self) -> int:
        return int(load_checkpoint(self.run / "checkpoints" / "last.pt")["progress"]["step"])

    def weights(self) -> dict[str, torch.Tensor]:
        modules = load_checkpoint(self.run / "checkpoints" / "last.pt")["recipe"]["modules"]
        return {f"{module}.{name}": value for module in modules for name, value in modules[module].items()}

    def losses(self) -> dict[str, list[tuple[int, float]]]:
        """Every step of every loss. Of steps that were done twice TensorBoard forgets the first time."""
        board = EventAccumulator(str(self.run / "tensorboard"), size_guidance={"scalars": 0}).Reload()
        names = [name for name in board.Tags()["scalars"] if not name.endswith("samples_per_second")]
        return {name: [(event.step, event.value) for event in board.Scalars(name)] for name in names}

    def _when_written(self) -> int:
        checkpoint = self.run / "checkpoints" / "last.pt"
        return checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0

    def _wait(self, is_so: Callable[[], bool], what: str) -> None:
        def is_over() -> bool:
            return is_so() or self.state() in ("FAILED", "TIMEOUT", "OUT_OF_MEMORY")

        try:
            self.slurm.wait_until(is_over, what, PATIENCE_SECONDS)
            assert is_so(), f"waited for {what}, but it is {self.state()}"
        except (RuntimeError, AssertionError) as error:
            raise AssertionError(f"{error}\n{self.log()}") from None


def assert_as_left_alone(slurm: SlurmHere, store: str, training: Training) -> None:
    """The same job with the same end, uninterrupted."""
    alone = Training(slurm, store, training.run.with_name("alone"), "--ranks", "2")
    alone.set_steps(training.step_of_checkpoint())
    alone.submit()
    alone.wait_for("COMPLETED")
    ours, its = training.losses(), alone.losses()
    assert {"training/loss", "training/gradient"} <= ours.keys()
    assert [step for step, _ in ours["training/loss"]] == list(range(1, training.step_of_checkpoint() + 1))
    assert ours == its
    weights = alone.weights()
    assert training.weights().keys() == weights.keys()
    assert not [name for name, value in training.weights().items() if not torch.equal(value, weights[name])]


def test_stopped_before_the_walltime_then_its_node_fails_then_cancelled_and_submitted_again(slurm, store, tmp_path):
    training = Training(slurm, store, tmp_path / "interrupted", "--ranks", "2")
    training.set_steps(ENDLESS)
    training.submit()
    training.wait_for_steps()
    assert f"job {training.job} trains here already (RUNNING)" in training.told(status=2)
    slurm.command("scontrol", "update", f"jobid={training.job}", "timelimit=3")  # SLURM's own signal comes at once
    training.wait_for_next_turn()
    slurm.command("scontrol", "update", f"jobid={training.job}", "timelimit=10")
    stopped_at = training.step_of_checkpoint()
    assert (training.run / "goes-on").read_text() == f"step {stopped_at}\n"

    training.wait_for_steps()
    assert f"Going on from step {stopped_at}." in training.log()
    slurm.lose_power(training.job, NODES[0])
    training.wait_for_next_turn()
    failed_at = training.step_of_checkpoint()
    assert failed_at > stopped_at
    assert not (training.run / "goes-on").exists()
    slurm.command("scontrol", "update", f"nodename={NODES[0]}", "state=resume", check=False)  # it may be back already

    training.wait_for_steps()
    assert f"Going on from step {failed_at}." in training.log()
    slurm.command("scancel", training.job)
    training.wait_for("CANCELLED")
    cancelled_at = training.step_of_checkpoint()

    training.set_steps(cancelled_at + 9)
    training.submit()
    training.wait_for("COMPLETED")
    assert f"Going on from step {cancelled_at}, with other limits.steps." in training.log()
    assert training.step_of_checkpoint() == cancelled_at + 9
    assert not (training.run / "goes-on").exists()
    assert_as_left_alone(slurm, store, training)


def test_on_two_nodes(slurm, store, tmp_path):
    training = Training(slurm, store, tmp_path / "two", "--nodes", "2", "--ranks", "1", "--cores", "1")
    training.set_steps(ENDLESS)
    training.submit()
    training.wait_for_steps()
    slurm.command("scancel", "--signal=USR1", training.job)
    training.wait_for_next_turn()
    training.set_steps(training.step_of_checkpoint() + 9)
    training.wait_for("COMPLETED")
    assert_as_left_alone(slurm, store, training)


def test_a_training_that_fails_is_not_put_back_in_the_queue(slurm, store, tmp_path):
    """Not even if it fails before it has begun, in the turn after one that was told to stop."""
    training = Training(slurm, store, tmp_path / "failing")
    training.set_steps(ENDLESS)
    (training.run / "checkpoints").mkdir(parents=True)
    (training.run / "checkpoints" / "last.pt").write_bytes(b"garbled")
    (training.run / "goes-on").touch()
    training.submit()
    training.wait_for("FAILED")
    assert "it is damaged, or no checkpoint" in training.log()
    assert not slurm.jobs()


def test_sbatch_accepts_the_scripts(slurm, store, tmp_path):
    for nodes in (1, 2):
        training = Training(slurm, store, tmp_path / "run", "--nodes", str(nodes), "--partition", "main")
        training.set_steps(1)
        script = tmp_path / "script"
        script.write_text(training.told("--dry-run"))
        slurm.command("sbatch", "--test-only", str(script))


def test_what_slurm_refuses_is_told_in_its_words(slurm, store, tmp_path):
    training = Training(slurm, store, tmp_path / "run", "--partition", "physics", "--account", "chemistry")
    training.set_steps(1)
    assert "Invalid account or account/partition combination" in training.told(status=2)
    assert not slurm.jobs()
