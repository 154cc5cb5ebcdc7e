"""Chemical formulas as users write them: NaCl, Ca(OH)2, with ratios or without, with an element that is not known."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Final

import gemmi

from dsfu.errors import InputError

UNKNOWN: Final = 0
"""Stands for the element that is not known."""

STAND_INS: Final = (3, 8, 9, 13, 16, 20, 26, 33, 39, 50, 57, 74, 82)
"""Elements tried for the unknown one first: scattering power in even steps. Chosen."""

_TOKEN: Final = re.compile(r"\s*([A-Z][a-z]?|\?|\(|\)|\[|\])\s*(\d*\.?\d*)")


@dataclass(frozen=True)
class Formula:
    """Elements by atomic number, and how many of each; ratios None where they are not known."""

    counts: Mapping[int, int]
    ratios: bool = True

    @property
    def text(self) -> str:
        """As NaCl or, without ratios, Na-Cl."""
        names = {z: gemmi.Element(z).name if z else "?" for z in self.counts}
        if not self.ratios:
            return "-".join(names.values())
        return "".join(f"{names[z]}{'' if n == 1 else n}" for z, n in self.counts.items())


def parse_formula(text: str) -> Formula:
    """Read NaCl, Ca(OH)2 or Mg2Si with ratios; Na-Cl or Na,Cl without; ? for one element that is not known."""
    cleaned = text.strip().replace("·", "").replace("*", "")
    listed = re.split(r"\s*[-,; ]\s*", cleaned)
    if len(listed) > 1 and all(re.fullmatch(r"[A-Z][a-z]?|\?", each) for each in listed):
        return Formula(dict.fromkeys((_element(each, text) for each in listed), 1), ratios=False)
    amounts = _counted(cleaned.replace(" ", ""), text)
    if not amounts:
        raise _wrong(text, "nothing in it")
    common = lcm(*(Fraction(n).limit_denominator(24).denominator for n in amounts.values()))
    whole = {z: round(n * common) for z, n in amounts.items()}
    if min(whole.values()) < 1:
        raise _wrong(text, "an amount of nothing")
    divisor = gcd(*whole.values())
    return Formula({z: n // divisor for z, n in whole.items()})


def _counted(text: str, whole: str) -> dict[int, Fraction]:
    stack: list[dict[int, Fraction]] = [{}]
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise _wrong(whole, f"{text[place : place + 10]!r} is not understood")
        place = found.end()
        symbol, number = found.groups()
        try:
            times = Fraction(number) if number else Fraction(1)
        except ValueError:
            raise _wrong(whole, f"{number!r} is no number") from None
        if symbol in "([":
            stack.append({})
            continue
        if symbol in ")]":
            if len(stack) == 1:
                raise _wrong(whole, "a bracket too many")
            inner = stack.pop()
        else:
            inner = {_element(symbol, whole): Fraction(1)}
        for z, n in inner.items():
            stack[-1][z] = stack[-1].get(z, Fraction(0)) + n * times
    if len(stack) > 1:
        raise _wrong(whole, "a bracket is not closed")
    return stack[0]


def _element(symbol: str, whole: str) -> int:
    if symbol == "?":
        return UNKNOWN
    number = {"D": 1, "T": 1}.get(symbol) or int(gemmi.Element(symbol).atomic_number)
    if not 1 <= number <= 98:
        raise _wrong(whole, f"{symbol} is no element with a form factor")
    return number


def _wrong(text: str, what: str) -> InputError:
    return InputError(
        f"the formula {text!r}: {what}",
        where="--formula",
        expected="symbols that begin with a capital, such as NaCl or Ca(OH)2; Na-Cl where ratios are not known; "
        "? for one element that is not known",
    )
