"""What the data are: names, shapes, units and conventions shared by everything that writes or reads them.

Imports numpy and nothing else, so that the training stage can use it without numba, ase or dask.

Conventions
-----------
- Lengths in Å, scattering vectors Q in 1/Å with the 2π included, angles in degrees.
- Cartesian frame of a cell: a along x, b in the xy plane, c completing a right-handed set; in a cell with unique axis b
  (every cell of the species library) b is then along y.
- A plane is an array indexed ``[y, x]``; pixel ``(pixels // 2, pixels // 2)`` is its centre.
- ``alpha[u + 5, v + 5, w + 5]`` is the Warren–Cowley parameter of the lattice vector ``u a + v b + w c``.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

SHELL_CUTOFF: Final = 5
"""Largest index |u|, |v|, |w| of a lattice vector that has a Warren–Cowley parameter."""

ALPHA_SHAPE: Final = (2 * SHELL_CUTOFF + 1,) * 3
"""Shape of a set of Warren–Cowley parameters: 1331 vectors, that is 665 pairs ±v and the origin."""

PIXELS: Final = 256
"""Pixels along each side of a plane, unless the plane says otherwise."""
