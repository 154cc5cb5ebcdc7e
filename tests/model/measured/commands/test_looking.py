import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from dsfu.command_line import BAD_INPUT
from dsfu.errors import InputError
from dsfu.model import cli
from dsfu.model.measured.readers.plane_files import write_planes
from tests.model.measured.readers import true_files as true
from tests.model.measured.readers.test_plane_files import measured


def told(*arguments: object) -> str:
    result = CliRunner().invoke(cli.app, ["inspect", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_it_tells_what_there_is_to_know(tmp_path: Path):
    text = told(true.write_mantid(tmp_path / "a.nxs"))
    assert "Mantid MDHistoWorkspace" in text
    assert "7 × 9 × 11 of float64, 98.8 % of them measured" in text
    assert "h  −2.5 … 2.5 in steps of 0.5" in text
    assert "5.1 6.2 7.3 Å, 91 102 85.5°" in text
    assert "median of intensity / sigma" in text
    assert "(50 %)" in text


def test_json(tmp_path: Path):
    answer = json.loads(told(true.write_yell(tmp_path / "a.h5"), "--json", "--picture", tmp_path / "a.png"))
    (part,) = answer["parts"]
    assert part["shape"] == list(true.SHAPE)
    np.testing.assert_allclose(part["cell"], true.CELL.constants)
    assert part["coverage"] == pytest.approx(1 - 8 / np.prod(true.SHAPE))
    assert (tmp_path / "a.png").is_file()


def test_hints(tmp_path: Path):
    np.save(tmp_path / "a.npy", true.intensity().transpose(2, 1, 0))
    assert "unknown, and so is the grid" in told(tmp_path / "a.npy")
    limits = ",".join(str(number) for i in range(3) for number in true.coordinates(i)[[0, -1]])
    text = told(tmp_path / "a.npy", "--cell", "5,6,7,90,100,90", "--limits", limits, "--axes", "lkh")
    assert "5 6 7 Å, 90 100 90°" in text
    assert "h  −2.5 … 2.5 in steps of 0.5" in text
    again = told(
        tmp_path / "a.npy", "--origin=-2.5,-2,0.25", "--steps", "0.5 0.4 0.25", "--axes", "lkh", "--zeros", "dead"
    )
    assert "h  −2.5 … 2.5 in steps of 0.5" in again


def test_every_plane_of_a_file_is_told_of(tmp_path: Path):
    planes = [measured(16, name="hk0 of x"), measured(32, name="hk1 of x", cell=None)]
    write_planes(tmp_path / "planes.h5", planes)
    text = told(tmp_path / "planes.h5", "--picture", tmp_path / "planes.png")
    assert "hk0 of x" in text
    assert "32 × 32 × 1" in text
    assert "punch, average" in text
    assert (tmp_path / "planes.png").is_file()
    assert "hk0 of x" not in told(tmp_path / "planes.h5", "--plane", "2")
    with pytest.raises(InputError, match=r"did you mean 'hk1 of x'(.|\n)*1 .hk0 of x., 2 .hk1 of x."):
        told(tmp_path / "planes.h5", "--plane", "hk1 of y")


def test_what_cannot_be_read_is_one_plain_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("sys.argv", ["dsfu-model", "inspect", str(tmp_path / "a.h5")])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code == BAD_INPUT
    assert capsys.readouterr().err.strip() == f"error: {tmp_path / 'a.h5'}: there is no such file"
