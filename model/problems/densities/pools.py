"""Structure types to choose from: those that are shipped, and a user's own crystals (a CSV of CIFs, or a folder)."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.files import unpacked
from dsfu.model.problems.densities.candidates import fits_formula
from dsfu.model.problems.densities.formulas import Formula
from dsfu.simulate.densities.crystals import UnitCell, from_cif
from dsfu.simulate.densities.structure_types import StructureType, from_crystal

LABELS: Final = ("material_id", "id", "mp_id", "name", "pretty_formula", "formula")
"""Columns that may say what a row is, the first that is there."""

_EXPECTED: Final = "a CSV file with a column `cif` (also .csv.gz), a folder of .cif files, or one .cif"


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Types that a user's file or folder gives for a formula, how many crystals it has, and what was left out."""

    kinds: tuple[StructureType, ...]
    crystals: int
    notes: tuple[str, ...]


def read_pool(path: Path, formula: Formula) -> Pool:
    """Types of a user's crystals that the formula's stoichiometry fits; symmetry is found by spglib, to 0.02 Å."""
    kinds: dict[object, StructureType] = {}
    crystals, bad = 0, []
    for label, text in _texts(path):
        try:
            crystal = from_cif(text)
        except (ValueError, RuntimeError) as error:
            bad.append(f"{label}: {' '.join(str(error).split())[:80]}")
            continue
        crystals += 1
        if fits_formula(formula, _counts(crystal)):
            try:
                kind = from_crystal(crystal, label, source=path.name)
            except (ValueError, TypeError) as error:
                bad.append(f"{label}: {error}")
                continue
            kinds.setdefault(likeness(kind), kind)
    if not crystals:
        raise InputError(
            f"no ordered crystal is in it{': ' + bad[0] if bad else ''}", where=str(path), expected=_EXPECTED
        )
    notes = (f"{len(bad)} of {len(bad) + crystals} in {path.name} are left out; the first: {bad[0]}",) if bad else ()
    return Pool(kinds=tuple(kinds.values()), crystals=crystals, notes=notes)


def likeness(kind: StructureType) -> object:
    """Equal for crystals of one type whose cells and free positions hardly differ; elements by their amounts alone."""
    a, b, c, *angles = kind.cell
    order = {z: rank for rank, z in enumerate(sorted(kind.composition, key=lambda z: (kind.composition[z], z)))}
    sites = []
    for orbit in kind.orbits:
        free = np.round(orbit.anchor % 1 * 25).astype(int) % 25 if len(orbit.basis) else np.zeros(3, int)
        sites.append((order[orbit.element], orbit.multiplicity, len(orbit.basis), *map(int, free)))
    shape = (round(np.log(b / a) * 25), round(np.log(c / a) * 25), *(round(each / 3) for each in angles))
    return kind.number, shape, tuple(sorted(sites))


def together(shipped: Sequence[StructureType], own: Sequence[StructureType]) -> tuple[StructureType, ...]:
    """Both, without those of the user's that are shipped, too."""
    have = {likeness(kind) for kind in shipped} if own else set()
    return (*shipped, *(kind for kind in own if likeness(kind) not in have))


def _counts(crystal: UnitCell) -> dict[int, int]:
    numbers, counts = np.unique(crystal.numbers, return_counts=True)
    return dict(zip(map(int, numbers), map(int, counts), strict=True))


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """Labels and CIFs."""
    try:
        if path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.name.lower().endswith((".cif", ".cif.gz")))
            if not files:
                raise InputError("no .cif is in this folder", where=str(path), expected=_EXPECTED)
            for file in files:
                yield file.name.split(".cif")[0], _read(file)
        elif path.name.lower().endswith((".cif", ".cif.gz")):
            yield path.name.split(".cif")[0], _read(path)
        else:
            yield from _rows(path)
    except FileNotFoundError:
        raise InputError("there is no such file or folder", where=str(path), expected=_EXPECTED) from None
    except (OSError, EOFError, csv.Error) as error:
        raise InputError(f"it cannot be read: {error}", where=str(path), expected=_EXPECTED) from error


def _read(path: Path) -> str:
    return unpacked(path.read_bytes()).decode("utf-8", errors="replace")


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    csv.field_size_limit(2**27)
    reader = csv.DictReader(io.StringIO(_read(path)))
    column = next((name for name in reader.fieldnames or () if name.strip().lower() == "cif"), None)
    if column is None:
        there = ", ".join((reader.fieldnames or ())[:8])
        raise InputError(f"no column `cif`; there are: {there[:200] or 'none'}", where=str(path), expected=_EXPECTED)
    label = next((name for name in LABELS if name in (reader.fieldnames or ())), None)
    for number, row in enumerate(reader, 2):
        yield (row[label] or "" if label else "") or f"line {number}", row[column] or ""
