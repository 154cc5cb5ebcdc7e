"""Files of integration and scaling programs: XDS_ASCII.HKL of XDS, and merged .sca of Scalepack."""

import re
from pathlib import Path
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.problems.phases.crystal_data import CellNumbers, ReflectionList

_XDS: Final = "!FORMAT=XDS_ASCII"
_XDS_ITEMS: Final = ("H", "K", "L", "IOBS", "SIGMA(IOBS)")
_SCA_CELL: Final = re.compile(r"^((?:\s*\d+\.\d*){6})\s+\S+")
_SCA_ROW: Final = re.compile(r"^([ \d-]{4})([ \d-]{4})([ \d-]{4})((?:.{8}){1,4})\s*$")
_SCA_UNMERGED: Final = re.compile(r"^\s*\d+\s+[A-Za-z]\S*\s*$")
_OF_LAUE_CLASS: Final = "the space group of the file is not taken: integration needs its Laue class only"


def reflections_of_integration(path: Path, text: str) -> ReflectionList | None:
    """Reflections of a file of XDS or Scalepack; None if the text is of neither."""
    if text.startswith(_XDS):
        return _of_xds(path, text)
    lines = text.splitlines()
    if len(lines) < 4:
        return None
    if lines[0].split() == ["1"] and lines[1].split()[:1] in (["-987"], ["-985"]):
        return _of_sca(path, lines)
    if _SCA_UNMERGED.match(lines[0]) and len(lines[1].split()) == 9:
        raise InputError(
            "a .sca that is not merged: it holds indices twice, and no cell",
            where=str(path),
            expected="a merged .sca of Scalepack, or XDS_ASCII.HKL",
            remedy="write it merged (without NO MERGE ORIGINAL INDEX)",
        )
    return None


def _of_xds(path: Path, text: str) -> ReflectionList:
    """Rows with a negative uncertainty are misfits that XDS itself leaves out."""
    head = dict(line[1:].split("=", 1) for line in text.splitlines() if line.startswith("!") and "=" in line)
    try:
        columns = [int(head[f"ITEM_{name}"]) - 1 for name in _XDS_ITEMS]
        cell = _cell_of(head["UNIT_CELL_CONSTANTS"])
        words = (line.split() for line in text.splitlines() if line.strip() and not line.startswith("!"))
        rows = np.array([[float(each[i]) for i in columns] for each in words]).reshape(-1, 5)
    except KeyError as error:
        raise InputError(f"no {error.args[0]} in the head", where=str(path), expected="XDS_ASCII.HKL of XDS") from error
    except (ValueError, IndexError) as error:
        raise InputError(f"damaged: {error}", where=str(path), expected="XDS_ASCII.HKL of XDS") from error
    good = rows[rows[:, 4] > 0]
    misfits = len(rows) - len(good)
    notes = (_OF_LAUE_CLASS, f"{misfits} misfits of XDS were left out") if misfits else (_OF_LAUE_CLASS,)
    return _listed(path, good, cell, notes)


def _of_sca(path: Path, lines: list[str]) -> ReflectionList:
    """I and σ, or I(+) σ I(−) σ with the uncertainty −1 where one was not measured."""
    head = _SCA_CELL.match(lines[2])
    if head is None or len(head[1].split()) != 6:
        raise InputError(f"line 3 is {lines[2]!r}", where=str(path), expected="a b c α β γ and the space group")
    rows: list[tuple[float, ...]] = []
    for number, line in enumerate(lines[3:], 4):
        found = _SCA_ROW.match(line.rstrip())
        if not line.strip():
            continue
        try:
            if found is None:
                raise ValueError(line)
            h, k, l = (int(found[i]) for i in (1, 2, 3))  # noqa: E741
            numbers = [float(found[4][i : i + 8]) for i in range(0, len(found[4]), 8)]
        except ValueError as error:
            raise InputError(
                f"line {number} is {line!r}", where=str(path), expected="h k l I σ or h k l I(+) σ I(−) σ, as 3I4, 4F8"
            ) from error
        for sign, pair in ((1, numbers[:2]), (-1, numbers[2:])):
            if len(pair) == 2 and pair[1] > 0:
                rows.append((sign * h, sign * k, sign * l, *pair))
    return _listed(path, np.array(rows).reshape(-1, 5), _cell_of(head[1]), (_OF_LAUE_CLASS,))


def _cell_of(text: str) -> CellNumbers:
    a, b, c, alpha, beta, gamma = (float(word) for word in text.split())
    return a, b, c, alpha, beta, gamma


def _listed(path: Path, rows: np.ndarray, cell: CellNumbers, notes: tuple[str, ...]) -> ReflectionList:
    return ReflectionList(
        hkl=rows[:, :3].astype(np.int64),
        intensity=rows[:, 3],
        sigma=rows[:, 4],
        cell=cell,
        source=str(path),
        notes=notes,
    )
