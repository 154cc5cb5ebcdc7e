import csv
import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from dsfu.errors import InputError
from dsfu.model.measured.commands import structures
from dsfu.model.measured.molecules.scan import angles_of
from dsfu.simulate.structures.files import read_structure
from tests.benchmarks.tba import CELL, TBUTYL, simulated_tba_plane
from tests.model.measured.molecules.made import TBA

SEED = 4
DW = 0.03


@pytest.fixture(scope="module")
def factors(tmp_path_factory) -> Path:
    """The true I_FF of the example with known noise, 64 × 64 pixels, in the plane's dead zones."""
    measured, truth = simulated_tba_plane(SEED, 2000.0, dw=DW, pixels=64)
    sigma = np.sqrt(truth.form_factor + 1)
    path: Path = tmp_path_factory.mktemp("factors") / "ff.npz"
    plane = measured.plane
    np.savez(
        path,
        form_factor=np.random.default_rng(SEED).normal(truth.form_factor, sigma),
        sigma=sigma,
        live=measured.live,
        q_max=plane.q_max,
        axis_x=plane.axis_x,
        axis_y=plane.axis_y,
        centre=plane.centre,
        cell=CELL.constants,
    )
    return path


def call(*words: str | Path) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    structures.add_to(app)
    return CliRunner().invoke(app, ["refine-ff", *(str(word) for word in words)])


def test_the_whole_of_it(tmp_path, factors):
    """Wrong butyl groups in the files are turned back, and said to be so within the stated uncertainty."""
    out = tmp_path / "out"
    words = ("--torsion", TBUTYL, "--scan=-60:60:20", "-o", out, "--figure", tmp_path / "paper.pdf")
    result = call(factors, TBA / "up.xyz", TBA / "down.xyz", *words)
    assert result.exit_code == 0, result.output
    assert "tert-butyl" in result.output
    record = json.loads((out / "refine-ff.json").read_text())
    values = {each["name"]: each for each in record["parameters"]}
    for name, truth in (("tert-butyl", 0.0), ("dw", DW)):
        assert abs(values[name]["value"] - truth) < 3 * values[name]["uncertainty"]
    assert values["rotation A x"]["refined"] is False
    assert record["converged"]
    assert record["notes"] == []
    rows = list(csv.DictReader((out / "scan-tert-butyl.csv").open()))
    assert len(rows) == 7
    assert min(rows, key=lambda row: float(row["mse"]))["angle_degree"] == "0"
    for name in ("A.xyz", "A.cif"):
        back = read_structure(out / name, molecule=("asymmetric-unit",) if name.endswith("cif") else ())
        np.testing.assert_allclose(back.positions, read_structure(TBA / "up.xyz").positions, atol=0.02)
    assert (out / "refine-ff.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")


def test_a_refined_structure_needs_no_further_refinement(tmp_path, factors):
    first = call(
        factors, TBA / "up.xyz", TBA / "down.xyz", "--scan", "no", "-o", tmp_path / "1", "--refine", "rotation,dw"
    )
    assert first.exit_code == 0, first.output
    again = call(
        factors, tmp_path / "1/A.xyz", tmp_path / "1/B.xyz", "--scan", "no", "-o", tmp_path / "2", "--refine", "dw"
    )
    assert again.exit_code == 0, again.output
    records = [json.loads((tmp_path / name / "refine-ff.json").read_text()) for name in "12"]
    assert records[1]["weighted_residual"]["before"] == pytest.approx(
        records[0]["weighted_residual"]["after"], rel=1e-3
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--refine", "torsion,wd"], "did you mean torsions"),
        (["--scan", "1:2"], "no range"),
        (["--torsion", "C1-C2"], "no atom C1"),
        (["--site", "nowhere"], "no atom nowhere"),
        (["--part-a", "1"], "no disorder groups"),
    ],
)
def test_bad_options_are_told(tmp_path, factors, words, told):
    result = call(factors, TBA / "up.xyz", TBA / "down.xyz", "-o", tmp_path / "out", *words)
    assert isinstance(result.exception, InputError)
    assert told in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_ranges_of_angles():
    assert angles_of("-1:1:0.5") == (-1, -0.5, 0, 0.5, 1)
    assert angles_of("no") == ()
    assert len(angles_of("-60:60:1")) == 121
    for bad in ("1:0:1", "0:1:0", "0:1:1e-9", "a:b:c", "0:1", "nan:1:1"):
        with pytest.raises(InputError, match="--scan"):
            angles_of(bad)
