"""Random numbers for training: what is drawn for sample number n depends on the seed and on n, and on nothing else."""

from math import exp, log, pi, sqrt
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray

SAMPLE: Final = 1
AUGMENTATION: Final = 2
EPOCH: Final = 3
"""What numbers are drawn for: those for different purposes are independent."""

_WORD: Final = 1 << 64


class Draws:
    """One stream of random numbers. It uses plain doubles only, which no release of numpy will change."""

    def __init__(self, seed: int, purpose: int, number: int) -> None:
        key = (seed % _WORD) + (purpose << 64)
        self._generator = np.random.Generator(np.random.Philox(key=key, counter=(number % _WORD) << 128))

    def share(self) -> float:
        """Uniform from 0 to 1."""
        return self._generator.random()

    def between(self, ends: tuple[float, float]) -> float:
        return ends[0] + (ends[1] - ends[0]) * self.share()

    def log_between(self, ends: tuple[float, float]) -> float:
        """With a uniform logarithm."""
        return exp(self.between((log(ends[0]), log(ends[1]))))

    def whole(self, count: int) -> int:
        """A number from 0 to count − 1."""
        return int(self.share() * count)

    def chance(self, probability: float) -> bool:
        return self.share() < probability

    def order(self, count: int) -> list[int]:
        """The numbers below ``count`` in random order."""
        order: list[int] = np.argsort(self._generator.random(count), kind="stable").tolist()
        return order

    def rotation(self) -> FloatArray:
        """A uniformly random rotation, from a unit quaternion (Shoemake, Graphics Gems III, 1992, p. 124)."""
        split, first, second = self.share(), 2 * pi * self.share(), 2 * pi * self.share()
        near, far = sqrt(1 - split), sqrt(split)
        x, y, z, w = near * np.sin(first), near * np.cos(first), far * np.sin(second), far * np.cos(second)
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )
