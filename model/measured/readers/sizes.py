"""How large an array may be: a header of a few bytes can ask for any amount of memory."""

import os
from typing import Final

from dsfu.errors import InputError

VARIABLE: Final = "DSFU_MAX_GIB"
IF_CUT_SHORT: Final = "was it copied completely? compare its size with the original's"
"""The remedy for a file that is smaller than it should be."""

_DEFAULT_GIB: Final = 8.0
_GIB: Final = 1 << 30
_HARMLESS: Final = 256 << 20
_MOST_COMPRESSION: Final = 500
"""A volume in which one voxel in a hundred was measured compresses by some 150:1."""


def most_bytes() -> float:
    """Largest array that will be read, from the environment variable DSFU_MAX_GIB."""
    text = os.environ.get(VARIABLE, "")
    try:
        gib = float(text) if text else _DEFAULT_GIB
    except ValueError:
        gib = -1.0
    if not gib > 0:
        raise InputError(f"is {text!r}", where=VARIABLE, expected="a number of GiB above 0")
    return gib * _GIB


def check_declared(declared: int, where: str, *, stored: int | None) -> None:
    """Refuse an array of ``declared`` bytes that is too large, or that cannot be in ``stored`` bytes of a file."""
    if declared > most_bytes():
        raise InputError(
            f"declares an array of {declared / _GIB:.1f} GiB",
            where=where,
            expected=f"at most {most_bytes() / _GIB:g} GiB",
            remedy=f"if that is right and there is memory for two to six times as much, set {VARIABLE}",
        )
    if stored is not None and declared > 0 and stored == 0:
        raise InputError(
            "declares an array of which nothing was written", where=where, expected="data; was the program interrupted?"
        )
    if stored is not None and declared > _HARMLESS and declared > _MOST_COMPRESSION * stored:
        raise InputError(
            f"declares an array of {declared / _GIB:.1f} GiB in {stored} bytes",
            where=where,
            expected="not so much more than is stored",
            remedy="crop it to the part that was measured",
        )
