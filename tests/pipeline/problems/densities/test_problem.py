"""The problem densities from manifest to store and report. tests/simulate/densities has patterns of another program."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr

from dsfu.pipeline import cli
from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.problems.densities.problem import PROBLEM

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
MANIFEST = """\
version: 1
problem: densities
name: small
seed: 4
store: unused
crystals: {systems: [cubic], most_atoms: 24, split_by: type}
samples: {train: 300, validation: 0, test: 5}
"""


def run(*arguments: str) -> None:
    before, sys.argv = sys.argv, ["dsfu-pipeline", *arguments]
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        sys.argv = before
    assert ended.value.code in (0, None)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("densities")
    (folder / "small.yaml").write_text(MANIFEST)
    run("run", str(folder / "small.yaml"), "--store", str(folder / "store"), "--scheduler", "sync", "--quiet")
    return folder / "store"


def test_the_store_holds_crystals_and_patterns_in_two_kilobytes(store: Path) -> None:
    train = xr.open_zarr(store, group="train")
    kept = train["kept"].values
    assert kept.sum() == 300
    assert (train["pattern"].values[kept].max(axis=1) == 10_000).all()
    assert (train["space_group"].values[kept] >= 195).all()
    test = set(xr.open_zarr(store, group="test")["type"].values[:5])
    assert not test & set(train["type"].values[kept])
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    assert size / 305 < 2048


def test_a_sample_is_computed_again_from_the_store_alone(store: Path) -> None:
    group: Any = zarr.open_group(store, mode="r")
    again = PROBLEM.again(group, "train", 7)
    np.testing.assert_array_equal(again["pattern"], np.asarray(group["train/pattern"][7]))
    numbers = np.asarray(group["train/numbers"][7])
    electrons = again["density"].mean() * float(group["train/volume"][7])
    assert electrons == pytest.approx(numbers.sum(), rel=1e-3)


def test_the_report_has_strips_of_patterns_and_sections_of_densities(store: Path, tmp_path: Path) -> None:
    run("report", str(store), "--out", str(tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png") == 6
    assert "volume of the cell" in page


def test_nothing_is_made_again_for_another_split(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "more.yaml").write_text(MANIFEST.replace("test: 5", "test: 6"))
    capsys.readouterr()
    run("plan", str(tmp_path / "more.yaml"), "--store", str(store), "--json")
    plan = json.loads(capsys.readouterr().out)
    assert (plan["present"], len(plan["missing"])) == (2, 1)


@pytest.mark.parametrize(("name", "wanted"), [("cubic", (16378, 250, 500)), ("trigonal", (9177, 241, 237))])
def test_the_examples_ask_for_the_published_numbers(name: str, wanted: tuple[int, ...]) -> None:
    loaded = parse_manifest((EXAMPLES / f"crystalnet-{name}.yaml").read_text())
    specs = PROBLEM.plan(loaded).specs
    totals = {split: sum(each.parameters["wanted"] for each in specs if each.split == split)
              for split in ("train", "validation", "test")}  # fmt: skip
    assert tuple(totals.values()) == wanted
