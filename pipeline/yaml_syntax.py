"""What a YAML parser complains of, in the words of somebody who looks over the writer's shoulder."""

import re
from typing import Any, Final, NamedTuple

from ruamel.yaml.error import YAMLError

from dsfu.pipeline.errors import InputError
from dsfu.pipeline.yaml_document import Document, Place


class _Advice(NamedTuple):
    pattern: str
    what: str
    remedy: str
    at_context: bool = False
    """Whether to point at the beginning of what is being parsed, not at where the parser gave up."""


_ADVICE: Final = (
    _Advice(r"character '\\t'", "a tab", "indent with spaces; YAML does not allow tabs"),
    _Advice(r"character '([@`%])'", "a value cannot begin with {0}", "put it in quotes"),
    _Advice(
        r"mapping values are not allowed",
        "a colon where no value can begin",
        "indent keys of one section alike, end the line above with a colon if it opens a section, and put text with a "
        "colon in quotes",
    ),
    _Advice(r"sequence entries are not allowed", "a list cannot begin here", "begin it on a line of its own"),
    _Advice(r"could not find expected ':'", "a key without a colon", "write `key: value`"),
    _Advice(r"unexpected end of stream", "these quotes are never closed", "close them", at_context=True),
    _Advice(r"expected ',' or '\]'", "this list is never closed", "close it with ]", at_context=True),
    _Advice(r"expected ',' or '\}'", "this brace is never closed", "close it with }}", at_context=True),
    _Advice(r"expected the node content, but found '([\]},])'", "{0} closes nothing", "remove it"),
    _Advice(r"expected '<document start>', but found \('([\]},])'", "{0} closes nothing", "remove it"),
    _Advice(
        r"expected <block end>",
        "this does not fit what stands above it",
        "indent keys of one section alike, and put text with quotes inside in other quotes",
    ),
    _Advice(r"unknown escape character", "a backslash in double quotes", "write it twice, or use single quotes"),
)


def explain_syntax_error(error: YAMLError, document: Document) -> InputError:
    """An error with file, line, the line itself, and in the commonest cases what to do."""
    problem = str(getattr(error, "problem", None) or str(error).splitlines()[0])
    marks = [getattr(error, name, None) for name in ("problem_mark", "context_mark")]
    for advice in _ADVICE:
        found = re.search(advice.pattern, problem)
        if found:
            place = _place(*(reversed(marks) if advice.at_context else marks))
            return document.problem_at(place, advice.what.format(*found.groups()), remedy=advice.remedy.format())
    return document.problem_at(_place(*marks), f"not valid YAML: {problem}")


def _place(*marks: Any) -> Place:
    mark = next((each for each in marks if each is not None), None)
    return Place(1, 1, 0) if mark is None else Place(mark.line + 1, mark.column + 1, 1)
