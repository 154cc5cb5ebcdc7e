"""Scales of charts: from values to shares of an axis, with ticks at round numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final, Protocol

from dsfu.words import number_words

_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Scale(Protocol):
    """What an axis needs."""

    def share(self, value: float) -> float:
        """Where a value lies, from 0 at the axis's beginning to 1 at its end."""

    def ticks(self, most: int) -> Sequence[tuple[float, str]]:
        """Values to be marked, and their labels."""


@dataclass(frozen=True)
class Linear:
    """Equal steps; ``unit`` follows each label, such as " %"."""

    low: float
    high: float
    unit: str = ""

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> Sequence[tuple[float, str]]:
        step = round_up((self.high - self.low) / most)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [(number * step, number_words(number * step) + self.unit) for number in range(first, last + 1)]


@dataclass(frozen=True)
class Logarithmic:
    """Decades from 10**low to 10**high; what is less lies at the beginning.

    Attributes
    ----------
    powers
        Whether labels are powers of ten; plain numbers if not.
    """

    low: int
    high: int
    powers: bool = True

    @classmethod
    def around(cls, least: float, greatest: float) -> "Logarithmic":
        """All decades between two values, at least one."""
        low, high = floor(log10(least)), ceil(log10(greatest))
        return cls(low, max(high, low + 1))

    def share(self, value: float) -> float:
        power = log10(value) if value > 0 else self.low
        return (max(power, self.low) - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> Sequence[tuple[float, str]]:
        every = max(1, -(-(self.high - self.low) // max(most, 1)))
        return [(10.0**power, self._words(power)) for power in range(self.low, self.high + 1, every)]

    def _words(self, power: int) -> str:
        if not self.powers:
            return number_words(10.0**power)
        return "1" if power == 0 else f"10{str(power).translate(_RAISED)}"


def round_up(value: float) -> float:
    """The next number at or above a positive one that is 1, 2 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * (1 - 1e-9))
