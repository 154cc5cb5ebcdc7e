"""Inorganic crystals, whose atoms lie on special positions of centred lattices; reflections by gemmi."""

from dataclasses import replace
from pathlib import Path

import gemmi
import pytest

from dsfu.model.problems.phases.reading import read_reflections
from dsfu.model.problems.phases.solve import PhasedCrystal, solve
from tests.model.problems.phases.made_elsewhere import cubic, write_hkl

Sites = list[tuple[str, tuple[float, float, float]]]


def solved(folder: Path, symbol: str, a: float, sites: Sites, formula: dict[str, float] | None = None) -> PhasedCrystal:
    """A cubic crystal, unique reflections to .6 Å with noise, solved with its formula and without its group."""
    write_hkl(folder / "x.hkl", cubic(symbol, a, sites), 0.6, missing=0.0)
    reflections = read_reflections(folder / "x.hkl")
    return solve(reflections if formula is None else replace(reflections, formula=formula))


@pytest.mark.parametrize(
    ("symbol", "a", "sites"),
    [
        ("F m -3 m", 5.52, [("Ba", (0.0, 0.5, 0.0)), ("O", (0.0, 0.0, 0.0))]),
        ("P n -3 m :2", 4.72, [("Ag", (0.0, 0.0, 0.0)), ("O", (0.25, 0.25, 0.25))]),
        ("F d -3 m :2", 8.08, [("Mg", (0.125, 0.125, 0.125)), ("Al", (0.5, 0.5, 0.5)), ("O", (0.2624,) * 3)]),
    ],
    ids=["BaO", "Ag2O", "spinel"],
)
def test_every_atom_of_an_oxide_is_found_and_named(tmp_path, symbol, a, sites):
    """Ba at 0 ½ 0 was counted three times; O of Ag2O had no room beside six places for two atoms."""
    crystal = solved(tmp_path, symbol, a, sites)
    assert crystal.candidate.group.number == gemmi.SpaceGroup(symbol).number
    assert crystal.model is not None
    assert crystal.named
    assert sorted(gemmi.Element(int(z)).name for z in crystal.model.numbers) == sorted(name for name, _ in sites)
    assert crystal.r < 0.07
    assert crystal.verdict.outcome == "solved"


def test_an_element_that_no_atom_is_leaves_a_doubt(tmp_path):
    """Heavy atoms alone may have another group: PdO was P4/mnc with palladium only."""
    sites = [("Ba", (0.0, 0.5, 0.0)), ("O", (0.0, 0.0, 0.0))]
    crystal = solved(tmp_path, "F m -3 m", 5.52, sites, {"Ba": 4, "O": 3, "N": 1})
    assert crystal.verdict.outcome == "doubtful"
    assert "The formula has N, and none of the atoms is." in crystal.verdict.reasons


def test_without_a_formula_light_atoms_are_found_though_an_oxide_has_many(tmp_path):
    """Atoms of MnO take 11 Å³ each; room is reckoned for 17, and oxygen was left out."""
    crystal = solved(tmp_path, "F m -3 m", 4.44, [("Mn", (0.0, 0.0, 0.0)), ("O", (0.5, 0.5, 0.5))], {})
    assert crystal.model is not None
    assert len(crystal.model.numbers) == 2
    assert crystal.verdict.outcome == "solved"
