"""Numbers and sentences as people read them."""

import re
import shutil
import sys
import textwrap
from typing import Final, TextIO

_NARROWEST: Final = 40
"""Columns; on fewer a terminal breaks lines itself."""

_COMMAND: Final = re.compile(r"\b(?:dsfu-\w+|pip|mkdir) ")

_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")


def duration(seconds: float) -> str:
    """Such as ``8.4 s``, ``45 s``, ``3 min 20 s``, ``2 h 05 min``, ``3 d 4 h``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def size(bytes_: float) -> str:
    """Such as ``812 B``, ``8.1 kB``, ``38 GB``; powers of 1000, as disks are sold."""
    value, power = float(bytes_), 0
    while value >= 999.5 and power < len(_UNITS) - 1:
        value, power = value / 1000, power + 1
    return f"{_three_digits(value) if power else round(value)} {_UNITS[power]}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Such as ``1 shard``, ``12 345 shards``."""
    return f"{grouped(number)} {noun if number == 1 else plural or noun + 's'}"


def usable(kept: int, samples: int, left_out: str) -> str:
    """How many samples are to be used, and why others are not: ``600 samples to use, of 768: 168 repeat others``."""
    if kept == samples:
        return count(samples, "sample")
    return f"{count(kept, 'sample')} to use, of {grouped(samples)}: {grouped(samples - kept)} {left_out}"


def grouped(number: int) -> str:
    """Digits by threes from five digits on, with narrow spaces that do not break: ``9876``, ``12 345``."""
    return str(number) if abs(number) < 10_000 else f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def rate(per_second: float, noun: str) -> str:
    """Such as ``412 planes/s``, ``0.82 sets/s``."""
    return f"{_three_digits(per_second) if per_second < 1000 else grouped(round(per_second))} {noun}/s"


def folded(text: str, head: str = "", *, stream: TextIO | None = None) -> str:
    """A text after its heading, in lines as wide as the terminal; in one line where no terminal is written to.

    A command stays in one line: folded, it could not be copied.
    """
    width = max(_NARROWEST, shutil.get_terminal_size().columns)
    if not (stream or sys.stdout).isatty() or _COMMAND.search(text) or len(head + text) <= width:
        return head + text
    indent = " " * (len(head) or len(text) - len(text.lstrip()) + 2)
    return textwrap.fill(
        text, width, initial_indent=head, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def folded_lines(text: str, *, stream: TextIO | None = None) -> str:
    """Several lines, each of them folded where it is too long."""
    return "\n".join(folded(line, stream=stream) for line in text.split("\n"))


def _three_digits(value: float) -> str:
    rounded = float(f"{value:.3g}")
    digits = 0 if rounded >= 100 else 1 if rounded >= 10 else 2
    return f"{rounded:.{digits}f}"


def share_words(share: float) -> str:
    """A share in per cent, with a decimal where it is small."""
    percent = 100 * share
    if 0 < percent < 0.05:
        return "under 0.1 %"
    return f"{percent:.1f} %" if 0 < percent < 99.95 else f"{percent:.0f} %"


def number_words(value: float, digits: int = 3) -> str:
    """A number with a few digits and a proper minus sign."""
    if abs(value) >= 1000:
        return grouped(round(value))
    return f"{value:.{digits}g}".replace("-", "−")
