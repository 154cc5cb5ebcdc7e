"""The mean of maps that are laid over each other: what several starts agree upon.

Where R does not tell right maps from wrong ones, right features recur and wrong ones do not. Amplitudes of the mean are
lower where phases differ, which weights each reflection by how sure it is (its figure of merit).
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import fft

from dsfu.model.problems.phases.merging import SphereOnGrid
from dsfu.model.problems.phases.projections import Map

_ROUNDS: Final = 4
"""Times that all are laid over the mean of the round before; chosen, two to four gave the same."""

_FINER: Final = 2
"""Shifts are sought on a grid so many times finer: along a polar axis the origin may lie between voxels."""

Waves = npt.NDArray[np.complexfloating[Any, Any]]


def consensus(maps: Sequence[Map], sphere: SphereOnGrid) -> Map:
    """The mean of maps of measured moduli, each shifted and inverted so that it fits the mean best.

    Of what was measured only phases count. What was not, within the smallest d, has the mean of what the maps have
    there; what lies beyond is left out. The first map is the reference of the first round. Maps with the symmetry of a
    group on one origin keep it: the best shifts lead from one of its origins to another.
    """
    measured = sphere.known.copy()
    measured[0, 0, 0] = False
    missing = sphere.inside & ~sphere.known & (sphere.s_squared <= sphere.s_squared[measured].max())
    missing[0, 0, 0] = False
    transforms = []
    for each in maps:
        waves = fft.rfftn(each)
        with_moduli = waves * (sphere.amplitude / np.maximum(np.abs(waves), 1e-12))
        transforms.append(np.where(measured, with_moduli, np.where(missing, waves, 0)))
    shape = maps[0].shape
    mean = transforms[0]
    for _ in range(_ROUNDS):
        fixed = np.where(measured, mean, 0)
        mean = np.sum([_laid_over(fixed, each, shape) for each in transforms], axis=0) / len(maps)
    return np.asarray(fft.irfftn(mean, s=shape), dtype=np.float32)


def _laid_over(fixed: Waves, moving: Waves, shape: tuple[int, ...]) -> Waves:
    finer = [_FINER * n for n in shape]
    frequencies = [np.fft.fftfreq(n, 1 / n).astype(np.int64) for n in shape[:2]] + [np.arange(shape[2] // 2 + 1)]
    where = np.ix_(frequencies[0] % finer[0], frequencies[1] % finer[1], frequencies[2])
    best, value = moving, -np.inf
    for candidate in (moving, np.conj(moving)):
        products = np.zeros((finer[0], finer[1], finer[2] // 2 + 1), dtype=np.complex128)
        products[where] = np.conj(fixed) * candidate
        overlap = fft.irfftn(products, s=finer)
        place = np.unravel_index(int(overlap.argmax()), finer)
        if overlap[place] > value:
            # A map moved by p has F(k) exp(−2πi k p / n): the opposite phase moves it back.
            turns = [k * (int(i) / n) for k, i, n in zip(frequencies, place, finer, strict=True)]
            phase = turns[0][:, None, None] + turns[1][None, :, None] + turns[2][None, None, :]
            best, value = candidate * np.exp(2j * np.pi * phase), float(overlap[place])
    return best
