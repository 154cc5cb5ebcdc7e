"""Read a pair distribution function: .gr of PDFgetX2, PDFgetX3, xPDFsuite and PDFgui, or plain columns r, G."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.simulate.arrays import FloatArray
from dsfu.text_files import text_of_file

FEWEST_POINTS: Final = 50
_NOTHING: Final = 0.003
"""Of the largest value. Chosen: nine of thirteen measured powders stay above it, a G(r) falls below zero, and one
summed without its baseline comes down to zero."""
_EXPECTED: Final = "lines of two or more numbers: r in Å, G(r) in 1/Å²"
_OF_Q: Final = (".fq", ".sq", ".iq", ".chi", ".soq", ".sofq")
"""Ends of names of files over Q or 2θ, as PDFgetX3 and others write them."""

_NUMBER: Final = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


@dataclass(frozen=True, eq=False, kw_only=True)
class MeasuredPdf:
    """G(r) as measured, and what its file says of it; None where it says nothing."""

    r: FloatArray
    g: FloatArray
    q_min: float | None = None
    q_max: float | None = None
    q_damp: float | None = None
    composition: str = ""
    notes: list[str] = field(default_factory=list)


def read_pdf(path: Path) -> MeasuredPdf:
    """The file, checked: r rising and in Å, G finite and not all zero."""
    text = text_of_file(path, _EXPECTED)
    head, _, data = text.partition("#### start data") if "#### start data" in text else ("", "", text)
    if not head and (found := re.search(r"^#+ *start data.*$", text, re.MULTILINE)):
        head, data = text[: found.start()], text[found.end() :]
    table, skipped = _longest_table(data)
    where = str(path)
    if len(table) < FEWEST_POINTS:
        found_words = f"{len(table)} lines of numbers" if len(table) else "no numbers"
        raise InputError(f"{found_words} found", where=where, expected=f"{FEWEST_POINTS} or more {_EXPECTED}")
    notes = []
    whole = np.asarray(np.isfinite(table).all(axis=1), np.bool_)
    if not whole.all():
        if whole.mean() < 0.99:
            raise InputError(
                f"{(~whole).sum()} of {len(whole)} lines hold NaN or infinity", where=where, expected=_EXPECTED
            )
        notes.append(f"{(~whole).sum()} lines with NaN or infinity are left out")
        table = table[whole]
    if not head:
        head = text[: skipped + 4000]
    r, g = table[:, 0], table[:, 1]
    _check_kind(path, data[:skipped] if data[:skipped].strip() else head)
    _check_r(r, where, head)
    if np.ptp(g) == 0:
        raise InputError("G(r) is the same everywhere", where=where, expected=_EXPECTED)
    if g.min() > _NOTHING * g.max():
        raise InputError(
            "the second column never comes down to zero",
            where=where,
            expected="G(r) = 4πr(ρ − ρ0), which is zero or negative below the shortest bond",
            remedy="g(r) and R(r) have to be converted; a powder pattern goes to solve-density",
        )
    return MeasuredPdf(
        r=r,
        g=g,
        q_min=_value(head, "qmin"),
        q_max=_value(head, "qmax"),
        q_damp=_value(head, "qdamp"),
        composition=_words(head, "composition"),
        notes=notes,
    )


def _longest_table(text: str) -> tuple[FloatArray, int]:
    """The longest run of lines that begin with two numbers each, and where in the text it starts."""
    best: list[list[float]] = []
    run: list[list[float]] = []
    position = start = best_start = 0
    for line in text.splitlines(keepends=True):
        numbers = _two_numbers(line)
        if numbers:
            if not run:
                start = position
            run.append(numbers)
            if len(run) > len(best):
                best, best_start = run, start
        elif line.strip() and not line.lstrip().startswith("#"):
            run = []
        position += len(line)
    return np.array(best, np.float64).reshape(-1, 2), best_start


def _two_numbers(line: str) -> list[float]:
    words = line.replace(",", " ").replace(";", " ").split(None, 2)[:2]
    try:
        return [float(word) for word in words] if len(words) == 2 else []
    except ValueError:
        return []


def _check_kind(path: Path, before: str) -> None:
    """That neither the file's name nor the names of its columns, just before the numbers, say other than r and G."""
    lines = [line for line in before.splitlines() if line.strip()]
    label = re.sub(r"^[#\s]*(L\s+)?", "", lines[-1]) if lines else ""
    what = ""
    if path.suffix.lower() in _OF_Q:
        what = f"a file {path.suffix}"
    elif re.match(r"(Q|2\s*theta|2θ)\b", label, re.IGNORECASE) or re.search(r"\bR\s*\(r\)|\bRDF\b", label):
        what = f"the columns are called {label[:40]!r}"
    if what:
        raise InputError(
            f"{what}, which is no G(r)",
            where=str(path),
            expected=_EXPECTED,
            remedy="make G(r) of it first, with PDFgetX3 or the like",
        )


def _check_r(r: FloatArray, where: str, head: str) -> None:
    if (np.diff(r) <= 0).any():
        line = int(np.flatnonzero(np.diff(r) <= 0)[0]) + 2
        raise InputError(f"r does not rise at data line {line}", where=where, expected="r in the first column, rising")
    if r[0] < 0:
        raise InputError(f"r begins at {r[0]:g}", where=where, expected="r ≥ 0", remedy="leave out the negative r")
    in_nm = re.search(r"\br\s*[\[(]\s*nm", head, re.IGNORECASE) is not None
    if in_nm or r[-1] < 6.0:
        what = "r is in nm" if in_nm else f"r ends at {r[-1]:g}: in nm, or too short"
        raise InputError(
            what, where=where, expected="r in Å, up to 10 Å or more", remedy="multiply r by 10, divide G by 100"
        )
    if r[-1] > 1000:
        raise InputError(f"r ends at {r[-1]:g}", where=where, expected="r in Å", remedy="are these pm, or Q or 2θ?")
    step = float(np.median(np.diff(r)))
    if step > 0.15:
        raise InputError(f"r in steps of {step:g} Å", where=where, expected="steps of 0.1 Å or less")
    if np.diff(r).max() > 5 * step + 0.05:
        raise InputError(f"r has a gap of {np.diff(r).max():.3g} Å", where=where, expected="even steps of r")


def _value(head: str, name: str) -> float | None:
    pair = re.search(rf"qmin\s*[,-]\s*qmax\s*[=:]\s*{_NUMBER}[\s,-]+{_NUMBER}", head, re.IGNORECASE)
    if pair and name in ("qmin", "qmax"):
        return float(pair[1 if name == "qmin" else 2])
    found = re.findall(rf"(?<![A-Za-z_]){name}\s*[=:]\s*{_NUMBER}", head, re.IGNORECASE)
    values = [float(value) for value in found]
    return values[-1] if values and 0 <= values[-1] < 100 else None


def _words(head: str, name: str) -> str:
    found = re.search(rf"^\s*#?\s*{name}\s*[=:][ \t]*(\S.*)$", head, re.IGNORECASE | re.MULTILINE)
    return found[1].strip()[:80] if found else ""
