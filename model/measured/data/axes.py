"""The axes of a reconstruction as people read them: h, k and l, or combinations of them such as [h, h, 0]."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.simulate.arrays import FloatArray

_LETTERS: Final = "hkl"
_NEGLIGIBLE: Final = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Axis:
    """One axis of an array.

    Attributes
    ----------
    direction
        hkl of one unit along the axis; its largest component is 1.
    values
        Coordinate of the centre of each voxel. The hkl of a voxel is the sum over the axes of coordinate × direction.
    """

    direction: FloatArray
    values: FloatArray

    @property
    def index(self) -> int | None:
        """0, 1 or 2 if h, k or l alone runs along the axis."""
        others = np.flatnonzero(self.direction)
        return int(others[0]) if len(others) == 1 else None

    @property
    def label(self) -> str:
        """Such as ``h`` or ``[−0.5k, k, 0]``, for people."""
        return self._label(2, ", ").replace("-", "−")

    @property
    def exact_label(self) -> str:
        """The same with all digits that matter, as `dsfu.model.measured.readers.labels.direction_of` understands it."""
        return self._label(9, ",").upper()

    @property
    def step(self) -> float:
        """Distance between neighbouring voxels in units of the direction; 0 for a single one."""
        return float(self.values[1] - self.values[0]) if self.values.size > 1 else 0.0

    def _label(self, digits: int, comma: str) -> str:
        if self.index is not None:
            return _LETTERS[self.index]
        letter = _LETTERS[_main(self.direction)]
        return f"[{comma.join(_component(number, letter, digits) for number in self.direction)}]"


def _component(number: float, letter: str, digits: int) -> str:
    rounded = f"{number:.{digits}f}".rstrip("0").rstrip(".")
    if rounded in ("0", "-0"):
        return "0"
    return letter if rounded == "1" else f"-{letter}" if rounded == "-1" else f"{rounded}{letter}"


def axes_of(reconstruction: Reconstruction) -> tuple[Axis, Axis, Axis]:
    """The axes of the array, in their order."""
    directions = np.array([_direction(step) for step in reconstruction.steps])
    start = reconstruction.origin @ np.linalg.inv(directions)
    first, second, third = (
        Axis(direction=direction, values=low + _length(step) * np.arange(count))
        for direction, step, low, count in zip(
            directions, reconstruction.steps, start, reconstruction.shape, strict=True
        )
    )
    return first, second, third


def _length(step: FloatArray) -> float:
    """A step's largest component, with its sign."""
    return float(step[_main(step)])


def _main(vector: FloatArray) -> int:
    """The largest component; of several that are as large, one that is positive."""
    largest = np.abs(vector) > (1 - _NEGLIGIBLE) * np.abs(vector).max()
    return int(np.where(largest, vector, -np.inf).argmax())


def _direction(step: FloatArray) -> FloatArray:
    direction = step / _length(step)
    direction[np.abs(direction) < _NEGLIGIBLE] = 0.0
    return direction
