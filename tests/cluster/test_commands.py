"""Batch jobs on the command line: dry runs, and what is said where there is no scheduler."""

import sys
from collections.abc import Callable

import pytest

from dsfu.cluster.job_script import worker_script
from dsfu.cluster.settings import ClusterSettings
from dsfu.pipeline import cli
from tests.cluster.fake_scheduler import fake
from tests.pipeline.tiny import manifest_text

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the program in an empty folder with a manifest; gives exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("DSFU_CLUSTER", raising=False)
    (tmp_path / "data_manifest.yaml").write_text(manifest_text())

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dsfu-pipeline", *arguments])
        monkeypatch.delenv("DSFU_DEBUG", raising=False)
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        shown = capsys.readouterr()
        return int(leaving.value.code or 0), shown.out, shown.err

    return call


def test_a_dry_run_prints_the_script_and_starts_nothing(call, tmp_path):
    status, out, err = call("run", "--scheduler", "slurm", "--dry-run", "--cores", "2", "--memory", "3GiB")
    assert (status, err) == (0, "")
    assert out == worker_script(ClusterSettings(scheduler="slurm", cores=2, memory="3072MiB"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data_manifest.yaml"]


def test_a_dry_run_of_an_array_prints_both_scripts(call, tmp_path):
    status, out, _ = call("submit", "--array", "8", "--store", "store", "--dry-run", "--partition", "long")
    assert status == 0
    assert out.count("#!/bin/bash") == 2
    assert "#SBATCH --array=1-8" in out
    assert f"run {tmp_path / 'data_manifest.yaml'} --store {tmp_path / 'store'}" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data_manifest.yaml"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--scheduler", "slurm"], "sbatch: there is no such command here"),
        (["run", "--scheduler", "pbs"], "qsub: there is no such command here"),
        (["submit", "--array", "4"], "sbatch: there is no such command here"),
        (["run", "--scheduler", "slurm", "--memory", "8"], "expected: a number with its unit"),
        (["run", "--scheduler", "pbs", "--qos", "high"], "pbs has no word for it"),
        (["run", "--scheduler", "slrum"], "there is no such engine"),
        (["run", "--partition", "long"], "--partition: of use with batch jobs only"),
        (["run", "--dry-run"], "shows the script of a batch job"),
        (["run", "--dashboard", "8787"], "expected: HOST:PORT"),
        (["run", "--scheduler", "slurm", "--partition", "a b --wrap=evil"], "expected: one word"),
        (["run", "--cluster", "none.yaml"], "there is no such site file"),
        (["run", "--scheduler", "sync", "--part", "5/4"], "part = 5/4: expected 1/4 to 4/4"),
    ],
)
def test_bad_input_is_told_before_anything_is_changed(call, tmp_path, monkeypatch, arguments, words):
    fake(tmp_path.parent / f"{tmp_path.name}-bin", monkeypatch)
    status, _, err = call(*arguments)
    assert status == 2
    assert words in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data_manifest.yaml"]


def test_parts_on_the_command_line(call, tmp_path):
    for index in (1, 2):
        status, out, _ = call("run", "--scheduler", "sync", "--part", f"{index}/2", "--store", "store")
        assert status == 0
        assert "(not closed)" in out
    assert call("close", "--store", "store")[0] == 0
    assert (tmp_path / "store" / "zarr.json").exists()
