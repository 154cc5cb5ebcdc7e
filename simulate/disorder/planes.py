"""Planes of reciprocal space: a square grid of scattering vectors anywhere, in any orientation."""

from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Literal

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.checks import finite_array, number_between
from dsfu.simulate.disorder.fields import PIXELS
from dsfu.simulate.lattice import Cell

AxisName = Literal["a", "b", "c"]

_ORTHONORMAL_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Plane:
    """A square plane of reciprocal space.

    Parameters
    ----------
    centre
        Q at pixel (pixels // 2, pixels // 2), in 1/Å.
    axis_x, axis_y
        Orthonormal Cartesian directions in which x and y grow.
    q_max
        Half the side of the plane, in 1/Å: coordinates along each axis run from −q_max in steps of 2 q_max / pixels.
    pixels
        Pixels along each side.
    """

    centre: FloatArray
    axis_x: FloatArray
    axis_y: FloatArray
    q_max: float
    pixels: int = PIXELS

    def __post_init__(self) -> None:
        for name in ("centre", "axis_x", "axis_y"):
            vector = finite_array(name, getattr(self, name), (3,)).copy()
            vector.setflags(write=False)
            object.__setattr__(self, name, vector)
        object.__setattr__(self, "q_max", number_between("q_max (1/Å)", self.q_max, 0.0, 1e3, open_low=True))
        try:
            pixels = index(self.pixels)
        except TypeError:
            raise ValueError(f"pixels = {self.pixels!r}: expected a whole number") from None
        if not 2 <= pixels <= 8192:
            raise ValueError(f"pixels = {pixels}: expected 2 to 8192")
        object.__setattr__(self, "pixels", pixels)
        products = [self.axis_x @ self.axis_x - 1, self.axis_y @ self.axis_y - 1, self.axis_x @ self.axis_y]
        if np.abs(products).max() > _ORTHONORMAL_TOLERANCE:
            raise ValueError(
                f"axis_x = {self.axis_x.tolist()}, axis_y = {self.axis_y.tolist()}: lengths "
                f"{np.linalg.norm(self.axis_x):.6g} and {np.linalg.norm(self.axis_y):.6g}, scalar product "
                f"{products[2]:.6g}; expected two unit vectors at a right angle"
            )

    @property
    def step(self) -> float:
        """Distance between neighbouring pixels, in 1/Å."""
        return 2 * self.q_max / self.pixels

    @property
    def offsets(self) -> FloatArray:
        """Coordinates of the pixels along either axis relative to the centre, in 1/Å."""
        return np.arange(-(self.pixels // 2), self.pixels - self.pixels // 2) * np.float64(self.step)

    @cached_property
    def normal(self) -> FloatArray:
        """Unit vector axis_x × axis_y."""
        return np.asarray(np.cross(self.axis_x, self.axis_y), dtype=np.float64)

    @property
    def centre_in_plane(self) -> FloatArray:
        """Q at the centre along x and y, (2,) in 1/Å: zero where the centre is the point nearest to the origin."""
        return np.array([self.centre @ self.axis_x, self.centre @ self.axis_y])

    @property
    def q(self) -> FloatArray:
        """Scattering vector of every pixel: (pixels, pixels, 3) in 1/Å, indexed [y, x]."""
        along = self.offsets[:, np.newaxis]
        return self.centre + (along * self.axis_y)[:, np.newaxis, :] + (along * self.axis_x)[np.newaxis, :, :]

    def hkl(self, cell: Cell) -> FloatArray:
        """hkl of every pixel in the given cell: (pixels, pixels, 3), indexed [y, x]."""
        return cell.hkl_of_q(self.q)


def layer(cell: Cell, axis: AxisName, index: float, q_max: float, pixels: int = PIXELS) -> Plane:
    """Plane on which one of h, k, l is constant: ``axis`` "a" fixes h, "b" fixes k, "c" fixes l at ``index``.

    Such a plane is normal to that direct-lattice vector and contains the other two reciprocal ones. Its centre is its
    point nearest to the origin. x runs along the first of those reciprocal vectors in the order a*, b*, c*, y towards
    the second: an hk plane has x along a*, an hl plane x along a*, a kl plane x along b*.
    """
    if axis not in ("a", "b", "c"):
        raise ValueError(f"axis = {axis!r}: expected 'a', 'b' or 'c'")
    if not np.isfinite(index):
        raise ValueError(f"index = {index}: expected a finite number of layers")
    fixed = "abc".index(axis)
    first, second = (i for i in range(3) if i != fixed)
    normal_vector = cell.vectors[fixed]
    # Q·v = 2π index has its point nearest to the origin along v.
    centre = 2 * np.pi * index * normal_vector / (normal_vector @ normal_vector)
    axis_x, axis_y = _orthonormal(cell.reciprocal[first], cell.reciprocal[second])
    return Plane(centre, axis_x, axis_y, q_max, pixels)


def plane_through(cell: Cell, hkl_points: npt.ArrayLike, q_max: float, pixels: int = PIXELS) -> Plane:
    """Plane through three points given as hkl: centred on the first, x towards the second, y to the third."""
    points = cell.q_of_hkl(finite_array("hkl_points", hkl_points, (3, 3)))
    to_second, to_third = points[1] - points[0], points[2] - points[0]
    # |a × b| over |a||b| is the sine of the angle between the sides.
    area = np.linalg.norm(np.cross(to_second, to_third))
    if area <= 1e-9 * np.linalg.norm(to_second) * np.linalg.norm(to_third) or area == 0.0:
        raise ValueError(
            f"hkl_points = {np.asarray(hkl_points).tolist()}: expected three points that are not on one line"
        )
    return Plane(points[0], *_orthonormal(to_second, to_third), q_max, pixels)


def _orthonormal(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gram–Schmidt: a unit vector along ``first``, and one normal to it on the side of ``second``."""
    axis_x = first / np.linalg.norm(first)
    axis_y = second - (second @ axis_x) * axis_x
    return axis_x, axis_y / np.linalg.norm(axis_y)
