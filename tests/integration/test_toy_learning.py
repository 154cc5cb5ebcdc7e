"""What is learnt of a fifth problem needs nothing but its own folder: from a store to weights and a page."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr

TOY = Path(__file__).resolve().parents[1] / "toy"
HERE = {**os.environ, "PYTHONPATH": str(TOY), "OMP_NUM_THREADS": "1"}
POINTS = 48


def run(*arguments: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dsfu.model.cli", *arguments], env=HERE, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def closed_store(folder: Path) -> Path:
    """Sines as the pipeline's half of the toy closes them, the last shard filled up."""
    root = zarr.open_group(folder, mode="w")
    root.attrs.update({"format_version": 1, "problem": "sines", "splits": ["train", "validation"], "manifest": "a: 1"})
    random = np.random.default_rng(1)
    for name, shards in (("train", 40), ("validation", 5)):
        samples = 8 * shards
        amplitude, phase = random.uniform(0.5, 2, samples), random.uniform(0, 2 * np.pi, samples)
        points = random.integers(8, POINTS + 1, samples)
        x = np.arange(POINTS) / points[:, None]
        curve = np.where(x < 1, amplitude[:, None] * np.sin(2 * np.pi * x + phase[:, None]), 0)
        group = root.create_group(name)
        group.attrs.update({"shards": shards, "samples_per_shard": 8})
        group.create_array("kept", data=np.arange(samples) < samples - 3)
        for column, values in (("amplitude", amplitude), ("phase", phase), ("points", points.astype(np.int16))):
            group.create_array(column, data=values)
        group.create_array("curve", data=curve.astype(np.float32), chunks=(1, POINTS), shards=(8, POINTS))
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return closed_store(tmp_path_factory.mktemp("toy") / "store")


@pytest.fixture(scope="module")
def trained(store: Path) -> Path:
    folder = store.parent / "run"
    options = ["limits.epochs=60", "batch_size=16", "watching.pictures=2", "watching.validation_steps=200"]
    assert "sines a step" in run("train", str(store), "--out", str(folder), "--recipe", "mlp", *options)
    return folder


def test_it_learns(store: Path, trained: Path):
    scores = [json.loads(line)["score"] for line in (trained / "validation.jsonl").read_text().splitlines()]
    assert scores[-1] < 0.3  # who says nothing is off by the mean amplitude, 1.25
    assert list((trained / "pictures").glob("*.png"))
    again = run("train", str(store), "--out", str(trained), "--recipe", "mlp", "limits.epochs=61", "batch_size=16")
    assert "Going on from step" in again


def test_its_weights_are_evaluated_by_its_own_scores_and_kinds(store: Path, trained: Path):
    told = run("evaluate", str(trained), str(store), "--batch", "7")
    assert "Score by number of points" in told
    summary = json.loads((trained / "evaluation" / "evaluation.json").read_text())
    assert summary["samples"] == 37
    assert summary["about"]["problem"] == "sines"
    assert summary["scores"].keys() == {"score", "amplitude"}
    assert summary["parts"]["number of points"].keys() == {"few", "many"}
    page = (trained / "evaluation" / "evaluation.html").read_text()
    assert page.count("data:image/png") == 4
    assert len((trained / "evaluation" / "samples.csv").read_text().splitlines()) == 38


def test_what_is_of_other_problems_is_refused(store: Path, trained: Path):
    told = run("train", str(store), "--out", str(store.parent / "no"), "--recipe", "dsfu", status=2)
    assert "expected: mlp, for the problem sines" in told
    assert "no such option" in run("evaluate", str(trained), str(store), "--poisson", "0.1", status=2)
    assert not (store.parent / "no").exists()
