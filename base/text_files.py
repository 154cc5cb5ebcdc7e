"""Text of files from other programs: packed or not, in whatever encoding, and decimal commas told."""

import re
from pathlib import Path
from typing import Final

from dsfu.errors import InputError
from dsfu.files import unpacked

LARGEST: Final = 200 * 2**20
"""Bytes, unpacked; tables of one measurement are a thousand times smaller."""

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")

_COMMA_NUMBERS: Final = re.compile(r"^\s*-?\d+,\d+[ \t;]+-?\d+(?:,\d+)?(?:e-?\d+)?\s*(?:[ \t;]|$)", re.MULTILINE)
_NUMBERS: Final = re.compile(r"^\s*-?\d[^a-zA-Z\n]*$", re.MULTILINE)
_FEWEST: Final = 10
"""Lines of numbers with commas inside; as few are told of, and must be half of all lines of numbers."""


def text_of_file(path: Path, expected: str, *, decimal_commas: bool = False) -> str:
    """What a text file says; ``expected`` is told where it is none.

    ``decimal_commas`` says that the caller reads them; they are refused otherwise.

    Raises
    ------
    InputError
        It is not there, a folder, empty, too large, binary, or has decimal commas.
    """
    where = str(path)
    raw = _bytes_of(path, expected)
    if not raw.strip():
        raise InputError("is empty", where=where, expected=expected)
    if raw[:2] in _UTF_16:
        text = raw.decode("utf-16", errors="replace")
    elif b"\0" in raw:
        raise InputError("is not a text file", where=where, expected=expected, remedy="export it as text")
    else:
        text = raw.decode("utf-8-sig", errors="replace")
    if decimal_commas:
        return text
    with_commas = len(_COMMA_NUMBERS.findall(text))
    if with_commas >= max(_FEWEST, len(_NUMBERS.findall(text)) / 2):
        remedy = f"write points: sed 's/,/./g' '{path}' > NEW"
        raise InputError("has decimal commas", where=where, expected=expected, remedy=remedy)
    return text


def _bytes_of(path: Path, expected: str) -> bytes:
    where = str(path)
    try:
        if path.is_dir():
            raise InputError("is a folder", where=where, expected=expected)
        if path.stat().st_size > LARGEST:
            raise InputError("is larger than 200 MiB", where=where, expected=expected)
        return unpacked(path.read_bytes(), LARGEST)
    except FileNotFoundError:
        raise InputError("there is no such file", where=where) from None
    except (OSError, EOFError) as error:
        raise InputError(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=where) from error
