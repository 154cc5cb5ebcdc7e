"""Debye's sum: what a particle scatters, F(Q) = (2/N) Σ_{i<j} w_i w_j exp(−σ²Q²/2) sin(Q d)/d, from its distances d.

Two ways. A known shape keeps its different distances and how often each occurs: `known_shapes` sums over those, for
any bond length. Any other structure has its pairs counted into bins of a fine histogram, and one Fourier transform
makes the sum: `any_structure`. Both want Q at j·ΔQ; both leave out form factors, so that F is in 1/Å for N equal atoms
(w = 1) or N atoms with weights w_i of mean 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.fft import next_fast_len, rfft
from scipy.spatial.distance import pdist

from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray
from dsfu.simulate.checks import finite_array, number_between

SAME_BIN: Final = 1e-5
"""Distances of a shape, in units of b, that lie closer than this are one. Rounding of coordinates is some 1e-9."""

_LANES: Final = 16
_BIN: Final = 0.015
"""Width in Å of a bin of the histogram: F errs by some 1e-5 of its largest value up to Q = 25/Å."""

_GREATEST_Q: Final = 100.0
"""In 1/Å: half of what bins of that width could tell apart."""


@dataclass(frozen=True, eq=False)
class DistanceTable:
    """The different distances of many shapes, in units of b, one shape after the other.

    Attributes
    ----------
    distances, multiplicities
        One after the other; shape k has ``first[k]`` to ``first[k + 1]``.
    first
        Length: shapes + 1.
    atoms
        Of each shape.
    """

    distances: FloatArray
    multiplicities: FloatArray
    first: IntArray
    atoms: IntArray

    def __len__(self) -> int:
        return len(self.atoms)

    def of(self, shape: int) -> tuple[FloatArray, FloatArray]:
        """Distances of one shape, and how often each occurs."""
        part = slice(int(self.first[shape]), int(self.first[shape + 1]))
        return self.distances[part], self.multiplicities[part]


def distance_table(shapes: Sequence[npt.ArrayLike]) -> DistanceTable:
    """The table of shapes given by their positions, (atoms, 3) each."""
    parts, counts, first, atoms = [], [], [0], []
    for positions in shapes:
        distances, multiplicities = different_distances(positions)
        parts.append(distances)
        counts.append(multiplicities)
        first.append(first[-1] + len(distances))
        atoms.append(len(np.asarray(positions)))
    return DistanceTable(np.concatenate(parts), np.concatenate(counts), np.array(first), np.array(atoms))


def different_distances(positions: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """The different distances between atoms, rising, and how many pairs have each."""
    distances = np.sort(pdist(finite_array("positions", positions, (None, 3))))
    if distances.size == 0 or distances[0] < SAME_BIN:
        raise ValueError("positions: expected two atoms or more, no two at the same place")
    new = np.flatnonzero(np.concatenate([[True], np.diff(distances) > SAME_BIN]))
    counts = np.diff(np.append(new, len(distances))).astype(np.float64)
    return np.add.reduceat(distances, new) / counts, counts


def known_shapes(
    table: DistanceTable,
    shape: npt.ArrayLike,
    bond_length: npt.ArrayLike,
    b_iso: npt.ArrayLike,
    q_step: float,
    points: int,
    delta2: float = 0.0,
) -> Float32Array:
    """F at Q = 0, ΔQ, 2ΔQ … for each of several particles, (particles, points), in 1/Å.

    Parameters
    ----------
    table
        Shapes at unit scale.
    shape, bond_length, b_iso
        For each particle: which shape of the table, b in Å, and B in Å².
    q_step, points
        ΔQ in 1/Å, and how many values of Q.
    delta2
        δ₂ in Å²: near atoms move together, σ² = 2B/(8π²) · (1 − δ₂/d²), never below 0.
    """
    which = np.ascontiguousarray(shape, np.int64)
    scale = finite_array("bond_length", bond_length, which.shape)
    b = finite_array("b_iso", np.broadcast_to(b_iso, which.shape), which.shape)
    if which.size and not (which.min() >= 0 and which.max() < len(table)):
        raise ValueError(f"shape: expected numbers from 0 to {len(table) - 1}")
    if (scale <= 0).any() or (b < 0).any():
        raise ValueError("expected bond_length > 0 and b_iso ≥ 0")
    _check_grid(q_step, points)
    out = np.empty((which.size, points), np.float32)
    # Both atoms of a pair vibrate: σ² = 2 B / 8π², which is B / 4π².
    arrays = (table.distances, table.multiplicities, table.first, table.atoms.astype(np.float64))
    if delta2:
        _sum_correlated(
            *arrays, which, scale, b / (4 * np.pi**2), number_between("delta2", delta2, 0, 100), q_step, out
        )
    else:
        _sum_shapes(*arrays, which, scale, b / (4 * np.pi**2), q_step, out)
    return out


def any_structure(
    positions: npt.ArrayLike, b_iso: float, q_step: float, points: int, weights: npt.ArrayLike | None = None
) -> FloatArray:
    """F at Q = 0, ΔQ, 2ΔQ … of any atoms at positions in Å, in 1/Å; δ₂ is 0.

    Parameters
    ----------
    positions
        (atoms, 3) in Å.
    b_iso
        B in Å², of all atoms.
    q_step, points
        ΔQ in 1/Å, and how many values of Q.
    weights
        Of each atom: its scattering power over the mean of all. None: equal atoms.
    """
    where = finite_array("positions", positions, (None, 3))
    if len(where) < 2:
        raise ValueError("positions: expected two atoms or more")
    _check_grid(q_step, points)
    u2 = number_between("b_iso", b_iso, 0, 1000) / (4 * np.pi**2)
    power = np.ones(len(where)) if weights is None else finite_array("weights", weights, (len(where),))
    # Sines at j · ΔQ have the period 2π/ΔQ in d: so long is the histogram, and one transform sums it at all Q.
    bins = int(next_fast_len(math.ceil(2 * math.pi / (q_step * _BIN)), real=True))
    width = 2 * math.pi / (q_step * bins)
    histogram = np.zeros(bins + 4)
    if not _count_pairs(where, power, weights is None, 1 / width, bins, histogram):
        raise ValueError("positions: two atoms at the same place")
    histogram[:4] += histogram[bins:]  # sines of j·ΔQ·d repeat after 2π/ΔQ
    q = q_step * np.arange(points)
    # np.sinc(x) is sin πx / πx: here sin(qw/2) / (qw/2).
    shared = np.sinc(q * width / (2 * np.pi)) ** 4  # what sharing each pair among four bins took away
    turn = np.exp(1j * q * width)  # the first of the four is one bin too late: an index below 0 is avoided
    sums = (rfft(histogram[:bins])[:points] * turn).imag
    return np.asarray(-2 / len(where) * sums * np.exp(-u2 * q**2 / 2) / shared)


def _check_grid(q_step: float, points: int) -> None:
    number_between("q_step", q_step, 1e-4, 10)
    if not 2 <= points <= _GREATEST_Q / q_step:
        raise ValueError(f"points = {points}: expected 2 to {int(_GREATEST_Q / q_step)}")


@njit(nogil=True, cache=True, fastmath=True)
def _sum_shapes(
    distances: FloatArray,
    multiplicities: FloatArray,
    first: IntArray,
    atoms: FloatArray,
    which: IntArray,
    scale: FloatArray,
    u2: FloatArray,
    q_step: float,
    out: Float32Array,
) -> None:
    """Sines by rotation: sixteen neighbouring Q at once turn by 16·ΔQ·d. fastmath reorders sums only: error < 1e-6."""
    points = out.shape[1]
    blocks = (points + _LANES - 1) // _LANES
    total = np.empty(blocks * _LANES)
    sines, cosines = np.empty(_LANES), np.empty(_LANES)
    for i in range(which.shape[0]):
        total[:] = 0.0
        k = which[i]
        for pair in range(first[k], first[k + 1]):
            distance = distances[pair] * scale[i]
            weight, angle = multiplicities[pair] / distance, q_step * distance
            # sin (j + 16)x from sin jx and cos jx by one rotation: sixteen sines a distance instead of one for every Q.
            for lane in range(_LANES):
                sines[lane], cosines[lane] = weight * math.sin(angle * lane), weight * math.cos(angle * lane)
            turn_cosine, turn_sine = math.cos(angle * _LANES), math.sin(angle * _LANES)
            for block in range(blocks):
                start = block * _LANES
                for lane in range(_LANES):
                    total[start + lane] += sines[lane]
                    turned = sines[lane] * turn_cosine + cosines[lane] * turn_sine
                    cosines[lane] = cosines[lane] * turn_cosine - sines[lane] * turn_sine
                    sines[lane] = turned
        for j in range(points):
            q = j * q_step
            out[i, j] = total[j] * (2.0 / atoms[k]) * math.exp(-0.5 * u2[i] * q * q)


@njit(nogil=True, cache=True, fastmath=True)
def _sum_correlated(
    distances: FloatArray,
    multiplicities: FloatArray,
    first: IntArray,
    atoms: FloatArray,
    which: IntArray,
    scale: FloatArray,
    u2: FloatArray,
    delta2: float,
    q_step: float,
    out: Float32Array,
) -> None:
    """The same with a σ² for each distance. fastmath reorders sums only."""
    points = out.shape[1]
    total = np.empty(points)
    for i in range(which.shape[0]):
        total[:] = 0.0
        k = which[i]
        for pair in range(first[k], first[k + 1]):
            distance = distances[pair] * scale[i]
            weight = multiplicities[pair] / distance
            # Near atoms move together: σ² = u² (1 − δ₂ / d²).
            own = u2[i] * max(0.0, 1.0 - delta2 / (distance * distance))
            for j in range(points):
                q = j * q_step
                total[j] += weight * math.exp(-0.5 * own * q * q) * math.sin(q * distance)
        for j in range(points):
            out[i, j] = total[j] * (2.0 / atoms[k])


@njit(nogil=True, cache=True, fastmath=True)
def _count_pairs(
    positions: FloatArray, weights: FloatArray, equal: bool, per_bin: float, bins: int, histogram: FloatArray
) -> bool:
    """Σ w_i w_j / d, each pair shared among four bins as a cubic B-spline does; False if two atoms coincide."""
    n = positions.shape[0]
    apart = True
    row = np.empty(n)
    for i in range(n):
        x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
        for j in range(i):  # a loop of its own, so that it is vectorised
            dx, dy, dz = positions[j, 0] - x, positions[j, 1] - y, positions[j, 2] - z
            row[j] = math.sqrt(dx * dx + dy * dy + dz * dz)
        for j in range(i):
            distance = row[j]
            if distance < 1e-6:
                apart = False
                continue
            weight = 1.0 / distance if equal else weights[i] * weights[j] / distance
            place = distance * per_bin
            low = int(place)
            share = place - low
            low %= bins
            rest = 1.0 - share
            # The four weights of a cubic B-spline at `share` between two bins, times 6.
            weight /= 6.0
            histogram[low] += weight * rest * rest * rest
            histogram[low + 1] += weight * (4.0 - 6.0 * share * share + 3.0 * share * share * share)
            histogram[low + 2] += weight * (4.0 - 6.0 * rest * rest + 3.0 * rest * rest * rest)
            histogram[low + 3] += weight * share * share * share
    return apart
