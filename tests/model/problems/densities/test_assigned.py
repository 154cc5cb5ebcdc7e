"""Structures of no known type: what is among them, and an independent program's powder of a type not in the pool."""

import numpy as np
import pytest

from dsfu.model.problems.densities import assigned
from dsfu.model.problems.densities.assigned import assigned_types
from dsfu.model.problems.densities.formulas import parse_formula
from dsfu.model.problems.densities.solve import solve
from dsfu.simulate.densities.structure_types import StructureType
from tests.benchmarks.densities_powders import COMPOUNDS, powder_of, right, structure_of


def named(formula: str, group: str) -> str:
    return next(line for line in COMPOUNDS.splitlines() if line.startswith(f"{formula}|{group}|"))


@pytest.mark.parametrize(
    ("formula", "number", "counts"),
    [
        ("NaCl", 225, ((11, 4, 0), (17, 4, 0))),
        ("CaF2", 225, ((9, 8, 0), (20, 4, 0))),
        ("SrTiO3", 221, ((8, 3, 0), (22, 1, 0), (38, 1, 0))),
        ("NiAs", 194, ((28, 2, 0), (33, 2, 0))),
    ],
)
def test_simple_types_are_among_them(formula, number, counts):
    systems = ("cubic",) if number >= 195 else ("hexagonal",)
    assert any(
        (each.number, each.wyckoff_counts) == (number, counts)
        for each in assigned_types(parse_formula(formula), systems)
    )


def test_no_two_atoms_are_too_near_and_amounts_are_those_of_the_formula():
    for kind in assigned_types(parse_formula("Cu2O"), ("hexagonal",)):
        assert kind.composition[29] == 2 * kind.composition[8]


def test_nothing_is_assigned_without_ratios():
    assert not list(assigned_types(parse_formula("Na-Cl")))


def test_a_pattern_is_solved_whose_formula_no_type_of_the_pool_has(monkeypatch):
    monkeypatch.setattr(assigned, "MOST_ATOMS", {"cubic": 10, "hexagonal": 5, "tetragonal": 5})  # to be quick
    formula, structure = structure_of(named("SrTiO3", "P m -3 m"))
    pattern = powder_of(structure, np.random.default_rng(5), 0)
    nothing: list[StructureType] = []
    answer = solve(pattern, parse_formula(formula), kinds=nothing)
    assert right(structure, answer.candidates[0].kind)
    assert answer.verdict == "uncertain"
    assert "no known type" in answer.reason
