"""How a plane is stored: √I scaled by the plane's own maximum, as 16-bit integers, with the scale beside it.

Imports numpy and nothing else, so that a reader needs no more. `dsfu.simulate.disorder.samples` has the compiled
encoder.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import Float32Array

LEVELS: Final = 65535
"""√I of a plane's maximum is stored as this number; the step of √I is 1/65535 of its maximum, half of it the error."""


def encode_plane(intensity: Float32Array) -> tuple[npt.NDArray[np.uint16], np.float32]:
    """Return √(I / max I) · 65535, rounded, and max I; a plane of zeros has the scale 0."""
    scale = np.float32(intensity.max())
    if scale == 0:
        return np.zeros(intensity.shape, np.uint16), scale
    root = np.sqrt(intensity, dtype=np.float32) * np.float32(LEVELS / np.sqrt(np.float64(scale)))
    return np.minimum(np.rint(root), LEVELS).astype(np.uint16), scale


def decode_plane(stored: npt.NDArray[np.uint16], scale: npt.ArrayLike) -> Float32Array:
    """Return the intensity (..., y, x) of stored planes (..., y, x) with their scales (...)."""
    root = stored.astype(np.float32) * np.float32(1 / LEVELS)
    return np.asarray(root * root * np.asarray(scale, np.float32)[..., np.newaxis, np.newaxis], np.float32)
