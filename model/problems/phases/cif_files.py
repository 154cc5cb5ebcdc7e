"""CIF with reflections: loops of refln and diffrn_refln, .fcf, and an .hkl embedded as text."""

import re
from pathlib import Path
from typing import Any, Final

import gemmi
import numpy as np

from dsfu.errors import InputError
from dsfu.model.problems.phases.crystal_data import CellNumbers, FloatArray, IntArray
from dsfu.model.problems.phases.elements import parse_formula

_VALUES: Final = (
    ("_refln_F_squared_meas", "_refln_F_squared_sigma", False),
    ("_refln_intensity_meas", "_refln_intensity_sigma", False),
    ("_diffrn_refln_intensity_net", "_diffrn_refln_intensity_sigma", False),
    ("_diffrn_refln_intensity_net", "_diffrn_refln_intensity_u", False),
    ("_refln_F_meas", "_refln_F_sigma", True),
    ("_refln.F_squared_meas", "_refln.F_squared_sigma", False),
    ("_refln.intensity_meas", "_refln.intensity_sigma", False),
    ("_diffrn_refln.intensity_net", "_diffrn_refln.intensity_sigma", False),
    ("_refln.F_meas_au", "_refln.F_meas_sigma_au", True),
    ("_refln.F_meas", "_refln.F_meas_sigma", True),
)
"""Tags of value and uncertainty, and whether the value is |F|; the first that a loop has is taken."""

_PAIRS: Final = (
    ("_refln.pdbx_I_plus", "_refln.pdbx_I_minus", False),
    ("_refln.pdbx_F_plus", "_refln.pdbx_F_minus", True),
)
"""Tags of h and of −h in one row, where these are kept apart."""

_BRACKET: Final = re.compile(r"([-+]?\d*\.?\d*)\((\d+)\)")

_TEXTS: Final = ("_shelx_hkl_file", "_iucr_refine_reflections_details", "_refln_raw")
_SYMMETRY: Final = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz", "_symmetry_equiv.pos_as_xyz")
_NAMES: Final = (
    "_space_group_name_H-M_alt",
    "_symmetry_space_group_name_H-M",
    "_space_group.name_H-M_alt",
    "_symmetry.space_group_name_H-M",
    "_space_group_name_Hall",
    "_symmetry_space_group_name_Hall",
)


class CrystalCif:
    """What a CIF says: cell, space group, formula, and reflections if it has any."""

    def __init__(self, path: Path, text: str) -> None:
        try:
            # A tag that occurs twice is a fault that many files have; the first one counts.
            self._blocks = list(gemmi.cif.read_string(text, check_level=0))
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"no CIF that can be read: {error}",
                where=str(path),
                expected="a CIF that begins with data_NAME",
                remedy="lines before it or a damaged loop are the usual faults; an .hkl of SHELX is read too",
            ) from error
        self._path = path
        self.cell = next((cell for block in self._blocks if (cell := _cell_of(block))), None)
        self.space_group = next((group for block in self._blocks if (group := _group_of(block))), None)
        self.formula = next((found for block in self._blocks if (found := _formula_of(block))), {})

    def reflections(self) -> tuple[IntArray, FloatArray, FloatArray, bool] | None:
        """Indices, values, uncertainties, and whether the values are |F|; None if it has no loop of them."""
        for block in self._blocks:
            for value, sigma, amplitudes in _VALUES:
                found = _loop(block, value, sigma)
                if found is not None:
                    return *found, amplitudes
            for plus, minus, amplitudes in _PAIRS:
                both = [_loop(block, each, f"{each}_sigma") for each in (plus, minus)]
                parts = [part for part in both if part is not None]
                if both[1] is not None:
                    parts[-1] = (-parts[-1][0], *parts[-1][1:])
                if parts:
                    hkl, size, error = (np.concatenate(column) for column in zip(*parts, strict=True))
                    return hkl, size, error, amplitudes
        return None

    def embedded(self) -> str:
        """The text of an .hkl or .fcf within it; empty if there is none."""
        for block in self._blocks:
            for tag in _TEXTS:
                found = block.find_value(tag)
                if found and found not in ("?", "."):
                    return str(gemmi.cif.as_string(found))
        return ""


def _loop(block: gemmi.cif.Block, value: str, sigma: str) -> tuple[IntArray, FloatArray, FloatArray] | None:
    """Indices, values and uncertainties of one loop; None if it has no numbers under that tag."""
    prefix, separator = (value.split(".")[0], ".") if "." in value else (value[: value.index("refln") + 5], "_")
    tags = [f"{prefix}{separator}index_{axis}" for axis in "hkl"]
    table = block.find([*tags, value])
    if not len(table):
        return None
    errors = block.find([*tags, value, sigma])
    rows = _rows(errors if len(errors) else table)
    if not len(rows):
        return None
    error = np.abs(np.nan_to_num(rows[:, 4]))
    if not error.any():
        error = rows[:, 5]  # in brackets behind the value
    return rows[:, :3].astype(np.int64), rows[:, 3], error


def _rows(table: Any) -> FloatArray:
    """h, k, l, value, uncertainty, the one in brackets behind the value; rows without index or value are left out."""
    rows = np.array([_numbers(list(row)) for row in table], dtype=np.float64).reshape(-1, 6)
    return rows[np.isfinite(rows[:, :4]).all(axis=1)]


def _numbers(words: list[str]) -> list[float]:
    numbers = [gemmi.cif.as_number(word) for word in words[:5]]
    numbers += [0.0] * (5 - len(numbers))
    bracket = _BRACKET.fullmatch(words[3])
    # 12.34(5): the digits in brackets count in units of the last digit.
    digits = len(bracket[1].partition(".")[2]) if bracket else 0
    return [*numbers, float(bracket[2]) * 10.0**-digits if bracket else 0.0]


def _cell_of(block: gemmi.cif.Block) -> CellNumbers | None:
    for pattern in ("_cell_length_{}", "_cell.length_{}"):
        angle = pattern.replace("length", "angle")
        texts = [block.find_value(pattern.format(axis)) for axis in "abc"]
        texts += [block.find_value(angle.format(name)) or "90" for name in ("alpha", "beta", "gamma")]
        if all(texts):
            a, b, c, alpha, beta, gamma = (gemmi.cif.as_number(text) for text in texts)
            if np.isfinite([a, b, c, alpha, beta, gamma]).all():
                return a, b, c, alpha, beta, gamma
    return None


def _group_of(block: gemmi.cif.Block) -> gemmi.SpaceGroup | None:
    for tag in _SYMMETRY:
        texts = [gemmi.cif.as_string(word).strip() for word in block.find_values(tag)]
        if not texts:
            continue
        try:
            every = [gemmi.Op(text) for text in dict.fromkeys(texts)]
            group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps([op.wrap() for op in every]))
        except (ValueError, RuntimeError):
            continue
        if group is not None:
            return group
    for tag in _NAMES:
        name = block.find_value(tag)
        if name and name not in ("?", "."):
            text = gemmi.cif.as_string(name).strip()
            found = gemmi.find_spacegroup_by_name(text) if "Hall" not in tag else None
            if found is not None:
                return found
    return None


def _formula_of(block: gemmi.cif.Block) -> dict[str, float]:
    text = block.find_value("_chemical_formula_sum")
    if not text or text in ("?", "."):
        return {}
    try:
        formula = parse_formula(gemmi.cif.as_string(text))
    except InputError:
        return {}
    units = gemmi.cif.as_number(block.find_value("_cell_formula_units_Z") or "?")
    return {s: n * units for s, n in formula.items()} if np.isfinite(units) and units > 0 else formula
