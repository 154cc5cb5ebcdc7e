"""Reads the reflections of a crystal from whatever file they are in."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import gemmi
import numpy as np

from dsfu.errors import InputError
from dsfu.files import unpacked
from dsfu.model.problems.phases.cell_checks import doubts_of_cell
from dsfu.model.problems.phases.cif_files import CrystalCif
from dsfu.model.problems.phases.crystal_data import CellNumbers, FloatArray, ReflectionList
from dsfu.model.problems.phases.integration_files import reflections_of_integration
from dsfu.model.problems.phases.shelx_files import InstructionFile, cell_behind, read_hkl

_EXPECTED: Final = "SHELX .hkl (HKLF 4), .fcf, CIF with reflections, MTZ, XDS_ASCII.HKL, or merged .sca"
_CELL_REMEDY: Final = "--cell a,b,c,alpha,beta,gamma, or an .ins, .res or .cif of the same name beside it"
_BESIDE: Final = (".ins", ".res", ".cif", ".fcf", ".INS", ".RES", ".CIF")
_LARGEST_FILE: Final = 1 << 29
_BLOCK: Final = re.compile(r"\s*data_[^\s=]*\s*(#.*)?$", re.IGNORECASE)
"""Where a block of a CIF begins; data_id= and its like stand in heads of other programs."""


def read_reflections(path: str | Path, cell: CellNumbers | None = None) -> ReflectionList:
    """Reflections with their cell; symmetry and formula where files say so.

    Parameters
    ----------
    cell
        The cell, if the file does not have it or a better one is known.

    Raises
    ------
    InputError
        If the file cannot be read, has no reflections, or nothing tells the cell.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise InputError("a folder", where=str(path), expected=_EXPECTED)
        if file.stat().st_size > _LARGEST_FILE:
            raise InputError("larger than 512 MB", where=str(path), expected=_EXPECTED)
        raw = unpacked(file.read_bytes())
    except (OSError, EOFError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), expected=_EXPECTED) from error
    if not raw.strip():
        raise InputError("empty", where=str(path), expected=_EXPECTED)
    if raw[:4] == b"MTZ ":
        data = _from_mtz(file)
    elif b"\x00" in raw[:4096]:
        raise InputError("a binary file of an unknown kind", where=str(path), expected=_EXPECTED)
    else:
        data = _from_text(file, raw.decode("utf-8-sig", errors="replace"))
    return _checked(replace(data, cell=cell) if cell else data)


def parse_cell(text: str) -> CellNumbers:
    """Six numbers, commas or spaces between them."""
    try:
        a, b, c, alpha, beta, gamma = (float(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise InputError(
            f"{text!r} is no cell", where="--cell", expected="a,b,c,alpha,beta,gamma in Å and °"
        ) from error
    _check_cell((a, b, c, alpha, beta, gamma), "--cell")
    return a, b, c, alpha, beta, gamma


def _from_text(file: Path, text: str) -> ReflectionList:
    if any(_BLOCK.match(line) for line in text.splitlines()[:400]):
        return _from_cif(file, text)
    integrated = reflections_of_integration(file, text)
    if integrated is not None:
        return _with_neighbours(integrated, file)
    hkl, value, sigma, notes = read_hkl(file, text)
    data = ReflectionList(hkl=hkl, intensity=value, sigma=sigma, cell=_NO_CELL, source=str(file), notes=notes)
    data = _with_neighbours(data, file)
    behind = cell_behind(text, file) if data.cell == _NO_CELL else None
    return replace(data, cell=behind, notes=(*data.notes, "cell from the lines behind the data")) if behind else data


def _from_cif(file: Path, text: str) -> ReflectionList:
    cif = CrystalCif(file, text)
    found = cif.reflections()
    notes: tuple[str, ...] = ()
    if found is None:
        inner = cif.embedded()
        if not inner:
            raise InputError("a CIF without reflections", where=str(file), expected=_EXPECTED)
        if inner.lstrip().lower().startswith("data_"):
            return _from_cif(file, inner)
        hkl, value, sigma, notes = read_hkl(file, inner)
    else:
        hkl, value, sigma, amplitudes = found
        if amplitudes:
            value, sigma = _squared(value, sigma)
    data = ReflectionList(
        hkl=hkl,
        intensity=value,
        sigma=sigma,
        cell=cif.cell or _NO_CELL,
        space_group=cif.space_group,
        formula=cif.formula,
        source=str(file),
        notes=notes,
    )
    return _with_neighbours(data, file)


def _from_mtz(file: Path) -> ReflectionList:
    try:
        mtz = gemmi.read_mtz_file(str(file))
    except (RuntimeError, ValueError) as error:
        raise InputError(f"no MTZ that can be read: {error}", where=str(file)) from error
    indices = np.asarray(mtz.make_miller_array()).astype(np.int64)
    for kind, amplitudes in (("J", False), ("K", False), ("F", True), ("G", True)):
        columns = [c for c in mtz.columns_with_type(kind) if not c.label.upper().startswith(_CALCULATED)]
        if not columns:
            continue
        # K and G hold one mate of each pair ±h: I(+), then I(−).
        columns = columns[: 2 if kind in "KG" else 1]
        parts = []
        for sign, column in zip((1, -1), columns, strict=False):
            value, sigma = _with_sigma(mtz, column)
            good = np.isfinite(value)
            parts.append((sign * indices[good], value[good], np.abs(np.nan_to_num(sigma[good]))))
        hkl, value, sigma = (np.concatenate(column) for column in zip(*parts, strict=True))
        if amplitudes:
            value, sigma = _squared(value, sigma)
        return ReflectionList(
            hkl=hkl,
            intensity=value,
            sigma=sigma,
            cell=mtz.get_cell().parameters,
            space_group=mtz.spacegroup,
            source=str(file),
            notes=(f"column {' and '.join(c.label for c in columns)}",),
        )
    raise InputError(
        "no column of intensities or amplitudes", where=str(file), expected="a column of type J, K, F or G"
    )


_CALCULATED: Final = ("FC", "FWT", "DELFWT", "2F", "F-MODEL", "FMODEL")


def _with_sigma(mtz: gemmi.Mtz, column: gemmi.Mtz.Column) -> tuple[FloatArray, FloatArray]:
    """A column, and the uncertainties in the next one if that is of their kind; else zeros."""
    value = np.array(column.array, dtype=np.float64)
    following = mtz.columns[column.idx + 1] if column.idx + 1 < len(mtz.columns) else None
    if following is None or following.type not in ("Q", "M", "L"):
        return value, np.zeros(len(value))
    return value, np.array(following.array, dtype=np.float64)


_NO_CELL: Final[CellNumbers] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _with_neighbours(data: ReflectionList, file: Path) -> ReflectionList:
    """Cell, symmetry and formula from a file of the same name beside it, where they are missing."""
    stem = file.name.removesuffix(".gz")
    stem = stem[: stem.rfind(".")] if "." in stem else stem
    for ending in _BESIDE:
        beside = file.with_name(stem + ending)
        if beside.name == file.name or not beside.is_file():
            continue
        try:
            found: InstructionFile | CrystalCif = (
                InstructionFile(beside)
                if ending.lower() in (".ins", ".res")
                else CrystalCif(beside, beside.read_text(encoding="utf-8", errors="replace"))
            )
        except (OSError, InputError) as error:
            data = replace(data, notes=(*data.notes, f"{beside.name} was passed over: {error}"))
            continue
        if isinstance(found, InstructionFile):
            found.refuse_twins()
        if found.cell is None:
            continue
        if isinstance(found, InstructionFile) and found.amplitudes and data.space_group is None:
            value, sigma = _squared(data.intensity, data.sigma)
            data = replace(data, intensity=value, sigma=sigma, notes=(*data.notes, "HKLF 3: values are |F|"))
        return replace(
            data,
            cell=data.cell if data.cell != _NO_CELL else found.cell,
            space_group=data.space_group or found.space_group,
            formula=data.formula or found.formula,
            notes=(*data.notes, f"cell, symmetry and formula as far as {beside.name} has them"),
        )
    return data


def _squared(value: FloatArray, sigma: FloatArray) -> tuple[FloatArray, FloatArray]:
    return value * np.abs(value), 2 * np.abs(value) * sigma


def _checked(data: ReflectionList) -> ReflectionList:
    if data.cell == _NO_CELL:
        raise InputError("no cell in it", where=data.source, expected="a, b, c, α, β, γ", remedy=_CELL_REMEDY)
    _check_cell(data.cell, data.source)
    good = np.isfinite(data.intensity) & data.hkl.any(axis=1)
    if not good.any() or not (data.intensity[good] > 0).any():
        raise InputError("no reflection with an intensity above 0", where=data.source, expected=_EXPECTED)
    data = replace(data, hkl=data.hkl[good], intensity=data.intensity[good], sigma=np.nan_to_num(data.sigma[good]))
    if data.space_group is not None and data.space_group.number == 1:
        # Programs write P1 where nobody told them the group, and it would keep the map from having another.
        data = replace(data, space_group=None)
    return replace(data, notes=(*data.notes, *doubts_of_cell(data)))


def _check_cell(cell: CellNumbers, where: str) -> None:
    lengths, angles = np.array(cell[:3]), np.array(cell[3:])
    volume = gemmi.UnitCell(*cell).volume if np.isfinite(cell).all() and (lengths > 0).all() else 0.0
    if not (lengths.min() > 1 and lengths.max() < 500 and angles.min() > 20 and angles.max() < 160 and volume > 5):
        raise InputError(
            f"a cell of {', '.join(f'{x:g}' for x in cell)}",
            where=where,
            expected="lengths of 1 to 500 Å and angles of 20 to 160° that make a cell",
        )
