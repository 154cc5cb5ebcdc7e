"""Sites of a type coloured anew: what comes out has the formula, and is what crystallographers call it."""

from math import gcd

import pytest

from dsfu.model.problems.densities.candidates import decorations
from dsfu.model.problems.densities.colourings import coloured, is_coloured
from dsfu.model.problems.densities.formulas import parse_formula
from dsfu.simulate.densities.structure_types import StructureType, shipped_types


def named(name: str) -> StructureType:
    return next(kind for kind in shipped_types() if kind.name == name)


def test_cryolite_with_an_element_on_each_site_is_an_ordered_double_perovskite() -> None:
    formula = parse_formula("LiNa2AlF6")
    found = list(coloured(named("AB6C3_mP20_14_a_3e_de"), formula.counts))
    sites = {frozenset((orbit.element, orbit.multiplicity) for orbit in kind.orbits) for kind in found}
    # Lithium and aluminium on the two centres of octahedra, either way; three sites of four belong to fluorine.
    assert sites == {frozenset({(3, 2), (13, 2), (11, 4), (9, 4)})}
    assert all(kind.free == found[0].free for kind in found)


@pytest.mark.parametrize("text", ["LiNa2AlF6", "K3AlF6", "ZrAlNi", "LiFePO4"])
def test_every_decoration_has_the_formula(text: str) -> None:
    formula = parse_formula(text)
    found = list(decorations(formula, shipped_types()))
    assert any(is_coloured(kind) for kind in found)
    for kind in found:
        divisor = gcd(*kind.composition.values())
        assert {z: n // divisor for z, n in kind.composition.items()} == dict(formula.counts)


def test_olivine_orders_two_metals_on_its_two_sites() -> None:
    olivine = next(kind for kind in shipped_types() if kind.number == 62 and kind.name.startswith("A2B4C_oP28_62"))
    found = list(coloured(olivine, parse_formula("LiFePO4").counts))
    placed = {tuple(orbit.element for orbit in kind.orbits if orbit.element in (3, 26)) for kind in found}
    assert {(3, 26), (26, 3)} <= placed


def test_what_gains_symmetry_is_not_offered() -> None:
    """Stannite with its two rarer metals made equal has half the cell; elpasolite with two of its metals has not."""
    stannite = next(kind for kind in shipped_types() if kind.number == 121 and kind.name.startswith("A2BC4D_tI16_121"))
    assert list(coloured(stannite, parse_formula("CuGaS2").counts)) == []
    elpasolite = named("A2BC6D_cF40_225_c_a_e_b")
    found = list(coloured(elpasolite, parse_formula("K3AlF6").counts))
    assert {(orbit.element, orbit.multiplicity) for orbit in found[0].orbits} == {(19, 8), (19, 4), (13, 4), (9, 24)}
