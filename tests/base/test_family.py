"""One family of commands: the same options mean the same in every verb, and help is written for people."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from dsfu.command_line import Program
from dsfu.errors import InputError
from dsfu.files import replacing
from dsfu.model.cli import app as model
from dsfu.outputs import refuse_existing, refuse_outputs
from dsfu.pipeline.cli import app as pipeline


def commands_of(app) -> dict[str, Any]:
    group: Any = get_command(app)
    return dict(group.commands)


VERBS = [
    pytest.param(app, name, id=f"{program}-{name}")
    for program, app in (("model", model), ("pipeline", pipeline))
    for name in commands_of(app)
]


def options(app, verb: str) -> dict[str, Any]:
    return {name: each for each in commands_of(app)[verb].params for name in each.opts}


@pytest.mark.parametrize(("app", "verb"), VERBS)
def test_help_has_no_types_of_python(app, verb: str) -> None:
    told = CliRunner().invoke(app, [verb, "--help"]).output
    assert not re.search(r"<(int|float|str|path|integer|list)|<=|x>=|\bINTEGER\b|\bFLOAT\b|\bTEXT\b", told)


@pytest.mark.parametrize("program", ["model", "pipeline"])
def test_the_list_of_verbs_is_whole_on_a_narrow_terminal(program: str) -> None:
    command = [sys.executable, "-m", f"dsfu.{program}.cli", "--help"]
    told = subprocess.run(
        command, env={**os.environ, "COLUMNS": "80"}, capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert not [line for line in told.splitlines() if line.startswith("  ") and line.endswith("...")]
    assert max(map(len, told.splitlines())) <= 80


def test_ranges_are_words() -> None:
    assert "1 to 12]" in CliRunner().invoke(model, ["factorise", "--help"]).output


@pytest.mark.parametrize(("app", "verb"), VERBS)
def test_options_mean_the_same_everywhere(app, verb: str) -> None:
    found = options(app, verb)
    if "--out" in found:
        assert "-o" in found
    if "--json" in found:
        assert found["--json"].is_flag
    if "--force" in found:
        assert found["--force"].is_flag


@pytest.mark.parametrize("verb", ["prepare", "factorise", "analyse", "deltapdf", "export", "refine-ff", "refine-sro",
                                  "solve-particle", "solve-phases", "solve-density", "evaluate"])  # fmt: skip
def test_what_writes_answers_programs_and_overwrites_only_if_told(verb: str) -> None:
    assert {"--json", "--force", "-o"} <= options(model, verb).keys()


def test_train_answers_programs() -> None:
    assert {"--json", "-o"} <= options(model, "train").keys()


def test_what_is_missing_is_named_with_what_is_expected() -> None:
    told = CliRunner().invoke(model, ["solve-density", "x.xy", "-o", "out"])
    assert (told.exit_code, "Missing option '--formula'. Expected: " in told.output) == (2, True)
    assert "{" not in told.output


@pytest.mark.parametrize("app", [model, pipeline])
def test_completion_can_be_installed(app) -> None:
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).output


def test_files_are_overwritten_only_if_forced(tmp_path: Path) -> None:
    there = tmp_path / "a.h5"
    there.write_text("mine")
    with pytest.raises(InputError, match="is there already") as told:
        refuse_existing([None, tmp_path / "b.h5", there], force=False)
    assert "--force" in str(told.value)
    refuse_existing([there], force=True)
    refuse_existing([tmp_path / "b.h5", None], force=False)


def test_files_without_a_folder_are_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mkdir -p '.*my data'"):
        refuse_outputs([None, tmp_path / "my data" / "a.h5"], force=True)
    with pytest.raises(InputError, match="is a folder"):
        refuse_outputs([tmp_path], force=True)
    refuse_outputs([tmp_path / "a.h5", Path("a.h5")], force=True)
    wanted = ["prepare", "nothing.h5", "--plane", "hk0", "-o", str(tmp_path / "none" / "a.h5")]
    assert isinstance(CliRunner().invoke(model, wanted).exception, InputError)


def test_a_file_is_never_written_over_what_is_read(tmp_path: Path) -> None:
    volume = tmp_path / "volume.h5"
    volume.write_text("mine")
    for name in (volume, tmp_path / ".." / tmp_path.name / "volume.h5"):
        done = CliRunner().invoke(model, ["prepare", str(volume), "--plane", "hk0", "-o", str(name), "--force"])
        assert isinstance(done.exception, InputError)
        assert "is the file that is to be read" in str(done.exception)
    assert volume.read_text() == "mine"


def test_home_is_meant_by_a_tilde_that_the_shell_has_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(pipeline, ["init", "~/mine.yaml"]).exit_code == 0
    assert (tmp_path / "mine.yaml").is_file()
    done = CliRunner().invoke(pipeline, ["plan", "mine.yaml", "--store=~/mine"])
    assert str(tmp_path / "mine") in done.output
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "make room"), (errno.ENAMETOOLONG, "shorter"), (errno.EACCES, "may write")]
)
def test_what_the_system_refuses_is_no_surprise(
    number: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = Program(name="dsfu-test", extra="model")

    def fail() -> None:
        raise OSError(number, os.strerror(number), "/some/place")

    with pytest.raises(SystemExit) as left:
        program.run(cast(Any, fail))
    told = capsys.readouterr().err
    assert (left.value.code, "/some/place: " in told, words in told) == (2, True, True)
    assert "traceback" not in told


def test_devices_and_pipes_are_not_replaced_by_files(tmp_path: Path) -> None:
    """Root may put a file in the place of /dev/null."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is a device or pipe"), replacing(pipe) as path:
        path.write_text("text", encoding="utf-8")
    assert pipe.is_fifo()
    with pytest.raises(InputError, match="is a device or pipe"):
        refuse_outputs([Path("/dev/null")], force=True)
