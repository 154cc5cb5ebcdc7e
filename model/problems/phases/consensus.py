"""The mean of maps that are laid over each other: what several starts agree upon.

Where R does not tell right maps from wrong ones, right features recur and wrong ones do not. Amplitudes of the mean are
lower where phases differ, which weights each reflection by how sure it is (its figure of merit).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from dsfu.model.problems.phases.merging import SphereOnGrid
from dsfu.model.problems.phases.projections import Map

_ROUNDS = 4
"""Times that all are laid over the mean of the round before; chosen, two to four gave the same."""

Waves = npt.NDArray[np.complexfloating[Any, Any]]


def consensus(maps: Sequence[Map], sphere: SphereOnGrid) -> Map:
    """The mean of maps of measured moduli, each shifted on the grid and inverted so that it fits the mean best.

    Of the maps only phases count; what was not measured is left out. The first is the reference of the first round.
    Maps with the symmetry of a group on one origin keep it: the best shifts lead from one of its origins to another.
    """
    measured = sphere.known.copy()
    measured[0, 0, 0] = False
    transforms = []
    for each in maps:
        waves = fft.rfftn(each)
        transforms.append(np.where(measured, waves * (sphere.amplitude / np.maximum(np.abs(waves), 1e-12)), 0))
    shape = maps[0].shape
    mean = transforms[0]
    for _ in range(_ROUNDS):
        mean = np.sum([_laid_over(mean, each, shape) for each in transforms], axis=0) / len(maps)
    return np.asarray(fft.irfftn(mean, s=shape), dtype=np.float32)


def _laid_over(fixed: Waves, moving: Waves, shape: tuple[int, ...]) -> Waves:
    best, value = moving, -np.inf
    for candidate in (moving, np.conj(moving)):
        overlap = fft.irfftn(np.conj(fixed) * candidate, s=shape)
        place = np.unravel_index(int(overlap.argmax()), shape)
        if overlap[place] > value:
            # A map moved by p has F(k) exp(−2πi k p / n): the opposite phase moves it back.
            turns = [np.fft.fftfreq(n) * int(i) for n, i in zip(shape, place, strict=True)]
            turns[2] = np.abs(
                turns[2][: candidate.shape[2]]
            )  # the last frequency is −1/2 in one order, +1/2 in the other
            phase = turns[0][:, None, None] + turns[1][None, :, None] + turns[2][None, None, :]
            best, value = candidate * np.exp(2j * np.pi * phase), float(overlap[place])
    return best
