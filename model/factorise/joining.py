"""A form factor known from data here and guessed by a network there, joined without a seam.

Where data fix the form factor it is left alone. Elsewhere it is the network's, in the data's unit, plus a correction
that equals the difference of the two along the border and falls to nothing away from it: the solution u of
u − ℓ² Δu = 0 with u given where there are data. Roots of intensities are joined, so that the sum stays positive easily
and the bright parts do not rule.
"""

from typing import Final

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import cg

from dsfu.model.measured.reconstruction import RealArray
from dsfu.simulate.contract import BoolArray, Float32Array, FloatArray, IntArray

REACH_PIXELS: Final = 8.0
"""How far from data, in pixels of a plane of 256, the network's guess is corrected (ℓ)."""

_ACCURACY: Final = 1e-3


def join(
    form_factor: RealArray, from_data: BoolArray, guess_root: RealArray, reach_pixels: float = REACH_PIXELS
) -> Float32Array:
    """Form factor (y, x) in the data's unit.

    Parameters
    ----------
    form_factor
        In the data's unit; only looked at where it follows from data.
    from_data
        Where it does.
    guess_root
        √I_FF everywhere, in any unit.
    """
    root = np.sqrt(np.maximum(form_factor, 0.0), dtype=np.float64)
    guess = np.maximum(guess_root, 0.0).astype(np.float64)
    if not from_data.any():
        return np.square(guess).astype(np.float32)
    guess *= _scale(root[from_data], guess[from_data])
    correction = extend(np.where(from_data, root - guess, 0.0), from_data, reach_pixels)
    joined = np.where(from_data, root, np.maximum(guess + correction, 0.0))
    return np.square(joined).astype(np.float32)


def extend(values: FloatArray, known: BoolArray, reach_pixels: float) -> FloatArray:
    """Continue values (y, x) smoothly from where they are known, falling off over some pixels elsewhere."""
    if known.all() or not known.any():
        return np.where(known, values, 0.0)
    numbers = np.full(known.shape, -1)
    numbers[~known] = np.arange(int((~known).sum()))
    coupling, source, neighbours = _neighbours(values, known, numbers)
    system = diags_array(neighbours + 1 / reach_pixels**2) - coupling
    solution, _ = cg(system, source, rtol=_ACCURACY, maxiter=int(20 * reach_pixels) + 50)
    out = np.where(known, values, 0.0)
    out[~known] = solution
    return out


def _scale(wanted: FloatArray, guess: FloatArray) -> float:
    square = float(guess @ guess)
    return float(wanted @ guess) / square if square > 0 else 1.0


def _neighbours(values: FloatArray, known: BoolArray, numbers: IntArray) -> tuple[csr_array, FloatArray, FloatArray]:
    """Which unknown pixels touch, what the known ones beside them sum to, and how many neighbours each has."""
    count = int(numbers.max()) + 1
    source, neighbours = np.zeros(count), np.zeros(count)
    rows, columns = [], []
    for here, there in _pairs_of_slices():
        unknown = ~known[here]
        own = numbers[here][unknown]
        neighbours[own] += 1
        touches_known = known[there][unknown]
        source[own] += np.where(touches_known, values[there][unknown], 0.0)
        rows.append(own[~touches_known])
        columns.append(numbers[there][unknown][~touches_known])
    row, column = np.concatenate(rows), np.concatenate(columns)
    return csr_array((np.ones(len(row)), (row, column)), shape=(count, count)), source, neighbours


def _pairs_of_slices() -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Every pixel and its right, left, lower and upper neighbour."""
    whole, first, last = slice(None), slice(None, -1), slice(1, None)
    return [
        ((whole, first), (whole, last)),
        ((whole, last), (whole, first)),
        ((first, whole), (last, whole)),
        ((last, whole), (first, whole)),
    ]
