"""The Python of the documentation runs, page by page, on small files with the names that the pages use."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dsfu.model.cli import app as model
from dsfu.model.weights.files import shipped
from tests.model.problems.disorder.evaluation.stores import PIXELS, small_store

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
WITH_BLOCKS = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]

ELSEWHERE = {"docs/howto/object-storage.md": "it needs somebody's bucket"}
"""Pages whose blocks are only compiled here."""

OF_OTHERS = "import fabio"
"""Blocks with a program that dsfu does not need, and tests do not install, are only compiled."""

OF_THE_DEMO = "out/demo/"
"""Blocks on what `make demo` makes are run by tests/integration/test_readme.py."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, a crystal, planes of it, and a training, as small as they may be."""
    folder = tmp_path_factory.mktemp("reader")
    small_store(folder / "STORE", materialise=True)
    crystal, run = folder / "crystal.h5", folder / "RUN"
    maker = ROOT / "tests/benchmarks/crystal_maker.py"
    arguments = ["orthorhombic", crystal, folder / "truth.json", "--half", "14", "--ideal", "--clean"]
    subprocess.run([sys.executable, *map(str, [maker, *arguments])], check=True, capture_output=True)
    line = f"prepare {crystal} -o {folder / 'PLANES.h5'} --plane hk0 --pixels 48"
    assert CliRunner().invoke(model, line.split()).exit_code == 0
    run.mkdir()
    for ending in (".safetensors", ".json"):
        shutil.copy(shipped().with_suffix(ending), run / f"best{ending}")
    return folder


def no_order(intensity: Any, live: Any, cells: Any) -> tuple[Any, Any]:
    """The reader's own method, which calls everything a form factor."""
    root = (intensity * live).sqrt()
    return root, live.to(root)


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name_of)
def test_the_blocks_of_a_page_run(page: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    names: dict[str, Any] = {"__name__": "__main__", "my_method": no_order}
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        code = compile(block.replace("pixels=128", f"pixels={PIXELS}"), name_of(page), "exec")
        if name_of(page) not in ELSEWHERE and OF_THE_DEMO not in block and OF_OTHERS not in block:
            exec(code, names)
    if name_of(page) == "docs/training.md":
        assert names["root_form_factor"].shape == names["root_sro"].shape == names["intensity"].shape


def test_most_pages_with_blocks_are_run() -> None:
    assert len(WITH_BLOCKS) >= 12
    assert set(ELSEWHERE) <= {name_of(page) for page in WITH_BLOCKS}
