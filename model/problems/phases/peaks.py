"""Peaks of a map: its maxima, one of each set of equivalents."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.ndimage import maximum_filter

from dsfu.model.problems.phases.atom_model import special
from dsfu.model.problems.phases.crystal_data import CellNumbers, FloatArray, IntArray
from dsfu.model.problems.phases.groups import CandidateGroup
from dsfu.simulate.phases.atoms import orthogonalisation

NEAREST: Final = 0.9
"""Å: of two maxima nearer than this the lower is left out; C–C is 1.2 and more, only hydrogen is nearer."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PeakList:
    """Highest first: fractional positions (peaks, 3), heights in the map's unit, and multiplicities."""

    positions: FloatArray
    heights: FloatArray
    multiplicity: IntArray


def find_peaks(
    density: FloatArray,
    candidate: CandidateGroup,
    cell: CellNumbers,
    *,
    atoms_in_cell: float,
    most: float = np.inf,
    least: float = 3.0,
    avoid: FloatArray | None = None,
    nearest: float = NEAREST,
) -> PeakList:
    """The highest maxima, until heights fall below ``least`` sigma, or their orbits have ``atoms_in_cell`` atoms.

    Parameters
    ----------
    most
        An orbit that would exceed this number by more than half of itself is none of them: six places for two atoms.
    avoid
        Positions of the asymmetric unit that are taken already.
    """
    top = density == maximum_filter(density, size=3, mode="wrap")
    top &= density > least * density.std()
    places = np.argwhere(top)
    heights = density[top]
    order = np.argsort(-heights)[: int(6 * atoms_in_cell) + 200]
    orth = orthogonalisation(cell)
    taken = [_orbit(x, candidate) for x in avoid] if avoid is not None else []
    positions: list[FloatArray] = []
    values: list[float] = []
    counts: list[int] = []
    atoms = 0.0
    for i in order:
        position = (places[i] + _vertex(density, places[i])) / np.array(density.shape)
        position, _, multiplicity = special(position, candidate, cell)
        if any(_near(position, orbit, candidate.lattice, orth, nearest) for orbit in taken):
            continue
        in_cell = multiplicity * len(candidate.lattice)
        if taken and in_cell > 2 * (most - atoms):
            continue
        taken.append(_orbit(position, candidate))
        positions.append(position)
        values.append(float(heights[i]))
        counts.append(multiplicity)
        atoms += in_cell
        if atoms >= atoms_in_cell:
            break
    return PeakList(
        positions=np.array(positions).reshape(-1, 3),
        heights=np.array(values),
        multiplicity=np.array(counts, dtype=np.int64),
    )


def _orbit(position: FloatArray, candidate: CandidateGroup) -> FloatArray:
    return np.asarray(candidate.turns @ position + candidate.shifts)


def _near(position: FloatArray, orbit: FloatArray, shifts: FloatArray, orth: FloatArray, nearest: float) -> bool:
    apart = (position - orbit)[:, None, :] + shifts[None]
    apart = apart - np.round(apart)
    return bool((np.linalg.norm(apart @ orth.T, axis=2) < nearest).any())


def _vertex(density: FloatArray, place: IntArray) -> FloatArray:
    """Offset of the maximum from a voxel, by a parabola along each axis."""
    offset = np.zeros(3)
    here = density[tuple(place)]
    for axis in range(3):
        before, after = place.copy(), place.copy()
        before[axis] -= 1
        after[axis] = (after[axis] + 1) % density.shape[axis]
        left, right = density[tuple(before)], density[tuple(after)]
        curvature = left - 2 * here + right
        if curvature < 0:
            # The top of the parabola through three voxels.
            offset[axis] = np.clip(0.5 * (left - right) / curvature, -0.5, 0.5)
    return offset
