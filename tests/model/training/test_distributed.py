"""Two processes train together: each has its planes, both the same weights, and they stop after the same step."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from dsfu.model.training.distributed import Ranks, ranks_of_environment
from tests.model.training.made import MadeSource, config_of, trainer_of

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("ranks")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    told = subprocess.run(
        [*torchrun, "-m", "tests.model.training.two_ranks", str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return [json.loads((folder / f"rank-{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.parametrize("recipe", ["dsfu", "pix2pix"])
def test_interrupted_and_uninterrupted_training_are_equal(found, recipe):
    """Only one of the two gets the signal."""
    for each in found:
        assert each[recipe]["outcomes"] == ["done", "stopped", "done"]
        assert each[recipe]["stopped_after"] == 4
        assert each[recipe]["samples"] == 7 * 2 * 2
        assert each[recipe]["weights"] > 20
        assert each[recipe]["differing"] == []


@pytest.mark.parametrize("recipe", ["dsfu", "pix2pix"])
def test_both_have_the_same_weights_and_errors(found, recipe):
    assert found[0][recipe]["sum"] == found[1][recipe]["sum"]
    assert found[0][recipe]["score"] == found[1][recipe]["score"]


def test_gradients_are_means_over_all_planes(found, tmp_path):
    assert found[0]["one_step"] == found[1]["one_step"]
    batches = [MadeSource(rank=rank).made(0) for rank in range(2)]
    gradients = []
    for batch in batches:
        trainer = trainer_of(tmp_path, config_of("dsfu", "optimiser.clip_norm=0"))
        trainer.recipe.training_step(batch)
        gradient = trainer.recipe.network.get_parameter("stem.weight").grad
        assert gradient is not None
        gradients.append(gradient)
    mean = (gradients[0] + gradients[1]) / 2
    scale = float(mean.abs().max())
    assert scale > 0
    torch.testing.assert_close(
        torch.tensor(found[0]["one_step"]["gradient"]), mean.flatten(), atol=1e-5 * scale, rtol=0
    )


def test_both_stop_when_one_has_no_numbers(found):
    told = {each["not_finite"]["told"] for each in found}
    assert len(told) == 1
    assert told.pop() == "the loss of step 7 is not finite (rank 1, batch 2 of epoch 2)"


def test_what_they_agree_on(found):
    for each in found:
        assert each["agreed"] == {"highest": [1, 0], "total": [3]}


def test_without_torchrun_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.setenv("RANK", "3")  # as some schedulers set it
    alone = ranks_of_environment()
    assert alone == Ranks()
    assert alone.highest([1.0, 2.0]) == [1.0, 2.0]
    assert alone.gathered("it") == ["it"]
