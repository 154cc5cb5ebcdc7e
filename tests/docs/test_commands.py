"""Every command line in the documentation is one that the programs take, on files that a reader can have; links lead
somewhere."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from dsfu.model.cli import app as model
from dsfu.pipeline.cli import app as pipeline

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "MODEL"))]
WRITTEN = [path for path in PAGES if "reference" not in path.parts]
PROGRAMS: dict[str, Any] = {"dsfu-model": get_command(model), "dsfu-pipeline": get_command(pipeline)}
LINE = re.compile(r"^(?: {4,}|!|\$ |)(dsfu-(?:model|pipeline) [a-z].*)$", re.MULTILINE)


IN_TEXT = re.compile(r"`(dsfu-(?:model|pipeline) [a-z][^`]*)`")
"""Commands within sentences, which need not be whole."""

YOURS = re.compile(r"[A-Z][A-Z0-9_-]*(?:\.\w+)?|\{\w+\}|s3://BUCKET/NAME")
"""Names in capitals are the reader's to fill in, as the start page says; those in braces are a notebook's."""


def commands(page: Path) -> list[list[str]]:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return [shlex.split(re.split(r"  #| > ", found)[0], comments=True) for found in LINE.findall(text)]


def parsed(program: str, verb: str, rest: list[str]) -> dict[str, Any]:
    """What the program itself makes of a line: choices, numbers and missing arguments count. Nothing is run."""
    words = [word for word in rest if not word.startswith("[") and word not in ("…", "...")]
    return dict(PROGRAMS[program].commands[verb].make_context(verb, words).params)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_programs_take_the_commands(page: Path) -> None:
    for program, verb, *rest in commands(page):
        parsed(program, verb, rest)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_within_sentences_have_verbs_and_options_that_there_are(page: Path) -> None:
    for found in IN_TEXT.findall(page.read_text(encoding="utf-8")):
        program, verb, *rest = found.split()
        known = PROGRAMS[program].commands
        assert verb in known, found
        options = {name for each in known[verb].params for name in (*each.opts, *each.secondary_opts)}
        assert {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)} <= options | {"-h", "--help"}, (
            found
        )


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_are_the_readers_or_made_before(page: Path) -> None:
    """What is read has a name in capitals, lies in the clone, or is made by `make demo` or further up the page."""
    made = {"out/demo/", *re.findall(r"^ {4}python \S+ -o (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE)}
    for program, verb, *rest in commands(page):
        values = parsed(program, verb, rest)
        arguments = [
            each
            for each in PROGRAMS[program].commands[verb].params
            if each.param_type_name == "argument" and each.nargs == 1
        ]
        for each in arguments:
            name = str(values[each.name])
            known = values[each.name] == each.default or YOURS.fullmatch(name) or (ROOT / name).exists()
            assert known or verb == "init" or name.startswith(tuple(made)), (verb, name)
            if verb == "init":
                made.add(name)
            if verb == "run" and (store := re.search(r"^store: (\S+)", text_of(ROOT / name), re.MULTILINE)):
                made.add(store[1])
        made |= {str(value) for name in ("out", "store", "volume") if (value := values.get(name))}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def test_there_are_many() -> None:
    assert sum(len(commands(page)) for page in WRITTEN) > 80


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in link and not link.startswith("mailto:") and "reference/" not in link:
            assert (page.parent / link).exists(), (page.name, link)


def test_options_of_networks_in_the_page_on_training_fit_together() -> None:
    from dsfu.model.problems.disorder.networks.dsfu import Dsfu

    text = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    for channels in re.findall(r"network\.channels=\[([\d,]+)\]", text):
        Dsfu(channels=[int(each) for each in channels.split(",")])
