"""Atoms of one site told apart: crystals that come out are those that crystallographers know."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dsfu.model.problems.densities import solve as solving
from dsfu.model.problems.densities.bin_search import solve_formula
from dsfu.model.problems.densities.colourings import ANEW
from dsfu.model.problems.densities.formulas import parse_formula
from dsfu.model.problems.densities.orderings import is_ordered, merges, ordered_types
from dsfu.model.problems.densities.powder import PowderPattern
from dsfu.model.problems.densities.solve import solve
from dsfu.simulate.densities.crystals import unit_cell
from dsfu.simulate.densities.pattern import binned, powder_lines
from dsfu.simulate.densities.profiles import Instrument, measured_pattern, with_background
from dsfu.simulate.densities.structure_types import StructureType, shipped_types
from dsfu.simulate.densities.substitutions import scaled


def named(name: str) -> StructureType:
    return next(kind for kind in shipped_types() if kind.name == name)


def test_only_elements_of_one_kind_are_counted_as_one() -> None:
    found = {frozenset(each.parts): each for each in merges(parse_formula("NaCu3Ti3NbO12"))}
    assert all(8 not in pair for pair in found)
    both = found[frozenset((22, 41))]
    assert (both.element, both.formula.counts) == (22, {11: 1, 29: 3, 22: 4, 8: 12})
    assert list(merges(parse_formula("Na-Cl-Br"))) == []


def test_an_elpasolite_with_two_metals_on_its_large_site_loses_its_centre() -> None:
    """A2BC6D as AA'BC6D: F-43m, in one way; a spinel's tetrahedra in turn are those of CuCr4InSe8."""
    formula = parse_formula("KSrPrSbO6")
    merge = next(each for each in merges(formula) if set(each.parts) == {19, 38})
    kind = named("A2BC6D_cF40_225_c_a_e_b").substituted({56: 38, 25: 59, 8: 8, 74: 51})
    found = list(ordered_types(kind, merge))
    assert [each.number for each in found] == [216]
    assert found[0].composition == {19: 4, 38: 4, 59: 4, 51: 4, 8: 24}
    assert is_ordered(found[0])


def test_atoms_are_not_divided_where_they_cannot_be() -> None:
    merge = next(each for each in merges(parse_formula("KSr2SbO6")) if set(each.parts) == {19, 38})
    assert list(ordered_types(named("A2BC6D_cF40_225_c_a_e_b").substituted({56: 38}), merge)) == []


def test_layers_of_two_metals_are_found_from_the_type_with_one() -> None:
    """Cu3Au with silver on one copper of three: the pool has no type of that formula."""
    lattice = np.diag([4.05, 4.05, 3.85])
    places = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]]) / 2
    truth = unit_cell(lattice, places, [47, 79, 29, 29])
    kinds = [kind for kind in shipped_types() if kind.name.startswith("AB3_cP4_221")]
    found = solve_formula(binned(powder_lines(truth)), parse_formula("AgAuCu2"), kinds)
    assert found[0].cosine > 0.99
    assert found[0].crystal.parameters[:3] == pytest.approx([4.05, 4.05, 3.85], rel=2e-3)


def test_a_powder_whose_order_no_type_has_is_found_and_not_called_solved() -> None:
    places = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]]) / 2
    truth = unit_cell(np.diag([4.05, 4.05, 3.85]), places, [47, 79, 29, 29])
    angles = np.arange(15, 80, 0.04)
    counts = with_background(
        measured_pattern(truth, angles, Instrument(size=300)), angles, np.random.default_rng(3), counts=5000, level=0.1,
        hump=0.0,
    )  # fmt: skip
    kinds = [kind for kind in shipped_types() if kind.name.startswith("AB3_cP4_221")]
    pattern = PowderPattern(two_theta=angles, counts=counts, wavelength=1.5406)
    answer = solve(pattern, parse_formula("AgAuCu2"), kinds=kinds)
    assert answer.candidates[0].kind.number == 123
    assert answer.candidates[0].kind.composition == {47: 1, 79: 1, 29: 2}
    assert answer.verdict == "uncertain"
    assert "told apart" in answer.reason


def test_sites_divided_anew_are_not_called_solved_where_another_order_fits_as_well() -> None:
    """KSrPrSbO6, whose type is not in the pool, was solved as P4_2/mmc: sites of NaNbO3 divided among four metals."""
    formula = parse_formula("KSrPrSbO6")
    merge = next(each for each in merges(formula) if set(each.parts) == {19, 38})
    parent = named("A2BC6D_cF40_225_c_a_e_b").substituted({56: 38, 25: 59, 8: 8, 74: 51})
    truth = scaled(next(ordered_types(parent, merge)), 8.5**3).crystal()
    angles = np.arange(12, 85, 0.04)
    counts = with_background(
        measured_pattern(truth, angles, Instrument(size=300)), angles, np.random.default_rng(3), counts=3000, level=0.1,
        hump=0.0,
    )  # fmt: skip
    kinds = [kind for kind in shipped_types() if kind.prototype in ("NaNbO3", "La2NiMnO6")]
    answer = solve(PowderPattern(two_theta=angles, counts=counts, wavelength=1.5406), formula, kinds=kinds)
    assert answer.verdict == "uncertain"
    assert {131, 216} <= {each.kind.number for each in answer.candidates}


def test_sites_divided_anew_are_not_called_solved_if_time_was_up_before_other_orders(monkeypatch) -> None:
    monkeypatch.setattr(solving, "judge", lambda ranked, complete: ("solved", ""))
    kind = shipped_types()[0]
    fit: Any = SimpleNamespace(kind=replace(kind, prototype=kind.prototype + ANEW))
    assert solving._judged([fit], True, list, until=0.0)[1:] == ("uncertain", solving._OUT_OF_TIME)
