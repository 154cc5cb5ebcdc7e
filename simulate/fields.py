"""What is known of the arrays of a data set: names, types, dimensions and units. Needs the standard library alone."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Field:
    """One array of a data set: what it is called, what it holds, and in which units."""

    name: str
    dtype: str
    dims: tuple[str, ...]
    units: str
    long_name: str
