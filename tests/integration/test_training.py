"""From a data set that the pipeline made to a network; interrupted and not, alone and as two processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from dsfu.model.training.checkpoint import load_checkpoint
from dsfu.model.weights.files import load_weights

pytestmark = pytest.mark.slow

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s"}

EXAMPLE = Path(__file__).parents[2] / "examples" / "demo.yaml"

SETTINGS = (
    "network.channels=[8,12]",
    "network.blocks=[1,1]",
    "data.pixels=64",
    "batch_size=2",
    "watching.validation_samples=4",
    "watching.pictures=1",
    "watching.log_steps=5",
)

TORCHRUN = ["--standalone", "--nproc-per-node=2", "--signals-to-handle=SIGTERM,SIGINT,SIGUSR1", "--shutdown-timeout=60"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, made smaller."""
    folder = tmp_path_factory.mktemp("demo")
    manifest = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    manifest["pairs"]["train"] |= {"groups": [0, 2], "per_group": 1}
    manifest["pairs"]["validation"] |= {"groups": [0], "per_group": 1}
    manifest["sro"]["monte_carlo"] |= {"bank_size": 3, "per_pair": {"train": 1, "validation": 1}, "box": 16}
    manifest["sro"]["oscillator"] |= {"per_pair": {"train": 1, "validation": 0}}
    manifest["dead_zones"]["bank_size"] = 4
    written = folder / "demo.yaml"
    written.write_text(yaml.safe_dump(manifest))
    command = ["-m", "dsfu.pipeline.cli", "run", str(written), "--store", str(folder / "store"), "--dashboard", "none"]
    finish([*command, "--scheduler", "sync"])
    return folder / "store"


def training(store: Path, run: Path, *more: str, ranks: int = 1) -> list[str]:
    launcher = ["-m", "torch.distributed.run", *TORCHRUN] if ranks == 2 else []
    return [*launcher, "-m", "dsfu.model.cli", "train", str(store), "--out", str(run), *SETTINGS, *more]


def finish(arguments: list[str]) -> str:
    told = subprocess.run([sys.executable, *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout + told.stderr


def interrupt(arguments: list[str], run: Path, number: signal.Signals) -> tuple[int, str]:
    """Start, wait until training has begun, signal what was started, and wait for its end."""
    command = [sys.executable, *arguments]
    with subprocess.Popen(
        command, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            deadline = time.monotonic() + 300
            while not list(run.glob("tensorboard/*")) and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.send_signal(number)
            told, _ = process.communicate(timeout=300)
        finally:
            process.kill()
    return process.returncode, told


def weights(run: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = load_checkpoint(run / "checkpoints" / "last.pt")["recipe"]["modules"]["factoriser"]
    return state


def assert_equal(one: Path, other: Path) -> None:
    ours, its = weights(one), weights(other)
    assert ours.keys() == its.keys()
    assert not [name for name, value in ours.items() if not torch.equal(value, its[name])]


@pytest.mark.parametrize(("ranks", "number"), [(1, signal.SIGUSR1), (2, signal.SIGUSR1)])
def test_interrupted_and_uninterrupted_training_are_equal(store, tmp_path, ranks, number):
    run, straight = tmp_path / "interrupted", tmp_path / "straight"
    # So long that it cannot be over when the signal comes; how far it then came is where the comparison ends.
    endless = ["limits.steps=100000", "optimiser.schedule=constant"]
    status, told = interrupt(training(store, run, *endless, ranks=ranks), run, number)
    assert (run / "goes-on").is_file(), told
    assert status == (75 if ranks == 1 else 1), told  # torchrun has its own statuses
    steps = load_checkpoint(run / "checkpoints" / "last.pt")["progress"]["step"]
    end = [f"limits.steps={steps + 7}", "optimiser.schedule=constant"]

    told = finish(training(store, run, *end, ranks=ranks))
    assert f"Going on from step {steps}" in told
    assert not (run / "goes-on").exists()
    finish(training(store, straight, *end, ranks=ranks))
    assert_equal(run, straight)

    network, card = load_weights(run / "weights.safetensors")
    assert card.steps == steps + 7
    assert card.data["manifest_sha256"]
    assert all(value.isfinite().all() for value in network.state_dict().values())
    rows = [json.loads(line) for line in (run / "validation.jsonl").read_text().splitlines()]
    assert rows[-1]["score"] > 0
    assert list((run / "pictures").glob("*.png"))
