"""Which radiation a powder file is of: patterns of neutrons are refused, since types are compared by X-ray factors."""

import re
from typing import Final

from dsfu.errors import InputError

_HEAD: Final = 60
"""Lines in which a file of columns may say what it is."""

_FLIGHT: Final = re.compile(r"time[-_ ]?of[-_ ]?flight|(?<![a-z])tof(?![a-z])", re.IGNORECASE)
_NEUTRON: Final = re.compile(r"(?<![a-z])neutrons?(?![a-z])", re.IGNORECASE)
_X_RAY: Final = re.compile(r"x-?rays?|synchrotron|k-?alpha|\bKα", re.IGNORECASE)
_CIF_NEUTRON: Final = re.compile(
    r"^\s*_(?:diffrn_radiation(?:_probe|_type|_source)?|diffrn_source(?:_type)?)\s+[^\n]*\bneutron", re.I | re.M
)
_CIF_FLIGHT: Final = re.compile(r"^\s*_pd_(?:meas|proc|calc)_time_of_flight", re.IGNORECASE | re.MULTILINE)


def refuse_neutrons(text: str, name: str) -> None:
    """Refuse a file of columns whose head, lines that are no numbers among the first, says neutrons or their flight."""
    head = "\n".join(line for line in text.splitlines()[:_HEAD] if not re.match(r"^\s*[-+.\d]", line))
    if _FLIGHT.search(head):
        raise flight_error(name)
    if _NEUTRON.search(head) and not _X_RAY.search(head):
        raise neutron_error(name)


def neutron_block(text: str, block: str) -> bool:
    """Whether a block of a CIF, given by its data_ line, says that its radiation is neutrons."""
    return _CIF_NEUTRON.search(_of_block(text, block)) is not None


def has_flight_times(text: str) -> bool:
    """Whether a CIF has columns of times of flight."""
    return _CIF_FLIGHT.search(text) is not None


def neutron_error(name: str) -> InputError:
    """Scattering lengths are not form factors."""
    return InputError(
        "the file says that this is a neutron pattern", where=name, expected="an X-ray pattern",
        remedy="measure with X-rays; if this is one, take the word out of the head",
    )  # fmt: skip


def flight_error(name: str) -> InputError:
    """Neutrons, and no angles."""
    return InputError(
        "the file holds times of flight, so neutrons", where=name, expected="an X-ray pattern against 2θ in degrees"
    )


def _of_block(text: str, block: str) -> str:
    """From a data_ line to the next; all of it where there is none."""
    if not block:
        return text
    _, _, rest = text.partition(block)
    return re.split(r"^data_", rest, maxsplit=1, flags=re.MULTILINE | re.IGNORECASE)[0]
