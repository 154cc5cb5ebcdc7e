"""Refined parameters read back from what refine-sro and analyse write: JSON, or a table of CSV, told by content."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.order.result import Shell, SroRefinement, as_vector
from dsfu.model.measured.symmetry.groups import laue_operators
from dsfu.simulate.arrays import IntArray
from dsfu.simulate.lattice import Cell

_EXPECTED = "what refine-sro or analyse wrote as JSON, or a CSV with columns u, v, w, alpha"


def read_alpha(path: Path) -> dict[tuple[int, int, int], float]:
    """α by lattice vector, of both of each pair, from JSON or CSV.

    A table has one line a vector; −v is filled in. JSON of a refinement has all equivalent vectors.
    """
    text = _text(path)
    if text.lstrip().startswith("{"):
        refinement = refinements_of(text, str(path))[0]
        found: dict[tuple[int, int, int], float] = {}
        for shell, members in zip(refinement.shells, refinement.members, strict=True):
            if shell.together_with:
                raise InputError(
                    f"α of {' '.join(map(str, shell.vector))} is a sum over vectors that the data did not tell apart",
                    where=str(path),
                    expected="α of single vectors",
                    remedy="refine with --no-order-along, if there is no order along that axis",
                )
            if not shell.determined:
                raise InputError(
                    f"α of {' '.join(map(str, shell.vector))} is not determined",
                    where=str(path),
                    expected="α that the data determine",
                    remedy="refine with a shorter --cutoff, or from more planes",
                )
            found |= {as_vector(each): shell.alpha for each in members}
        return found
    return _of_table(text, str(path))


def read_cell(path: Path) -> Cell | None:
    """The cell of a JSON; None of a CSV, which has none."""
    text = _text(path)
    return refinements_of(text, str(path))[0].cell if text.lstrip().startswith("{") else None


def refinements_of(text: str, where: str) -> list[SroRefinement]:
    """Of JSON, the recommended one first."""
    try:
        told = json.loads(text)
        records = told["refinements"]
        found = [_refinement(each, where) for each in records]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"it cannot be read: {error!r}", where=where, expected=_EXPECTED) from None
    if not found:
        raise InputError("it has no refinement", where=where, expected=_EXPECTED)
    best = next((i for i, each in enumerate(records) if each.get("recommended")), len(found) - 1)
    return [found[best], *found[:best], *found[best + 1 :]]


def _refinement(record: dict[str, Any], where: str) -> SroRefinement:
    cell = Cell(*(float(each) for each in record["cell"]))
    symmetry = str(record["symmetry"])
    shells = tuple(
        Shell(
            vector=as_vector(each["vector"]),
            length_angstrom=float(each["length_angstrom"]),
            multiplicity=int(each["multiplicity"]),
            alpha=np.nan if each["alpha"] is None else float(each["alpha"]),
            uncertainty=np.nan if each["uncertainty"] is None else float(each["uncertainty"]),
            together_with=tuple((as_vector(v["vector"]), float(v["factor"])) for v in each["together_with"]),
        )
        for each in record["shells"]
    )
    group = laue_operators(symmetry, cell)
    rows = [[np.nan if value is None else value for value in row] for row in record["covariance"]]
    covariance = np.array(rows, np.float64).reshape(len(shells), len(shells))
    return SroRefinement(
        source=str(record["source"]),
        cell=cell,
        symmetry=symmetry,
        shells=shells,
        members=tuple(_members(shell, group, where) for shell in shells),
        covariance=covariance,
        asymmetry=record.get("asymmetry"),
        notes=tuple(str(each) for each in record.get("notes", ())),
    )


def _members(shell: Shell, group: IntArray, where: str) -> IntArray:
    """All vectors of a shell. Where fewer operators could be used than the class has, only ±v is certain."""
    vector = np.array(shell.vector)
    images = np.unique(np.concatenate([group @ vector, -(group @ vector)]), axis=0)
    if len(images) == shell.multiplicity or shell.together_with:
        return images if len(images) == shell.multiplicity else np.stack([vector, -vector])
    if shell.multiplicity == 2:
        return np.stack([vector, -vector])
    words = " ".join(map(str, shell.vector))
    raise InputError(
        f"{words} has {shell.multiplicity} equivalent vectors, its symmetry makes {len(images)}", where=where
    )


def _of_table(text: str, where: str) -> dict[tuple[int, int, int], float]:
    rows = list(csv.DictReader(io.StringIO(text)))
    names = set(rows[0]) if rows else set()
    missing = [name for name in ("u", "v", "w", "alpha") if name not in names]
    if missing:
        raise InputError(f"it has no column {missing[0]}", where=where, expected=_EXPECTED)
    if any(row.get("together_with") for row in rows):
        raise InputError("it has sums over vectors (together_with)", where=where, expected="α of single vectors")
    if any(row.get("multiplicity", "2") not in ("1", "2", None, "") for row in rows):
        raise InputError(
            "a line stands for several equivalent vectors, and a CSV does not say which",
            where=where,
            remedy="give the JSON that refine-sro or analyse wrote",
        )
    last = rows[-1].get("source")
    found: dict[tuple[int, int, int], float] = {}
    for number, row in enumerate(rows, start=2):
        if row.get("source") != last:
            continue
        try:
            u, v, w = (int(row[name]) for name in "uvw")
            alpha = float(row["alpha"])
        except (ValueError, TypeError):
            raise InputError("it is no row of numbers", where=f"{where}, line {number}", expected=_EXPECTED) from None
        found[u, v, w] = found[-u, -v, -w] = alpha
    return found


def _text(path: Path) -> str:
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), expected=_EXPECTED)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"it cannot be read: {error}", where=str(path), expected=_EXPECTED) from None
