"""README's lines for its three readers run as they stand: on the demo's crystal, and a smaller store."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dsfu.model.cli import app as model
from dsfu.pipeline.cli import app as pipeline
from tests.model.problems.disorder.evaluation.stores import small_store

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
READERS = README[README.index("## Three readers") : README.index("## What it promises")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that `make demo` leaves; the store is smaller."""
    folder = tmp_path_factory.mktemp("clone")
    made = folder / "out" / "demo"
    (made / "crystal").mkdir(parents=True)
    (made / "particle").mkdir()
    small_store(made / "store", materialise=True)
    crystal = made / "crystal"
    maker = [ROOT / "tests/benchmarks/crystal_maker.py", "orthorhombic", crystal / "crystal.h5", crystal / "truth.json"]
    for command in (
        [*maker, "--half", "40", "--ideal"],
        [ROOT / "examples/pack_molecule.py", made / "phases"],
        [ROOT / "examples/particle.py", made / "particle/particle.gr"],
    ):
        subprocess.run([sys.executable, *map(str, command)], check=True, capture_output=True)
    return folder


def lines() -> list[str]:
    """Commands on what the demo made; those with STORE, RUN or a file of the reader's own are patterns.

    `view` goes on until it is stopped: tests/model/view has it."""
    whole = READERS.replace("\\\n", " ")
    found = [line.strip().partition("  #")[0] for line in whole.splitlines() if line.startswith("    dsfu-")]
    return [each.strip() for each in found if "out/" in each and " view " not in each]


@pytest.mark.slow
def test_every_line_of_the_readers_runs(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo)
    assert len(lines()) >= 12
    for line in lines():
        program, *arguments = line.split()
        done = CliRunner().invoke({"dsfu-model": model, "dsfu-pipeline": pipeline}[program], arguments)
        assert done.exit_code == 0, (line, done.output, done.exception)
        for path in re.findall(r"(?:-o|--report|--picture|--sheet|--figure) (\S+)", line):
            assert Path(path).exists(), line


@pytest.mark.slow
def test_the_lines_of_python_run(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo)
    code = re.findall(r"```python\n(.*?)```", READERS, re.DOTALL)
    assert len(code) == 1
    exec(compile(code[0], "README.md", "exec"), {})
    assert (demo / "out/analysis.png").is_file()


def test_every_page_that_is_named_is_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        if "://" not in link:
            assert (ROOT / link).exists(), link
