"""What a YAML parser complains of, in the words of somebody who looks over the writer's shoulder."""

import re
from typing import Any, Final, NamedTuple

from yaml import YAMLError

from dsfu.errors import InputError
from dsfu.yaml.document import Document, Place


class _Advice(NamedTuple):
    """What a complaint means.

    ``pattern`` is looked for in the parser's words, be they libyaml's or those of the parser in Python, which differ;
    ``characters`` are those of which one must stand at the place, and which ``{}`` in ``what`` stands for.
    """

    pattern: str
    what: str
    remedy: str
    characters: str = ""
    at_context: bool = False
    """Whether to point at the beginning of what is being parsed, not at where the parser gave up."""


_FIT: Final = "indent keys of one section alike, and put text with quotes inside in other quotes"

_ADVICE: Final = (
    _Advice(r"cannot start any token|tab character", "a tab", "indent with spaces; YAML does not allow tabs", "\t"),
    _Advice(r"cannot start any token", "a value cannot begin with {}", "put it in quotes", "@`%"),
    _Advice(
        r"mapping values are not allowed",
        "a colon where no value can begin",
        "indent keys of one section alike, end the line above with a colon if it opens a section, and put text with a "
        "colon in quotes",
    ),
    _Advice(r"sequence entries are not allowed", "a list cannot begin here", "begin it on a line of its own"),
    _Advice(r"could not find expected ':'", "a key without a colon", "write `key: value`", at_context=True),
    _Advice(r"unexpected end of stream", "these quotes are never closed", "close them", at_context=True),
    _Advice(r"expected ',' or '\]'", "this list is never closed", "close it with ]", at_context=True),
    _Advice(r"expected ',' or '\}'", "this brace is never closed", "close it with }", at_context=True),
    _Advice(r"expected (the )?node content|<document start>", "{} closes nothing", "remove it", "]},"),
    _Advice(r"an alias", "* begins an alias, which these files do not have", "put it in quotes", at_context=True),
    _Advice(r"an anchor", "& begins an anchor, which these files do not need", "put it in quotes", at_context=True),
    _Advice(r"\btag\b", "! begins a tag, which these files do not have", "put it in quotes", at_context=True),
    _Advice(r"expected (key|'-' indicator|<block end>)", "this does not fit what stands above it", _FIT),
    _Advice(r"<document start>", "this does not fit what stands above it", _FIT),
    _Advice(r"unknown escape character", "a backslash in double quotes", "write it twice, or use single quotes"),
    _Advice(r"Unicode character escape", "an escape that stands for no character", "write the character itself"),
)


def explain_syntax_error(error: YAMLError, document: Document) -> InputError:
    """An error with file, line, the line itself, and in the commonest cases what to do."""
    problem = str(getattr(error, "problem", None) or str(error).splitlines()[0])
    words = f"{getattr(error, 'context', None)}, {problem}"
    there, context = (_place(getattr(error, name, None)) for name in ("problem_mark", "context_mark"))
    place = there or context or Place(1, 1, 0)
    character = document.character(place)
    above = _line_without_colon_above(place, document) if "mapping values" in problem else None
    if above is not None:
        return document.problem_at(above, "a key without a colon", remedy="write `key: value`")
    for advice in _ADVICE:
        if re.search(advice.pattern, words) and (not advice.characters or character in tuple(advice.characters)):
            what = advice.what.format(character)
            return document.problem_at(context or place if advice.at_context else place, what, remedy=advice.remedy)
    return document.problem_at(place, f"not valid YAML: {problem}")


def _place(mark: Any) -> Place | None:
    return None if mark is None else Place(mark.line + 1, mark.column + 1, 1)


def _line_without_colon_above(place: Place, document: Document) -> Place | None:
    """The line above, if it has none: the parser takes it and the next key for one text of two lines."""
    for number in range(place.line - 1, 0, -1):
        line = document.lines[number - 1]
        if line.strip():
            begins = len(line) - len(line.lstrip())
            return None if ":" in line else Place(number, begins + 1, len(line.strip()))
    return None
