"""Debye's sums of all shapes of a table at once, as functions of x = Q·b: one table serves every bond length."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.problems.particles.shape_table import REACH, ShapeTable
from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray

X_STEP: Final = 0.03
_LENGTH: Final = 16384
"""Points of the transform: bins are 0.0128 b. A power of two, for which it is quickest."""

_CHUNK: Final = 128


@dataclass(frozen=True, eq=False)
class SineSums:
    """(x, shapes): (2/N) Σ m sin(x d)/d at x = 0, X_STEP, …; divided by b it is F(Q) of a particle without B."""

    values: Float32Array

    def at(self, x: FloatArray) -> Float32Array:
        """Interpolated at some x, (x, shapes): cubic through four points, error below 1e-3 of a distance's wave."""
        low, shares = _cubic(x)
        total = shares[0][:, None] * self.values[low]
        for i in range(1, 4):
            total += shares[i][:, None] * self.values[low + i]
        return np.asarray(total)

    def roughly(self, x: FloatArray, shapes: IntArray) -> FloatArray:
        """Interpolated linearly at a row of x for each shape, (shapes, x): for training, whose noise is far larger."""
        place = x / X_STEP
        low = place.astype(np.int64)
        share, columns = place - low, shapes[:, None]
        return np.asarray(self.values[low, columns] * (1 - share) + self.values[low + 1, columns] * share)


class SumsOnDemand:
    """The sums of a table's shapes, made when they are asked for: families that explain nothing are not."""

    def __init__(self, table: ShapeTable, x_max: float) -> None:
        self._table, self._x_max = table, x_max
        self._columns: dict[int, Float32Array] = {}

    def of(self, shapes: IntArray) -> SineSums:
        """Those of some shapes, side by side."""
        wanted = shapes.tolist()
        if missing := [shape for shape in wanted if shape not in self._columns]:
            made = sine_sums(self._table.only(missing), self._x_max).values.T
            self._columns |= zip(missing, made, strict=True)
        return SineSums(np.stack([self._columns[shape] for shape in wanted], axis=1))

    def column(self, shape: int) -> Float32Array:
        """Those of one shape."""
        return np.ascontiguousarray(self.of(np.array([shape])).values[:, 0])


def _cubic(x: FloatArray) -> tuple[IntArray, Float32Array]:
    place = x / X_STEP
    low = np.maximum(place.astype(np.int64) - 1, 0)
    t = place - low - 1
    # Lagrange's polynomials through the points −1, 0, 1 and 2.
    shares = np.stack(
        [
            -t * (t - 1) * (t - 2) / 6,
            (t + 1) * (t - 1) * (t - 2) / 2,
            -(t + 1) * t * (t - 2) / 2,
            (t + 1) * t * (t - 1) / 6,
        ]
    )
    return low, shares.astype(np.float32)


class OneSum:
    """The sums of one shape as a function of x: a cubic between any two points of its column, made once."""

    def __init__(self, column: Float32Array) -> None:
        before, here, after, further = column[:-3], column[1:-2], column[2:-1], column[3:]
        # Lagrange's polynomial through the points −1, 0, 1 and 2, by powers of t.
        self._powers = np.stack(
            [
                here,
                after - before / 3 - here / 2 - further / 6,
                (before + after) / 2 - here,
                (further - before) / 6 + (here - after) / 2,
            ]
        )

    def __call__(self, x: FloatArray) -> FloatArray:
        place = x * (1 / X_STEP)
        low = np.maximum(place.astype(np.int64) - 1, 0)
        t = place - low - 1
        constant, linear, square, cube = self._powers[:, low]
        return np.asarray(((cube * t + square) * t + linear) * t + constant)


def column_of(distances: FloatArray, counts: FloatArray, atoms: int, x_max: float) -> Float32Array:
    """The sums of one shape that is in no table, for `OneSum`."""
    table = ShapeTable(
        families=("",),
        parameters=((),),
        built_as=("",),
        atoms=np.array([atoms], np.int64),
        extent=np.array([distances.max()], np.float32),
        distances=distances.astype(np.float32),
        multiplicities=counts.astype(np.float32),
        first=np.array([0, len(distances)]),
    )
    return np.ascontiguousarray(sine_sums(table, x_max).values[:, 0])


def sine_sums(table: ShapeTable, x_max: float) -> SineSums:
    """The sums of all shapes up to x_max: distances go to bins as cubic B-splines, and one transform a shape sums."""
    points = int(x_max / X_STEP) + 6
    width = 2 * np.pi / (X_STEP * _LENGTH)
    x = X_STEP * np.arange(points)
    # A cubic B-spline weakens a wave by sinc⁴, and puts it one bin off: both are known, and undone.
    mend = np.exp(1j * x * width) / np.sinc(x * width / (2 * np.pi)) ** 4
    out = np.empty((points, len(table)), np.float32)
    filled = int(REACH / width) + 8
    for start in range(0, len(table), _CHUNK):
        end = min(start + _CHUNK, len(table))
        part = slice(int(table.first[start]), int(table.first[end]))
        row = np.repeat(np.arange(end - start), np.diff(table.first[start : end + 1])) * filled
        distance = table.distances[part]
        weight = table.multiplicities[part] / distance / 6
        place = distance / width
        low = place.astype(np.int64)
        t = place - low
        u = 1 - t
        histogram = np.zeros((end - start) * filled)
        # The B-spline's four weights, times 6, at t between two bins.
        for i, share in enumerate((u**3, 4 - 6 * t**2 + 3 * t**3, 4 - 6 * u**2 + 3 * u**3, t**3)):
            histogram += np.bincount(row + low + i, weight * share, len(histogram))
        bins = histogram.reshape(end - start, filled).astype(np.float32)
        sums = np.fft.rfft(bins, _LENGTH, axis=1)[:, :points]
        out[:, start:end] = ((sums * mend).imag * (-2 / table.atoms[start:end, None])).T
    return SineSums(out)
