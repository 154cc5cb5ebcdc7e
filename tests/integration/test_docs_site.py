"""The documentation builds without a warning, with a page of reference for every verb."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from dsfu.pipeline.cli import app as pipeline
from tests.browser import CHROMIUM, Browser

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(ROOT / "docs"), str(folder / "site")]
    command += ["-D", "nb_execution_mode=off"]  # tests/docs runs the notebooks
    done = subprocess.run([*command, "-d", str(folder / "trees")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.mark.slow
def test_the_reference_has_every_verb(site: Path) -> None:
    page = (site / "reference" / "dsfu-model.html").read_text(encoding="utf-8")
    for words in ("dsfu-model factorise", "--force", "--figure", "Exit status"):
        assert words in page
    assert "dsfu.read" in (site / "reference" / "python.html").read_text(encoding="utf-8")
    assert pipeline.registered_commands
    table = (site / "reference" / "dsfu-pipeline.html").read_text(encoding="utf-8")
    for command_of in pipeline.registered_commands:
        assert str(command_of.name or command_of.callback.__name__) in table  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_pages_fit_a_phone_and_a_desk(site: Path, tmp_path: Path) -> None:
    async def look() -> None:
        async with Browser(tmp_path / "profile") as browser:
            for page in ("index", "notebooks/suitable", "explanation/libraries", "reference/training-settings"):
                for width in (1280, 390):
                    await browser.show((site / f"{page}.html").as_uri(), width)
                    await browser.until("document.readyState == 'complete'")
                    assert await browser.value("document.documentElement.scrollWidth") <= width, page
            assert not browser.logged

    asyncio.run(look())
