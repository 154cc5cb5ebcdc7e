"""The notebooks of the documentation run from first to last cell, and what they show can be drawn."""

import ast
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from typer.testing import CliRunner

from dsfu.model.cli import app as model
from dsfu.pipeline.cli import app as pipeline

NOTEBOOKS = Path(__file__).parents[2] / "docs" / "notebooks"
CELL = re.compile(r"^```\{code-cell\} python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROGRAMS = {"dsfu-model": model, "dsfu-pipeline": pipeline}


def test_there_are_ten() -> None:
    assert len(list(NOTEBOOKS.glob("*.md"))) == 11, "ten and their index"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(each.stem for each in NOTEBOOKS.glob("*.md") if each.stem != "index"))
@pytest.mark.usefixtures("folder")
def test_it_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, so that packages are loaded once; `make docs` runs each in a kernel of its own."""
    monkeypatch.chdir(NOTEBOOKS)
    monkeypatch.syspath_prepend(str(NOTEBOOKS))
    names: dict[str, Any] = {"__name__": "__main__", "_command": command}
    cells = CELL.findall((NOTEBOOKS / f"{name}.md").read_text(encoding="utf-8"))
    assert len(cells) >= 3
    figures = 0
    for number, cell in enumerate(cells, start=1):
        figures += run_cell(cell, f"{name}.md, cell {number}", names)
    assert figures >= 2, "a notebook shows something"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the notebooks write, shared by all; nothing is left on the path or in the environment."""
    import matplotlib.pyplot as plt

    before, path = dict(os.environ), list(sys.path)
    mpl.use("Agg")
    folder = tmp_path_factory.mktemp("notebooks")
    os.environ["DSFU_NOTEBOOKS"] = str(folder)
    yield folder
    plt.close("all")
    os.environ.clear()
    os.environ.update(before)
    sys.path[:] = path
    sys.modules.pop("made", None)


def run_cell(cell: str, where: str, names: dict[str, Any]) -> int:
    """Run it, draw what its last line gives, and say how many figures there are."""
    import matplotlib.pyplot as plt

    tree = ast.parse(with_commands(cell), where)
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        tree.body.pop()
    exec(compile(tree, where, "exec"), names)
    drawn = 0
    if isinstance(last, ast.Expr):
        shown = eval(compile(ast.Expression(last.value), where, "eval"), names)
        if hasattr(shown, "_repr_png_"):
            assert shown._repr_png_().startswith(b"\x89PNG"), where
            drawn += 1
        elif hasattr(shown, "_repr_html_"):
            assert shown._repr_html_(), where
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
        drawn += 1
    plt.close("all")
    return drawn


def with_commands(cell: str) -> str:
    """Lines that begin with ! are commands; they become calls."""
    whole = re.compile(r"^!((?:.*\\\n)*.*)$", re.MULTILINE)
    return whole.sub(lambda found: f"_command({' '.join(found[1].replace(chr(92), ' ').split())!r}, globals())", cell)


def command(line: str, names: dict[str, Any]) -> None:
    """A line such as IPython runs it, with {names} of the notebook put in."""
    program, *arguments = shlex.split(line.format(**names))
    done = CliRunner().invoke(PROGRAMS[program], arguments)
    assert done.exit_code == 0, (line, done.output, done.exception)
    sys.stdout.write(done.output)
