"""Measured reflections of a crystal, as they came from a file."""

from dataclasses import dataclass, field

import gemmi
import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
CellNumbers = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReflectionList:
    """Intensities, not necessarily merged.

    Parameters
    ----------
    hkl
        Indices, (reflections, 3).
    intensity, sigma
        |F|² and its standard uncertainty on any common scale; sigma is 0 where the file gives none.
    cell
        a, b, c in Å, α, β, γ in degrees.
    space_group
        As the file states it; None if it does not.
    formula
        Elements and how many atoms of each there are in the cell, if known; only ratios are relied upon.
    source
        The file.
    notes
        What was noticed while reading.
    """

    hkl: IntArray
    intensity: FloatArray
    sigma: FloatArray
    cell: CellNumbers
    space_group: gemmi.SpaceGroup | None = None
    formula: dict[str, float] = field(default_factory=dict)
    source: str = ""
    notes: tuple[str, ...] = ()

    @property
    def unit_cell(self) -> gemmi.UnitCell:
        """The cell as gemmi has it."""
        return gemmi.UnitCell(*self.cell)
