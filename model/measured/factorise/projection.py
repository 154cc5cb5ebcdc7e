"""A network's I_SRO put on a lattice: of what it answers only that is kept which order on that lattice can make.

I_SRO = Σ_v α_v cos(Q·v) with vectors v of the lattice. A network knows nothing of that: its answer has errors in every
direction, of which nearly all are outside the space of these cosines. One least-squares fit removes them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.measured.solver.lattice_terms import lattice_terms
from dsfu.model.measured.solver.series import Terms
from dsfu.simulate.arrays import Float32Array, FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

_RIDGE: Final = 1e-6
"""Relative to a coefficient's own weight: keeps apart cosines that are alike on planes that end soon."""

_ROWS: Final = 16
"""Rows of pixels at a time: thousands of terms on all pixels at once would take gigabytes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Projected:
    """I_SRO on a lattice.

    Attributes
    ----------
    sro
        (y, x), the mean of what was given; where the series is negative it is 0.
    captured
        Share of the variance of what was given that the lattice describes.
    """

    sro: Float32Array
    captured: float


def project(sro: Float32Array, plane: Plane, cell: Cell, cutoff: int) -> Projected:
    """The least-squares fit of an I_SRO (y, x) by the cosines, and sines, of a lattice.

    Parameters
    ----------
    cutoff
        Largest |u|, |v|, |w|.
    """
    terms = lattice_terms(plane, cell, cutoff).terms
    offsets = plane.offsets
    given = np.asarray(sro, np.float64)
    coefficients = _fitted(given, offsets, terms)
    fitted = np.concatenate([rows @ coefficients for _, rows in _waves(offsets, terms)]).reshape(given.shape)
    variance = float(given.var())
    captured = 1 - float(np.square(given - fitted).mean()) / variance if variance > 0 else 1.0
    series = np.maximum(fitted, 0)
    mean = float(series.mean())
    return Projected(sro=np.asarray(series * (given.mean() / mean if mean > 0 else 1.0), np.float32), captured=captured)


def _fitted(sro: FloatArray, offsets: FloatArray, terms: Terms) -> FloatArray:
    size = len(terms) + int(terms.has_sine.sum())
    normal, right = np.zeros((size, size)), np.zeros(size)
    for rows, waves in _waves(offsets, terms):
        normal += waves.T @ waves
        right += waves.T @ sro[rows].ravel()
    normal[np.diag_indices(size)] *= 1 + _RIDGE
    return np.asarray(np.linalg.solve(normal, right))


def _waves(offsets: FloatArray, terms: Terms) -> Iterator[tuple[slice, FloatArray]]:
    """Cosines, then sines, of all terms on some rows of pixels: (pixels, coefficients)."""
    # exp(iθ) of a point is a product of one of its column and one of its row: a sine and a cosine for each, not for
    # each pixel.
    along_x = np.exp(1j * np.outer(offsets, terms.vectors[:, 0]))
    along_y = np.exp(1j * (np.outer(offsets, terms.vectors[:, 1]) + terms.phases))
    for first in range(0, len(offsets), _ROWS):
        rows = slice(first, first + _ROWS)
        waves = (along_y[rows, None] * along_x[None]).reshape(-1, len(terms))
        yield rows, np.concatenate([waves.real, waves.imag[:, terms.has_sine]], axis=1)
