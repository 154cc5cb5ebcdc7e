"""The record of one set of Warren–Cowley parameters, however it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
