"""Chemical formulas as users write them: NaCl, Ca(OH)2, with ratios or without, with an element that is not known."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from math import gcd, lcm
from typing import Final

import gemmi

from dsfu.errors import InputError

UNKNOWN: Final = 0
"""Stands for the element that is not known."""

STAND_INS: Final = (3, 8, 9, 13, 16, 20, 26, 33, 39, 50, 57, 74, 82)
"""Elements tried for the unknown one first: scattering power in even steps. Chosen."""

_TOKEN: Final = re.compile(r"\s*([A-Z][a-z]?|\?|\(|\)|\[|\])\s*(\d+/\d+|\d*\.?\d*)")

_WATER: Final = re.compile(r"\s*(?:[·•∙⋅*]\s*|(?<!\D0)\.(?=\d*\.?\d*H2O$))")
"""What parts a hydrate: CaSO4·2H2O, also with a point, but not that of Na0.5H2O."""

_LEADING: Final = re.compile(r"\s*(\d+/\d+|\d+\.?\d*|\.\d+)?(.+)")

_DIGITS: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

_FEW: Final = 4
"""Of the rarest element of a formula with elements that share sites, as many at most. Chosen."""

_ROUNDED: Final = 0.12
"""Relative change of an amount that makes it whole: YBa2Cu3O6.9, Ce0.8Gd0.2O1.9. Chosen."""

_GROUPS: Final = ((9, 17, 35, 53), (8, 16, 34, 52), (7, 15, 33, 51), (6, 14, 32))
"""Elements that are no metals and share sites with each other."""

_FRACTION: Final = re.compile(r"\d*\.\d|/")

_GIVEN_UP: Final = 3.0
"""Times as many atoms a formula must have less for each element that is given up. Chosen."""

_SIMPLER: Final = 0.7
"""Share of a formula's atoms that one without mixed sites may have at most: others are no simpler. Chosen."""


@dataclass(frozen=True)
class Formula:
    """Elements by atomic number, and how many of each; whether ratios are known, and whether they were fractions."""

    counts: Mapping[int, int]
    ratios: bool = True
    mixed: bool = False

    @property
    def text(self) -> str:
        """As NaCl or, without ratios, Na-Cl."""
        names = {z: gemmi.Element(z).name if z else "?" for z in self.counts}
        if not self.ratios:
            return "-".join(names.values())
        return "".join(f"{names[z]}{'' if n == 1 else n}" for z, n in self.counts.items())


def parse_formula(text: str) -> Formula:
    """Read NaCl, Ca(OH)2 or Mg2Si with ratios; Na-Cl or Na,Cl without; ? for one element that is not known."""
    cleaned = text.strip().translate(_DIGITS)
    listed = re.split(r"\s*[-,; ]\s*", cleaned)
    if len(listed) > 1 and all(re.fullmatch(r"[A-Z][a-z]?|\?", each) for each in listed):
        return Formula(dict.fromkeys((_element(each, text) for each in listed), 1), ratios=False)
    amounts = _parted(cleaned.replace(" ", ""), text)
    if not amounts:
        raise _wrong(text, "nothing in it")
    common = lcm(*(Fraction(n).limit_denominator(24).denominator for n in amounts.values()))
    whole = {z: round(n * common) for z, n in amounts.items()}
    if min(whole.values()) < 1:
        raise _wrong(text, "an amount of nothing")
    divisor = gcd(*whole.values())
    mixed = any(_FRACTION.search(_LEADING.sub(r"\2", part)) for part in _WATER.split(cleaned.replace(" ", "")))
    return Formula({z: n // divisor for z, n in whole.items()}, mixed=mixed)


def without_mixing(formula: Formula) -> Formula | None:
    """A simpler formula in which elements that share sites are one, the commoner: LiNi0.8Co0.2O2 as LiNiO2.

    Of formulas that were written with fractions. An element is given up where that makes the formula far shorter; one
    amount may be rounded, for sites partly empty. None where nothing simpler is near.
    """
    if not formula.mixed or not formula.ratios or UNKNOWN in formula.counts:
        return None
    most = _SIMPLER * sum(formula.counts.values())
    found: list[tuple[float, int, dict[int, int]]] = []
    merged, cost = [dict(formula.counts)], 1.0
    while merged:
        whole = [each for counts in merged for each in _rounded(counts) if sum(each.values()) < most]
        found += [(cost * sum(each.values()), -max(each), each) for each in whole]
        merged, cost = [other for each in merged for other in _merged(each)], cost * _GIVEN_UP
    return Formula(min(found, key=lambda each: each[:2])[2]) if found else None


def _merged(counts: dict[int, int]) -> Iterator[dict[int, int]]:
    """All formulas in which one element is counted with another of its kind that is no rarer."""
    for little, much in permutations(counts, 2):
        if len(counts) > 2 and counts[little] <= counts[much] and same_kind(little, much):
            yield {z: n + (counts[little] if z == much else 0) for z, n in counts.items() if z != little}


def _rounded(counts: Mapping[int, int]) -> Iterator[dict[int, int]]:
    """Few whole amounts in these ratios, one of them nearly."""
    for units in range(1, _FEW + 1):
        scaled = {z: n * units / min(counts.values()) for z, n in counts.items()}
        whole = {z: round(n) for z, n in scaled.items()}
        changed = sum(abs(whole[z] - n) > 1e-9 for z, n in scaled.items())
        near = all(abs(whole[z] / n - 1) <= _ROUNDED for z, n in scaled.items())
        if near and changed <= 1 and gcd(*whole.values()) == 1:
            yield whole


def same_kind(one: int, other: int) -> bool:
    """Whether two elements may share a site: both metals, both halogens and so on."""
    return _kind(one) == _kind(other)


def _kind(z: int) -> int:
    """Metals are of one kind, halogens, chalcogens and so on each of another."""
    element = gemmi.Element(z)
    return 0 if element.is_metal else next(n for n, group in enumerate((*_GROUPS, (z,)), 1) if z in group)


def _parted(text: str, whole: str) -> dict[int, Fraction]:
    """Amounts of a formula and of the water behind a dot."""
    amounts: dict[int, Fraction] = {}
    for part in _WATER.split(text):
        found = _LEADING.fullmatch(part)
        if found is None:
            raise _wrong(whole, "nothing on one side of the dot")
        for z, n in _counted(found[2], whole).items():
            amounts[z] = amounts.get(z, Fraction(0)) + n * Fraction(found[1] or 1)
    return amounts


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
        except (ValueError, ZeroDivisionError):
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
