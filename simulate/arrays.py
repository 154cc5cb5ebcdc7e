"""Short names for arrays of one type, in annotations.

Conventions of the house: lengths in Å, scattering vectors Q in 1/Å with the 2π included, angles in degrees. The
Cartesian frame of a cell has a along x, b in the xy plane, and c completing a right-handed set.
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
