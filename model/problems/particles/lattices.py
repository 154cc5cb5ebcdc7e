"""The lattices that metals have, in units of b: primitive vectors as rows, and the sites of a cell.

b is the lattice constant of SC and BCC, and the nearest distance of FCC and HCP (`dsfu.simulate.particles.shapes`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.particles.clusters import C_OVER_A


@dataclass(frozen=True, eq=False)
class SiteLattice:
    """Rows of vectors, and where the sites of a cell lie."""

    vectors: FloatArray
    basis: FloatArray


_ORIGIN: Final = np.zeros((1, 3))

LATTICES: Final[Mapping[str, SiteLattice]] = {
    "FCC": SiteLattice(np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) * np.sqrt(2), _ORIGIN),
    "BCC": SiteLattice(np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]), _ORIGIN),
    "SC": SiteLattice(np.eye(3), _ORIGIN),
    "HCP": SiteLattice(
        np.array([[1, 0, 0], [-0.5, np.sqrt(0.75), 0], [0, 0, C_OVER_A]]),
        np.array([[0, 0, 0], [0.5, np.sqrt(1 / 12), C_OVER_A / 2]]),
    ),
}
