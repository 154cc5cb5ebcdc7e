"""The physics of the toy problem: a sine, of which amplitude and phase are sought."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.simulate.fields import Field

MOST_POINTS: Final = 48
FIELDS: Final = (
    Field(name="amplitude", dtype="float32", dims=("sample",), units="1", long_name="height of the sine"),
    Field(name="phase", dtype="float64", dims=("sample",), units="radian", long_name="phase of the sine at 0"),
    Field(name="points", dtype="int16", dims=("sample",), units="1", long_name="how many points of it are there"),
    Field(name="kept", dtype="bool", dims=("sample",), units="1", long_name="False where a shard is filled up"),
    Field(
        name="curve",
        dtype="float32",
        dims=("sample", "x"),
        shape=(MOST_POINTS,),
        units="1",
        long_name="the sine, and 0 after its last point",
        kept_as="array",
    ),
)


def sine(amplitude: float, phase: float, points: int) -> npt.NDArray[Any]:
    """A sine over one period at so many points, padded with zeros."""
    curve = np.zeros(MOST_POINTS, np.float32)
    curve[:points] = amplitude * np.sin(2 * np.pi * np.arange(points) / points + phase)
    return curve
