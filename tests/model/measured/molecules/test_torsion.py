import numpy as np
import pytest
import torch
from ase.build import molecule
from ase.geometry import get_dihedrals

from dsfu.errors import InputError
from dsfu.model.measured.molecules.geometry import Geometry, rotation_of
from dsfu.model.measured.molecules.torsion import torsion_of, torsions_of
from dsfu.simulate.structures.structure import Structure


def structure_of(name: str) -> Structure:
    atoms = molecule(name)
    return Structure(
        numbers=np.array(atoms.numbers, np.int64),
        positions=np.array(atoms.positions),
        occupancies=np.ones(len(atoms)),
        labels=tuple(f"{symbol}{i}" for i, symbol in enumerate(atoms.get_chemical_symbols(), 1)),
        name=name,
    )


ETHANOL = structure_of("CH3CH2OH")
PAIR = (ETHANOL, ETHANOL)
ABOUT = ("O3", "C2", "C1", "H7")


def turned(text: str, angle: float) -> tuple[Structure, Structure]:
    geometry = Geometry(PAIR, (torsion_of(text, PAIR),))
    none = torch.zeros((2, 3), dtype=torch.float64)
    return geometry.split(geometry.positions(torch.tensor([angle], dtype=torch.float64), none, none[0]))


def dihedral(structure: Structure, *labels: str) -> float:
    a, b, c, d = (structure.positions[structure.index(label)] for label in labels)
    return float(get_dihedrals([b - a], [c - b], [d - c])[0])


def test_ethanol_is_as_the_tests_take_it():
    assert ETHANOL.labels == ("C1", "C2", "O3", "H4", "H5", "H6", "H7", "H8", "H9")


@pytest.mark.parametrize("angle", [-100.0, 1e-9, 7.0, 180.0])
def test_the_dihedral_angle_changes_by_the_angle_and_nothing_else(angle):
    refined, _ = turned("A:C2-C1", angle)
    before, after = (dihedral(each, *ABOUT) for each in (ETHANOL, refined))
    assert (after - before - angle + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)
    for group in (["C2", "C1", "O3", "H4", "H5", "H6"], ["C2", "C1", "H7", "H8", "H9"]):
        old, new = (np.array([each.positions[each.index(label)] for label in group]) for each in (ETHANOL, refined))
        lengths, lengths_after = (np.linalg.norm(each[:, None] - each, axis=-1) for each in (old, new))
        np.testing.assert_allclose(lengths, lengths_after, atol=1e-9)
    np.testing.assert_allclose(ETHANOL.positions[:6], refined.positions[:6], atol=1e-12)


def test_from_the_other_end_the_other_side_turns():
    torsion = torsion_of("A:C1-C2", PAIR)
    assert [ETHANOL.labels[i] for i in torsion.groups[0].turning] == ["O3", "H4", "H5", "H6"]


def test_groups_have_signs_and_species():
    first, second = turned("methyl=A:C2-C1 -B:C2-C1", 20)
    before = dihedral(ETHANOL, *ABOUT)
    turns = [(dihedral(each, *ABOUT) - before + 180) % 360 - 180 for each in (first, second)]
    assert turns == pytest.approx([20, -20], abs=1e-6)


def test_without_a_species_both_turn():
    torsion = torsion_of("C2-C1", PAIR)
    assert [group.species for group in torsion.groups] == [0, 1]
    assert torsion.name == "C2-C1"


def test_a_list_turns_only_what_it_lists():
    torsion = torsion_of("A:C2-C1[H7,H9]", PAIR)
    assert torsion.groups[0].turning.tolist() == [6, 8]


def test_patterns_find_every_bond():
    torsion = torsion_of("x=A:C?-C*", PAIR)
    assert sorted((group.first, group.second) for group in torsion.groups) == [(0, 1), (1, 0)]


def test_nested_groups_turn_together():
    both = Geometry(PAIR, torsions_of(["outer=A:C2-C1", "inner=A:C1-C2"], PAIR))
    none = torch.zeros((2, 3), dtype=torch.float64)
    places = both.positions(torch.tensor([30.0, 30.0], dtype=torch.float64), none, none[0])
    first, _ = both.split(places)
    before = dihedral(ETHANOL, *ABOUT)
    turn = (dihedral(first, *ABOUT) - before + 180) % 360 - 180
    assert turn == pytest.approx(60, abs=1e-6)  # the same bond from both its ends


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("C2-H7", "not bonded"),
        ("A:C1-X9", "no atom X9"),
        ("A:C1", "not a group"),
        ("", "no group"),
        ("A:C2-H5", "nothing turns"),
        ("A:C2-C1[C1]", "cannot turn"),
        ("A:N*-C*", "no two bonded atoms"),
    ],
)
def test_bad_torsions_are_told(text, told):
    with pytest.raises(InputError, match=told):
        torsion_of(text, PAIR)


def test_bonds_of_rings_cannot_turn():
    benzene = structure_of("C6H6")
    with pytest.raises(InputError, match="ring"):
        torsion_of("C1-C2", (benzene, benzene))


def test_two_torsions_need_two_names():
    with pytest.raises(InputError, match="two are called"):
        torsions_of(["C2-C1", "C2-C1"], PAIR)


def test_rotation_matrices():
    turn = rotation_of(torch.tensor([0.0, 0.0, np.pi / 2], dtype=torch.float64))
    torch.testing.assert_close(
        turn @ torch.tensor([1.0, 0, 0], dtype=torch.float64), torch.tensor([0, 1.0, 0]).double()
    )
    vector = torch.tensor([0.3, -0.2, 0.9], dtype=torch.float64)
    generator = torch.tensor([[0, -0.9, -0.2], [0.9, 0, -0.3], [0.2, 0.3, 0]], dtype=torch.float64)
    torch.testing.assert_close(rotation_of(vector), torch.linalg.matrix_exp(generator))


def test_rotation_has_derivatives_at_none():
    at_none = torch.autograd.functional.jacobian(rotation_of, torch.zeros(3, dtype=torch.float64))
    expected = torch.zeros((3, 3, 3), dtype=torch.float64)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        expected[i, j, k], expected[j, i, k] = -1, 1
    torch.testing.assert_close(at_none, expected)
