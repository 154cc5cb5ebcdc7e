"""Values from a parser's events, with the place of each; what YAML has beyond plain data is refused.

Scalars are read by YAML 1.2's core schema, with a limit on depth and number.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from dsfu.errors import InputError
from dsfu.yaml.document import Document, KeyPath, Place, path_text, shown

MOST_DEPTH: Final = 16
MOST_VALUES: Final = 60_000
_MOST_PROBLEMS: Final = 1000
_LONGEST_NUMBER: Final = 300

_TAG: Final = "tag:yaml.org,2002:"

_FIRST_OF_OTHERS: Final = frozenset("0123456789+-.~nNtTfF") | {""}
"""What a plain scalar begins with that is not text; the patterns below then say which it is."""

_NULL: Final = re.compile(r"~|null|Null|NULL|")

_BOOL: Final = re.compile(r"true|True|TRUE|false|False|FALSE")

_INT: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")

_ZERO_IN_FRONT: Final = re.compile(r"[-+]?0[0-9]+")

FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")

_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _events_of(text: str) -> Iterator[Any]:
    return yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class StopReading(Exception):
    """The file can be parsed no further, or it makes no sense to."""

    def __init__(self, problem: InputError) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Composer:
    """Puts values together from a parser's events, and notes their places."""

    def __init__(self, document: Document, starter: str, may_be_empty: bool) -> None:
        self._document = document
        self._starter, self._may_be_empty = starter, may_be_empty
        self._events: Iterator[Any] = _events_of(document.text)
        self._count = 0
        self._alias_seen = False
        self._line = 1

    def read(self) -> None:
        event = self._next()
        while isinstance(event, StreamStartEvent | DocumentStartEvent):
            event = self._next()
        if self._may_be_empty and isinstance(event, StreamEndEvent):
            return
        if not isinstance(event, MappingStartEvent):
            if isinstance(event, ScalarEvent):
                self._next()  # where the parser gives up right after, that is what is wrong
            raise StopReading(self._not_a_mapping(event))
        self._document.value.update(self._mapping(()))
        while not isinstance(event, StreamEndEvent):
            event = self._next()
            if isinstance(event, DocumentStartEvent):
                raise StopReading(
                    self._document.problem_at(
                        self._place(event),
                        "a second document begins here",
                        expected="one document",
                        remedy="remove the line ---, or keep the other document in a file of its own",
                    )
                )

    def _not_a_mapping(self, event: Any) -> InputError:
        empty = isinstance(event, StreamEndEvent) or (isinstance(event, ScalarEvent) and not event.value)
        if empty:
            return InputError("the file is empty", where=f"{self._document.source}, line 1", remedy=self._starter)
        if isinstance(event, SequenceStartEvent):
            found, remedy = "the file holds a list", self._starter
        elif isinstance(event, ScalarEvent):
            found, remedy = f"the file holds one value, {shown(event.value)}", "a space must follow each colon"
            remedy = remedy if ":" in event.value else self._starter
        else:
            found, remedy = "the file begins with an alias", self._starter
        place = self._place(event)
        return self._document.problem_at(
            place, found, expected="keys with values, such as `name: my-data`", remedy=remedy
        )

    def _next(self) -> Any:
        try:
            event = next(self._events)
        except yaml.YAMLError:
            raise
        except Exception as error:  # without libyaml, what the parser's own calls raise: chr(0x110000), and the like
            problem = self._document.problem_at(Place(self._line, 1, 0), f"not valid YAML after this line: {error}")
            raise StopReading(problem) from None
        self._line = event.start_mark.line + 1
        return event

    def _value(self, event: Any, path: KeyPath) -> Any:
        self._count += 1
        if self._count > MOST_VALUES:
            raise StopReading(
                self._document.problem(path, "the file goes on and on", expected=f"at most {MOST_VALUES} values")
            )
        if len(self._document.problems) > _MOST_PROBLEMS:
            raise StopReading(self._document.problem(path, "so much is wrong that reading stops here"))
        if len(path) > MOST_DEPTH:
            raise StopReading(
                self._document.problem_at(
                    self._place(event), "too deeply nested", expected=f"at most {MOST_DEPTH} levels"
                )
            )
        nothing = isinstance(event, ScalarEvent) and not event.style and not event.value
        place = self._document.keys.get(path) if nothing else None
        self._document.values.setdefault(path, place or self._place(event))
        if isinstance(event, AliasEvent):
            return self._refuse_alias(event, path)
        if event.tag is not None:
            tag = shown(str(event.tag).replace(_TAG, "!!"))[1:-1]
            self._refuse(event, path, f": the tag {tag}", "plain YAML without tags")
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event, path) if event.tag is None else None

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                raise StopReading(
                    self._document.problem_at(
                        self._place(event),
                        "a key that is not a word",
                        expected="a plain word before the colon",
                    )
                )
            key: str = event.value
            here, place = (*path, key), self._place(event)
            if key in values:
                first = self._document.keys[here].line
                self._note(
                    here,
                    self._document.problem_at(
                        place,
                        f"{path_text(here)}: the key is there twice",
                        expected="every key once",
                        remedy=f"remove this one or the one on line {first}",
                    ),
                )
                self._value(self._next(), here)
            else:
                self._document.keys[here] = place
                values[key] = self._value(self._next(), here)
        return values

    def _sequence(self, path: KeyPath) -> tuple[Any, ...]:
        values: list[Any] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            values.append(self._value(event, (*path, len(values))))
        return tuple(values)

    def _scalar(self, event: Any, path: KeyPath) -> Any:
        text: str = event.value
        if event.style or not event.implicit[0]:
            return self._text(event, path)
        if text[:1] not in _FIRST_OF_OTHERS:
            return self._text(event, path)
        if _NULL.fullmatch(text):
            return None
        if _BOOL.fullmatch(text):
            return text[0] in "tT"
        if _NOT_FINITE.fullmatch(text):
            self._refuse(event, path, f" = {text}", "a finite number")
            return None
        if _INT.fullmatch(text) or FLOAT.fullmatch(text):
            return self._number(event, path)
        return self._text(event, path)

    def _text(self, event: Any, path: KeyPath) -> str:
        text: str = event.value
        if _SURROGATE.search(text):
            self._refuse(event, path, ": half of a character (a surrogate)", "text in UTF-8")
        return text

    def _number(self, event: Any, path: KeyPath) -> float | int | None:
        text: str = event.value
        if len(text) > _LONGEST_NUMBER:
            self._refuse(event, path, f": a number of {len(text)} digits", "a shorter number")
            return None
        if _ZERO_IN_FRONT.fullmatch(text):
            self._refuse(event, path, f" = {text}", "no zeros in front: YAML 1.1 reads such a number to the base of 8")
        if _INT.fullmatch(text):
            return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
        number = float(text)
        if not math.isfinite(number):
            self._refuse(event, path, f" = {text}", "a number below 1.8e308")
        return number

    def _refuse_alias(self, event: Any, path: KeyPath) -> None:
        """The first is enough: an alias is seldom alone."""
        self._document.unusable.add(path)
        if not self._alias_seen:
            self._refuse(event, path, ": an alias (*name)", "values written out where they are used")
        self._alias_seen = True

    def _refuse(self, event: Any, path: KeyPath, found: str, expected: str) -> None:
        problem = self._document.problem_at(self._place(event), f"{path_text(path)}{found}", expected=expected)
        self._note(path, problem)

    def _note(self, path: KeyPath, problem: InputError) -> None:
        self._document.unusable.add(path)
        self._document.problems.append(problem)

    @staticmethod
    def _place(event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        line, column = start.line, start.column
        one_line = isinstance(event, (ScalarEvent, AliasEvent)) and end.line == line
        return Place(line + 1, column + 1, end.column - column if one_line else 1)
