"""YAML to plain Python values, safely, and with the line of every key.

A manifest is read on clusters, by people who did not write it; so what YAML has beyond plain data is refused: tags that
build objects, aliases (a few lines of which expand to gigabytes), duplicate keys, several documents.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dsfu.pipeline.errors import InputError

KeyPath = tuple[str | int, ...]

MOST_BYTES: Final = 8 * 2**20
MOST_DEPTH: Final = 40
_LONGEST_NUMBER: Final = 400

_TAG: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Located:
    """Values, and for each key path the line and column, from 1, where it stands."""

    value: Any
    lines: dict[KeyPath, tuple[int, int]]

    def line_of(self, path: KeyPath) -> tuple[int, int]:
        """Where a path stands, or the nearest part of it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, (1, 1))


def read_yaml(data: bytes, source: str) -> Located:
    """Parse a YAML document that holds a mapping."""
    if len(data) > MOST_BYTES:
        raise InputError(f"{len(data)} bytes", where=source, expected=f"a YAML file of at most {MOST_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"byte {data[error.start]:#04x} is not UTF-8",
            where=f"{source}, line {line}",
            expected="a text file in UTF-8",
        ) from None
    _check_depth(text, source)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, ValueError, RecursionError) as error:
        raise _syntax_error(error, source) from None
    if not isinstance(root, MappingNode):
        found = "nothing" if root is None else {"sequence": "a list", "scalar": "one value"}.get(root.id, root.id)
        raise InputError(
            f"the file holds {found}", where=source, expected="a mapping, as `dsfu-pipeline init` writes it"
        )
    builder = _Builder(source)
    return Located(builder.build(root, ()), builder.lines)


class _Builder:
    def __init__(self, source: str) -> None:
        self.lines: dict[KeyPath, tuple[int, int]] = {}
        self._source = source
        self._seen: set[int] = set()

    def build(self, node: Node, path: KeyPath) -> Any:
        self.lines.setdefault(path, _place(node))
        if id(node) in self._seen:
            raise self._refused(node, path, "an alias (*name)", "values written out where they are used")
        if not isinstance(node, ScalarNode):
            self._seen.add(id(node))
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            return [self.build(child, (*path, i)) for i, child in enumerate(node.value)]
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        raise self._refused(node, path, f"the tag {node.tag}", "plain YAML without tags")

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode) or key_node.tag != _TAG + "str":
                raise self._refused(key_node, path, "a key that is not a plain word", "keys such as seed or planes")
            key = key_node.value
            here = (*path, key)
            if key in values:
                first = self.lines[here][0]
                raise self._refused(key_node, here, "the key twice", f"it once (it stands on line {first} already)")
            self.lines[here] = _place(key_node)
            values[key] = self.build(value_node, here)
        return values

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        text = node.value
        if node.tag == _TAG + "str":
            return text
        if node.tag == _TAG + "null":
            return None
        if node.tag == _TAG + "bool":
            return text.lower() == "true"
        if node.tag in (_TAG + "int", _TAG + "float") and len(text) <= _LONGEST_NUMBER:
            return self._number(node, path)
        if node.tag == _TAG + "timestamp":
            return text
        raise self._refused(node, path, f"the tag {node.tag}", "plain YAML without tags")

    def _number(self, node: ScalarNode, path: KeyPath) -> float | int:
        text = node.value.replace("_", "").lower()
        try:
            if node.tag == _TAG + "int":
                return int(text, 0) if text.lstrip("+-").startswith(("0x", "0o", "0b")) else int(text)
            number = float(text.replace(".inf", "inf").replace(".nan", "nan"))
        except (ValueError, OverflowError):
            raise self._refused(node, path, f"{node.value!r}", "a number") from None
        if not math.isfinite(number):
            raise self._refused(node, path, node.value, "a finite number")
        return number

    def _refused(self, node: Node, path: KeyPath, found: str, expected: str) -> InputError:
        line, column = _place(node)
        key = path_text(path)
        return InputError(
            f"{key}: {found}" if key else found,
            where=f"{self._source}, line {line}, column {column}",
            expected=expected,
        )


def path_text(path: KeyPath) -> str:
    """``sro.monte_carlo.fraction_a[1]``"""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _check_depth(text: str, source: str) -> None:
    """Refuse nesting deep enough to exhaust the parser's stack: by brackets, and by indentation."""
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        depth += line.count("[") + line.count("{") - line.count("]") - line.count("}")
        compact = line.count("- ") + line.count("? ")
        if depth > MOST_DEPTH or compact > MOST_DEPTH or len(line) - len(line.lstrip(" ")) > 8 * MOST_DEPTH:
            raise InputError("too deeply nested", where=f"{source}, line {number}", expected="a few levels at most")


def _syntax_error(error: Exception, source: str) -> InputError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0] if str(error) else type(error).__name__
    where = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark is not None else source
    remedy = "indent with spaces" if "\\t" in problem or "tab" in problem.lower() else ""
    return InputError(f"not valid YAML: {problem}", where=where, remedy=remedy)
