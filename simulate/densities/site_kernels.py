"""Loops over atoms and symmetry operations: which operations keep a point, how near atoms come."""

import math

import numpy as np
from numba import njit

from dsfu.simulate.arrays import FloatArray, IntArray


@njit(nogil=True, cache=True)
def kept_by(
    points: IntArray, rotations: IntArray, translations: IntArray, period: int
) -> tuple[IntArray, IntArray]:  # fmt: skip
    """How many operations keep each point, and the sum of their rotations.

    points (n, 3) and translations (m, 3) count steps of 1/period of the cell, whole numbers, so that nothing is
    rounded. An operation that moves a point by a vector of the lattice keeps it.
    """
    count = np.zeros(len(points), np.int64)
    summed = np.zeros((len(points), 3, 3), np.int64)
    for p in range(len(points)):
        x, y, z = points[p, 0], points[p, 1], points[p, 2]
        for m in range(len(rotations)):
            r = rotations[m]
            if (
                (r[0, 0] * x + r[0, 1] * y + r[0, 2] * z + translations[m, 0] - x) % period == 0
                and (r[1, 0] * x + r[1, 1] * y + r[1, 2] * z + translations[m, 1] - y) % period == 0
                and (r[2, 0] * x + r[2, 1] * y + r[2, 2] * z + translations[m, 2] - z) % period == 0
            ):
                count[p] += 1
                summed[p] += r
    return count, summed


@njit(nogil=True, cache=True)
def least_ratio(positions: FloatArray, lattice: FloatArray, radii: FloatArray) -> float:
    """Least distance of two atoms, images in neighbouring cells included, over the sum of their radii."""
    least = np.inf
    for i in range(len(positions)):
        for j in range(i, len(positions)):
            # The nearest image by fractions, and those around it: in an oblique cell one of them may be nearer.
            near = np.empty(3)
            for axis in range(3):
                near[axis] = positions[i, axis] - positions[j, axis]
                near[axis] -= np.rint(near[axis])
            for u in range(-1, 2):
                for v in range(-1, 2):
                    for w in range(-1, 2):
                        if i == j and u == 0 and v == 0 and w == 0:
                            continue
                        a, b, c = near[0] + u, near[1] + v, near[2] + w
                        x = a * lattice[0, 0] + b * lattice[1, 0] + c * lattice[2, 0]
                        y = a * lattice[0, 1] + b * lattice[1, 1] + c * lattice[2, 1]
                        z = a * lattice[0, 2] + b * lattice[1, 2] + c * lattice[2, 2]
                        ratio = math.sqrt(x * x + y * y + z * z) / (radii[i] + radii[j])
                        least = min(least, ratio)
    return least
