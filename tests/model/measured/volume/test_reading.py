"""What an analysis wrote, taken on by other verbs; the crystal is made by a program that shares nothing with dsfu."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import dsfu
from dsfu.model.cli import app
from dsfu.paper import WIDTHS
from tests.base.looking import complaints, needs_browser
from tests.benchmarks import crystal_maker


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An analysed crystal, and its molecules as files."""
    here = tmp_path_factory.mktemp("analysed")
    recipe = crystal_maker.recipes()["orthorhombic"]
    wrongs = crystal_maker.Wrongs(counts=100, bragg=0, flat=0, air=0, gaps=False)
    volume = crystal_maker.make(recipe, (26, 26, 26), wrongs, ideal=True)
    crystal_maker.write_yell(here / "crystal.h5", volume)
    np.save(here / "alpha.npy", volume.alpha)
    other = crystal_maker.recipes()["hexagonal"]
    for name, molecule in (("a", recipe.a), ("b", recipe.b), ("wrong_a", other.a), ("wrong_b", other.b)):
        lines = [f"{e} {x:.6f} {y:.6f} {z:.6f}" for e, (x, y, z) in zip(molecule.elements, molecule.xyz, strict=True)]
        (here / f"{name}.xyz").write_text("\n".join([str(len(lines)), "", *lines, ""]))
    figure = ["--figure", str(here / "figure.pdf")]
    done = CliRunner().invoke(app, ["analyse", str(here / "crystal.h5"), "-o", str(here), "--cutoff", "3", *figure])
    assert done.exit_code == 0, done.output  # a cut-off that is too short is no reason to call the data bad
    assert any("--cutoff" in note for note in json.loads((here / "sro.json").read_text())["refinements"][0]["notes"])
    return here


def _run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_refine_sro_gives_the_order_that_was_refined(folder, tmp_path):
    done = _run("refine-sro", folder / "factors.h5", "-o", tmp_path)
    assert done.exit_code == 0, done.output
    again = json.loads((tmp_path / "factors-sro.json").read_text())["refinements"][0]["shells"]
    first = json.loads((folder / "sro.json").read_text())["refinements"][0]["shells"]
    assert again == first


def test_the_front_door_gives_the_same_with_the_verdict_of_the_analysis(folder, tmp_path):
    order = dsfu.refine_sro(folder / "factors.h5", laue="2/m:c")
    done = _run("refine-sro", folder / "factors.h5", "--laue", "2/m:c", "--json", "--figure", tmp_path / "alpha.svg")
    told = json.loads(done.stdout)["refinements"][0]
    assert [shell.alpha for shell in order.best.shells] == pytest.approx([each["alpha"] for each in told["shells"]])
    assert order.verdict == json.loads((folder / "verdict.json").read_text())["sentence"]
    assert "length of the lattice vector" in (tmp_path / "alpha.svg").read_text()


@needs_browser
@pytest.mark.browser
def test_browsers_show_the_report_without_complaint(folder, tmp_path):
    assert complaints(folder / "report.html", tmp_path) == ""
    assert (folder / "report.html").read_text().count('class="chart"') == 2


def test_the_figure_is_two_columns_wide(folder):
    size = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", (folder / "figure.pdf").read_bytes())
    assert size
    assert float(size[1]) == pytest.approx(72 * WIDTHS[2])


def test_refine_sro_averages_over_a_class_and_stays_near_the_truth(folder, tmp_path):
    done = _run("refine-sro", folder / "factors.h5", "--laue", "2/m:c", "--json-file", tmp_path / "sro.json")
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "sro.json").read_text())["refinements"][0]
    first = json.loads((folder / "sro.json").read_text())["refinements"][0]
    assert len(told["shells"]) < len(first["shells"])
    true = np.load(folder / "alpha.npy")
    for shell in told["shells"][:8]:
        error = shell["alpha"] - true[tuple(np.array(shell["vector"]) + crystal_maker.CUTOFF)]
        assert abs(error) < 4 * shell["uncertainty"] < 0.05


def test_refine_ff_believes_the_right_molecules_and_not_others(folder, tmp_path):
    settings = ("--scan", "no", "--refine", "scale,dw")
    right = _run("refine-ff", folder / "factors.h5", folder / "a.xyz", folder / "b.xyz", "-o", tmp_path, *settings)
    assert right.exit_code == 0, right.output
    told = json.loads((tmp_path / "refine-ff.json").read_text())
    assert told["verdict"]["judgement"] == "agrees"
    assert told["verdict"]["unexplained"] < 0.12
    dw = next(each for each in told["parameters"] if each["name"] == "dw")
    # B of both molecules, 2.5 Å²: exp(−2 B (|Q| / 4π)²)
    assert dw["value"] == pytest.approx(2 * 2.5 / (4 * np.pi) ** 2, abs=max(4 * dw["uncertainty"], 0.003))
    pair = (folder / "wrong_a.xyz", folder / "wrong_b.xyz")
    door = dsfu.refine_molecules(folder / "factors.h5", *pair, refine="scale,dw")
    assert "contradict" in door.verdict
    wrong = _run("refine-ff", folder / "factors.h5", *pair, "-o", tmp_path, "--force", *settings)
    assert wrong.exit_code == 3
    assert "contradict" in wrong.output
    assert json.loads((tmp_path / "refine-ff.json").read_text())["verdict"]["judgement"] == "contradicts"


def test_inspect_tells_what_the_file_is(folder):
    done = _run("inspect", folder / "factors.h5")
    assert done.exit_code == 0
    assert "dsfu-model analyse" in done.output
    assert "53 × 53 × 53" in done.output
    told = json.loads(_run("inspect", folder / "factors.h5", "--json").output)
    assert told["verdict"] in ("agrees", "not judged")
