"""The record of one set of Warren–Cowley parameters, however it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dsfu.simulate.arrays import FloatArray

SroKind = Literal["monte_carlo", "oscillator"]


@dataclass(frozen=True, eq=False)
class SroSet:
    """One short-range-order set, as a bank keeps it.

    Parameters
    ----------
    kind
        How it was made.
    fraction_a
        Mole fraction m_A that it belongs to.
    alpha
        (11, 11, 11) Warren–Cowley parameters, see ``contract``.
    standard_error
        (11, 11, 11) standard error of each; 0 where they are exact.
    parameters
        What it was made from and how that went, by name.
    seed
        The seed that makes it again.
    """

    kind: SroKind
    fraction_a: float
    alpha: FloatArray
    standard_error: FloatArray
    parameters: Mapping[str, float]
    seed: int


def order_at_cutoff(alpha: FloatArray) -> float:
    """Root mean square of α over the outermost vectors of a set, those with an index of ±5.

    0.0005 is noise. Where it is not small, order goes on beyond the vectors of the set: the crystal is near an
    ordering transition or past it, and the truncated series has peaks of the width that its length allows.
    """
    inner = slice(1, -1)
    outermost = (alpha**2).sum() - (alpha[inner, inner, inner] ** 2).sum()
    return float(np.sqrt(max(outermost, 0.0) / (alpha.size - alpha[inner, inner, inner].size)))
