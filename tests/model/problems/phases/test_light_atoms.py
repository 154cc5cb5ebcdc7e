"""Light atoms beside heavy ones: whether they explain what they scatter, and what the verdict says of elements."""

from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest

from dsfu.model.problems.phases.atom_model import AtomModel, ModelFit
from dsfu.model.problems.phases.elements import assigned
from dsfu.model.problems.phases.groups import candidate_of
from dsfu.model.problems.phases.laue import find_laue_class
from dsfu.model.problems.phases.light_atoms import doubts_of_elements, left_of_light_atoms
from dsfu.model.problems.phases.merging import merge
from dsfu.model.problems.phases.polishing import Polished
from dsfu.model.problems.phases.reading import read_reflections
from tests.model.problems.phases.made_elsewhere import cubic, write_hkl

OXYGEN = (0.0, 0.0, 0.0)
ELSEWHERE = (0.25, 0.25, 0.25)


def barium_and(numbers: list[int], places: list[tuple[float, float, float]], multiplicity: list[int]) -> AtomModel:
    """Barium at 0 ½ 0 with others in Fm-3m."""
    count = 1 + len(numbers)
    return AtomModel(
        positions=np.array([(0.0, 0.5, 0.0), *places]),
        numbers=np.array([56, *numbers]),
        weights=np.ones(count),
        u_iso=np.full(count, 0.02),
        multiplicity=np.array([1, *multiplicity]),
        candidate=candidate_of(gemmi.SpaceGroup("F m -3 m")),
        cell=(5.52, 5.52, 5.52, 90.0, 90.0, 90.0),
    )


@pytest.fixture
def barium_oxide(tmp_path: Path):
    """Reflections of BaO by gemmi, with noise."""
    crystal = cubic("F m -3 m", 5.52, [("Ba", (0.0, 0.5, 0.0)), ("O", OXYGEN)])
    write_hkl(tmp_path / "x.hkl", crystal, 0.6, missing=0.0)
    return read_reflections(tmp_path / "x.hkl")


def told(reflections, model: AtomModel, *, r1: float = 0.05, named: bool = True) -> str:
    data = merge(reflections, find_laue_class(reflections))
    polished = Polished(fit=ModelFit(model=model, scale=1.0, r1=r1), named=named)
    return " ".join(doubts_of_elements(reflections, data, polished))


def test_oxygen_that_explains_nothing_is_not_proven(barium_oxide):
    data = merge(barium_oxide, find_laue_class(barium_oxide))
    right, wrong = (barium_and([8], [place], [count]) for place, count in ((OXYGEN, 1), (ELSEWHERE, 2)))
    assert abs(left_of_light_atoms(data, right)) < 0.2
    assert left_of_light_atoms(data, wrong) > 1
    assert left_of_light_atoms(data, barium_and([], [], [])) == 0
    assert told(barium_oxide, right) == ""
    assert "Light atoms are not proven" in told(barium_oxide, wrong)


def test_more_atoms_than_the_formula_has_and_elements_that_no_atom_is_are_told(barium_oxide):
    assert "There are 12 atoms in the cell, and 8 in the formula." in told(
        barium_oxide, barium_and([8], [ELSEWHERE], [2])
    )
    assert "The formula has O, and none" in told(barium_oxide, barium_and([], [], []))


def test_atoms_of_unknown_elements_need_a_low_r1(barium_oxide):
    alone = barium_and([], [], [])
    assert "does not fit the atoms" in told(barium_oxide, alone, r1=0.12, named=False)
    assert told(barium_oxide, alone, r1=0.08, named=False) == ""
    nothing_said = replace(barium_oxide, formula={})
    assert "Each atom has 42 Å³" in told(nothing_said, alone, r1=0.12, named=False)
    assert told(nothing_said, barium_and([6], [OXYGEN], [1]), r1=0.12, named=False) == ""


def test_an_element_of_few_atoms_comes_behind_its_neighbours_where_orbits_are_too_large_for_it():
    """Two atoms of oxygen, and the highest of the light peaks has six places: none was oxygen."""
    model = barium_and([7, 7], [OXYGEN, ELSEWHERE], [6, 2])
    model = replace(model, weights=np.array([1.0, 1.1, 1.0]))
    named = assigned(model, {56: 4.0, 8: 8.0, 7: 24.0}, points=4)
    assert named is not None
    assert named.numbers.tolist() == [56, 7, 8]
    sulphur = assigned(model, {56: 4.0, 16: 8.0, 7: 32.0}, points=4)
    assert sulphur is not None
    assert sulphur.numbers.tolist() == [56, 7, 7]
