"""YAML to plain Python values, safely, and with the place of everything.

A manifest, a site file or the settings of a training may come from somebody else; so what YAML has beyond plain data is
refused: tags that build objects, aliases (a few lines of which expand to gigabytes), duplicate keys, several documents.
PyYAML scans and parses; `composer` puts values together from its events.

PyYAML, because it comes with libyaml, which is some thirty times as fast as a parser in Python: so that whatever
the largest file holds is read or refused within a second.
"""

import re
from pathlib import Path
from typing import Any, Final

import yaml

from dsfu.errors import InputError
from dsfu.yaml.composer import Composer, StopReading
from dsfu.yaml.document import Document
from dsfu.yaml.syntax import explain_syntax_error

MOST_BYTES: Final = 2**19

_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_yaml(data: bytes, source: str, *, starter: str = "", may_be_empty: bool = False) -> Document:
    """Parse a YAML file that holds a mapping.

    Parameters
    ----------
    data
        What the file holds; `read_yaml_file` reads one.
    source
        What to call it in messages.
    starter
        The remedy where the file holds nothing of use: how to get one to start from.
    may_be_empty
        Whether an empty file is a mapping without keys.

    Raises
    ------
    InputError
        If it cannot be parsed. What can be parsed but not used is in the document's ``problems``.
    """
    document = Document(source=source, text=_text_of(data, source))
    composer = Composer(document, starter, may_be_empty)
    try:
        composer.read()
    except yaml.YAMLError as error:
        raise _all(document, explain_syntax_error(error, document)) from None
    except StopReading as stop:
        raise _all(document, stop.problem) from None
    return document


def read_yaml_document(path: Path, *, may_be_empty: bool = True) -> Document:
    """A file of settings with the places of its values. What cannot be used is in the document's ``problems``."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from None
    return read_yaml(data, str(path), may_be_empty=may_be_empty)


def read_yaml_file(path: Path, *, may_be_empty: bool = True) -> dict[str, Any]:
    """The values of a file of settings, with lists as lists. All that is wrong with it is said in one `InputError`."""
    return _usable(read_yaml_document(path, may_be_empty=may_be_empty))


def read_yaml_text(text: str, where: str) -> dict[str, Any]:
    """The same of what a file held that is kept elsewhere, such as the manifest in a store."""
    return _usable(read_yaml(text.encode(errors="surrogatepass"), where, may_be_empty=True))


def read_yaml_value(text: str, where: str) -> Any:
    """One value as it would stand in a file, such as that of an option ``key=value``."""
    try:
        return _usable(read_yaml(f"value: {text}".encode(errors="surrogatepass"), where))["value"]
    except InputError as error:
        first = error.problems[0]
        raise InputError(f"{text!r} is no value: {first.what}", where=where, expected=first.expected) from None


def _usable(document: Document) -> dict[str, Any]:
    if document.problems:
        raise InputError.together(document.problems, where=document.source)
    plain: dict[str, Any] = _with_lists(document.value)
    return plain


def _with_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_lists(each) for name, each in value.items()}
    return [_with_lists(each) for each in value] if isinstance(value, tuple) else value


def _all(document: Document, last: InputError) -> InputError:
    return InputError.together([*document.problems, last], where=document.source)


def _text_of(data: bytes, source: str) -> str:
    if len(data) > MOST_BYTES:
        raise InputError(
            f"the file is larger than {MOST_BYTES // 2**10} KiB",
            where=source,
            expected="a smaller file; even a manifest with thousands of species is",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        utf_16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        raise InputError(
            f"byte {data[error.start]:#04x} is not UTF-8",
            where=f"{source}, line {line}",
            expected="a text file in UTF-8",
            remedy="it seems to be UTF-16: save it as UTF-8" if utf_16 else "",
        ) from None
    found = _UNPRINTABLE.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise InputError(
            f"character U+{ord(found[0]):04X} cannot stand in a text file",
            where=f"{source}, line {line}",
            expected="a text file in UTF-8",
        )
    return text
