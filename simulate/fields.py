"""What is known of the arrays of a data set: names, types, dimensions and units. Needs the standard library alone."""

from dataclasses import dataclass
from typing import Final, Literal

SPLITS: Final = ("train", "validation", "test")
"""What the samples of a data set can be divided into; a data set need not have all of them."""

SETTINGS_FILE: Final = "settings.json"
"""Beside the arrays of a closed store: all settings of its manifest, defaults included."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One array of a data set: what it is called, what it holds, and in which units.

    Attributes
    ----------
    dims
        Names of its dimensions, ``sample`` first.
    shape
        Lengths of the dimensions after the first, where the field fixes them. Of data of varying size it is the
        declared maximum, and another field counts what is used.
    kept_as
        ``column``: read whole, and written when a store is closed; ``array``: one chunk a sample, written by workers.
    """

    name: str
    dtype: str
    dims: tuple[str, ...]
    units: str
    long_name: str
    shape: tuple[int, ...] = ()
    kept_as: Literal["column", "array"] = "column"
