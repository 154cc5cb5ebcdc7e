"""Whether the atoms beside heavy ones are proven: heavy atoms alone make R1 low, in a wrong space group too.

Atoms scatter Σ f² on average, wherever they are. Where (|F_o| − |F_c|)² sums up to much of that of the light atoms,
these do not explain what they should: they are in wrong places, or some are missing.
"""

from typing import Final

import gemmi
import numpy as np

from dsfu.model.problems.phases.atom_model import AtomModel, squares_of_atoms, structure_factors_of
from dsfu.model.problems.phases.crystal_data import ReflectionList
from dsfu.model.problems.phases.elements import LARGEST_ATOM, heavy_atoms
from dsfu.model.problems.phases.groups import absent_by
from dsfu.model.problems.phases.merging import MergedData
from dsfu.model.problems.phases.polishing import Polished

_LIGHT: Final = 0.5
"""Electrons relative to the heaviest atom below which an atom is light; chosen."""

_HYDROGEN: Final = 3.0
"""Electrons up to which what is found may be hydrogen, or noise: crystals are solved without it."""

_UNEXPLAINED: Final = 0.5
"""Of what the light atoms scatter, the share that may be left. Of some 60 metal-organic crystals and oxides four with
wrong or missing oxygen had .78 and more, right ones .16 at most."""

_TOO_MANY: Final = 1.25
"""Times the formula's atoms from which there are too many; chosen, up to 1.15 are looked for."""

_LOW: Final = 0.1
"""R1 up to which atoms of unknown elements are believed; chosen: heavy atoms alone had .11."""


def doubts_of_elements(reflections: ReflectionList, data: MergedData, polished: Polished) -> list[str]:
    """Sentences on light atoms that are not proven, and elements that were not found or are not known."""
    model, volume = polished.fit.model, reflections.unit_cell.volume
    atoms = float(model.multiplicity.sum() * len(model.candidate.lattice))
    said = []
    left = left_of_light_atoms(data, model)
    if left > _UNEXPLAINED:
        said.append(
            f"Light atoms are not proven: what is left unexplained is {100 * left:.0f} % of what they scatter. Some "
            "are missing or misplaced, and the space group may be that of the heavy atoms alone."
        )
    if polished.named:
        known = heavy_atoms(reflections.formula, volume)
        unseen = [z for z, count in known.items() if count >= 1 and z not in model.numbers]
        said += [f"The formula has {gemmi.Element(z).name}, and none of the atoms is." for z in unseen]
        if atoms > _TOO_MANY * sum(known.values()):
            said.append(f"There are {atoms:.0f} atoms in the cell, and {sum(known.values()):.0f} in the formula.")
    elif polished.fit.r1 > _LOW:
        if reflections.formula:
            said.append("The formula does not fit the atoms: it or they may be wrong.")
        elif volume / atoms > LARGEST_ATOM:
            told = f"Each atom has {volume / atoms:.0f} Å³"
            said.append(f"{told}: lighter ones may be missing (--formula helps to find them).")
    return said


def left_of_light_atoms(data: MergedData, model: AtomModel) -> float:
    """Σ (|F_o| − |F_c|)² beyond noise, relative to Σ f² of the light atoms; 0 if there are none."""
    light = (model.electrons > _HYDROGEN) & (model.electrons < _LIGHT * model.electrons.max())
    if not light.any():
        return 0.0
    kept = ~absent_by(data.hkl, model.candidate.turns, model.candidate.shifts)
    hkl, amplitude = data.hkl[kept], data.amplitude[kept]
    noise = np.minimum(data.sigma[kept], amplitude)
    size = np.abs(structure_factors_of(model, hkl))
    scale = (amplitude @ size) / (size @ size)
    left = ((amplitude - scale * size) ** 2 - noise**2).sum()
    return float(left / (scale**2 * squares_of_atoms(model, hkl)[light].sum()))
