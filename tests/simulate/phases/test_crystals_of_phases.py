"""Crystals: distances, symmetry, and those of others."""

import importlib.util
from pathlib import Path

import gemmi
import numpy as np
import pytest
from ase.build import molecule
from numpy.testing import assert_allclose

from dsfu.errors import InputError
from dsfu.simulate.phases.packing import GROUPS_OF_MOLECULES, pack
from dsfu.simulate.phases.random_crystals import operators, random_in_group, random_p1
from dsfu.simulate.phases.sources import aflow_prototypes, contents_of_cif, crystals_of_table

DATA = Path("/work/shared/data/crystals")


def nearest(contents):
    """Shortest distance in Å, by gemmi."""
    cell = gemmi.UnitCell(*contents.cell)
    places = [gemmi.Fractional(*x) for x in contents.positions]
    apart = [
        cell.find_nearest_image(cell.orthogonalize(a), cell.orthogonalize(b)).dist()
        for i, a in enumerate(places)
        for b in places[:i]
    ]
    return min(apart)


def symmetric(contents):
    """Whether every operator takes the atoms into themselves."""
    turns, shifts = operators(gemmi.find_spacegroup_by_name(contents.space_group))
    for turn, shift in zip(turns, shifts, strict=True):
        images = contents.positions @ turn.T + shift
        apart = images[:, None] - contents.positions[None]
        near = np.abs(apart - np.round(apart)).max(axis=2) < 1e-6
        same = contents.numbers[:, None] == contents.numbers[None]
        if not (near & same).any(axis=1).all():
            return False
    return True


def test_atoms_of_random_crystals_keep_their_distance_and_are_repeatable():
    contents = random_p1(7, 2, 16)
    assert len(contents.numbers) == 16
    assert nearest(contents) >= 0.7 / 16 ** (1 / 3) * 10 - 1e-9
    again = random_p1(7, 2, 16)
    assert (again.positions == contents.positions).all()
    assert (again.numbers == contents.numbers).all()
    assert (random_p1(7, 3, 16).positions != contents.positions).any()


@pytest.mark.parametrize(
    "group", ["P 21/c", "P -1", "I 41/a", "R -3 c", "F m -3 m", "P 63/m m c", "C 2/c", "P 21 21 21"]
)
def test_random_crystals_have_the_symmetry_declared(group):
    contents = random_in_group(3, 1, group, 96)
    assert symmetric(contents)
    assert 1 <= len(contents.numbers) <= 96
    assert nearest(contents) > 1.0


@pytest.mark.parametrize("group", GROUPS_OF_MOLECULES)
def test_packed_molecules_touch_and_do_not_overlap(group):
    benzene = molecule("C6H6")
    contents = pack(benzene.numbers, benzene.positions, seed=1, space_group=group, tries=8, steps=100)
    assert symmetric(contents)
    cell = gemmi.UnitCell(*contents.cell)
    per_molecule = cell.volume / (len(contents.numbers) / 12)
    assert 100 < per_molecule < 230  # benzene has 123 Å3; these are not minimised
    assert nearest(contents) == pytest.approx(1.09, abs=0.03)  # C–H: the molecule is whole, others are further away


def test_crystals_of_a_table(tmp_path):
    cif = "data_x\n_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 4\n_cell_angle_alpha 90\n_cell_angle_beta 90\n"
    cif += "_cell_angle_gamma 90\nloop_\n_symmetry_equiv_pos_as_xyz\n'x,y,z'\n'-x,-y,-z'\nloop_\n_atom_site_label\n"
    cif += "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nO1 .1 .2 .3\n"
    table = tmp_path / "t.csv"
    table.write_text(f'material_id,cif\na,"{cif}"\n')
    (contents,) = crystals_of_table(table)
    assert contents.name == "a"
    assert_allclose(np.sort(contents.positions[:, 0]), [0.1, 0.9])
    with pytest.raises(InputError, match="no column"):
        list(crystals_of_table(table, column="nothing"))
    with pytest.raises(InputError, match="no crystal"):
        contents_of_cif("data_x\n_cell_length_a 4\n")
    table.write_bytes(b"\x00\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        list(crystals_of_table(table))


@pytest.mark.skipif(not DATA.is_dir(), reason="public data are not here")
def test_published_tables_are_read():
    every = list(crystals_of_table(DATA / "mp_20_val_part.csv.gz", limit=40))
    assert len(every) == 40
    assert all(1 <= len(contents.numbers) <= 20 for contents in every)


def test_prototypes_need_pymatgen_and_say_so():
    if importlib.util.find_spec("pymatgen"):
        assert len(list(aflow_prototypes())) > 200
    else:
        with pytest.raises(InputError, match="pymatgen"):
            next(aflow_prototypes())
