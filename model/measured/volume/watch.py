"""Says how a fit goes: the misfit, and how long it will take still."""

import time
from collections.abc import Callable

from dsfu.model.measured.volume.fit import VolumeFit

Say = Callable[[str], None]


class Watch:
    """Lines for the user, one a step."""

    def __init__(self, say: Say, begun: float) -> None:
        self.say, self._begun = say, begun
        self._name, self._expected, self._number, self._since = "", 1, 0, begun

    def stage(self, name: str, fit: VolumeFit, expected: int) -> None:
        self._name, self._expected, self._number, self._since = name, expected, 0, time.monotonic()
        p, a, b = fit.sizes
        self.say(f"{name}: {int(fit.voxels.live.sum())} voxels, {p} coefficients of I_FF, {a} α, {b} of the background")

    def __call__(self, fit: VolumeFit, loss: float) -> None:
        self._number += 1
        now = time.monotonic()
        each = (now - self._since) / self._number
        left = max(self._expected - self._number, 0) * each
        chi = 2 * loss / max(int(fit.voxels.live.sum()), 1)
        took = now - self._begun
        self.say(f"{self._name}: step {self._number}, χ² per voxel {chi:.3f}, {took:.0f} s, about {left:.0f} s left")
