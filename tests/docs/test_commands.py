"""Every command line in the documentation has a verb and options that there are; every link leads somewhere."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from dsfu.model.cli import app as model
from dsfu.model.weights.files import shipped
from dsfu.pipeline.cli import app as pipeline

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "MODEL"))]
WRITTEN = [path for path in PAGES if "reference" not in path.parts]
PROGRAMS: dict[str, Any] = {"dsfu-model": get_command(model), "dsfu-pipeline": get_command(pipeline)}
LINE = re.compile(r"^(?: {4,}|!|\$ |)(dsfu-(?:model|pipeline) [a-z].*)$", re.MULTILINE)


def commands(page: Path) -> list[list[str]]:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return [shlex.split(found.partition("  #")[0], comments=True) for found in LINE.findall(text)]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_are_as_the_program_has_them(page: Path) -> None:
    for program, verb, *rest in commands(page):
        if verb.islower() and verb.replace("-", "").isalpha():
            known = PROGRAMS[program].commands
            assert verb in known, (page.name, verb)
            options = {name for each in known[verb].params for name in (*each.opts, *each.secondary_opts)}
            used = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
            assert used <= options | {"-h", "--help"}, (page.name, verb, used - options)


def test_there_are_many() -> None:
    assert sum(len(commands(page)) for page in WRITTEN) > 80


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in link and not link.startswith("mailto:") and "reference/" not in link:
            assert (page.parent / link).exists(), (page.name, link)


def test_weights_are_used_as_the_page_on_training_says() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/training.md").read_text(encoding="utf-8"), re.DOTALL)
    found: dict[str, Any] = {}
    exec(code.replace('Path("RUN/best.safetensors")', f"Path({str(shipped())!r})"), found)
    assert found["root_form_factor"].shape == found["root_sro"].shape == found["intensity"].shape


def test_options_of_networks_in_the_page_on_training_fit_together() -> None:
    from dsfu.model.problems.disorder.networks.dsfu import Dsfu

    text = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    for channels in re.findall(r"network\.channels=\[([\d,]+)\]", text):
        Dsfu(channels=[int(each) for each in channels.split(",")])
