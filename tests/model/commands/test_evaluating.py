import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dsfu.model import cli
from tests.model.problems.disorder.evaluation.stores import small_store
from tests.model.problems.disorder.evaluation.test_predictors import a_run

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_store(tmp_path_factory.mktemp("evaluating") / "store")


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the program; gives exit status, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dsfu-model", *arguments])
        monkeypatch.delenv("DSFU_DEBUG", raising=False)
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        shown = capsys.readouterr()
        return int(leaving.value.code or 0), shown.out, shown.err

    return call


def test_a_run_is_evaluated_from_end_to_end(call: Call, store: str, tmp_path: Path):
    run = a_run(tmp_path / "run")
    status, out, err = call("evaluate", str(run), store, "--limit", "6", "--poisson", "0.05", "--device", "cpu")
    assert (status, err) == (0, "")
    assert "Beside the paper" in out
    written = {path.name for path in (run / "evaluation").iterdir()}
    assert written == {"evaluation.json", "evaluation.md", "evaluation.html", "planes.csv"}
    told = json.loads((run / "evaluation" / "evaluation.json").read_text())
    assert told["planes"] == 6
    assert told["about"]["recipe"] == "dsfu"
    assert "counting noise of 5 %" in told["about"]["conditions"]
    assert "6 of them" in told["about"]["conditions"]
    assert 0 < told["factors"]["sro"]["linear"]["mse"]["all"]["mean"] < 4


def test_a_file_of_weights_does_and_json_is_for_programs(call: Call, store: str, tmp_path: Path):
    file = a_run(tmp_path) / "weights.safetensors"
    arguments = ("--limit", "2", "--pixels", "24", "--split", "train", "--device", "cpu")
    status, out, _ = call("evaluate", str(file), store, *arguments, "--json", "--out", str(tmp_path / "there"))
    assert status == 0
    assert json.loads(out) == json.loads((tmp_path / "there" / "evaluation.json").read_text())
    assert "24 × 24 pixels" in json.loads(out)["about"]["conditions"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--inception-weights", "nothing.pth"], "there is no such file"),
        (["--split", "trian"], "remedy: --split train"),
        (["--pixels", "100"], "expected: a divisor"),
        (["--method", "magic"], "--method: method 'magic'"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    call: Call, store: str, tmp_path: Path, arguments: list[str], told: str
):
    run = a_run(tmp_path / "run")
    status, out, err = call("evaluate", str(run), store, *arguments)
    assert (status, out) == (2, "")
    assert told in err
    assert not (run / "evaluation").exists()


def test_a_folder_without_weights_is_told(call: Call, store: str, tmp_path: Path):
    status, _, err = call("evaluate", str(tmp_path), store)
    assert status == 2
    assert "there are no weights in this folder" in err
