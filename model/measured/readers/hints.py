"""What a user adds to a file that does not say everything: cell, grid, frame. What the user says wins over the file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np

from dsfu.errors import InputError, refuse_unknown
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell

Frame = Literal["hkl", "q", "s", ""]
FRAMES: Final = ("hkl", "q", "s")


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What is said beside a file.

    Attributes
    ----------
    cell
        The direct cell.
    origin
        hkl of the centre of the first voxel.
    steps
        Three numbers: the steps in h, k and l; or nine: the hkl by which each array axis advances, one after the other.
    limits
        Six numbers: h of the centres of the first and the last voxel, then k, then l; instead of origin and steps.
    axes
        Which index runs along each array axis: "hkl" unless said, "lkh" for an array [l, k, h], "kh" for a plane.
    frame
        What the file's axes count: "hkl"; "q", 1/Å with the 2π; "s", 1/Å without it. Empty: what the file says.
    dataset
        Path of the data in a file that holds several.
    plane
        Name or number (from 1) of the plane in a file of planes.
    zeros
        "dead": voxels that are exactly 0 were not measured; "live": they were. Empty: what the format says, or live.
    missing
        A number that stands for "not measured", such as -1. NaN and infinity always do.
    """

    cell: Cell | None = None
    origin: FloatArray | None = None
    steps: FloatArray | None = None
    limits: FloatArray | None = None
    axes: str = ""
    frame: Frame = ""
    dataset: str = ""
    plane: str = ""
    zeros: str = ""
    missing: float | None = None

    @classmethod
    def of(cls, where: str = "", **given: Any) -> Self:
        """From whatever a command line or a JSON file gives; None means that nothing was said."""
        values: dict[str, Any] = {}
        for name, value in given.items():
            refuse_unknown(name, _CONVERTERS, where)
            if value is not None:
                values[name] = _CONVERTERS[name](value, f"{where}: {name}" if where else f"--{name}")
        return cls(**values)

    def or_else(self, other: Self) -> Self:
        """These, and where nothing is said the other ones."""
        mine = {name: getattr(self, name) for name in _CONVERTERS}
        grid = any(mine[name] is not None for name in ("origin", "steps", "limits"))
        for name, value in mine.items():
            unsaid = value is None or (isinstance(value, str) and not value)
            if unsaid and not (grid and name in ("origin", "steps", "limits")):
                mine[name] = getattr(other, name)
        return type(self)(**mine)

    def grid(self, shape: Sequence[int], where: str) -> tuple[FloatArray, FloatArray] | None:
        """hkl of the first voxel, and the step of each array axis, as rows; None if nothing is said of them.

        ``shape`` has two or three axes; a plane's third axis is the index that is left.
        """
        if self.limits is not None:
            if self.origin is not None or self.steps is not None:
                raise InputError("limits are given beside origin or steps", where=where, expected="one or the other")
            return self._grid_of_limits(shape, self.limits, where)
        if self.origin is None and self.steps is None:
            return None
        if self.origin is None or self.steps is None:
            missing = "origin" if self.origin is None else "steps"
            raise InputError(f"{missing} is missing", where=where, expected="origin and steps, or limits")
        if self.steps.size == 9:
            return self.origin, self.steps.reshape(3, 3)
        return self.origin, np.diag(self.steps)[list(self.order(len(shape), where))]

    def order(self, ndim: int, where: str) -> tuple[int, int, int]:
        """The index (0 h, 1 k, 2 l) that runs along each of three array axes."""
        text = self.axes or "hkl"
        if len(text) not in (3, ndim):
            raise InputError(f"axes {text!r} for {ndim} array axes", where=where, expected=f"{ndim} letters of hkl")
        numbers = ["hkl".index(letter) for letter in text]
        first, second, third = (*numbers, *(n for n in range(3) if n not in numbers))
        return first, second, third

    def _grid_of_limits(self, shape: Sequence[int], limits: FloatArray, where: str) -> tuple[FloatArray, FloatArray]:
        order, counts = self.order(len(shape), where), (*shape, 1)
        origin, steps = np.zeros(3), np.zeros((3, 3))
        for axis, index in enumerate(order):
            low, high = limits[2 * index : 2 * index + 2]
            count = counts[axis]
            if low == high and count > 1:
                raise InputError(
                    f"limits of {'hkl'[index]}: both are {low:g}",
                    where=where,
                    expected=f"those of the first and the last of {count} voxels",
                )
            origin[index] = low if count > 1 else (low + high) / 2
            steps[axis, index] = (high - low) / (count - 1) if count > 1 else (high - low) or 1.0
        return origin, steps


def _cell(value: Any, where: str) -> Cell:
    if isinstance(value, Cell):
        return value
    numbers = finite_numbers(value, where, 3, 6)
    return cell_of([*numbers, 90.0, 90.0, 90.0][:6], where)


def cell_of(constants: Sequence[float] | FloatArray, where: str) -> Cell:
    """A cell of six constants that come from a file or a user."""
    try:
        return Cell(*(float(number) for number in constants))
    except ValueError as error:
        raise InputError(
            str(error), where=where, expected="a, b, c in Å and alpha, beta, gamma in degrees", remedy="give --cell"
        ) from error


_WITH_COMMAS: Final = re.compile(r"\s*(?:-?\d+,\d+\s+)+-?\d+,\d+\s*")


def finite_numbers(value: Any, where: str, *counts: int, expected: str = "") -> list[float]:
    """As many numbers as one of these counts, from a text with commas or spaces, or from anything like an array."""
    if isinstance(value, str) and _WITH_COMMAS.fullmatch(value):
        raise InputError(f"is {value!r:.100}", where=where, expected="decimal points; commas stand between numbers")
    try:
        words = value.replace(",", " ").split() if isinstance(value, str) else value
        array = np.asarray(words, np.float64).reshape(-1)
    except (TypeError, ValueError):
        array = np.array([])
    if array.size not in counts or not np.isfinite(array).all():
        wanted = expected or f"{' or '.join(map(str, counts))} finite numbers"
        raise InputError(f"is {value!r:.100}", where=where, expected=wanted)
    return [float(number) for number in array]


def _origin(value: Any, where: str) -> FloatArray:
    return np.array(finite_numbers(value, where, 3))


def _steps(value: Any, where: str) -> FloatArray:
    steps = np.array(finite_numbers(value, where, 3, 9))
    singular = (steps == 0).any() if steps.size == 3 else abs(np.linalg.det(steps.reshape(3, 3))) < 1e-15
    if singular:
        raise InputError(f"is {value!r:.100}", where=where, expected="steps none of which is 0, in three directions")
    return steps


def _limits(value: Any, where: str) -> FloatArray:
    return np.array(finite_numbers(value, where, 6))


def _axes(value: Any, where: str) -> str:
    text = "".join(str(value).lower().replace(",", " ").split())
    if not 2 <= len(text) <= 3 or len(set(text)) != len(text) or not set(text) <= set("hkl"):
        raise InputError(
            f"is {value!r:.40}", where=where, expected="each of h, k, l once, such as lkh, or kh for a plane"
        )
    return text


def _frame(value: Any, where: str) -> str:
    text = str(value).lower()
    if text not in FRAMES:
        raise InputError(f"is {value!r:.40}", where=where, expected="hkl, q (1/Å with 2π) or s (1/Å without 2π)")
    return text


def _zeros(value: Any, where: str) -> str:
    if value not in ("live", "dead"):
        raise InputError(f"is {value!r:.40}", where=where, expected="live or dead")
    return str(value)


def _missing(value: Any, where: str) -> float:
    return finite_numbers(value if isinstance(value, str) else [value], where, 1)[0]


def _text(value: Any, where: str) -> str:
    return str(value)


_CONVERTERS: Final = {
    "cell": _cell,
    "origin": _origin,
    "steps": _steps,
    "limits": _limits,
    "axes": _axes,
    "frame": _frame,
    "dataset": _text,
    "plane": _text,
    "zeros": _zeros,
    "missing": _missing,
}
