"""Which element a peak is: by the formula, heaviest peak first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import gemmi
import numpy as np

from dsfu.errors import InputError
from dsfu.model.problems.phases.atom_model import AtomModel
from dsfu.model.problems.phases.crystal_data import FloatArray, IntArray

VOLUME_PER_ATOM: Final = 17.0
"""Å³ of an atom that is not hydrogen, where no formula is given: 18 in molecular crystals, 10 to 15 in oxides."""

_SMALLEST_ATOM: Final = 9.0
LARGEST_ATOM: Final = 30.0
"""Å³ an atom that is not hydrogen, least and most for a formula to be that of the cell."""

STAND_INS: Final = (6, 16, 35, 53, 78)
"""Elements whose form factors peaks get by their height where no formula is given."""

_NEIGHBOURS: Final = 2
"""Difference of atomic numbers up to which the heights of peaks may be in the wrong order."""


def parse_formula(text: str, where: str = "--formula") -> dict[str, float]:
    """Numbers of atoms of a formula such as C9H8O4, "C9 H8 O4" or Ca2MnTeO6."""
    import re

    counts: dict[str, float] = {}
    rest = text.strip().strip("'\"")
    for symbol, number in re.findall(r"([A-Z][a-z]?)\s*(\d*\.?\d*)", rest):
        element = gemmi.Element(symbol)
        if element.atomic_number == 0 and symbol != "D":
            raise InputError(f"{symbol!r} in {text!r} is no element", where=where, expected="a formula such as C9H8O4")
        counts["H" if symbol == "D" else symbol] = counts.get(symbol, 0.0) + (float(number) if number else 1.0)
    left = re.sub(r"([A-Z][a-z]?)\s*(\d*\.?\d*)|[\s,()\[\]+\-\d.]", "", rest)
    if not counts or left:
        raise InputError(f"{text!r} is no formula", where=where, expected="elements and numbers, such as C9H8O4")
    return counts


def heavy_atoms(formula: dict[str, float], volume: float) -> dict[int, float]:
    """Atoms in the cell of each atomic number, hydrogen left out; empty without a formula.

    A formula unit is multiplied by the whole number that fills the cell best.
    """
    counts = {gemmi.Element(symbol).atomic_number: n for symbol, n in formula.items() if symbol not in ("H", "D")}
    total = sum(counts.values())
    if not total:
        return {}
    per_atom = volume / total
    if not _SMALLEST_ATOM <= per_atom <= LARGEST_ATOM:
        units = max(1, round(per_atom / VOLUME_PER_ATOM))
        even = [u for u in (1, 2, 3, 4, 6, 8, 12, 16, 18, 24, 32, 36, 48) if 0.55 < units / u < 1.8]
        units = min(even, key=lambda u: abs(np.log(per_atom / u / VOLUME_PER_ATOM))) if even else units
        counts = {z: n * units for z, n in counts.items()}
    return counts


def assigned(model: AtomModel, known: dict[int, float], points: int) -> AtomModel | None:
    """The formula's elements given to the atoms, the most electrons to the heaviest; None without a formula.

    What is left over when the formula is used up has its lightest element. An element of few atoms is passed over by
    orbits of more, and may come behind those of its neighbours.
    """
    if not known:
        return None
    numbers = model.numbers.copy()
    room = dict(known)
    reached = max(known)
    for i in np.argsort(-model.electrons):
        atoms = float(model.multiplicity[i] * points)
        fitting = [z for z in room if room[z] >= 0.5 * atoms and z <= reached + _NEIGHBOURS]
        numbers[i] = max(fitting, default=min(known))
        reached = min(reached, int(numbers[i]))
        room[int(numbers[i])] -= atoms
    return replace(model, numbers=numbers, weights=np.ones(len(numbers)))


def commonest(known: dict[int, float]) -> int:
    """Atomic number of the formula's commonest element, carbon without a formula."""
    return max(known, key=lambda z: known[z]) if known else 6


def per_height(heights: FloatArray, atoms: IntArray, known: dict[int, float]) -> float:
    """Electrons for each unit of height: median over peaks, of which the highest are the formula's heaviest elements.

    Where only heavy atoms stand out, the typical peak is one of them. Without a formula it is taken for carbon.

    Parameters
    ----------
    atoms
        Number in the cell of each peak.
    """
    kinds = sorted(known, reverse=True) or [commonest(known)]
    filled = np.cumsum([known.get(z, 0.0) for z in kinds])
    order = np.argsort(-heights)
    middle = np.cumsum(atoms[order]) - 0.5 * atoms[order]
    rank = np.minimum(np.searchsorted(filled, middle), len(kinds) - 1)
    return float(np.median(np.array(kinds)[rank] / heights[order]))


def nearest_element(electrons: FloatArray, choices: Sequence[int]) -> IntArray:
    """The atomic number, of some, that is nearest to each number of electrons, in proportion."""
    table = np.array(choices, dtype=np.int64)
    return np.asarray(table[np.abs(np.log(table[None, :] / electrons[:, None])).argmin(axis=1)])


def with_stand_ins(model: AtomModel) -> AtomModel:
    """Form factors of the right size for atoms whose elements nobody told; their electrons stay."""
    numbers = nearest_element(model.electrons, STAND_INS)
    return replace(model, numbers=numbers, weights=model.electrons / numbers)


def doubtful_pairs(model: AtomModel) -> list[tuple[int, int]]:
    """Atoms of neighbouring elements that look the other way round, most doubtful first.

    Free weights tell how many electrons fit: of a pair the heavier element has fewer, relative to its number.
    """
    pairs = []
    for i, j in np.argwhere(
        (model.numbers[:, None] > model.numbers) & (model.numbers[:, None] <= model.numbers + _NEIGHBOURS)
    ):
        excess = np.log(model.weights[j] / model.weights[i]) + model.u_iso[i] - model.u_iso[j]
        if model.multiplicity[i] == model.multiplicity[j] and excess > 0:
            pairs.append((float(excess), int(i), int(j)))
    return [(i, j) for _, i, j in sorted(pairs, reverse=True)]
