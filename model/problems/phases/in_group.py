"""Projections with the symmetry of a space group imposed: fewer unknowns, for data that P1 does not solve."""

from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.model.problems.phases.consensus import consensus
from dsfu.model.problems.phases.groups import CandidateGroup
from dsfu.model.problems.phases.merging import ATOMIC, MergedData, grid_shape, on_grid
from dsfu.model.problems.phases.peaks import lattice_points
from dsfu.model.problems.phases.projections import SUPPORT, Map, PhasedMap, Symmetriser, phase

_STARTS: Final = 12
_ITERATIONS: Final = 300

_LOW_STARTS: Final = 64
"""The half of lower R is averaged. On six simulated crystals cut at 2.0 Å: one map .50, 16 of 32 .58, 32 of 64 .60."""

_LOW_SUPPORT: Final = 0.2
_LOW_PER_D: Final = 3.0
_LOW_REACH: Final = 0.7
"""Above `ATOMIC` atoms are wide: they fill more of the cell, on a finer grid. Reflections down to this share of d,
which nobody measured, take what the projections give them: maps cut at 2.0 Å have no sharp peaks, so their brightest
voxels constrain little. Of shares .2, .25, .3 and reaches .7, .8 best on eight published crystals (BENCHMARKS.md)."""


def phase_in_group(data: MergedData, candidate: CandidateGroup, *, seed: int) -> PhasedMap:
    """The best of some starts, or what they agree upon where R cannot tell the best; origin of the group at 0."""
    low = data.d_min > ATOMIC
    count, support = (_LOW_STARTS, _LOW_SUPPORT) if low else (_STARTS, SUPPORT)
    shape = grid_shape(data.cell, data.d_min, per_d=_LOW_PER_D if low else 2.0, multiple=grid_multiple(candidate))
    sphere = on_grid(data, shape, reach=_LOW_REACH if low else 1.0)
    average = symmetriser(candidate, shape)
    results = [
        phase(sphere, seed=1000 * seed + 500 + i, iterations=_ITERATIONS, support=support, symmetriser=average)
        for i in range(count)
    ]
    results.sort(key=lambda each: each.r)
    if not low:
        return results[0]
    agreed = consensus([each.density for each in results[: len(results) // 2]], sphere)
    return PhasedMap(density=average(agreed), r=results[0].r)


def symmetriser(candidate: CandidateGroup, shape: tuple[int, int, int]) -> Symmetriser:
    """Averages a map over a group; the grid must hold the group's translations."""
    places = images_of_voxels(candidate, shape)

    def average(density: Map) -> Map:
        flat = density.reshape(-1)
        total = np.zeros_like(flat)
        for place in places:
            total += flat[place]
        return (total / np.float32(len(places))).reshape(shape)

    return average


def images_of_voxels(candidate: CandidateGroup, shape: tuple[int, int, int]) -> npt.NDArray[np.int64]:
    """(operators, voxels): the flat index to which each operator takes each voxel."""
    sizes = np.array(shape)
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1).reshape(-1, 3)
    places = []
    for turn, shift in zip(candidate.turns, candidate.shifts, strict=True):
        image = np.round((grid / sizes) @ turn.T * sizes + shift * sizes).astype(np.int64) % sizes
        places.append(np.ravel_multi_index(tuple(image.T), shape))
    return np.array(places)


def grid_multiple(candidate: CandidateGroup) -> tuple[int, int, int]:
    """Numbers that voxels along each axis must be multiples of: denominators of the translations, and 2."""
    shifts = np.concatenate([candidate.shifts, lattice_points(candidate.group)])
    result = []
    for axis in range(3):
        parts = np.round(shifts[:, axis] * 24).astype(int) % 24
        result.append(int(np.lcm(2, 24 // int(np.gcd.reduce([24, *parts])))))
    if not (np.abs(candidate.turns) == np.eye(3, dtype=int)).all():
        result = [int(np.lcm.reduce(result))] * 3  # rotations that mix axes need one grid for all
    return result[0], result[1], result[2]
