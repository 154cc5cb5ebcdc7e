"""Memory and times as sites write them, in MiB and seconds."""

import re
from typing import Final

from dsfu.errors import InputError

MEMORY_EXPECTED: Final = "a number with its unit, as 4GiB or 512MiB"
TIME_EXPECTED: Final = "HH:MM:SS or D-HH:MM:SS in quotes, or as 90min, 12h, 2d"

_UNITS_MIB: Final = {"M": 1, "MIB": 1, "G": 1024, "GIB": 1024, "T": 1024**2, "TIB": 1024**2}
_UNITS_BYTES: Final = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_TIME_UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def memory_mib(text: str) -> int | None:
    """Memory in MiB, rounded up to a whole one; None if it is none.

    ``4G`` is 4 GiB, as schedulers mean it; ``4GB`` is 4·10⁹ bytes.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", text)
    unit = match[2].upper() if match else ""
    if match is None or unit not in {**_UNITS_MIB, **_UNITS_BYTES}:
        return None
    whole, _, decimals = match[1].partition(".")
    unit_bytes = _UNITS_MIB[unit] * 2**20 if unit in _UNITS_MIB else _UNITS_BYTES[unit]
    parts_of_mib: int = 2**20 * 10 ** len(decimals)
    return -(-int(whole + decimals) * unit_bytes // parts_of_mib)


def seconds(text: str) -> int | None:
    """Seconds of ``1:30:00``, ``2-00:00:00`` (days first), ``90min``, ``12h`` or ``45s``; None if it is no time."""
    if match := re.fullmatch(r"\s*(\d+)\s*(s|min|h|d)\s*", text):
        return int(match[1]) * _TIME_UNITS[match[2]]
    if match := re.fullmatch(r"\s*(?:(\d+)-)?(\d+):([0-5]\d):([0-5]\d)\s*", text):
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + rest
    return None


def seconds_of(text: str, option: str) -> int:
    """Seconds of what an option says."""
    found = seconds(text)
    if found is None:
        raise InputError(f"{text!r} is no time", where=option, expected=TIME_EXPECTED)
    return found
