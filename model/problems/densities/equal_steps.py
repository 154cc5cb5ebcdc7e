"""Files of counts alone, in equal steps from a first angle that their head tells: a row of a table for each program."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.simulate.arrays import FloatArray

_AMOUNT: Final = r"\s*=?,?\s*(-?[\d.]+)"


@dataclass(frozen=True, eq=False)
class EqualSteps:
    """Angles in degrees, counts, and the wavelength in Å if the head tells one."""

    two_theta: FloatArray
    counts: FloatArray
    wavelength: float | None


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where one program's files have what: each expression's first group is the value.

    ``mark`` tells the file; counts are all numbers behind ``body`` up to ``end``.
    """

    name: str
    mark: str
    start: str
    step: str
    wavelength: str
    body: str
    end: str


_LAYOUTS: Final = (
    _Layout(
        name="Bruker's .uxd", mark=r"^_(?:COUNTS|CPS)\s*$", start=r"^_(?:START|2THETA)" + _AMOUNT,
        step=r"^_STEPSIZE" + _AMOUNT, wavelength=r"^_WL1" + _AMOUNT, body=r"^_(?:COUNTS|CPS)\s*$", end=r"^[_;]",
    ),
    _Layout(
        name="Philips' .udf", mark=r"^RawScan\s*$", start=r"^DataAngleRange" + _AMOUNT,
        step=r"^ScanStepSize" + _AMOUNT, wavelength=r"^La(?:m)?bdaAlpha1" + _AMOUNT, body=r"^RawScan\s*$", end=r"/",
    ),
    _Layout(
        name="Rigaku's .asc", mark=r"^\*COUNT\s*=\s*\d+\s*$", start=r"^\*START" + _AMOUNT, step=r"^\*STEP" + _AMOUNT,
        wavelength=r"^\*WAVE_LENGTH1" + _AMOUNT, body=r"^(?=\s*\d)", end=r"^\*",
    ),
    _Layout(
        name="Sietronics' .cpi", mark=r"\ASIETRONICS XRD SCAN", start=r"\A.*\n\s*([\d.]+)",
        step=r"\A(?:.*\n){3}\s*([\d.]+)", wavelength=r"\A(?:.*\n){5}\s*([\d.]+)", body=r"^SCANDATA\s*$", end=r"\Z",
    ),
    _Layout(
        name="Jade's .mdi", mark=r"\A.*\n\s*[\d.]+\s+[\d.]+\s+[\d.]+\s+[A-Za-z]{2}\s+[\d.]+\s+[\d.]+\s+\d+\s*$",
        start=r"\A.*\n\s*([\d.]+)", step=r"\A.*\n\s*[\d.]+\s+([\d.]+)",
        wavelength=r"\A.*\n\s*(?:[\d.]+\s+){3}[A-Za-z]{2}\s+([\d.]+)", body=r"\A.*\n.*$", end=r"\Z",
    ),
)  # fmt: skip


def layout_of(text: str) -> _Layout | None:
    """Which program's file of counts alone this is, if any."""
    return next((each for each in _LAYOUTS if re.search(each.mark, text, re.MULTILINE)), None)


def read_equal_steps(text: str, name: str) -> EqualSteps:
    """Angles and counts of a file that `layout_of` knows. Of several ranges the first is read."""
    layout = layout_of(text)
    assert layout is not None
    start, step = _value(layout.start, text), _value(layout.step, text)
    if start is None or not step:
        raise InputError(
            f"{layout.name}: its head does not tell the first angle and the step", where=name,
            expected="both in degrees, before the counts", remedy="export it as columns of 2θ and intensity (.xy)",
        )  # fmt: skip
    body = [*re.split(layout.body, text, maxsplit=1, flags=re.MULTILINE), ""][1]
    body = re.split(layout.end, body, maxsplit=1, flags=re.MULTILINE)[0].strip(" ,;\r\n")
    if not body:
        raise InputError(f"{layout.name}: no counts follow its head", where=name, expected="counts, many in a line")
    try:
        counts = np.array(re.split(r"[\s,;]+", body), np.float64)
    except ValueError as error:
        raise InputError(f"{layout.name}: {error}", where=name, expected="numbers alone among the counts") from None
    return EqualSteps(
        np.asarray(start + step * np.arange(len(counts)), np.float64), counts, _value(layout.wavelength, text)
    )


def _value(pattern: str, text: str) -> float | None:
    """A number of the head; None where it is not there, or no number."""
    found = re.search(pattern, text, re.MULTILINE)
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None
