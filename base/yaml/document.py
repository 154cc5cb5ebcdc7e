"""Values read from a YAML file with their places, and what is wrong with them, pointed at."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from dsfu.errors import InputError

KeyPath = tuple[str | int, ...]

_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_+-]{1,80}")
_EXCERPT_WIDTH: Final = 90
_LONGEST_SHOWN: Final = 60


class Place(NamedTuple):
    """Where something stands: line and column, from 1, and how many columns of that line it takes."""

    line: int
    column: int
    width: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Document:
    """A YAML file that could be parsed.

    Attributes
    ----------
    source, text
        What it is called, and what it holds.
    value
        Dictionaries, tuples and plain values.
    keys, values
        Places of keys and of values, by their path.
    problems
        What cannot be used though the file could be parsed.
    unusable
        Paths of it; what ``value`` has there means nothing.
    has_lines
        False for values that stand in no file, such as an option's: they have no places.
    """

    source: str
    text: str = ""
    value: dict[str, Any] = field(default_factory=dict)
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    problems: list[InputError] = field(default_factory=list)
    unusable: set[KeyPath] = field(default_factory=set)
    has_lines: bool = True

    @cached_property
    def lines(self) -> Sequence[str]:
        return _LINE_BREAK.split(self.text)

    def value_at(self, path: KeyPath) -> Any:
        value: Any = self.value
        for part in path:
            value = value[part]
        return value

    def gives(self, path: KeyPath) -> bool:
        """Whether something stands at a path."""
        value: Any = self.value
        for part in path:
            try:
                value = value[part]
            except (LookupError, TypeError):
                return False
        return True

    def place(self, path: KeyPath, *, of_key: bool = False) -> Place:
        """Place of the value at a path, or of its key; of a path that is not there, of the part of it that is.

        What begins below its key, such as a section, is pointed at by its key.
        """
        value = None if of_key else self.values.get(path)
        if value is not None and value.line == self.keys.get(path, value).line:
            return value
        while path and path not in self.keys:
            path = path[:-1]
        return self.keys.get(path, Place(1, 1, 0))

    def character(self, place: Place) -> str:
        """The character at a place; at the end of a line, nothing."""
        line = self.lines[place.line - 1] if place.line <= len(self.lines) else ""
        return line[place.column - 1 : place.column]

    def where(self, path: KeyPath) -> str:
        """File and line of a path."""
        return f"{self.source}, line {self.place(path, of_key=path in self.keys).line}"

    def problem(
        self, path: KeyPath, what: str, *, expected: str = "", remedy: str = "", of_key: bool = False
    ) -> InputError:
        """An error about what stands at a path, or about its key, with the line it stands on."""
        key = path_text(path)
        return self.problem_at(
            self.place(path, of_key=of_key), f"{key}: {what}" if key else what, expected=expected, remedy=remedy
        )

    def wrong_value(self, path: KeyPath, value: Any, *, expected: str, remedy: str = "") -> InputError:
        """An error about a value that should have been another."""
        return self.problem_at(
            self.place(path), f"{path_text(path)} = {shown(value)}", expected=expected, remedy=remedy
        )

    def problem_at(self, place: Place, what: str, *, expected: str = "", remedy: str = "") -> InputError:
        where = f"{self.source}, line {place.line}" if self.has_lines else self.source
        return InputError(
            what,
            where=where,
            position=(place.line, place.column),
            excerpt=self._excerpt(place),
            expected=expected,
            remedy=remedy,
        )

    def _excerpt(self, place: Place) -> str:
        """The line of a place, and carets below what it is about."""
        line = self.lines[place.line - 1] if place.line <= len(self.lines) else ""
        if not place.width or not line or line.isspace():
            return ""
        number, first = str(place.line), place.column - 1
        start = max(0, min(first - _EXCERPT_WIDTH // 2, len(line) - _EXCERPT_WIDTH))
        before, after = "…" if start else "", "…" if start + _EXCERPT_WIDTH < len(line) else ""
        width = max(1, min(place.width, start + _EXCERPT_WIDTH - first))
        carets = " " * (first - start + len(before)) + "^" * width
        return (
            f"  {number} | {before}{_printable(line[start : start + _EXCERPT_WIDTH]).rstrip()}{after}\n"
            f"  {' ' * len(number)} | {carets}"
        )


def path_text(path: KeyPath) -> str:
    """``sro.monte_carlo.fraction_a[1]``"""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            word = part if _PLAIN_KEY.fullmatch(part) else shown(part)
            text += f".{word}" if text else word
    return text


def shown(value: Any) -> str:
    """A value as YAML would have it on one line, cut short where it is long."""
    if isinstance(value, Mapping):
        return f"a section with {len(value)} keys" if len(value) != 1 else "a section with 1 key"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**_LONGEST_SHOWN:
        return f"a number of {len(str(abs(value)))} digits"
    text = _printable(json.dumps(_cut(value), ensure_ascii=False, default=str))
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _cut(value: Any, depth: int = 4) -> Any:
    """So much of a value as can be seen on one line."""
    if isinstance(value, str):
        return value[:_LONGEST_SHOWN]
    if isinstance(value, Mapping):
        return {str(key)[:_LONGEST_SHOWN]: _cut(each, depth - 1) for key, each in list(value.items())[:9] if depth}
    if isinstance(value, Sequence):
        return [_cut(each, depth - 1) for each in value[:_LONGEST_SHOWN] if depth]
    return value


def _printable(text: str) -> str:
    """Without anything that would move a terminal's cursor or turn the direction of writing."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "�" for c in text)
