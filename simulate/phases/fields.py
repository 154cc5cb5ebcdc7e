"""What a data set of the phase problem holds of a crystal, and the way from there back to the crystal."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.simulate.fields import Field
from dsfu.simulate.phases.atoms import CellContents

_SAMPLE: Final = ("sample",)

PARAMETER_FIELDS: Final = (
    Field(name="atom_count", dtype="int16", dims=_SAMPLE, units="1", long_name="atoms in the cell"),
    Field(
        name="numbers",
        dtype="uint8",
        dims=("sample", "atom"),
        units="1",
        long_name="atomic number of each atom, and 0 after the last",
    ),
    Field(
        name="positions",
        dtype="float64",
        dims=("sample", "atom", "axis"),
        units="1",
        long_name="fractional coordinates",
    ),
    Field(
        name="b_iso",
        dtype="float32",
        dims=("sample", "atom"),
        units="angstrom^2",
        long_name="Debye–Waller factor B = 8π²U of each atom",
    ),
    Field(
        name="cell",
        dtype="float64",
        dims=("sample", "cell_parameter"),
        shape=(6,),
        units="angstrom, degree",
        long_name="a, b, c in Å, α, β, γ in degrees",
    ),
    Field(name="volume", dtype="float32", dims=_SAMPLE, units="angstrom^3", long_name="volume of the cell"),
    Field(name="space_group", dtype="int16", dims=_SAMPLE, units="1", long_name="number of the space group"),
    Field(
        name="group",
        dtype="<U80",
        dims=_SAMPLE,
        units="1",
        long_name="formula without the names of elements, and space group",
    ),
    Field(name="number", dtype="int64", dims=_SAMPLE, units="1", long_name="number of the crystal; noise follows it"),
    Field(
        name="grid_points",
        dtype="int16",
        dims=("sample", "axis"),
        shape=(3,),
        units="1",
        long_name="indices, and voxels, along each axis",
    ),
    Field(name="kept", dtype="bool", dims=_SAMPLE, units="1", long_name="False where a shard is filled up"),
)
"""What determines a sample, together with the settings of the store."""

_GRID: Final = ("sample", "x", "y", "z")
_INDICES: Final = ("sample", "h", "k", "l")

GRID_FIELDS: Final = (
    Field(
        name="amplitude",
        dtype="float32",
        dims=_INDICES,
        kept_as="array",
        units="electrons",
        long_name="|F| on the grid of hkl, 0 where it is not known",
    ),
    Field(
        name="known",
        dtype="uint8",
        dims=_INDICES,
        kept_as="array",
        units="1",
        long_name="1 where |F| is known",
    ),
    Field(
        name="density",
        dtype="float32",
        dims=_GRID,
        kept_as="array",
        units="electrons/voxel",
        long_name="the density that is sought, Gaussian atoms",
    ),
)
"""What is stored only if it is asked for, and else computed when it is read."""


def padded(crystals: Sequence[CellContents], most: int) -> dict[str, npt.NDArray[Any]]:
    """Atoms, cells and displacements of some crystals as columns, (crystals, most, …)."""
    count = len(crystals)
    numbers = np.zeros((count, most), dtype=np.uint8)
    positions, b_iso = np.zeros((count, most, 3)), np.zeros((count, most), dtype=np.float32)
    for row, crystal in enumerate(crystals):
        atoms = len(crystal.numbers)
        numbers[row, :atoms], positions[row, :atoms] = crystal.numbers, crystal.positions
        b_iso[row, :atoms] = crystal.b_iso
    return {
        "atom_count": np.array([len(crystal.numbers) for crystal in crystals], dtype=np.int16),
        "numbers": numbers,
        "positions": positions,
        "b_iso": b_iso,
        "cell": np.array([crystal.cell for crystal in crystals]),
    }


def crystal_of(row: Mapping[str, Any]) -> CellContents:
    """The crystal that a row of such columns is of; its space group is not needed for anything that is computed."""
    atoms = int(row["atom_count"])
    a, b, c, alpha, beta, gamma = map(float, row["cell"])
    return CellContents(
        numbers=np.asarray(row["numbers"][:atoms], dtype=np.int64),
        positions=np.asarray(row["positions"][:atoms], dtype=np.float64),
        b_iso=np.asarray(row["b_iso"][:atoms], dtype=np.float64),
        cell=(a, b, c, alpha, beta, gamma),
    )
