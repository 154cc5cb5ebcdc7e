"""A crystal as a cell and its atoms; from CIF text, and from a column of CIFs in a CSV file (Materials Project's)."""

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray, IntArray

LARGEST_ATOMIC_NUMBER = 98
"""Form factors end at californium."""


@dataclass(frozen=True, eq=False)
class UnitCell:
    """All atoms of one unit cell.

    Attributes
    ----------
    lattice
        Rows a, b, c in Å; a along x, b in the xy plane.
    positions
        Fractional coordinates, (atoms, 3).
    numbers
        Atomic numbers, (atoms,).
    """

    lattice: FloatArray
    positions: FloatArray
    numbers: IntArray

    @property
    def volume(self) -> float:
        """Volume in Å³."""
        return float(abs(np.linalg.det(self.lattice)))

    @property
    def parameters(self) -> FloatArray:
        """a, b, c in Å and alpha, beta, gamma in degrees."""
        return cell_parameters(self.lattice)


def unit_cell(lattice: npt.ArrayLike, positions: npt.ArrayLike, numbers: npt.ArrayLike) -> UnitCell:
    """A unit cell, checked.

    Parameters
    ----------
    lattice
        Rows a, b, c in Å, or a, b, c in Å and alpha, beta, gamma in degrees.
    positions
        Fractional coordinates, (atoms, 3).
    numbers
        Atomic numbers, 1 to 98.
    """
    rows: FloatArray = np.array(lattice, np.float64)
    if rows.shape == (6,):
        rows = lattice_of(rows)
    places: FloatArray = np.array(positions, np.float64)
    kinds: IntArray = np.array(numbers, np.int64)
    if rows.shape != (3, 3) or not np.isfinite(rows).all() or abs(np.linalg.det(rows)) < 1e-3:
        raise ValueError("the lattice is not three independent vectors of finite length; expected rows a, b, c in Å")
    if places.ndim != 2 or places.shape != (len(kinds), 3) or not len(kinds):
        raise ValueError(f"positions of shape {places.shape} for {len(kinds)} atoms; expected (atoms, 3)")
    if not np.isfinite(places).all():
        raise ValueError("positions hold values that are not finite")
    if kinds.min() < 1 or kinds.max() > LARGEST_ATOMIC_NUMBER:
        raise ValueError(f"atomic numbers from {kinds.min()} to {kinds.max()}; expected H (1) to Cf (98)")
    return UnitCell(rows, places, kinds)


def crystal_of(cell: FloatArray, numbers: IntArray, positions: npt.NDArray[np.floating], atoms: int) -> UnitCell:
    """The crystal of a stored sample, whose arrays are filled up beyond its atoms."""
    return unit_cell(np.asarray(cell, np.float64), positions[:atoms], numbers[:atoms])


def lattice_of(parameters: npt.ArrayLike) -> FloatArray:
    """Rows a, b, c of a cell given as a, b, c in Å and alpha, beta, gamma in degrees; a along x, b in the xy plane."""
    a, b, c, *angles = np.asarray(parameters, np.float64)
    cosines, sine = np.cos(np.radians(angles)), np.sin(np.radians(angles[2]))
    # c / |c|: cos β along x, then from the angle with b, and the rest of its length upwards.
    along = (cosines[0] - cosines[1] * cosines[2]) / sine
    height = 1 - cosines[1] ** 2 - along**2
    if min(a, b, c, height) <= 0:
        raise ValueError(f"no cell has the constants {np.asarray(parameters)}")
    return np.array(
        [[a, 0, 0], [b * cosines[2], b * sine, 0], [c * cosines[1], c * along, c * np.sqrt(height)]], np.float64
    )


def cell_parameters(lattice: FloatArray) -> FloatArray:
    """a, b, c in Å and alpha, beta, gamma in degrees of a lattice given as rows."""
    lengths = np.linalg.norm(lattice, axis=1)
    unit = lattice / lengths[:, None]
    cosines = np.clip([unit[1] @ unit[2], unit[0] @ unit[2], unit[0] @ unit[1]], -1, 1)
    return np.concatenate([lengths, np.degrees(np.arccos(cosines))])


def from_cif(text: str) -> UnitCell:
    """The unit cell of a structure in a CIF; occupancies below 1 are refused."""
    document = gemmi.cif.read_string(text)
    for block in document:
        structure = gemmi.make_small_structure_from_block(block)
        if structure.sites:
            return from_small_structure(structure)
    raise ValueError("no atoms in this CIF")


def from_small_structure(structure: gemmi.SmallStructure) -> UnitCell:
    """The unit cell of what gemmi read."""
    structure.setup_cell_images()
    sites = structure.get_all_unit_cell_sites()
    if any(abs(site.occ - 1) > 1e-3 for site in sites):
        raise ValueError("partly occupied sites; expected an ordered structure")
    return unit_cell(
        structure.cell.parameters,
        [site.fract.tolist() for site in sites],
        [site.element.atomic_number for site in sites],
    )


def read_csv(path: Path, column: str = "cif") -> Iterator[tuple[dict[str, str], UnitCell]]:
    """Rows of a CSV file (``.gz`` too) and the crystals in one of its columns; rows that are no crystals raise."""
    csv.field_size_limit(2**27)
    with path.open("rb") as raw, io.TextIOWrapper(gzip.open(raw) if path.suffix == ".gz" else raw, "utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            if column not in row:
                raise ValueError(f"{path}: no column {column!r}; there are {', '.join(row)}")
            try:
                yield {key: value for key, value in row.items() if key != column}, from_cif(row[column])
            except (ValueError, RuntimeError) as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
