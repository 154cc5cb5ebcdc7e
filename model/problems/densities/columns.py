"""What commas mean in files of columns, and which column holds the intensity."""

import re
from collections.abc import Callable
from typing import Final

_LOOKED_AT: Final = 20000
"""Characters from which the meaning of commas is found out."""

_SEVERAL: Final = 5
"""Lines that must agree on it."""

_DECIMAL: Final = re.compile(r"\d,\d+[\s;]+\d+,\d|^\s*\d+,\d+\s*[;\t]\s*\d", re.MULTILINE)
_THOUSANDS: Final = re.compile(r"^\s*\d+\.\d+[ \t;]+\"?\d{1,3}(?:,\d{3})+\"?\s*$", re.MULTILINE)
_SEPARATED: Final = re.compile(r"[,;\t]")
_INTENSITY: Final = re.compile(r"intensit|counts|^i$|^cps$|^yobs|^y_obs", re.IGNORECASE)
_ANGLE: Final = re.compile(r"angle|2\W*th|pos\.|^x$", re.IGNORECASE)


def commas_of(text: str) -> Callable[[str], str]:
    """How a line becomes one of numbers with points: commas may be decimal, between thousands, or between columns."""
    head = text[:_LOOKED_AT]
    if len(_DECIMAL.findall(head)) > _SEVERAL:
        return lambda line: line.replace(",", ".")
    if len(_THOUSANDS.findall(head)) > _SEVERAL:
        return lambda line: re.sub(r"(?<=\d),(?=\d{3}\b)", "", line).replace('"', "")
    return lambda line: line


def intensity_column(text: str, width: int) -> int:
    """The column that a head of as many names calls intensity or counts; the second, where none says so."""
    for line in text[:_LOOKED_AT].splitlines():
        names = [each.strip(" \"'") for each in _SEPARATED.split(line.strip(" ,;#"))]
        if len(names) != width or not _ANGLE.search(names[0]):
            continue
        found = [number for number, each in enumerate(names) if number and _INTENSITY.search(each)]
        if found:
            return found[0]
    return 1
