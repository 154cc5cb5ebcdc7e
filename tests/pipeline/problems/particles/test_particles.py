"""Particles from a manifest to a closed store and its page, by the pipeline's generic machinery."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.pipeline.cli import app
from dsfu.pipeline.manifest.loading import load_manifest, parse_manifest
from dsfu.pipeline.problems.particles.problem import PROBLEM
from dsfu.simulate.particles.fields import packed, unpacked
from dsfu.simulate.particles.samples import group_of
from dsfu.simulate.particles.shape_lists import collection
from dsfu.simulate.particles.shapes import FAMILIES, catalogue, positions_of

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
SMALL = """version: 1
problem: particles
name: small
seed: 3
store: unused
shapes: {collections: [published, faults], bond_lengths: [2.5, 2.9], most_atoms: 12}
split: {by: shape}
drawn: {b_iso: [0.2, 0.6], noise: [0.0, 0.02], baseline: [0.0, 0.05]}
samples_per_shard: 16
"""


def plan_of(text: str):
    return PROBLEM.plan(parse_manifest(text))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("particles")
    (folder / "small.yaml").write_text(SMALL)
    done = CliRunner().invoke(app, ["run", str(folder / "small.yaml"), "--store", str(folder / "store"), "--quiet",
                                    "--scheduler", "sync"])  # fmt: skip
    assert done.exit_code == 0, done.output
    return folder / "store"


def test_the_published_data_set_is_whole_and_divided_as_published():
    shards = PROBLEM.plan(load_manifest(EXAMPLES / "particles.yaml"))
    assert {name: len(numbers) for name, numbers in shards.samples.items()} == {
        "train": 2245, "validation": 749, "test": 749,
    }  # fmt: skip
    assert len(PROBLEM.plan(load_manifest(EXAMPLES / "stacking-faults.yaml")).shapes) == 709
    assert len(collection("thousand")) == 809
    assert len(collection("extended_faults")) >= 1620


def test_lists_of_shapes_are_what_is_built():
    assert [each.shape for each in collection("published")] == list(catalogue())
    for each in (*collection("thousand")[::80], *collection("extended_faults")[::150]):
        assert len(positions_of(each.shape.family, each.shape.parameters)) == each.atoms


@pytest.mark.parametrize(("by", "more"), [("shape", ""), ("size", ", most_atoms: 60")])
def test_a_shape_and_a_sequence_are_in_one_split_only(by, more):
    text = SMALL.replace("by: shape", f"by: {by}{more}").replace("most_atoms: 12", "most_atoms: 100")
    shards = plan_of(text)
    per_shape = 2
    listed = {name: [shards.shapes[number // per_shape] for number in numbers]
              for name, numbers in shards.samples.items()}  # fmt: skip
    groups = {name: {group_of(each.shape) for each in part} for name, part in listed.items()}
    sizes = {name: [each.atoms for each in part] for name, part in listed.items()}
    if by == "shape":
        assert not groups["train"] & groups["test"]
        assert not groups["train"] & groups["validation"]
    else:
        assert max(sizes["train"]) <= 60 < min(sizes["test"])
    assert sum(map(len, sizes.values())) == per_shape * len(shards.shapes)


def test_what_changes_is_made_again_and_nothing_else():
    one, other = plan_of(SMALL), plan_of(SMALL.replace("0.02]", "0.03]"))
    keys = [{spec.key for spec in shards.specs if spec.kind == "shapes"} for shards in (one, other)]
    assert keys[0] == keys[1]
    assert not {s.key for s in one.specs if s.kind == "pdfs"} & {s.key for s in other.specs if s.kind == "pdfs"}


def test_the_store_holds_debyes_sum_of_its_own_positions(store):
    train, shapes = xr.open_zarr(store, group="train"), xr.open_zarr(store, group="shapes")
    assert {*shapes["family"].values.tolist()} <= {*FAMILIES}
    pdf = unpacked(train["pdf_steps"].values, train["pdf_unit"].values)
    kept = np.flatnonzero(train["kept"].values)
    assert 0 < len(kept) < len(pdf)
    i = int(kept[np.argmin(train["noise"].values[kept] + train["baseline"].values[kept])])
    row, atoms = int(train["shape"][i]), int(train["atoms"][i])
    x = shapes["positions"].values[row, :atoms] * float(train["bond_length"][i])
    d = np.linalg.norm(x[:, None] - x, axis=-1)[np.triu_indices(atoms, 1)]
    q = np.arange(0.7, 25.0, 0.01)
    u2 = float(train["b_iso"][i]) / (4 * np.pi**2)
    f = 2 / atoms * (np.sin(np.outer(q, d)) / d).sum(axis=1) * np.exp(-u2 * q**2 / 2)
    r = np.arange(3000) * float(train["r_step"][i])
    expected = 2 / np.pi * 0.01 * (f @ np.sin(np.outer(q, r)))
    allowed = 5 * float(train["noise"][i]) + float(train["baseline"][i]) + 0.01
    assert np.abs(pdf[i] - expected).max() < allowed * expected.max()
    assert train["pdf_steps"].attrs["units"] == "pdf_unit"


def test_a_sample_is_computed_again_from_the_store_alone(store):
    group: Any = zarr.open_group(store, mode="r")
    for index in (0, 7):
        again = PROBLEM.again(group, "train", index)
        kept = np.cumsum(group["train/pdf_steps"][index].astype(int))
        assert np.abs(np.cumsum(again["pdf_steps"].astype(int)) - kept).max() <= 1
        assert again["pdf_unit"] == pytest.approx(group["train/pdf_unit"][index], rel=1e-5)


def test_rounding_is_below_a_16384th_of_the_maximum():
    pdf = np.random.default_rng(0).normal(size=(3, 500))
    steps, units = packed(pdf)
    worst = np.abs(unpacked(steps, units) - pdf).max(axis=1) / np.abs(pdf).max(axis=1)
    assert worst.max() <= 1.01 / 16384


def test_verify_and_report(store, tmp_path):
    run = CliRunner()
    assert "no damage" in run.invoke(app, ["verify", str(store), "--deep"]).stdout
    page = tmp_path / "page.html"
    assert run.invoke(app, ["report", str(store), "--out", str(page)]).exit_code == 0
    assert page.read_text().count("data:image/png") >= 6
    summary = json.loads(run.invoke(app, ["inspect", str(store), "--json"]).stdout)
    assert summary["tables"]["shapes"] > 10


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[published, faults]", "[publishd]", "publishd"),
        ("[2.5, 2.9]", "[25.0]", "25"),
        ("by: shape", "by: shape, test: 0.9, validation: 0.2", "nothing is left to train on"),
        ("[0.2, 0.6]", "[0.6, 0.2]", "the lower end 0.6 is above"),
    ],
)
def test_bad_values_are_told(old, new, told):
    with pytest.raises(InputError, match=told):
        parse_manifest(SMALL.replace(old, new))
