"""The normal equations of one plane: of its coefficients of I_FF, of α, and of its background."""

from typing import Final

import numpy as np
import torch

from dsfu.model.measured.solver.patterson import grid_step
from dsfu.model.measured.solver.preconditioner import smooth_curvature
from dsfu.model.measured.solver.prepared import Prepared
from dsfu.model.measured.solver.series import waves
from dsfu.simulate.arrays import FloatArray, IntArray

_ROWS: Final = 4096
_MOST_PIXELS: Final = 10_000
"""Of each plane, for the normal matrix: there are far fewer coefficients. Gradients are of all pixels."""


def normal_equations(
    plane: Prepared,
    *,
    chosen: IntArray,
    alpha_map: FloatArray,
    stretch: FloatArray,
    weight: FloatArray,
    form_factor: FloatArray,
    order: FloatArray,
    with_background: bool,
) -> tuple[FloatArray, FloatArray]:
    """JᵀWJ, and its column for a factor of the plane's I_FF as a whole; where I_SRO is clipped, W should be 0.

    Parameters
    ----------
    chosen
        Which terms of I_FF; their cosines come first, then their sines, then α, then the background.
    alpha_map
        (2 · terms, α): from α to the coefficients of I_SRO on the plane.
    stretch
        Of the lattice, along x and y.
    weight, form_factor, order
        (y, x): 1 / variance, E · G and S.
    """
    terms, lattice = plane.patterson.terms, plane.lattice.terms
    offsets = plane.measured.plane.offsets
    # I_FF with itself: a sum of waves times one map of weights, which a Fourier transform gives without a matrix.
    by_smooth = plane.falloff * order
    picked = np.concatenate([chosen, chosen + len(terms)])
    weights = torch.as_tensor(weight * by_smooth**2)
    block = smooth_curvature(terms, grid_step(plane.measured.plane), offsets, weights, picked).numpy()
    # All else, some rows at a time: waves of I_SRO on the lattice, with themselves and with those of I_FF.
    stretched = 1 + stretch
    columns = 2 * len(lattice) + 2
    rows, places = np.nonzero(weight > 0)
    cross, square = np.zeros((len(picked), columns)), np.zeros((columns, columns))
    everything = np.arange(len(lattice))
    for first in range(0, len(rows), _ROWS):
        some = rows[first : first + _ROWS], places[first : first + _ROWS]
        at = np.column_stack([offsets[some[1]], offsets[some[0]]])
        root = np.sqrt(weight[some])[:, None]
        molecules = form_factor[some]
        # Derivatives of E · G · S + b: by α through its waves, by b, and by a factor of the plane's I_FF as a
        # whole.
        of_order = waves(lattice, at * stretched, everything) * molecules[:, None]
        of_order = np.column_stack([of_order, np.ones(len(at)), molecules * order[some]]) * root
        of_molecules = waves(terms, at, chosen) * (by_smooth[some][:, None] * root)
        cross += of_molecules.T @ of_order
        square += of_order.T @ of_order
    # From coefficients of waves to α, which several waves share; the last column is the plane's own factor.
    alphas = alpha_map.shape[1]
    to_alpha = np.zeros((columns - 1, alphas + with_background))
    to_alpha[:-1, :alphas] = alpha_map
    if with_background:
        to_alpha[-1, -1] = 1.0
    off = cross[:, :-1] @ to_alpha
    slope = np.concatenate([cross[:, -1], to_alpha.T @ square[:-1, -1]])
    return np.block([[block, off], [off.T, to_alpha.T @ square[:-1, :-1] @ to_alpha]]), slope


def some_pixels(weight: FloatArray) -> FloatArray:
    """Weights of some thousand pixels, drawn at random, that stand for all."""
    rows, columns = np.nonzero(weight > 0)
    if len(rows) <= _MOST_PIXELS:
        return weight
    chosen = np.random.Generator(np.random.Philox(3)).choice(len(rows), _MOST_PIXELS, replace=False)
    found = np.zeros_like(weight)
    at = rows[chosen], columns[chosen]
    found[at] = weight[at] * (len(rows) / _MOST_PIXELS)
    return found
