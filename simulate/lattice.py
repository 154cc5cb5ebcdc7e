"""The crystal's lattice: from cell constants to vectors, between hkl and Q, and Vegard's law."""

from dataclasses import dataclass
from functools import cached_property
from math import cos, radians, sin, sqrt
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.checks import finite_array, number_between

CELL_ITEMS: Final = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
"""What CIF calls `Cell.constants`, after ``_cell_``."""

_FLATTEST = 1e-3
"""Smallest volume of a cell relative to a·b·c; flatter ones are taken for a mistake."""


@dataclass(frozen=True)
class Cell:
    """A unit cell: lengths in Å, angles in degrees; triclinic in general.

    ``vectors`` has the rows a, b, c in Å, with a along x and b in the xy plane; ``reciprocal`` has the rows
    a*, b*, c* in 1/Å, the 2π included, so that ``vectors @ reciprocal.T == 2π · identity``.
    """

    a: float
    b: float
    c: float
    alpha: float = 90.0
    beta: float = 90.0
    gamma: float = 90.0

    def __post_init__(self) -> None:
        for name in ("a", "b", "c"):
            length = number_between(f"cell length {name} (Å)", getattr(self, name), 0.0, 1e4, open_low=True)
            object.__setattr__(self, name, length)
        for name in ("alpha", "beta", "gamma"):
            angle = number_between(f"cell angle {name} (degrees)", getattr(self, name), 0.0, 180.0, open_low=True)
            object.__setattr__(self, name, angle)
        if self._volume_squared_of_unit_edges() < _FLATTEST**2:
            raise ValueError(
                f"cell angles alpha, beta, gamma = {self.alpha}, {self.beta}, {self.gamma} degrees: they span no "
                "volume; expected each to be less than the sum of the other two, and all three to sum to less than 360"
            )

    @classmethod
    def from_vectors(cls, vectors: npt.ArrayLike) -> Self:
        """Cell of three lattice vectors (rows, Å), in any orientation; left-handed and flat sets are refused."""
        rows = finite_array("vectors", vectors, (3, 3))
        lengths = np.linalg.norm(rows, axis=1)
        determinant = float(np.linalg.det(rows))
        if determinant <= _FLATTEST * float(lengths.prod()):
            kind = "left-handed" if determinant < -_FLATTEST * float(lengths.prod()) else "flat"
            raise ValueError(
                f"vectors = {rows.tolist()}: they are {kind} (a · b × c = {determinant:.6g} Å³); "
                "expected a right-handed set of three that are not in one plane"
            )
        cosines = [rows[i] @ rows[j] / (lengths[i] * lengths[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
        return cls(*lengths.tolist(), *np.degrees(np.arccos(cosines)).tolist())

    def _volume_squared_of_unit_edges(self) -> float:
        # The determinant of the scalar products of unit edges, V² / (abc)².
        cos_a, cos_b, cos_g = (cos(radians(angle)) for angle in (self.alpha, self.beta, self.gamma))
        return 1 - cos_a**2 - cos_b**2 - cos_g**2 + 2 * cos_a * cos_b * cos_g

    @cached_property
    def vectors(self) -> FloatArray:
        cos_a, cos_b, cos_g = (_cosine(angle) for angle in (self.alpha, self.beta, self.gamma))
        sin_g = sin(radians(self.gamma))
        c_y = (cos_a - cos_b * cos_g) / sin_g
        c_z = sqrt(self._volume_squared_of_unit_edges()) / sin_g
        rows = np.array(
            [
                [self.a, 0.0, 0.0],
                [self.b * cos_g, self.b * sin_g, 0.0],
                [self.c * cos_b, self.c * c_y, self.c * c_z],
            ]
        )
        rows.setflags(write=False)
        return rows

    @cached_property
    def reciprocal(self) -> FloatArray:
        rows = np.asarray(2 * np.pi * np.linalg.inv(self.vectors).T, dtype=np.float64)
        rows.setflags(write=False)
        return rows

    @property
    def volume(self) -> float:
        """Volume in Å³."""
        return self.a * self.b * self.c * sqrt(self._volume_squared_of_unit_edges())

    @property
    def constants(self) -> tuple[float, float, float, float, float, float]:
        """a, b, c in Å, alpha, beta, gamma in degrees."""
        return self.a, self.b, self.c, self.alpha, self.beta, self.gamma

    def q_of_hkl(self, hkl: npt.ArrayLike) -> FloatArray:
        """Scattering vectors (..., 3) in 1/Å of hkl (..., 3)."""
        return np.asarray(hkl, dtype=np.float64) @ self.reciprocal

    def hkl_of_q(self, q: npt.ArrayLike) -> FloatArray:
        """Indices hkl (..., 3) of scattering vectors (..., 3) in 1/Å."""
        return np.asarray(q, dtype=np.float64) @ self.vectors.T / (2 * np.pi)


def vegard_cell(cell_a: Cell, cell_b: Cell, fraction_a: float) -> Cell:
    """Cell of the mixed crystal by Vegard's law: each constant is m_A times that of A plus m_B times that of B."""
    fraction_a = number_between("fraction_a", fraction_a, 0.0, 1.0)
    mixed = (
        fraction_a * of_a + (1 - fraction_a) * of_b
        for of_a, of_b in zip(cell_a.constants, cell_b.constants, strict=True)
    )
    return Cell(*mixed)


def _cosine(degrees: float) -> float:
    """Cosine that is exactly 0 at 90°, so that orthogonal cells have orthogonal vectors to the last bit."""
    return 0.0 if degrees == 90.0 else cos(radians(degrees))
