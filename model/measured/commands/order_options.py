"""Options of the verbs that refine an order."""

from enum import StrEnum


class Axes(StrEnum):
    """Axes along which there may be no order."""

    A = "a"
    B = "b"
    C = "c"
    AB = "ab"
    AC = "ac"
    BC = "bc"
