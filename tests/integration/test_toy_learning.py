"""What is learnt of a fifth problem needs nothing but its own folder: from a manifest to weights and a page."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.base.looking import browser, complaints

TOY = Path(__file__).resolve().parents[1] / "toy"
HERE = {**os.environ, "PYTHONPATH": str(TOY), "OMP_NUM_THREADS": "1"}
MANIFEST = "version: 1\nproblem: sines\nname: toy\nseed: 5\nstore: unused\nsamples: {train: 317, validation: 37}\n"


def run(*arguments: str, status: int = 0, program: str = "model", folder: Path | None = None) -> str:
    command = [sys.executable, "-m", f"dsfu.{program}.cli", *arguments]
    done = subprocess.run(command, env=HERE, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sines that the pipeline's half of the toy made, the last shard of each split filled up."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "toy.yaml").write_text(MANIFEST)
    run("run", "toy.yaml", "--store", str(folder / "store"), "--scheduler", "sync", program="pipeline", folder=folder)
    return folder / "store"


@pytest.fixture(scope="module")
def trained(store: Path) -> Path:
    folder = store.parent / "run"
    options = ["limits.epochs=30", "batch_size=16", "watching.pictures=2", "watching.validation_steps=200"]
    assert "sines a step" in run("train", str(store), "--out", str(folder), "--recipe", "mlp", *options)
    return folder


def test_it_learns(store: Path, trained: Path):
    scores = [json.loads(line)["score"] for line in (trained / "validation.jsonl").read_text().splitlines()]
    assert scores[-1] < 0.3  # who says nothing is off by the mean amplitude, 1.25
    assert list((trained / "pictures").glob("*.png"))
    again = run("train", str(store), "--out", str(trained), "--recipe", "mlp", "limits.epochs=31", "batch_size=16")
    assert "Going on from step" in again


def test_its_weights_are_evaluated_by_its_own_scores_and_kinds(store: Path, trained: Path, tmp_path: Path):
    told = run("evaluate", str(trained), str(store), "--batch", "7")
    assert "Score by number of points" in told
    summary = json.loads((trained / "evaluation" / "evaluation.json").read_text())
    assert summary["samples"] == 37
    assert summary["about"]["problem"] == "sines"
    assert summary["scores"].keys() == {"score", "amplitude"}
    assert summary["parts"]["number of points"].keys() == {"few", "many"}
    if browser:
        assert complaints(trained / "evaluation" / "evaluation.html", tmp_path) == ""
    page = (trained / "evaluation" / "evaluation.html").read_text()
    assert page.count("data:image/png") == 4
    assert len((trained / "evaluation" / "samples.csv").read_text().splitlines()) == 38


def test_what_is_of_other_problems_is_refused(store: Path, trained: Path):
    told = run("train", str(store), "--out", str(store.parent / "no"), "--recipe", "dsfu", status=2)
    assert "expected: mlp" in told
    assert "no such option" in run("evaluate", str(trained), str(store), "--poisson", "0.1", status=2)
    assert not (store.parent / "no").exists()
