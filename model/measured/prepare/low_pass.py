"""What one pixel of a plane is made of where it is larger than a voxel, so that nothing is aliased.

A mean over the pixel's area would do that, but damps what the pixels could well carry: by 36 % at the highest
frequency that they can, half a period a pixel. So pixels are made with a windowed sinc instead, which is flat almost up
to there: within 1 % up to 0.37 periods a pixel, 0.97 at 0.4, 0.74 at 0.5, 0.16 at 0.65, under 0.05 from 0.7 on. It
reaches three pixels far. Nearer to dead zones the mean over half a pixel stands in, which lets through more noise, but
damps less than the mean over all of it.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np

from dsfu.model.measured.prepare.interpolation import Taps
from dsfu.simulate.arrays import FloatArray

Kind = Literal["low-pass", "half box", "box"]

CUT_OFF: Final = 0.56
"""Periods a pixel at which the sinc cuts off: a little above what pixels can carry, because the window rounds it."""

REACH: Final = 3
"""Pixels to both sides over which the low-pass window extends."""

_KAISER: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class Subdivision:
    """Points along one side of the pixels: ``number`` a pixel, the first of them at its centre."""

    number: int

    @property
    def reach(self) -> int:
        """Points beyond the centre of the first and the last pixel."""
        return REACH * self.number if self.number > 1 else 0

    def places(self, pixels: range) -> FloatArray:
        """Of all points that some pixels are made of, in pixels."""
        first, last = pixels.start * self.number - self.reach, (pixels.stop - 1) * self.number + self.reach
        return np.arange(first, last + 1) / self.number

    def matrix(self, kind: Kind, pixels: int) -> FloatArray:
        """Weights (pixels, places), rows sum to 1."""
        window = self._window(kind)
        matrix = np.zeros((pixels, (pixels - 1) * self.number + len(window)))
        for pixel in range(pixels):
            matrix[pixel, pixel * self.number : pixel * self.number + len(window)] = window
        return matrix

    def _window(self, kind: Kind) -> FloatArray:
        """Weights of the points from −reach to reach."""
        if self.number == 1:
            return np.ones(1)
        places = np.arange(-self.reach, self.reach + 1) / self.number
        if kind == "low-pass":
            window = np.sinc(2 * CUT_OFF * places) * np.kaiser(len(places), _KAISER)
        else:
            half = 0.5 if kind == "box" else 0.25
            overlap = np.minimum(places + 0.5 / self.number, half) - np.maximum(places - 0.5 / self.number, -half)
            window = np.maximum(overlap, 0.0)
        return np.asarray(window / window.sum())


@dataclass(frozen=True, kw_only=True)
class PixelWindow:
    """Points across (x) and down (y) that pixels are made of, how many through the thickness, and from what voxels."""

    across: Subdivision
    down: Subdivision
    deep: int
    taps: Taps

    @classmethod
    def of_sides(cls, across: float, down: float, deep: float) -> Self:
        """For sides of a pixel, in voxels: points are no more than a voxel apart."""
        numbers = [max(1, int(np.ceil(side - 1e-6))) for side in (across, down, deep)]
        return cls(
            across=Subdivision(number=numbers[0]),
            down=Subdivision(number=numbers[1]),
            deep=numbers[2],
            # What pixels of three voxels can carry, four voxels interpolate as well as six.
            taps=6 if max(numbers[:2]) <= 2 else 4,
        )

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The best first; each gives way to the next where any of its points is dead."""
        return ("low-pass", "half box", "box") if max(self.across.number, self.down.number) > 1 else ("box",)

    def described(self, step_q: float) -> dict[str, Any]:
        """For the history; ``step_q`` is the side of a pixel in 1/Å."""
        found: dict[str, Any] = {
            "interpolation": f"Lagrange, {self.taps} voxels",
            "low_pass": "none",
            "points_per_pixel": [self.across.number, self.down.number],
            "points_through_thickness": self.deep,
        }
        if len(self.kinds) > 1:
            found |= {
                "low_pass": f"sinc under a Kaiser window (beta {_KAISER:g})",
                "cut_off_periods_per_pixel": CUT_OFF,
                "half_width_q": REACH * step_q,
            }
        return found
