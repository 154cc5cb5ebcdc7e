"""The search from a pattern in the published form: simulated crystals whose own cell and positions the pool has not."""

import numpy as np
import pytest

from dsfu.model.problems.densities.bin_search import solve_bins
from dsfu.model.problems.densities.candidates import decorations
from dsfu.model.problems.densities.formulas import parse_formula
from dsfu.simulate.densities.crystals import unit_cell
from dsfu.simulate.densities.pattern import binned, powder_lines
from dsfu.simulate.densities.structure_types import StructureType, shipped_types


def decorated(name: str, put: dict[int, int], cell: float) -> StructureType:
    kind = next(each for each in shipped_types() if each.name == name).substituted(put)
    return kind.moved(np.array([cell, cell, cell, 90, 90, 90]), np.full(kind.free, 0.013))


def test_a_cubic_double_perovskite_is_not_taken_for_one_of_lower_symmetry_whose_lines_are_split() -> None:
    truth = decorated("A2BC6D_cF40_225_c_a_e_b", {56: 19, 25: 71, 8: 17, 74: 47}, 10.6)
    found = solve_bins(
        binned(powder_lines(truth.crystal())),
        list(decorations(parse_formula("K2LuAgCl6"), shipped_types(), anew=False)),
    )
    assert found[0].cosine > 0.998
    assert found[0].crystal.parameters == pytest.approx([10.6] * 3 + [90] * 3, rel=2e-3)
    assert len(found[0].crystal.numbers) == 40


def test_a_supercell_is_told_as_the_cell_that_it_repeats() -> None:
    """Antiperovskite: types with more free sites explain it as well, in a cell of eight times the size."""
    anion, corner, face = 7, 48, 28
    crystal = unit_cell(
        [3.85, 3.85, 3.85, 90, 90, 90],
        np.array([[1, 1, 1], [0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]]) / 2,
        [anion, corner, face, face, face],
    )
    trials = list(decorations(parse_formula("CdNi3N"), shipped_types(), anew=False))
    found = solve_bins(binned(powder_lines(crystal)), trials)
    assert found[0].crystal.parameters == pytest.approx([3.85] * 3 + [90] * 3, rel=2e-3)
    assert len(found[0].crystal.numbers) == 5
