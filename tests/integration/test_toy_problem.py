"""A fifth problem needs nothing but its own folder: a sine, found through an entry point, from manifest to report."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from tests.base.looking import browser, complaints

TOY = Path(__file__).resolve().parents[1] / "toy"
MANIFEST = "version: 1\nproblem: sines\nname: toy\nseed: 5\nstore: unused\nsamples: {train: 20, validation: 5}\n"
HERE = {**os.environ, "PYTHONPATH": str(TOY)}


def run(*arguments: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dsfu.pipeline.cli", *arguments], env=HERE, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that was made in one process, and one that two workers made."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "toy.yaml").write_text(MANIFEST)
    run("run", str(folder / "toy.yaml"), "--store", str(folder / "one"), "--scheduler", "sync")
    run("run", str(folder / "toy.yaml"), "--store", str(folder / "two"), "--workers", "2", "--dashboard", "none")
    return folder


def test_its_manifest_is_checked_in_its_own_words(folder: Path) -> None:
    assert json.loads(run("validate", str(folder / "toy.yaml"), "--json"))["splits"]["train"] == {"samples": 24}
    (folder / "wrong.yaml").write_text(MANIFEST.replace("samples", "sampels").replace("seed: 5", "seed: five"))
    told = run("validate", str(folder / "wrong.yaml"), status=2)
    assert "did you mean samples?" in told
    assert "seed" in told
    (folder / "wrong.yaml").write_text(MANIFEST.replace("problem: sines", "problem: sinus"))
    told = run("validate", str(folder / "wrong.yaml"), status=2)
    assert "disorder or " in told
    assert "did you mean sines?" in told
    assert "sines" in run("schema", "--problem", "sines")


def test_workers_make_what_one_process_makes(folder: Path) -> None:
    one, two = (
        {path.relative_to(store): path.read_bytes() for path in store.rglob("*") if path.is_file()}
        for store in (folder / "one", folder / "two")
    )
    same = {path for path in one if path.parts[0] not in ("ledger", "locks")}
    assert same == {path for path in two if path.parts[0] not in ("ledger", "locks")}
    assert all(one[path] == two[path] for path in same)


def test_the_store_is_read_as_any_other(folder: Path) -> None:
    train = xr.open_zarr(folder / "one", group="train")
    assert train["curve"].shape == (24, 48)
    assert train["curve"].dtype == np.float32
    assert train["kept"].values.sum() == 20
    for curve, amplitude, phase, points in zip(
        *(train[name].values for name in ("curve", "amplitude", "phase", "points")), strict=True
    ):
        x = 2 * np.pi * np.arange(points) / points
        np.testing.assert_allclose(curve[:points], amplitude * np.sin(x + phase), atol=1e-5)
        assert not curve[points:].any()
    root = zarr.open_group(folder / "one", mode="r")
    assert root.attrs["problem"] == "sines"
    assert json.loads((folder / "one" / "settings.json").read_text())["settings"]["samples"]["validation"] == 5


def test_nothing_is_made_twice(folder: Path) -> None:
    plan = json.loads(run("plan", str(folder / "toy.yaml"), "--store", str(folder / "one"), "--json"))
    assert (plan["present"], plan["missing"]) == (5, [])
    assert "no damage" in run("verify", str(folder / "one"), "--deep")
    assert "nothing to remove" in run("gc", str(folder / "one"))


def test_parts_make_what_one_process_makes(folder: Path) -> None:
    for part in ("2/2", "1/2"):
        options = ["--store", str(folder / "parts"), "--scheduler", "sync", "--part", part]
        run("run", str(folder / "toy.yaml"), *options)
    run("close", str(folder / "toy.yaml"), "--store", str(folder / "parts"))
    parts, one = (zarr.open_array(folder / name / "train" / "curve", mode="r") for name in ("parts", "one"))
    np.testing.assert_array_equal(parts[...], one[...])


def test_a_lost_object_is_made_again(folder: Path) -> None:
    (folder / "two" / "train" / "curve" / "c" / "1" / "0").unlink()
    run("run", str(folder / "toy.yaml"), "--store", str(folder / "two"), "--scheduler", "sync")
    assert "no damage" in run("verify", str(folder / "two"))


def test_other_stores_stay_what_they_are(folder: Path) -> None:
    """A manifest of another problem is refused for a store that has one already."""
    (folder / "disorder.yaml").write_text("version: 1\nname: other\nseed: 1\nstore: unused\n")
    told = run("close", str(folder / "disorder.yaml"), "--store", str(folder / "one"), status=2)
    assert "sines" in told


def test_the_report_shows_its_curves_and_quantities(folder: Path, tmp_path: Path) -> None:
    summary = json.loads(run("inspect", str(folder / "one"), "--json", "--sheet", str(folder / "sheet.png")))
    assert [split["kept"] for split in summary["splits"]] == [20, 5]
    assert {"amplitude", "phase", "points"} == {each["name"] for each in summary["distributions"]}
    assert (folder / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert "amplitude" in run("inspect", str(folder / "one"))
    run("report", str(folder / "one"), "--out", str(folder / "report.html"))
    if browser:
        assert complaints(folder / "report.html", tmp_path) == ""
    page = (folder / "report.html").read_text()
    assert page.count("data:image/png") == 6
    assert "height of the sine" in page
    assert "http:" not in page.replace("http://www.w3.org", "")


def test_a_whole_problem_takes_no_more_than_150_lines() -> None:
    """Physics, manifest, plan, makers, network, recipe, scores and panels; blank lines do not count."""
    lines = [line for path in (TOY / "dsfu_sines").glob("*.py") for line in path.read_text("utf-8").splitlines()]
    assert 100 < sum(bool(line.strip()) for line in lines) <= 150
