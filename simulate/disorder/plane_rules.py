"""Which planes of a crystal are worth a place in a training set: where its diffuse intensity is.

The rules follow Fuller & Rudden (2024), with one departure. A plane at −t layers is, by I(−Q) = I(Q), the plane at +t
turned by 180°; so offsets are taken from one side only, and no twins are made that would have to be dropped later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from ase import Atoms
from numba import njit

from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray
from dsfu.simulate.disorder.fields import PIXELS, SHELL_CUTOFF
from dsfu.simulate.disorder.planes import AxisName, Plane, layer
from dsfu.simulate.disorder.scattering import Scattering, simulate_planes
from dsfu.simulate.lattice import Cell
from dsfu.simulate.random_stream import UniformSource

_SURVEY_PIXELS: Final = 64
"""Pixels of the coarse planes on which the offset with the most intensity is looked for."""

_SURVEY_OFFSETS: Final = np.arange(10) / 10


@dataclass(frozen=True, kw_only=True)
class PlaneRules:
    """How many planes are taken, and where.

    Attributes
    ----------
    pixels
        Pixels along each side of a plane.
    layers_per_axis
        Planes normal to each axis for a Monte Carlo set.
    oscillator_layers
        Layers normal to b for a set that depends on u and w alone.
    displaced_below
        Where α_010 is below this, maxima lie between the Bragg layers, and layers normal to b start at the offset with
        the most intensity instead of at 0.
    """

    pixels: int = PIXELS
    layers_per_axis: int = 4
    oscillator_layers: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0)
    displaced_below: float = -0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Crystal:
    """What diffuse scattering is computed from: two species, how many of each, on which lattice, in which order."""

    atoms_a: Atoms
    atoms_b: Atoms
    fraction_a: float
    cell: Cell
    alpha: FloatArray

    def scattering(self, planes: Sequence[Plane]) -> list[Scattering]:
        return simulate_planes(self.atoms_a, self.atoms_b, self.fraction_a, self.cell, self.alpha, planes)


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A plane on which one index is constant, and the scattering there."""

    axis: AxisName
    offset: float
    plane: Plane
    scattering: Scattering


def monte_carlo_layers(crystal: Crystal, q_max: float, rules: PlaneRules, random: UniformSource) -> list[Layer]:
    """Planes of a Monte Carlo set: some normal to b, and normal to c and a where the first of those shows intensity."""
    count = rules.layers_per_axis
    first = 0.0
    if crystal.alpha[SHELL_CUTOFF, SHELL_CUTOFF + 1, SHELL_CUTOFF] < rules.displaced_below:
        first = brightest_offset(crystal, q_max)
    found = _layers(crystal, "b", [first + k for k in range(count)], q_max, rules)
    first_plane, intensity = found[0].plane, found[0].scattering.intensity
    axes: tuple[AxisName, ...] = ("c", "a")
    for axis in axes:
        offsets = prominent_offsets(intensity, first_plane, crystal.cell, axis, count)
        offsets += [random.uniform(0.0, count) for _ in range(count - len(offsets))]
        found += _layers(crystal, axis, offsets, q_max, rules)
    return found


def oscillator_layers(crystal: Crystal, q_max: float, rules: PlaneRules) -> list[Layer]:
    """Planes of a symmetry-restricted set: layers normal to the unique axis b."""
    return _layers(crystal, "b", rules.oscillator_layers, q_max, rules)


def brightest_offset(crystal: Crystal, q_max: float) -> float:
    """Offset between 0 and 1 layers normal to b at which the plane has the most intensity."""
    planes = [layer(crystal.cell, "b", offset, q_max, _SURVEY_PIXELS) for offset in _SURVEY_OFFSETS]
    totals = [scattering.intensity.sum() for scattering in crystal.scattering(planes)]
    return float(_SURVEY_OFFSETS[int(np.argmax(totals))])


def prominent_offsets(intensity: Float32Array, plane: Plane, cell: Cell, axis: AxisName, most: int) -> list[float]:
    """Offsets along ``axis``, 0 or more, of the most prominent maxima of a plane's intensity projected on that axis.

    The projection is made symmetric, as a layer at −t is the one at +t turned. Layers further than q_max from the
    origin are left out. At most ``most`` offsets are returned, in falling order of prominence.
    """
    # The index along an axis is a·Q / 2π: linear in the column and the row of a pixel.
    vector = cell.vectors["abc".index(axis)] / (2 * np.pi)
    per_x, per_y = plane.step * (vector @ plane.axis_x), plane.step * (vector @ plane.axis_y)
    at_centre = vector @ plane.centre
    width = max(abs(per_x), abs(per_y))
    bins = int(plane.q_max * np.linalg.norm(vector) / width)
    half = np.zeros(bins + 1)
    _project(intensity, per_x / width, per_y / width, at_centre / width, half)
    half[0] *= 2  # its bin is as wide as the others only with its mirror image
    profile = np.concatenate([half[:0:-1], half])
    peaks, prominences = peaks_of(profile)
    upper = peaks >= bins
    peaks, prominences = peaks[upper], prominences[upper]
    order = np.argsort(-prominences, kind="stable")[:most]
    return [float(offset) for offset in (peaks[order] - bins) * width]


@njit(nogil=True, cache=True)
def _project(intensity: Float32Array, per_x: float, per_y: float, at_centre: float, total: FloatArray) -> None:
    """Add each pixel of a plane to the bin of its coordinate |at_centre + x per_x + y per_y|, counted in bins."""
    pixels = intensity.shape[0]
    half = pixels // 2
    for y in range(pixels):
        for x in range(pixels):
            position = int(abs(at_centre + (x - half) * per_x + (y - half) * per_y) + 0.5)
            if position < total.shape[0]:
                total[position] += intensity[y, x]


@njit(nogil=True, cache=True)
def peaks_of(profile: FloatArray) -> tuple[IntArray, FloatArray]:
    """Maxima of a profile, flat ones at their middle, and how far each stands out of what surrounds it.

    As `scipy.signal.find_peaks` has them, whose import takes a worker longer than a hundred planes.
    """
    peaks, prominences = [0 for _ in range(0)], [0.0 for _ in range(0)]
    i, last = 1, profile.shape[0] - 1
    while i < last:
        end = i
        while end < last and profile[end + 1] == profile[i]:
            end += 1
        if end < last and profile[i - 1] < profile[i] and profile[end + 1] < profile[i]:
            left = right = (i + end) // 2
            height = profile[left]
            lowest_left = lowest_right = height
            # Down to either side until the profile rises above the maximum: it stands out from the higher of the two
            # lowest points on the way.
            while left >= 0 and profile[left] <= height:
                lowest_left = min(lowest_left, profile[left])
                left -= 1
            while right <= last and profile[right] <= height:
                lowest_right = min(lowest_right, profile[right])
                right += 1
            peaks.append((i + end) // 2)
            prominences.append(height - max(lowest_left, lowest_right))
        i = end + 1
    return np.array(peaks, np.int64), np.array(prominences, np.float64)


def _layers(crystal: Crystal, axis: AxisName, offsets: Sequence[float], q_max: float, rules: PlaneRules) -> list[Layer]:
    planes = [layer(crystal.cell, axis, offset, q_max, rules.pixels) for offset in offsets]
    return [
        Layer(axis=axis, offset=offset, plane=plane, scattering=scattering)
        for offset, plane, scattering in zip(offsets, planes, crystal.scattering(planes), strict=True)
    ]
