"""The documentation builds without a warning, with a page of reference for every verb."""

import subprocess
import sys
from pathlib import Path

import pytest

from dsfu.pipeline.cli import app as pipeline

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(ROOT / "docs"), str(tmp_path / "site")]
    command += ["-D", "nb_execution_mode=off"]  # tests/docs runs the notebooks
    done = subprocess.run([*command, "-d", str(tmp_path / "trees")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "reference" / "dsfu-model.html").read_text(encoding="utf-8")
    for words in ("dsfu-model factorise", "--force", "--figure", "Exit status"):
        assert words in page
    assert "dsfu.read" in (tmp_path / "site" / "reference" / "python.html").read_text(encoding="utf-8")
    assert pipeline.registered_commands
    table = (tmp_path / "site" / "reference" / "dsfu-pipeline.html").read_text(encoding="utf-8")
    for command_of in pipeline.registered_commands:
        assert str(command_of.name or command_of.callback.__name__) in table  # type: ignore[union-attr]
