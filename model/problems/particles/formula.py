"""What the formula of a sample says: whether it is a metal, what else is in it, and which b it should have."""

import re
from collections.abc import Mapping
from typing import Final

import numpy as np

from dsfu.model.problems.particles.ranking import CLOSE_PACKED, VOLUMES

_METAL_SHARE, _METAL_SHARE_IF_CAPPED = 0.95, 0.75
"""The least Z² of metals: of a formula without carbon, and with it, when the rest is the shell of the particle. One
thiolate of eight carbons a metal atom leaves gold and platinum .92; CdSe has .67 without any shell, less with one."""

_NOT_METALS: Final = {
    "H": 1, "B": 5, "C": 6, "N": 7, "O": 8, "F": 9, "Si": 14, "P": 15, "S": 16, "Cl": 17, "As": 33, "Se": 34, "Br": 35,
    "Te": 52, "I": 53,
}  # fmt: skip

_INTERSTITIAL: Final = frozenset({"H", "B", "C", "N", "O"})
_FILLED: Final = 1.05
"""Most atoms between those of the metal, for one of the metal: HfC and PdH are full, and formulas are rounded."""


_CELLS: Final[Mapping[str, int]] = {"fcc": 4, "bcc": 2, "sc": 1, "hcp": 2}
"""Atoms of a cell."""

_LONGEST_CELL: Final = 2.0
"""c/a beyond which layers of HCP repeat after four and not two."""


def against_formula(composition: str) -> list[str]:
    """Why a sample of this formula is no metal, with or without ligands."""
    share = metal_share(composition)
    if is_compound(composition):
        return [f"{composition}: a compound of metals and others without carbon, no metal"]
    least = _METAL_SHARE_IF_CAPPED if "C" in elements_of(composition) else _METAL_SHARE
    if share is not None and share < least:
        return [f"{composition}: metals scatter {share:.0%} of it only (Z²)"]
    return []


def is_compound(composition: str) -> bool:
    """Whether a formula is that of an oxide, a halide or the like: a third or more are no metals, and none is carbon.

    Ligands of particles hold carbon. Oxides of heavy metals scatter as metals do, by `metal_share`.
    """
    numbers = elements_of(composition)
    others = sum(number for symbol, number in numbers.items() if symbol in _NOT_METALS)
    total = sum(numbers.values())
    return "C" not in numbers and 0 < others < total and others >= total / 3


def may_hold_light_atoms(composition: str) -> bool:
    """Whether a formula is that of a metal with atoms in its gaps, such as HfC, Fe4N or PdH0.3.

    Ligands hold carbon and hydrogen both, and mostly more atoms than these gaps could take.
    """
    numbers = elements_of(composition)
    others = {symbol: number for symbol, number in numbers.items() if symbol in _NOT_METALS}
    metals = sum(numbers.values()) - sum(others.values())
    is_organic = {"C", "H"} <= set(others)
    return 0 < sum(others.values()) <= _FILLED * metals and set(others) <= _INTERSTITIAL and not is_organic


def metal_share(composition: str) -> float | None:
    """Share of Z² that metals have in a formula, or None if it is none."""
    from ase.data import atomic_numbers

    power = {symbol: number * atomic_numbers[symbol] ** 2 for symbol, number in elements_of(composition).items()}
    total = sum(power.values())
    return sum(value for symbol, value in power.items() if symbol not in _NOT_METALS) / total if total else None


def elements_of(composition: str) -> dict[str, float]:
    """Elements and how many there are, or nothing if it is no formula."""
    from ase.data import atomic_numbers

    parts = re.findall(r"([A-Z][a-z]?)([0-9]*\.?[0-9]*)", composition)
    whole = "".join(a + b for a, b in parts) == re.sub(r"[\s()\[\]]", "", composition)
    if not whole or any(symbol not in atomic_numbers for symbol, _ in parts):
        return {}
    found: dict[str, float] = {}
    for symbol, number in parts:
        found[symbol] = found.get(symbol, 0.0) + float(number or 1)
    return found


def expected_bond(composition: str, family: str) -> float | None:
    """b in Å that the only metal of a formula has in a family, by the volume of an atom in its crystals.

    None: a formula of no metal or of several, or a metal whose crystals are neither close packed nor cubic.
    """
    from ase.data import atomic_numbers, reference_states

    metals = [symbol for symbol in elements_of(composition) if symbol not in _NOT_METALS]
    state = reference_states[atomic_numbers[metals[0]]] if len(metals) == 1 else None
    if not state or state["symmetry"] not in _CELLS or state.get("c/a", 1.0) > _LONGEST_CELL:
        return None
    if (state["symmetry"], family) == ("hcp", "HCP"):
        return float(state["a"])
    prism = np.sqrt(0.75) * state["c/a"] if state["symmetry"] == "hcp" else 1.0
    volume = state["a"] ** 3 * prism / _CELLS[state["symmetry"]]
    return float((volume / VOLUMES.get(family, CLOSE_PACKED)) ** (1 / 3))
