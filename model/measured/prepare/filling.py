"""Fill small holes with what their surroundings suggest, and say which voxels are filled."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any, Final

import numpy as np
from scipy import ndimage

from dsfu.model.measured.data.reconstruction import RealArray, Reconstruction
from dsfu.simulate.arrays import BoolArray, FloatArray

MARGIN: Final = 3
"""Voxels around a hole from which it is filled."""

LARGEST_HOLE: Final = 40
"""Voxels along any axis beyond which a hole is left alone: a polynomial knows nothing of its middle."""

_TOUCHING: Final = np.ones((3, 3, 3), np.bool_)


def without_voxels(reconstruction: Reconstruction, holes: BoolArray, *, fill: bool) -> tuple[dict[str, Any], int]:
    """Changes that take voxels out of a reconstruction, for its ``after``, and how many were filled again.

    Unfilled, they are not live. Filled, they have what a polynomial of the fourth degree (the second, where there are
    few voxels) through the live voxels around the hole has there; where there are too few of those, or none on one
    side (at the edge of the grid, say), they are not live either. Filled voxels are marked: their weight is 0, nothing
    having been measured there (a weight is made if there was none), and their uncertainty, if there are any, is at
    least the scatter about the polynomial.
    """
    live = reconstruction.live & ~holes
    if not fill:
        return {"live": live}, 0
    weight = reconstruction.weight
    weight = np.ones(reconstruction.shape, np.float16) if weight is None else weight.copy()
    intensity = reconstruction.intensity.copy()
    sigma = None if reconstruction.sigma is None else reconstruction.sigma.copy()
    labels, _ = ndimage.label(holes & reconstruction.live, structure=_TOUCHING)
    measured, filled = live.copy(), 0
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        if window is None or any(side.stop - side.start > LARGEST_HOLE for side in window):
            continue
        wide = tuple(
            slice(max(0, side.start - MARGIN), min(length, side.stop + MARGIN))
            for side, length in zip(window, reconstruction.shape, strict=True)
        )
        hole = labels[wide] == number
        around = measured[wide] & ndimage.binary_dilation(hole, _TOUCHING, iterations=MARGIN)
        values = _polynomial(reconstruction.intensity[wide], around, hole)
        if values is None:
            continue
        intensity[wide][hole], scatter = values
        live[wide][hole], weight[wide][hole] = True, 0.0
        if sigma is not None:
            sigma[wide][hole] = np.fmax(scatter, np.median(sigma[wide][around]))
        filled += int(np.count_nonzero(hole))
    return {"live": live, "intensity": intensity, "sigma": sigma, "weight": weight}, filled


def _polynomial(intensity: RealArray, around: BoolArray, hole: BoolArray) -> tuple[FloatArray, float] | None:
    """Values in a hole of the polynomial that fits around it best, and the scatter about it.

    None if it is undetermined, or if it would be extrapolated.
    """
    fit = _fit_of_shape(hole.shape, np.packbits(hole).tobytes(), np.packbits(around).tobytes())
    if fit is None:
        return None
    values = intensity[around].astype(np.float64)
    coefficients = fit.inverse @ values
    residuals = values - fit.terms_around @ coefficients
    scatter = float(np.sqrt(np.sum(residuals**2) / (len(values) - len(coefficients))))
    return fit.terms_inside @ coefficients, scatter


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fit:
    terms_around: FloatArray
    terms_inside: FloatArray
    inverse: FloatArray


@lru_cache(maxsize=256)
def _fit_of_shape(shape: tuple[int, int, int], hole_bits: bytes, around_bits: bytes) -> _Fit | None:
    """Bragg peaks leave thousands of holes of a few shapes; what only depends on the shape is kept."""
    inside, outside = (
        np.argwhere(np.unpackbits(np.frombuffer(bits, np.uint8), count=int(np.prod(shape))).reshape(shape))
        for bits in (hole_bits, around_bits)
    )
    axes = [axis for axis in range(3) if shape[axis] > 1]
    middle = inside.mean(axis=0)
    from_places, to_places = (outside - middle)[:, axes], (inside - middle)[:, axes]
    if not _encloses(from_places, to_places):
        return None
    reach = np.abs(from_places).max()
    for degree in (4, 2):
        terms = _terms(from_places / reach, degree)
        if len(terms) >= 3 * terms.shape[1]:
            return _Fit(
                terms_around=terms,
                terms_inside=_terms(to_places / reach, degree),
                inverse=np.asarray(np.linalg.pinv(terms), np.float64),
            )
    return None


def _encloses(around: FloatArray, hole: FloatArray) -> bool:
    """Whether there are points around a hole on both of its sides along each axis."""
    if len(around) == 0:
        return False
    return bool(((around.min(axis=0) < hole.min(axis=0)) & (around.max(axis=0) > hole.max(axis=0))).all())


def _terms(places: FloatArray, degree: int) -> FloatArray:
    """1, x, y, …, x², xy, … of places (n, axes), up to a degree: (n, terms)."""
    columns = [
        places[:, axes].prod(axis=1)
        for order in range(degree + 1)
        for axes in combinations_with_replacement(range(places.shape[1]), order)
    ]
    return np.stack(columns, axis=1)
