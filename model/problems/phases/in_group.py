"""Projections with the symmetry of a space group imposed: fewer unknowns, for data that P1 does not solve."""

from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.model.problems.phases.consensus import consensus
from dsfu.model.problems.phases.groups import CandidateGroup
from dsfu.model.problems.phases.merging import ATOMIC, MergedData, grid_shape, on_grid
from dsfu.model.problems.phases.projections import SUPPORT, Map, PhasedMap, Symmetriser, phase

_STARTS: Final = 12
_ITERATIONS: Final = 300

_LOW_STARTS: Final = 64
_AGAIN: Final = 2
_AGAIN_STARTS: Final = 24
_AGAIN_ITERATIONS: Final = 100
_AGAIN_NOISE: Final = 2.0
"""Above `ATOMIC` the half of lower R is averaged. Then, so many times, some more start from the mean with noise of so
many times its spread, and the best of all are averaged anew: right features come back. Chosen with 32 starts on
eleven published crystals cut at 2.0 Å (mean .759 → .779; noise of 1: less), confirmed on ten others (.757 → .785). With
so few, some of thirty more were lost that 64 had found (BENCHMARKS.md)."""

_LOW_SUPPORT: Final = 0.2
_LOW_PER_D: Final = 3.0
_LOW_REACH: Final = 0.7
"""At low resolution atoms are wide: they fill more of the cell, on a finer grid. Reflections down to this share of d,
which nobody measured, take what the projections give them: maps cut at 2.0 Å have no sharp peaks, so their brightest
voxels constrain little. Of shares .2, .25, .3 and reaches .7, .8 best on eight published crystals (BENCHMARKS.md)."""


def phase_in_group(data: MergedData, candidate: CandidateGroup, *, seed: int) -> PhasedMap:
    """The best of some starts, or what they agree upon where R cannot tell the best; origin of the group at 0."""
    if data.d_min > ATOMIC:
        return _agreed(data, candidate, seed)
    shape = grid_shape(data.cell, data.d_min, multiple=grid_multiple(candidate))
    sphere = on_grid(data, shape)
    average = symmetriser(candidate, shape)
    results = [
        phase(sphere, seed=1000 * seed + 500 + i, iterations=_ITERATIONS, support=SUPPORT, symmetriser=average)
        for i in range(_STARTS)
    ]
    return min(results, key=lambda each: each.r)


def _agreed(data: MergedData, candidate: CandidateGroup, seed: int) -> PhasedMap:
    """What many starts agree upon, and those that start from it."""
    shape = grid_shape(data.cell, data.d_min, per_d=_LOW_PER_D, multiple=grid_multiple(candidate))
    sphere = on_grid(data, shape, reach=_LOW_REACH)
    average = symmetriser(candidate, shape)

    def one(number: int, iterations: int, start: Map | None = None) -> PhasedMap:
        return phase(
            sphere,
            seed=1000 * seed + 500 + number,
            iterations=iterations,
            support=_LOW_SUPPORT,
            symmetriser=average,
            start=start,
        )

    results = [one(number, _ITERATIONS) for number in range(_LOW_STARTS)]
    rng = np.random.default_rng([seed, 1])
    for round_ in range(_AGAIN + 1):
        results.sort(key=lambda each: each.r)
        agreed = average(consensus([each.density for each in results[: _LOW_STARTS // 2]], sphere))
        if round_ < _AGAIN:
            spread = np.float32(_AGAIN_NOISE * agreed.std())
            noisy = [agreed + spread * rng.standard_normal(shape).astype(np.float32) for _ in range(_AGAIN_STARTS)]
            results += [one(_LOW_STARTS, _AGAIN_ITERATIONS, start) for start in noisy]
    return PhasedMap(density=agreed, r=results[0].r)


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
    shifts = np.concatenate([candidate.shifts, candidate.lattice])
    result = []
    for axis in range(3):
        parts = np.round(shifts[:, axis] * 24).astype(int) % 24
        result.append(int(np.lcm(2, 24 // int(np.gcd.reduce([24, *parts])))))
    if not (np.abs(candidate.turns) == np.eye(3, dtype=int)).all():
        result = [int(np.lcm.reduce(result))] * 3  # rotations that mix axes need one grid for all
    return result[0], result[1], result[2]
