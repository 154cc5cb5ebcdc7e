"""Fill small holes with what their surroundings suggest, and say which voxels are filled."""

from itertools import combinations_with_replacement
from typing import Any, Final

import numpy as np
from scipy import ndimage

from dsfu.model.measured.reconstruction import RealArray, Reconstruction
from dsfu.simulate.contract import BoolArray, FloatArray

MARGIN: Final = 3
"""Voxels around a hole from which it is filled."""

LARGEST_HOLE: Final = 40
"""Voxels along any axis beyond which a hole is left alone: a quadratic knows nothing of its middle."""

_TOUCHING: Final = np.ones((3, 3, 3), np.bool_)


def without_voxels(reconstruction: Reconstruction, holes: BoolArray, *, fill: bool) -> tuple[dict[str, Any], int]:
    """Changes that take voxels out of a reconstruction, for its ``after``, and how many were filled again.

    Unfilled, they are not live. Filled, they have the quadratic through the live voxels around the hole, and where
    there are too few of those they are not live either. Filled voxels are marked: their weight is 0, nothing having
    been measured there (a weight is made if there was none), and their uncertainty, if there are any, is at least the
    scatter about the quadratic.
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
        values = _quadratic(reconstruction.intensity[wide], around, hole)
        if values is None:
            continue
        intensity[wide][hole], scatter = values
        live[wide][hole], weight[wide][hole] = True, 0.0
        if sigma is not None:
            sigma[wide][hole] = np.fmax(scatter, np.median(sigma[wide][around]))
        filled += int(np.count_nonzero(hole))
    return {"live": live, "intensity": intensity, "sigma": sigma, "weight": weight}, filled


def _quadratic(intensity: RealArray, around: BoolArray, hole: BoolArray) -> tuple[FloatArray, float] | None:
    """Values in a hole of the quadratic that fits around it best, and the scatter about it; None if undetermined."""
    middle = np.argwhere(hole).mean(axis=0)
    from_places, to_places = np.argwhere(around) - middle, np.argwhere(hole) - middle
    terms = _terms(from_places)
    if len(terms) < 2 * terms.shape[1]:
        return None
    values = intensity[around].astype(np.float64)
    coefficients, _, rank, _ = np.linalg.lstsq(terms, values)
    if rank < terms.shape[1]:
        return None
    scatter = float(np.sqrt(np.sum((values - terms @ coefficients) ** 2) / (len(terms) - rank)))
    return _terms(to_places) @ coefficients, scatter


def _terms(places: FloatArray) -> FloatArray:
    """1, x, y, z, x², xy, … of places (n, 3) around 0; axes along which there is nothing are left out."""
    scaled = places / np.maximum(1.0, np.abs(places).max(axis=0))
    used = [axis for axis in range(3) if np.ptp(places[:, axis]) > 0]
    columns = [np.ones(len(places)), *(scaled[:, axis] for axis in used)]
    columns += [scaled[:, i] * scaled[:, j] for i, j in combinations_with_replacement(used, 2)]
    return np.stack(columns, axis=1)
