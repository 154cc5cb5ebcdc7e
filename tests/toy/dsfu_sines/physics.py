"""The physics of the toy problem: a sine, of which amplitude and phase are sought."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.simulate.fields import Field

MOST_POINTS: Final = 48
_COLUMNS: Final = {
    "amplitude": ("float32", "1", "height of the sine"),
    "phase": ("float64", "radian", "phase of the sine at 0"),
    "points": ("int16", "1", "how many points of it are there"),
    "kept": ("bool", "1", "False where a shard is filled up"),
}
FIELDS: Final = (
    *(Field(name=name, dtype=dtype, dims=("sample",), units=units, long_name=words)
      for name, (dtype, units, words) in _COLUMNS.items()),
    Field(name="curve", dtype="float32", dims=("sample", "x"), shape=(MOST_POINTS,), units="1", kept_as="array",
          long_name="the sine, and 0 after its last point"),
)  # fmt: skip


def sine(amplitude: float, phase: float, points: int) -> npt.NDArray[Any]:
    """A sine over one period at so many points, padded with zeros."""
    curve = np.zeros(MOST_POINTS, np.float32)
    curve[:points] = amplitude * np.sin(2 * np.pi * np.arange(points) / points + phase)
    return curve
