"""Mistakes of a first hour, each done: the message says what is wrong and what to do; no traceback."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import numpy as np
import pytest
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.model.cli import app as model
from dsfu.pipeline.cli import app as pipeline
from dsfu.pipeline.store.files import StorageError

CIF_WITHOUT_A_COLUMN = "data_x\n_cell_length_a 5\nloop_\n_atom_site_label\n_atom_site_fract_x\nC1\n"


PROGRAMS = {"model": model, "pipeline": pipeline}
REFUSALS: dict[type[BaseException], int] = {InputError: 2, StorageError: 4}
"""What `dsfu.command_line` makes of them: one message and this status."""


def run(program: str, *arguments: object, status: int = 2) -> str:
    """What a command says in the end, and that it leaves with this status."""
    done = CliRunner().invoke(PROGRAMS[program], [*map(str, arguments)])
    left = REFUSALS.get(type(done.exception), done.exit_code) if done.exception else done.exit_code
    assert left == status, (done.output, done.exception)
    return str(done.exception) if done.exception else done.stdout


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    run("pipeline", "init", status=0)
    return tmp_path


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("s3:/bucket", "write s3://bucket"),
        ("s3//bucket", "write s3://bucket"),
        ("/proc/x", "/proc is the system's"),
    ],
)
def test_a_store_that_cannot_be(manifest: Path, store: str, words: str) -> None:
    assert words in run("pipeline", "plan", "--store", store)
    assert not (manifest / store).exists()


def test_missing_credentials(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(manifest / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(manifest / "none"))
    # What fsspec keeps knows the credentials, or the lack of them, from before.
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    try:
        assert "AWS_ACCESS_KEY_ID" in run("pipeline", "plan", "--store", "s3://some-bucket/x")
    finally:
        fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.mark.parametrize("text", [CIF_WITHOUT_A_COLUMN, "not a CIF"])
def test_a_bad_cif(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.cif").write_text(text)
    assert "bad.cif" in run("model", "solve-phases", "bad.cif", "-o", "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [("train", "s3:/bucket", "-o", "run"), ("evaluate", "run", "s3//bucket")])
def test_a_near_url_is_no_store_for_the_model_either(arguments: tuple[str, ...]) -> None:
    assert "write s3://bucket" in run("model", *arguments)


def test_a_powder_pattern_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "words.xy").write_text("nothing but words\n")
    told = run("model", "solve-density", tmp_path / "words.xy", "-o", tmp_path / "out", "--formula", "NaCl")
    assert "words.xy: no numbers" in told


def test_where_results_cannot_go_is_told_before_the_work(tmp_path: Path) -> None:
    r = np.arange(0, 20, 0.02)
    np.savetxt(tmp_path / "a.gr", np.stack([r, np.sin(9 * r)], axis=1))
    options = ("solve-particle", tmp_path / "a.gr", "-o")
    assert "cannot be made" in run("model", *options, "/proc/x")
    assert "no folder" in run("model", *options, tmp_path / "out", "--figure", tmp_path / "none" / "a.pdf")
    assert ".pdf or .svg" in run("model", *options, tmp_path / "out", "--figure", tmp_path / "a.doc")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("theirs", "arguments"),
    [
        ("x.res", ("solve-phases", "x.hkl")),
        ("report.html", ("solve-particle", "x.gr")),
        ("candidate-1.cif", ("solve-density", "x.xy", "--formula", "NaCl")),
        ("A.xyz", ("refine-ff", "x.h5", "A.xyz", "A.xyz")),
    ],
)
def test_files_beside_the_input_are_not_overwritten(tmp_path: Path, theirs: str, arguments: tuple[str, ...]) -> None:
    for name in (theirs, arguments[1]):
        (tmp_path / name).write_text("mine")
    verb, name, *more = arguments
    told = run("model", verb, tmp_path / name, "-o", tmp_path, *more)
    assert theirs in told
    assert "--force" in told
    assert (tmp_path / theirs).read_text() == "mine"


def test_sizes_of_an_image_without_a_cell_are_not_in_inverse_angstrom(tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", np.random.default_rng(1).random((40, 40)).astype(np.float32))
    image, out = tmp_path / "image.npy", tmp_path / "planes.h5"
    told = run("model", "prepare", image, "-o", out, "--pixels", 32, "--zeros", "live", status=0)
    assert "nothing is in 1/Å" in told
    assert "≤" not in told
    record = json.loads(run("model", "prepare", image, "-o", out, "--zeros", "live", "--json", "--force", status=0))
    assert record["planes"][0]["half_side_voxels"] > 0
    assert record["files"] == [str(out)]


def test_settings_of_a_cluster_come_with_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("pipeline", "init", "--cluster", "slurm", status=0)
    assert "scheduler: slurm" in (tmp_path / "slurm.yaml").read_text()
    assert "--force" in run("pipeline", "init", "--cluster", "slurm")
    assert "--cluster slurm" in run("pipeline", "init", "--cluster", "slrum")


def test_training_into_the_folder_of_another_network(tmp_path: Path) -> None:
    from dsfu.model.problem import learner_of
    from dsfu.model.training.config_file import load_config, values_of
    from dsfu.model.training.train import _refuse_another_network

    learner = learner_of("disorder")
    here = load_config("dsfu", None, (), learner=learner)
    there = load_config("pix2pix", None, (), learner=learner)
    trainer: Any = SimpleNamespace(
        config=here, parts=SimpleNamespace(run=tmp_path, outputs=SimpleNamespace(learner=learner))
    )
    _refuse_another_network(trainer, {"config": values_of(here)})
    with pytest.raises(InputError, match="another network is there: recipe pix2pix") as told:
        _refuse_another_network(trainer, {"config": values_of(there)})
    assert "another --out" in str(told.value)


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_text("x")
    assert "it is a file" in run("model", "train", tmp_path / "a.h5", "-o", tmp_path / "run")
    assert "symbols that begin with a capital" in run(
        "model", "solve-density", tmp_path / "a.h5", "-o", tmp_path / "out", "--formula", "caf2"
    )
