"""A density as a CCP4 map, which Coot, VESTA, ChimeraX and gemmi read."""

from pathlib import Path

import gemmi
import numpy as np
import numpy.typing as npt

from dsfu.files import replacing


def write_ccp4(path: Path, density: npt.NDArray[np.floating], cell: tuple[float, ...]) -> None:
    """Write a whole cell, values (x, y, z) on its grid, as P1 in mode 2; the file is there as a whole or not at all."""
    grid = gemmi.FloatGrid(np.ascontiguousarray(density, dtype=np.float32))
    grid.set_unit_cell(gemmi.UnitCell(*cell))
    grid.spacegroup = gemmi.SpaceGroup("P 1")
    written = gemmi.Ccp4Map()
    written.grid = grid
    written.update_ccp4_header()
    with replacing(path) as temporary:
        written.write_ccp4_map(str(temporary))
