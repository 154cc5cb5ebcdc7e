from pathlib import Path

import gemmi
import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.io import write as ase_write
from hypothesis import given, settings

from dsfu.errors import InputError
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell
from dsfu.simulate.structures.files import read_structure, write_cif, write_xyz
from dsfu.simulate.structures.structure import Structure, unique_labels
from tests.model.measured.molecules.made import TBA
from tests.simulate.strategies import cells

HEAD = """data_test
_cell_length_a {cell.a}
_cell_length_b {cell.b}
_cell_length_c {cell.c}
_cell_angle_alpha {cell.alpha}
_cell_angle_beta {cell.beta}
_cell_angle_gamma {cell.gamma}
_space_group_name_H-M_alt '{group}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_disorder_group
"""


def cif(path: Path, rows: str, cell: Cell, group: str = "P 1") -> Path:
    path.write_text(HEAD.format(cell=cell, group=group) + rows, encoding="utf-8")
    return path


def distances(positions: FloatArray) -> FloatArray:
    return np.sort(np.linalg.norm(positions[:, None] - positions, axis=-1).ravel())


def in_cell(atoms: Atoms, cell: Cell, wrapped: bool = True) -> str:
    fractional = atoms.positions @ np.linalg.inv(cell.vectors)
    if wrapped:
        fractional -= np.floor(fractional)
    rows = zip(atoms.get_chemical_symbols(), fractional.tolist(), strict=True)
    return "".join(f"{symbol}{i} {symbol} {x} {y} {z} 1 .\n" for i, (symbol, (x, y, z)) in enumerate(rows, 1))


@settings(max_examples=25, deadline=None)
@given(cell=cells())
def test_a_molecule_cut_by_the_faces_of_a_cell_is_put_together(tmp_path_factory, cell: Cell):
    large = Cell(40 + cell.a, 40 + cell.b, 40 + cell.c, cell.alpha, cell.beta, cell.gamma)
    benzene = molecule("C6H6")
    path = cif(tmp_path_factory.mktemp("cif") / "cut.cif", in_cell(benzene, large), large)
    found = read_structure(path)
    np.testing.assert_allclose(distances(found.positions), distances(benzene.positions), atol=1e-6)


def test_symmetry_completes_the_molecule(tmp_path):
    cell = Cell(9, 10, 11, 90, 100, 90)
    benzene = molecule("C6H6")
    half = benzene[[i for i, place in enumerate(benzene.positions) if place @ [1.0, 0.1, 0.0] > 0]]
    assert len(half) == 6
    found = read_structure(cif(tmp_path / "half.cif", in_cell(half, cell, wrapped=False), cell, "P -1"))
    assert sorted(found.numbers) == sorted(benzene.numbers)
    np.testing.assert_allclose(distances(found.positions), distances(benzene.positions), atol=1e-6)
    assert {"C1", "C1_2"} <= set(found.labels)
    alone = read_structure(tmp_path / "half.cif", molecule=["asymmetric-unit"])
    np.testing.assert_allclose(alone.positions, half.positions, atol=1e-9)


def test_the_frame_is_that_of_the_cell(tmp_path):
    cell = Cell(7, 8, 9, 80, 95, 105)
    found = read_structure(cif(tmp_path / "one.cif", "C1 C 0.1 0.2 0.3 1 .\n", cell))
    np.testing.assert_allclose(found.positions[0], [0.1, 0.2, 0.3] @ cell.vectors)
    assert found.cell == cell


def test_one_of_several_molecules_has_to_be_chosen(tmp_path):
    cell = Cell(15, 15, 15)
    water, far = molecule("H2O"), molecule("H2O")
    far.positions += 6
    rows = in_cell(water + far, cell)
    path = cif(tmp_path / "two.cif", rows, cell)
    with pytest.raises(InputError, match=r"2 molecules, with O1, O4"):
        read_structure(path)
    assert read_structure(path, molecule=["H5"]).labels == ("O4", "H5", "H6")
    assert len(read_structure(path, molecule=["O1", "O4"])) == 6
    assert len(read_structure(path, molecule=["cell"])) == 6


def test_parts_and_occupancies(tmp_path):
    cell = Cell(12, 12, 12)
    rows = "C1 C 0.5 0.5 0.5 1 .\nF1 F 0.61 0.5 0.5 0.7 1\nF2 F 0.39 0.5 0.5 0.3 2\n"
    path = cif(tmp_path / "parts.cif", rows, cell)
    with pytest.raises(InputError, match="disorder groups 1, 2"):
        read_structure(path)
    first, second = read_structure(path, part=1), read_structure(path, part=2)
    assert (first.labels, second.labels) == (("C1", "F1"), ("C1", "F2"))
    assert first.occupancies.tolist() == [1, 1]
    with pytest.raises(InputError, match="no disorder group 3"):
        read_structure(path, part=3)
    alone = cif(tmp_path / "one.cif", "C1 C 0.5 0.5 0.5 1 .\nF1 F 0.61 0.5 0.5 0.7 .\n", cell)
    assert read_structure(alone).occupancies.tolist() == [1, 0.7]


def test_a_network_is_no_molecule_but_a_cell_is_one(tmp_path):
    path = cif(tmp_path / "salt.cif", "Na1 Na 0 0 0 1 .\nCl1 Cl 0.5 0.5 0.5 1 .\n", Cell(5.64, 5.64, 5.64), "F m -3 m")
    with pytest.raises(InputError, match="network"):
        read_structure(path)
    assert len(read_structure(path, molecule=["cell"])) == 8


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "cannot be read"),
        ("data_x\n", "no data block has atoms"),
        (HEAD.format(cell=Cell(5, 5, 5), group="P 1") + "C1 C ? 0 0 1 .\n", "missing"),
        (HEAD.format(cell=Cell(5, 5, 5), group="P 1") + "Q1 Xx 0 0 0 1 .\n", "element"),
        (HEAD.format(cell=Cell(5, 5, 5), group="P 1") + "C1 C 0 0 0 7 .\n", "occupancy"),
        (HEAD.format(cell=Cell(5, 5, 5), group="nonsense") + "C1 C 0 0 0 1 .\n", "space group"),
        (HEAD.format(cell=Cell(5, 5, 5), group="P 1").replace("a 5.0", "a -5") + "C1 C 0 0 0 1 .\n", "cell length a"),
    ],
)
def test_bad_cifs_are_told(tmp_path, text, told):
    path = tmp_path / "bad.cif"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        read_structure(path)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.xyz", "", "cannot be read|holds no atoms"),
        ("a.xyz", "3\n\nC 0 0 0\n", "cannot be read"),
        ("a.xyz", "1\n\nC 0 0 nan\n", "finite"),
        ("a.xyz", "1\n\nXx 0 0 0\n", "cannot be read|form factor"),
        ("a.dat", "what is this", "cannot be read"),
    ],
)
def test_bad_files_are_told(tmp_path, name, text, told):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        read_structure(path)


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="is not there"):
        read_structure(tmp_path / "none.cif")
    with pytest.raises(InputError, match="is a folder"):
        read_structure(tmp_path)


def test_xyz_is_read_in_the_frame_of_its_cell(tmp_path):
    cell = Cell(7, 8, 9, 80, 95, 105)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    inside = Atoms("CO", positions=[[1.0, 2, 3], [2.0, 2, 3]], cell=cell.vectors, pbc=True)
    turned = Atoms("CO", positions=inside.positions @ turn.T, cell=cell.vectors @ turn.T, pbc=True)
    ase_write(tmp_path / "turned.xyz", turned, format="extxyz")
    found = read_structure(tmp_path / "turned.xyz")
    np.testing.assert_allclose(found.positions, inside.positions, atol=1e-6)
    assert found.labels == ("C1", "O2")


def test_part_of_an_xyz_can_be_taken(tmp_path):
    water, far = molecule("H2O"), molecule("H2O")
    far.positions += 6
    ase_write(tmp_path / "two.xyz", water + far)
    assert read_structure(tmp_path / "two.xyz", molecule=["O4"]).labels == ("O4", "H5", "H6")
    with pytest.raises(InputError, match=r"no atom O7"):
        read_structure(tmp_path / "two.xyz", molecule=["O7"])


def test_written_structures_come_back(tmp_path):
    given_structure = read_structure(TBA / "up.xyz")
    cell = Cell(14.1, 14.1, 6.92, 90, 90, 120)
    write_xyz(tmp_path / "up.xyz", given_structure)
    write_cif(tmp_path / "up.cif", given_structure, cell)
    for path, molecule_ in ((tmp_path / "up.xyz", ()), (tmp_path / "up.cif", ("asymmetric-unit",))):
        back = read_structure(path, molecule=molecule_)
        assert back.labels == given_structure.labels
        np.testing.assert_array_equal(back.numbers, given_structure.numbers)
        np.testing.assert_allclose(back.positions, given_structure.positions, atol=2e-7)
    small = gemmi.read_small_structure(str(tmp_path / "up.cif"))
    assert small.cell.gamma == 120
    assert len(small.sites) == 120


def test_copies_get_names_of_their_own():
    assert unique_labels(["C1", "C1", "C1_2", "C1"]) == ("C1", "C1_3", "C1_2", "C1_4")


def test_structures_are_checked():
    with pytest.raises(ValueError, match="positions"):
        Structure(numbers=np.array([6]), positions=np.zeros((2, 3)), occupancies=np.ones(1), labels=("C1",))
    with pytest.raises(ValueError, match="labels"):
        Structure(numbers=np.array([6, 6]), positions=np.zeros((2, 3)), occupancies=np.ones(2), labels=("C1", "C1"))
