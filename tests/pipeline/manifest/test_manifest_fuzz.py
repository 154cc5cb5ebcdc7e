"""Whatever a manifest holds, it is read or refused: as an InputError, with a line, soon, and in little memory."""

import copy
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from dsfu.errors import InputError
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.problems.disorder.pairs import all_pairs, species_of
from dsfu.yaml.reader import MOST_BYTES

ROOT = Path(__file__).resolve().parents[3]
TEXTS = [(ROOT / name).read_text("utf-8") for name in ("data_manifest.yaml", "examples/demo.yaml")]
VALUES: list[dict[str, Any]] = [YAML(typ="safe", pure=True).load(text) for text in TEXTS]
for each in VALUES:
    each["species"] = {"library": True, "own": [{"name": "hole", "group": 0, "cell_lengths": [4.0, 4.0, 4.0]}]}
    each["store"] = "out"

MOST_SECONDS = 2.0
"""Of the processor. It is below 1 on the slowest machine that this was tried on."""


def outcome(text: str | bytes) -> LoadedManifest[Any] | InputError:
    """What reading comes to. Any other exception fails the test, and so does a message that is not fit to print."""
    start = time.process_time()
    try:
        return parse_manifest(text, "m.yaml")
    except InputError as error:
        check_message(error)
        return error
    finally:
        assert time.process_time() - start < MOST_SECONDS


def check_message(error: InputError) -> None:
    text = str(error)
    assert text.startswith("m.yaml")
    assert all(c == "\n" or c.isprintable() for c in text)
    assert max(map(len, text.splitlines())) < 400
    assert "Input should" not in text  # pydantic's own words
    for each in error.problems:
        assert each.what
        assert ", line " in each.where or each.what.startswith("the file is larger")


def dumped(value: Any) -> str:
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(value, stream)
    return stream.getvalue()


def paths_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    parts: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    for key, below in parts:
        yield from paths_in(below, (*path, key))


def holder(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path[:-1]:
        value = value[part]
    return value


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(10**30), max_value=10**30),
    st.sampled_from([0, 1, -1, 2**31, 2**63 - 1, 2**63, 2**64, 1e-300, 1e300, -0.0, 0.5]),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", " ", "null", "yes", "1", "12_000", "1e5", "~", "a\nb", "\x07", "*", "&", "!!", "%", "🙂"]),
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


@st.composite
def mutations(draw: st.DrawFn) -> tuple[Any, list[tuple[str | int, ...]]]:
    """A valid manifest with one to four things changed, and their paths."""
    value = copy.deepcopy(draw(st.sampled_from(VALUES)))
    changed = []
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(list(paths_in(value))))
        inside, key = holder(value, path), path[-1]
        kind = draw(st.sampled_from(["value", "delete", "rename", "add", "swap"]))
        if kind == "value":
            inside[key] = draw(anything)
        elif kind == "delete":
            del inside[key]
        elif kind == "rename" and isinstance(inside, dict):
            inside[draw(st.sampled_from([f"{key}s", str(key)[:-1], str(key).upper(), "x"]))] = inside.pop(key)
        elif kind == "add" and isinstance(inside, dict):
            inside[draw(st.text(min_size=1, max_size=10))] = draw(anything)
        elif kind == "swap" and isinstance(inside, list):
            inside.reverse()
        changed.append(path)
        if not list(paths_in(value)):
            break
    return value, changed


@given(mutations())
def test_mutated_manifests(mutation: tuple[Any, list[tuple[str | int, ...]]]) -> None:
    value, _ = mutation
    found = outcome(dumped(value))
    if isinstance(found, LoadedManifest):
        again = parse_manifest(json.dumps(found.manifest.to_dict()))
        assert again.manifest == found.manifest


@given(st.sampled_from(VALUES), st.data())
def test_one_value_of_another_kind_is_told_with_its_own_line(value: dict[str, Any], data: st.DataObject) -> None:
    changed = copy.deepcopy(value)
    path = data.draw(st.sampled_from([p for p in paths_in(changed) if isinstance(p[-1], str)]))
    holder(changed, path)[path[-1]] = {"no such key": 1} if data.draw(st.booleans()) else "\N{SNOWMAN}"
    text = dumped(changed)
    found = outcome(text)
    if isinstance(found, InputError):
        lines = text.splitlines()
        assert all(
            str(path[-1]) in lines[each.position[0] - 1]
            or "no such key" in lines[each.position[0] - 1]
            or "\\u2603" in lines[each.position[0] - 1]
            or "☃" in lines[each.position[0] - 1]
            for each in found.problems
        )
    else:
        assert path[-1] == "store"


@given(mutations())
def test_species_and_pairs_of_what_is_accepted(mutation: tuple[Any, list[tuple[str | int, ...]]]) -> None:
    found = outcome(dumped(mutation[0]))
    if isinstance(found, LoadedManifest):
        try:
            all_pairs(found, species_of(found))
        except InputError as error:
            check_message(error)


@given(st.sampled_from(TEXTS), st.data())
def test_damaged_texts(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        text = (
            text[:start]
            + data.draw(st.text(alphabet="\t\n\r :-[]{}'\"#&*!|>%@`?,.0a~<\\\x85\u2028", max_size=5))
            + text[end:]
        )
    outcome(text)


@given(st.text(alphabet=" \t\n:-[]{}'\"#&*!|>%@`?,.01ab~<\\=/", max_size=200))
@example("a: !<\n")
@example('a: "\\U00110000"')
@example('a: "\\UFFFFFFFF"')
@example('a: "\\ud800"')
@example("? ? ? ?")
@example("%YAML 3.0\n---\na: 1")
@example("%TAG ! !\n%TAG ! !\n---\na: 1")
@example("--- >\n a\n...\n--- b")
@example("a: &a [*a]")
@example("<<: *a")
@example("&a a: *a")
@example("=: =")
@example("a: 2001-01-01T00:00:00Z")
@example("a: 190:20:30")
@example("a: 0x" + "f" * 290)
def test_yaml_of_all_sorts(text: str) -> None:
    outcome(text)


@given(st.text())
def test_any_text(text: str) -> None:
    outcome(text)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    outcome(data)


LONG = MOST_BYTES - 100
"""As long as a manifest may be."""

GOOD = "version: 1\nseed: 1\nstore: x\nname: x\n"
LAUGHS = [f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in pairwise("abcdefghi")]

BOMBS = {
    "laughs": "a: &a [x, x, x]\n" + "".join(LAUGHS),
    "lists in lists": "a: " + "[" * LONG,
    "lists in lists, line by line": "a: " + "[\n" * (LONG // 2),
    "lists that seem to be closed": "a:\n" + "  [[ # ]]\n" * (LONG // 10),
    "lists with quoted brackets": "a: " + '["]",' * (LONG // 5),
    "braces": "{" * LONG,
    "braces with keys": "a: " + "{a: " * (LONG // 4),
    "keys in keys": "? " * (LONG // 2),
    "dashes": "- " * (LONG // 2),
    "dashes below a key": "a:\n  " + "- " * (LONG // 2 - 4),
    "indentation": "\n".join(" " * i + "a:" for i in range(1000)),
    "indented dashes": "\n".join(" " * i + "-" for i in range(1000)),
    "an endless word": "a: " + "x" * LONG,
    "an endless name": GOOD.replace("name: x", "name: ") + "x " * (LONG // 2 - 30),
    "an endless key": "x" * LONG + ": 1",
    "an endless quoted text": "a: '" + "x" * LONG,
    "an endless text of short lines": "a: |\n" + "  x\n" * (LONG // 4 - 2),
    "an endless comment": "#" * LONG,
    "an endless number": "seed: " + "9" * LONG,
    "an endless exponent": "seed: 1e" + "9" * LONG,
    "an endless hexadecimal": "seed: 0x" + "f" * LONG,
    "an endless number with underscores": "seed: 1" + "_1" * (LONG // 2 - 4),
    "an endless tag": "seed: !" + "x" * LONG + " 1",
    "an endless anchor": "seed: &" + "x" * LONG + " 1",
    "an endless escape": 'seed: "' + "\\x41" * (LONG // 4) + '"',
    "empty lines": "\n" * LONG,
    "documents": "---\n" * (LONG // 4),
    "directives": "%A\n" * (LONG // 3),
    "closing brackets": "a: " + "]" * LONG,
    "colons": ":" * LONG,
    "colons and spaces": ": " * (LONG // 2),
    "quotes": "'" * LONG,
    "anchors": "a: " + "&a " * (LONG // 3 - 1),
    "aliases": "a: [" + "*a, " * (LONG // 4 - 2) + "]",
    "tags": "a:\n" + "- !!int 1\n" * (LONG // 10 - 1),
    "numbers": "a: [" + "1," * (LONG // 2 - 4) + "]",
    "unknown keys": "".join(f"k{i}: 1\n" for i in range(LONG // 11)),
    "unknown keys in one line": "{" + "".join(f"k{i}: 1, " for i in range(LONG // 12)) + "}",
    "keys without values": "a: {" + "? a, " * (LONG // 5 - 2) + "}",
    "one key": "k: 1\n" * (LONG // 5),
    "wrong names": GOOD + "pairs: {train: {only: [" + "[1, 2], " * (LONG // 8 - 10) + "]}}",
    "wrong groups": GOOD + "pairs: {train: {groups: [" + "9, " * (LONG // 3 - 30) + "]}}",
    "wrong species": GOOD + "species:\n  own:\n" + "    - {name: a, file: a.cif, group: 9}\n" * (LONG // 42),
}
assert max(map(len, BOMBS.values())) <= MOST_BYTES


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    found = outcome(BOMBS[name])
    assert isinstance(found, InputError)
    assert len(str(found)) < 20_000


def test_as_many_species_as_a_manifest_may_have() -> None:
    rows = (f"    - {{name: own_{i}, file: species/own_{i}.cif, group: 2, split: train}}\n" for i in range(5000))
    found = outcome(GOOD + "species:\n  own:\n" + "".join(rows))
    assert isinstance(found, LoadedManifest)
    assert len(found.manifest.species.own) == 5000


def test_memory() -> None:
    """Of the largest file that can be read, in a process of its own: less than a worker has."""
    code = (
        "import resource, sys\n"
        "from dsfu.pipeline.manifest.loading import InputError, parse_manifest\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "try:\n"
        f"    parse_manifest('a: [' + '1,' * {MOST_BYTES // 2 - 4} + ']', 'm.yaml')\n"
        "except InputError as error:\n"
        "    print(peak() - before, error.what)\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    kilobytes, what = answer.split(" ", 1)
    assert what.startswith("a[")
    assert int(kilobytes) < 150_000
