"""What a network sees: every plane scaled to −1 … +1 on its own, dead pixels at −1.

x = √I_D, y_FF = √I_FF, y_SRO = √I_SRO (the square-root scale), or the same without the root (the linear scale); each
plane linearly, so that its minimum is −1 and its maximum +1; then, and only then, dead pixels of x are set to −1. So
what is hidden still sets the range: a mask changes no live pixel.
"""

from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import BoolArray, Float32Array

Scale = Literal["sqrt", "linear"]

DEAD: Final = -1.0
"""Value of a dead pixel: that of no intensity."""


def normalise(intensity: npt.ArrayLike, scale: Scale = "sqrt", live: BoolArray | None = None) -> Float32Array:
    """Normalise intensities (..., y, x), each plane on its own.

    Parameters
    ----------
    intensity
        In any unit: a constant factor changes nothing. Negative values (from a background subtracted) have no root and
        count as zero on the square-root scale.
    live
        (..., y, x), False where dead.

    Returns
    -------
    float32 from −1 to +1. A plane without contrast is −1 everywhere.
    """
    values = np.asarray(intensity, np.float32)
    if not _is_sqrt(scale):
        return mask_dead(to_unit_range(values), live)
    roots = np.sqrt(np.maximum(values, np.float32(0)))
    return mask_dead(to_unit_range(roots, out=roots), live)


def normalise_roots(roots: npt.NDArray[Any], scale: Scale = "sqrt", live: BoolArray | None = None) -> Float32Array:
    """`normalise` for √I in any unit, not negative, such as the stored integers."""
    return normalise_own_roots(np.array(roots, np.float32), scale, live)


def normalise_own_roots(roots: Float32Array, scale: Scale = "sqrt", live: BoolArray | None = None) -> Float32Array:
    """`normalise_roots` in place: half the time goes into memory that is new."""
    if not _is_sqrt(scale):
        np.square(roots, out=roots)
    return mask_dead(to_unit_range(roots, out=roots), live)


def to_unit_range(planes: Float32Array, out: Float32Array | None = None) -> Float32Array:
    """Scale each plane (..., y, x) linearly so that its minimum is −1 and its maximum +1; a constant one is −1.

    ``out`` may be ``planes``.
    """
    lowest = planes.min(axis=(-2, -1), keepdims=True)
    highest = planes.max(axis=(-2, -1), keepdims=True)
    if not (np.isfinite(lowest).all() and np.isfinite(highest).all()):
        raise ValueError("planes: NaN or infinite values; expected finite numbers, with dead pixels given as a mask")
    span = highest - lowest
    if not np.isfinite(span).all():
        raise ValueError("planes: their range exceeds single precision; expected numbers below 1e38")
    half = span * np.float32(0.5)  # exact, so this is twice the quotient by the whole to the last bit
    half[half == 0] = np.inf
    found: Float32Array = np.subtract(planes, lowest, out=out)
    found /= half
    found -= np.float32(1)
    return found


def mask_dead(planes: Float32Array, live: BoolArray | None) -> Float32Array:
    """The same planes with dead pixels at −1; written in place where they are dead."""
    if live is not None:
        np.copyto(planes, DEAD, where=~np.asarray(live, np.bool_))
    return planes


def _is_sqrt(scale: Scale) -> bool:
    if scale not in get_args(Scale):
        raise ValueError(f"scale = {scale!r}: expected one of {get_args(Scale)}")
    return scale == "sqrt"
