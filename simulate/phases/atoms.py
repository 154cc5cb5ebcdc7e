"""Atoms in a cell: what a crystal of the phase problem consists of, whichever source it comes from."""

from dataclasses import dataclass, field
from typing import Final

import gemmi
import numpy as np
import numpy.typing as npt

from dsfu.simulate.checks import finite_array

FloatArray = npt.NDArray[np.float64]

CUBIC: Final = (10.0, 10.0, 10.0, 90.0, 90.0, 90.0)
"""The cell of crystals that are declared in fractional coordinates only, as in the published data set: any would do."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CellContents:
    """Every atom of one cell, symmetry written out.

    Parameters
    ----------
    numbers
        Atomic numbers, (atoms,).
    positions
        Fractional coordinates, (atoms, 3); kept in [0, 1).
    cell
        a, b, c in Å, α, β, γ in degrees.
    b_iso
        Debye–Waller factor of each atom in Å² (8π²U), (atoms,); 0 if not given.
    space_group
        Hermann–Mauguin symbol; "P 1" if not known.
    name
        Where it comes from.
    """

    numbers: npt.NDArray[np.int64]
    positions: FloatArray
    cell: tuple[float, float, float, float, float, float] = CUBIC
    b_iso: FloatArray = field(default_factory=lambda: np.zeros(0))
    space_group: str = "P 1"
    name: str = ""

    def __post_init__(self) -> None:
        positions = finite_array("positions", self.positions, (None, 3)) % 1.0
        positions[positions >= 1.0] = 0.0  # −1e-20 % 1 is 1
        numbers = np.asarray(self.numbers, dtype=np.int64)
        if numbers.shape != (len(positions),) or not len(positions):
            raise ValueError(f"numbers has shape {numbers.shape}: expected ({len(positions)},), and at least one atom")
        if not ((numbers >= 1) & (numbers <= 98)).all():
            raise ValueError(f"numbers = {numbers}: expected elements from H (1) to Cf (98)")
        b_iso = np.asarray(self.b_iso, dtype=np.float64)
        b_iso = np.zeros(len(positions)) if not b_iso.size else finite_array("b_iso", b_iso, (len(positions),))
        volume = gemmi.UnitCell(*self.cell).volume
        if not (np.isfinite(volume) and volume > 1e-3):
            raise ValueError(f"cell = {self.cell}: expected a, b, c in Å and angles in degrees that make a cell")
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "b_iso", b_iso)

    @property
    def group(self) -> str:
        """Formula without the names of elements, and space group: what training and test must not share."""
        _, counts = np.unique(self.numbers, return_counts=True)
        divisor = int(np.gcd.reduce(counts))
        letters = "".join(f"{chr(65 + i % 26)}{c // divisor}" for i, c in enumerate(sorted(counts)))
        return f"{letters} {self.space_group}"


def orthogonalisation(cell: tuple[float, ...]) -> FloatArray:
    """Matrix (3, 3) that takes fractional coordinates (columns) to Å."""
    return np.array(gemmi.UnitCell(*cell).orth.mat.tolist())


def inverse_d_squared(cell: tuple[float, ...], hkl: npt.ArrayLike) -> FloatArray:
    """1/d² in 1/Å² of indices (…, 3)."""
    reciprocal = np.array(gemmi.UnitCell(*cell).frac.mat.tolist())
    return np.asarray(np.square(np.asarray(hkl, dtype=np.float64) @ reciprocal).sum(axis=-1))
