"""Which plane of reciprocal space is meant: "hk0", "h-1.5l", "hhl", or three points."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.fields import PIXELS
from dsfu.simulate.disorder.planes import AxisName, Plane, layer, plane_through
from dsfu.simulate.lattice import Cell

_EXPECTED: Final = (
    'a layer such as "hk0", "h1.5l" or "-0.5kl", a plane through the origin such as "hhl" or "h-hl", '
    'or three points such as "0,0,1 1,0,1 0,1,1"'
)
_AXES: Final[tuple[AxisName, ...]] = ("a", "b", "c")
_NUMBER: Final = r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)"
_TOKEN: Final = re.compile(rf"{_NUMBER}|[+-]?[hkl]")


@dataclass(frozen=True, kw_only=True, eq=False)
class PlaneSpec:
    """A plane of reciprocal space in hkl.

    Attributes
    ----------
    name
        For people, such as "hk0".
    points
        (3, 3), hkl of three points that are not on one line: the origin of a general plane, one towards x, one
        towards y.
    axis, index
        For a layer: the direct-lattice vector that it is normal to, and which layer. ``axis`` is None for others.
    """

    name: str
    points: FloatArray
    axis: AxisName | None = None
    index: float = 0.0

    def plane(self, cell: Cell, q_max: float, pixels: int = PIXELS) -> Plane:
        """Its pixels, in 1/Å."""
        if self.axis is not None:
            return layer(cell, self.axis, self.index, q_max, pixels)
        return plane_through(cell, self.points, q_max, pixels)

    def unit_of_thickness(self, cell: Cell) -> float:
        """In 1/Å: the distance of neighbouring layers, or 1 for a plane that is no layer."""
        if self.axis is None:
            return 1.0
        return float(2 * np.pi / np.linalg.norm(cell.vectors[_AXES.index(self.axis)]))


def parse_plane(text: str) -> PlaneSpec:
    """Read a plane as people write it."""
    compact = re.sub(r"[\s()\[\]]+", " ", text.strip().lower().replace("−", "-")).strip()
    if not re.search("[hkl]", compact):
        return _through_points(text, compact)
    tokens = _TOKEN.findall(compact)
    if len(tokens) != 3 or re.sub(r"[\s,]", "", compact) != "".join(tokens):
        raise InputError("not a plane", where=f"plane {text!r}", expected=_EXPECTED)
    letters = [token[-1] for token in tokens if token[-1] in "hkl"]
    if len(set(letters)) != 2:
        raise InputError("a plane has two indices that run", where=f"plane {text!r}", expected=_EXPECTED)
    name = "".join(tokens)
    fixed = [position for position, token in enumerate(tokens) if token[-1] not in "hkl"]
    if fixed:
        if any(token != "hkl"[position] for position, token in enumerate(tokens) if position not in fixed):
            raise InputError("h, k and l are not in their places", where=f"plane {text!r}", expected=_EXPECTED)
        return layer_spec(_AXES[fixed[0]], float(tokens[fixed[0]]), name)
    directions = [
        [(-1.0 if token.startswith("-") else 1.0) * (token[-1] == letter) for token in tokens]
        for letter in sorted(set(letters))
    ]
    return PlaneSpec(name=name, points=np.array([[0.0, 0.0, 0.0], *directions]))


def layer_spec(axis: AxisName, index: float, name: str = "") -> PlaneSpec:
    """The layer with h ("a"), k ("b") or l ("c") constant."""
    fixed = _AXES.index(axis)
    points = np.zeros((3, 3))
    points[:, fixed] = index
    first, second = (i for i in range(3) if i != fixed)
    points[1, first] = points[2, second] = 1.0
    written = ["h", "k", "l"]
    written[fixed] = f"{index:.6g}"
    return PlaneSpec(name=name or "".join(written), points=points, axis=axis, index=index)


def _through_points(text: str, compact: str) -> PlaneSpec:
    try:
        numbers = [float(each) for each in re.split(r"[\s,;]+", compact)]
    except ValueError:
        numbers = []
    if len(numbers) != 9 or not np.isfinite(numbers).all():
        raise InputError("not a plane", where=f"plane {text!r}", expected=_EXPECTED)
    points = np.array(numbers).reshape(3, 3)
    sides = points[1:] - points[0]
    if np.linalg.norm(np.cross(*sides)) <= 1e-9 * np.linalg.norm(sides[0]) * np.linalg.norm(sides[1]):
        raise InputError("the three points are on one line", where=f"plane {text!r}", expected=_EXPECTED)
    return PlaneSpec(name=" ".join(",".join(f"{x:.6g}" for x in point) for point in points), points=points)


def own_plane(reconstruction: Reconstruction) -> PlaneSpec | None:
    """The plane that a reconstruction with an axis of one voxel is; None for a volume."""
    thin = [axis for axis, length in enumerate(reconstruction.shape) if length == 1]
    if len(thin) != 1:
        return None
    across = np.delete(reconstruction.steps, thin[0], axis=0)
    if not reconstruction.indexed:  # an image: rows stay rows, and the pixel that counts as 0 the centre
        return PlaneSpec(name="the image", points=np.array([np.zeros(3), across[1], across[0]]))
    for fixed, axis in enumerate(_AXES):
        if np.abs(across[:, fixed]).max() <= 1e-9 * np.abs(across).max():
            return layer_spec(axis, float(np.round(reconstruction.origin[fixed], 9)))
    centre = reconstruction.hkl_of_voxels((np.array(reconstruction.shape) - 1) / 2)
    return PlaneSpec(name="the plane of the file", points=centre + np.array([np.zeros(3), *across]))
