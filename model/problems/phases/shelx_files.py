"""SHELX files: reflections in HKLF 3 and 4, and what an instruction file says of the crystal."""

import re
from pathlib import Path
from typing import Final

import gemmi
import numpy as np

from dsfu.errors import InputError
from dsfu.model.problems.phases.crystal_data import CellNumbers, FloatArray, IntArray

_FIXED: Final = re.compile(r"^([ \d+-]{4})([ \d+-]{4})([ \d+-]{4})(.{8})(.{8})")
_LATTICES: Final = {1: "P", 2: "I", 3: "R", 4: "F", 5: "A", 6: "B", 7: "C"}
_BATCH: Final = re.compile(r"^.{28}\s*(?<![Ee])(-\d+)\s*$")
"""A negative batch number: the next line is a reflection of another component that overlaps with this one."""

_LARGEST_INDEX: Final = 1500

Row = tuple[int, int, int, float, float]


class InstructionFile:
    """CELL, SYMM, LATT, SFAC, UNIT and HKLF of an .ins or .res file."""

    def __init__(self, path: Path) -> None:
        text = path.read_text(encoding="latin-1")
        joined = re.sub(r"=\s*\n\s+", " ", text)
        words: dict[str, list[list[str]]] = {}
        for line in joined.splitlines():
            parts = line.split("!")[0].split()
            if parts and len(parts[0]) >= 4:
                words.setdefault(parts[0][:4].upper(), []).append(parts[1:])
        self.cell = _cell_of(words.get("CELL", [[]])[0], path)
        self.space_group = _group_of(words)
        self.formula = _formula_of(words)
        hklf = words.get("HKLF", [["4"]])[0]
        self._path, self._hklf = path, hklf[0].lstrip("-") if hklf else "4"
        self.amplitudes = self._hklf == "3"

    def refuse_twins(self) -> None:
        """Raise InputError if the reflections beside it are those of several twin components."""
        if self._hklf in ("5", "6"):
            raise _twinned(self._path, f"HKLF {self._hklf}")


def read_hkl(path: Path, text: str) -> tuple[IntArray, FloatArray, FloatArray, tuple[str, ...]]:
    """Indices, values and uncertainties up to the line of zeros; columns of SHELX, or words apart.

    A line of seven words that ends in o, x or < holds calculated before measured, as in lists of IUCr journals.
    """
    rows: list[Row] = []
    bad = 0
    for number, line in enumerate(text.splitlines(), 1):
        row = _row(line)
        if row is not None and any(row[:3]) and _BATCH.match(line):
            raise _twinned(path, f"line {number} has the batch number {_BATCH.findall(line)[0]}")
        if row is None:
            if line.strip() and not line.lstrip().startswith("#"):
                bad += 1
                if bad > 20 and bad > len(rows):
                    break
            continue
        if row[0] == row[1] == row[2] == 0:
            if rows:
                break
            continue
        rows.append(row)
    if not rows or (len(rows) < 5 and bad > 20):  # heads of other programs hold a line of five numbers now and then
        raise InputError("no reflections in it", where=str(path), expected="h k l |F|² σ in the columns of HKLF 4")
    table = np.array(rows)
    hkl = table[:, :3].astype(np.int64)
    notes = (f"{bad} lines were no reflections and were passed over",) if bad > 3 else ()
    return hkl, table[:, 3], np.abs(table[:, 4]), notes


def cell_behind(text: str, path: Path) -> CellNumbers | None:
    """The cell of a CELL line among the lines that programs add behind the reflections; None if there is none."""
    found = re.search(r"^\s*CELL\s+(\S+(?:\s+\S+){5,6})\s*$", text, re.MULTILINE)
    return _cell_of(found[1].split(), path) if found else None


def _twinned(path: Path, what: str) -> InputError:
    return InputError(
        f"{what}: reflections of twin components that overlap (HKLF 5)",
        where=str(path),
        expected="HKLF 4, one crystal",
        remedy="detwin the data, or write HKLF 4 of the main component",
    )


def _row(line: str) -> Row | None:
    words = line.replace(",", " ").replace(";", " ").split()
    for parse in (_apart, _in_columns):
        row = parse(line, words)
        if row is not None and np.isfinite(row[3:]).all() and max(map(abs, row[:3])) <= _LARGEST_INDEX:
            return row
    return None


def _apart(line: str, words: list[str]) -> Row | None:
    """Words with spaces, commas or semicolons between; HKLF 4 whose columns touch is not of this kind."""
    if len(words) < 4 or (len(words) < 5 and _FIXED.match(line)):
        return None
    try:
        h, k, l = (_index(word) for word in words[:3])  # noqa: E741
        if len(words) == 7 and words[6] in ("o", "x", "<", "-"):
            return h, k, l, float(words[4]), float(words[5])
        return h, k, l, float(words[3]), float(words[4]) if len(words) > 4 else 0.0
    except ValueError:
        return None


def _index(word: str) -> int:
    """A whole number, with or without a point; ValueError for others."""
    number = float(word) if "." in word else int(word)
    if number != round(number):
        raise ValueError(word)
    return int(number)


def _in_columns(line: str, words: list[str]) -> Row | None:
    fixed = _FIXED.match(line.rstrip("\n"))
    try:
        return (int(fixed[1]), int(fixed[2]), int(fixed[3]), float(fixed[4]), float(fixed[5])) if fixed else None
    except ValueError:
        return None


def _cell_of(words: list[str], path: Path) -> CellNumbers | None:
    if not words:
        return None
    try:
        numbers = [float(re.sub(r"\(.*\)", "", word)) for word in words]
        a, b, c, alpha, beta, gamma = numbers[-6:]
    except ValueError as error:
        raise InputError(f"CELL {' '.join(words)}", where=str(path), expected="CELL λ a b c α β γ") from error
    return a, b, c, alpha, beta, gamma


def _group_of(words: dict[str, list[list[str]]]) -> gemmi.SpaceGroup | None:
    if "LATT" not in words and "SYMM" not in words:
        return None
    try:
        lattice = int(float(words.get("LATT", [["1"]])[0][0]))
        generators = ["x,y,z"] + ["".join(each).lower() for each in words.get("SYMM", [])]
        if lattice > 0:
            generators.append("-x,-y,-z")
        symbols = [gemmi.Op(each) for each in generators]
        operations = gemmi.GroupOps(symbols)
        operations.add_missing_elements()
        centring = gemmi.symops_from_hall(f"{_LATTICES[abs(lattice)]} 1")
        operations.cen_ops = list(centring.cen_ops)
        return gemmi.find_spacegroup_by_ops(operations)
    except (ValueError, KeyError, RuntimeError, IndexError):
        return None


def _formula_of(words: dict[str, list[list[str]]]) -> dict[str, float]:
    symbols = [word for line in words.get("SFAC", []) for word in line if re.fullmatch(r"[A-Za-z]{1,2}", word)]
    counts = [word for line in words.get("UNIT", []) for word in line]
    try:
        formula = {symbol.capitalize(): float(n) for symbol, n in zip(symbols, counts, strict=False)}
    except ValueError:
        return {}
    return {s: n for s, n in formula.items() if n > 0 and (gemmi.Element(s).atomic_number > 0 or s == "D")}
