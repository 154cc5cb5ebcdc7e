import pytest

from dsfu.model.problems.particles.formula import expected_bond


@pytest.mark.parametrize(
    ("formula", "family", "bond"),
    [
        ("Au", "FCC", 2.884),
        ("AuC8H9S", "Decahedron", 2.884),
        ("Fe", "BCC", 2.867),
        ("Co", "HCP", 2.507),
        ("Co", "FCC", 2.506),  # 3.544 Å / √2, as measured of cobalt that is FCC
        ("Zr", "HCP", 3.232),
        ("Au", "Icosahedron", 2.814),  # along radii: 2.4 % shorter at the same volume of an atom
    ],
)
def test_b_of_metals_as_tables_have_it(formula, family, bond):
    assert expected_bond(formula, family) == pytest.approx(bond, rel=0.003)


@pytest.mark.parametrize("formula", ["", "Au3Cu", "Mn", "Hg", "a sample"])
def test_no_b_is_expected_of_alloys_and_of_metals_that_are_neither_close_packed_nor_cubic(formula):
    assert expected_bond(formula, "FCC") is None
