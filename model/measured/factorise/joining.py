"""A network's guess of I_FF as data for a fit: in which unit, and how far to be believed.

Where data fix I_FF they are left to themselves. Elsewhere a guess counts as so many measurements as there are details
in it that are independent of one another, each with the network's error. So a guess that contradicts what the data say
of the molecules changes little, and there is no seam, as what is fitted is one smooth function.
"""

from typing import Final

import numpy as np

from dsfu.model.measured.data.reconstruction import RealArray
from dsfu.model.measured.factorise.guess import Guess
from dsfu.model.measured.factorise.refitting import Guessed
from dsfu.simulate.arrays import BoolArray

ERROR: Final = 0.4
"""Error of √I_FF that the network's eight answers share, relative to the largest √I_FF on the plane.

It is about 0.1; but most of it is shared with what the fit makes of dead zones by itself, and an error of one's own
that another repeats is no news. With 0.2 and the same weights the guess did harm as often as it helped.
"""

SPREAD_FACTOR: Final = 5.0
"""By what the standard deviation of its answers is multiplied to give the part of the error that they do not share."""

PIXELS_PER_DETAIL: Final = 200.0
"""Pixels of a plane of 256 whose errors are one and the same."""


def as_data(guess: Guess, form_factor: RealArray, from_data: BoolArray) -> Guessed:
    """What a network guesses where data do not fix I_FF.

    Parameters
    ----------
    form_factor
        (y, x), in the data's unit; only looked at where it follows from data.
    """
    root = np.sqrt(np.maximum(form_factor, 0.0), dtype=np.float64)
    wanted, guessed = root[from_data], guess.form_factor_root[from_data].astype(np.float64)
    square = float(guessed @ guessed)
    unit = float(wanted @ guessed) / square if square > 0 else 0.0
    own = unit * guess.form_factor_root.astype(np.float64)
    # Of the root, in quadrature: an error that is everywhere, and the spread that comes with the guess.
    squared_error = np.square(ERROR * wanted.max(initial=0.0)) + np.square(
        SPREAD_FACTOR * unit * guess.form_factor_spread
    )
    pixels_per_detail = PIXELS_PER_DETAIL * from_data.size / 256**2
    # Variance of x² for x of mean m and variance s²: 4 m² s² + 2 s⁴. Errors run over details of several pixels.
    variance = pixels_per_detail * (4 * np.square(own) * squared_error + 2 * np.square(squared_error))
    believed = ~from_data & (square > 0)
    return Guessed(form_factor=np.square(own), variance=np.where(believed, variance, np.inf))
