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
_AT_ONE, _STEADY, _PARABOLA = 0.1, 0.5, 2.0
"""How near to 1 the last third of g(r) or S(Q) is, and how little it swings; how many times the middle third of R(r)
its last is: 2.8 times as it grows with r², and G(r) without its baseline less than 1.7 times."""

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
    table, skipped, others = _longest_table(data)
    where = str(path)
    if len(table) < FEWEST_POINTS:
        found_words = f"{len(table)} lines of numbers" if len(table) else "no numbers"
        raise InputError(f"{found_words} found", where=where, expected=f"{FEWEST_POINTS} or more {_EXPECTED}")
    notes = [f"the file has {others + 1} tables of numbers; the first of the longest was taken"] if others else []
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
    _check_r(r, g, where, head)
    if np.ptp(g) == 0:
        raise InputError("G(r) is the same everywhere", where=where, expected=_EXPECTED)
    _check_g(g, where)
    return MeasuredPdf(
        r=r,
        g=g,
        q_min=_value(head, "qmin"),
        q_max=_value(head, "qmax"),
        q_damp=_value(head, "qdamp"),
        composition=_words(head, "composition"),
        notes=notes,
    )


def _check_g(g: FloatArray, where: str) -> None:
    """That it swings around zero, as G(r) does, and not around 1 or a parabola, as g(r), S(Q) and R(r) do."""
    before, last = np.array_split(g, 3)[1:]
    what = ""
    if g.min() > _NOTHING * g.max():
        what = "never comes down to zero"
    elif abs(last.mean() - 1) < _AT_ONE and last.std() < _STEADY:
        what = f"ends near 1 ({last.mean():.2f}), as g(r) and S(Q) do"
    elif last.min() > 0 and before.min() > 0 and last.mean() > _PARABOLA * before.mean():
        what = "rises with r and is never negative, as R(r) does"
    if what:
        raise InputError(
            f"the second column {what}",
            where=where,
            expected="G(r) = 4πr(ρ − ρ0), which is zero or negative below the shortest bond",
            remedy="g(r), R(r) and S(Q) have to be converted; a powder pattern goes to solve-density",
        )


def _longest_table(text: str) -> tuple[FloatArray, int, int]:
    """The longest run of lines that begin with two numbers each, where in the text it starts, and how many others are
    long enough to be data.
    """
    runs: list[list[list[float]]] = []
    best: list[list[float]] = []
    run: list[list[float]] = []
    position = start = best_start = 0
    for line in text.splitlines(keepends=True):
        numbers = _two_numbers(line)
        if numbers:
            if not run:
                start = position
                runs.append(run)
            run.append(numbers)
            if len(run) > len(best):
                best, best_start = run, start
        elif line.strip() and not line.lstrip().startswith("#"):
            run = []
        position += len(line)
    others = sum(len(each) >= FEWEST_POINTS for each in runs) - 1
    return np.array(best, np.float64).reshape(-1, 2), best_start, max(others, 0)


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


def _check_r(r: FloatArray, g: FloatArray, where: str, head: str) -> None:
    if (np.diff(r) <= 0).any():
        line = int(np.flatnonzero(np.diff(r) <= 0)[0]) + 2
        remedy = "are the columns swapped?" if (np.diff(g) > 0).all() else "keep one set of data, sorted by r"
        raise InputError(
            f"r does not rise at data line {line}", where=where, expected="r in the first column, rising", remedy=remedy
        )
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
