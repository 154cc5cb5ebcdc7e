"""The library as a whole, pairs, vacancies, and a user's own species."""

import pickle
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from hypothesis import given
from hypothesis import strategies as st

from dsfu.simulate.lattice import Cell
from dsfu.simulate.own_species import read_species
from dsfu.simulate.species import (
    Species,
    cell_of_pair,
    load_library,
    pairs,
    vacancy,
)

LIBRARY = load_library()
PARENTS = [name for name in LIBRARY if f"{name}_R" in LIBRARY]


# --- what is there ---------------------------------------------------------------------------------------------------


def test_species_are_as_many_as_in_the_paper():
    counts = Counter((one.group, one.split) for one in LIBRARY.values())
    assert [counts[group, "train"] for group in range(5)] == [16, 20, 30, 24, 8]
    assert [counts[group, "validation"] for group in range(5)] == [5, 6, 8, 10, 0]
    assert len(LIBRARY) == 98 + 29
    assert all(name == one.name for name, one in LIBRARY.items())


def test_pairs_are_as_many_as_in_the_paper():
    per_group = {split: Counter(a.group for a, _ in pairs(LIBRARY, split)) for split in ("train", "validation")}
    assert per_group["train"] == {0: 120, 1: 190, 2: 435, 3: 276, 4: 28}
    assert per_group["validation"] == {0: 10, 1: 15, 2: 28, 3: 45}
    assert len(pairs(LIBRARY, "train")) == 1049
    assert len(pairs(LIBRARY, "validation")) == 98


@pytest.mark.parametrize("split", ["train", "validation"])
def test_pairs_are_unordered_within_one_group_and_split_and_always_the_same(split):
    found = pairs(LIBRARY, split)
    assert len({frozenset((a.name, b.name)) for a, b in found}) == len(found)
    assert all(a.name != b.name and a.group == b.group and a.split == b.split == split for a, b in found)
    again = [(a.name, b.name) for a, b in pairs(load_library(), split)]
    assert again == [(a.name, b.name) for a, b in found]
    groups = [a.group for a, _ in found]
    assert groups == sorted(groups)


def test_pairs_refuse_an_unknown_split():
    with pytest.raises(ValueError, match="split = 'test': expected 'train' or 'validation'"):
        pairs(LIBRARY, "test")  # type: ignore[arg-type]


def test_order_is_that_of_groups_then_splits_with_each_turned_one_after_its_parent():
    order = [(one.group, one.split) for one in LIBRARY.values()]
    assert order == sorted(order)
    names = list(LIBRARY)
    assert all(names.index(f"{name}_R") == names.index(name) + 1 for name in PARENTS)
    assert len(PARENTS) == 43 + 14


def test_loading_is_quick_and_light():
    fastest = min(_seconds(load_library) for _ in range(3))
    assert fastest < 0.3
    code = "import sys; from dsfu.simulate.species import load_library; load_library(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"matplotlib", "rdkit", "scipy", "numba", "ase.io"} & set(loaded)


def _seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


# --- a pair's cell, vacancies, and species of one's own --------------------------------------------------------------


@given(st.sampled_from(range(1049)), st.floats(0.0, 1.0))
def test_the_cell_of_a_pair_is_vegards(number, fraction):
    a, b = pairs(LIBRARY, "train")[number]
    mixed = cell_of_pair(a, b, fraction)
    expected = fraction * np.array(a.cell.constants) + (1 - fraction) * np.array(b.cell.constants)
    np.testing.assert_allclose(mixed.constants, expected, rtol=1e-12)


def test_a_pair_of_two_lattices_has_no_cell():
    with pytest.raises(ValueError, match=r"benzene \(hexagonal\), species_b = water \(tetragonal\): expected two"):
        cell_of_pair(LIBRARY["benzene"], LIBRARY["water"], 0.5)


def test_a_vacancy_is_empty_and_takes_its_partners_cell():
    partner = LIBRARY["benzene"]
    empty = vacancy(partner)
    assert (empty.name, empty.group, empty.split) == ("vacancy_benzene", 3, "validation")
    assert empty.is_vacancy
    assert not partner.is_vacancy
    assert empty.atoms.positions.shape == (0, 3)
    assert cell_of_pair(partner, empty, 0.3).constants == pytest.approx(partner.cell.constants)
    swollen = vacancy(partner, "hole", (6.0, 3.5, 6.0))
    assert (swollen.name, swollen.cell_lengths) == ("hole", (6.0, 3.5, 6.0))
    assert swollen.geometry_digest() != empty.geometry_digest()
    with pytest.raises(ValueError, match=r"shape \(0, 3\): expected one atom or more"):
        empty.rotated()


def test_own_species_join_the_library_and_its_pairs():
    own = LIBRARY | {"hole": vacancy(LIBRARY["water"], "hole")}
    assert len(pairs(own, "train")) == 1049 + 30


@pytest.mark.parametrize("suffix", ["xyz", "extxyz", "pdb", "json", "traj"])
def test_own_files_of_any_format_are_read(tmp_path, suffix):
    path = tmp_path / f"mine.{suffix}"
    write(path, Atoms("CO2", [[5.0, 5.0, 5.0], [5.0, 5.0, 6.16], [5.0, 5.0, 3.84]]))
    species = read_species(path, "carbon_dioxide", 1, split="validation")
    assert (species.name, species.group, species.split) == ("carbon_dioxide", 1, "validation")
    np.testing.assert_allclose(species.atoms.positions[:, 2], [5.0, 6.16, 3.84], atol=1e-3)
    assert species.cell_lengths == pytest.approx((3.82, 3.0, 3.82), abs=2e-3)


def test_own_files_are_laid_as_the_library_is_when_asked(tmp_path):
    path = tmp_path / "mine.xyz"
    write(path, Atoms("CO2", [[5.0, 5.0, 5.0], [5.0, 5.0, 6.16], [5.0, 5.0, 3.84]]))
    species = read_species(str(path), "carbon_dioxide", 1, lay=True)
    expected = np.outer([0.0, 1.16, 1.16], [0.0, 1.0, 0.0])
    np.testing.assert_allclose(np.abs(species.atoms.positions), expected, atol=1e-9)
    assert species.cell_lengths == pytest.approx((3.0, 3.82, 3.0))
    given_cell = read_species(path, "carbon_dioxide", 1, lay=True, cell_lengths=(4.0, 5.0, 4.0))
    assert given_cell.cell_lengths == (4.0, 5.0, 4.0)


def test_own_perovskites_take_the_cell_of_their_file(tmp_path):
    cube = Atoms("SrTiO3", 1.9525 * np.array([[-1, -1, -1], [0, 0, 0], [-1, 0, 0], [0, -1, 0], [0, 0, -1]]))
    write(tmp_path / "cell.extxyz", Atoms(cube, cell=[3.905] * 3, pbc=True))
    assert read_species(tmp_path / "cell.extxyz", "SrTiO3", 4).cell_lengths == pytest.approx((3.905,) * 3)
    write(tmp_path / "none.xyz", cube)
    with pytest.raises(ValueError, match=r"needs a cell with right angles.*give cell_lengths=\(a, b, c\)"):
        read_species(tmp_path / "none.xyz", "SrTiO3", 4)
    with pytest.raises(ValueError, match="group = 4: its species are pieces of a crystal"):
        read_species(tmp_path / "none.xyz", "SrTiO3", 4, lay=True, cell_lengths=(3.9, 3.9, 3.9))


def test_files_that_cannot_be_a_species_are_refused_with_the_reason(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere.xyz'?: there is no such file"):
        read_species(tmp_path / "nowhere.xyz", "x", 1)
    (tmp_path / "junk.xyz").write_text("these are not the atoms you are looking for\n")
    with pytest.raises(ValueError, match=r"junk.xyz': ASE cannot read it \(.*\); expected a structure file"):
        read_species(tmp_path / "junk.xyz", "x", 1)
    (tmp_path / "junk.nonsense").write_text("1\n\n")
    with pytest.raises(ValueError, match="ASE cannot read it"):
        read_species(tmp_path / "junk.nonsense", "x", 1)
    write(tmp_path / "two.xyz", [Atoms("H"), Atoms("He")])
    with pytest.raises(ValueError, match="it holds 2 structures; say which with index=0, 1"):
        read_species(tmp_path / "two.xyz", "x", 0)
    assert read_species(tmp_path / "two.xyz", "x", 0, index=1).atoms.symbols[0] == "He"
    with pytest.raises(ValueError, match="index = 2: expected 0 to 1"):
        read_species(tmp_path / "two.xyz", "x", 0, index=2)
    with pytest.raises(ValueError, match="index = -1: expected 0 to 1"):
        read_species(tmp_path / "two.xyz", "x", 0, index=-1)
    write(tmp_path / "disordered.xyz", Atoms("CO2", [[0, 0, 0], [0, 0, 1.2], [0, 0.2, 1.2]]))
    with pytest.raises(ValueError, match=r"atoms 1 \(O\) and 2 \(O\) of species x are 0.2 Å apart.*keep one"):
        read_species(tmp_path / "disordered.xyz", "x", 1)
    write(tmp_path / "dummy.xyz", Atoms("CX", [[0, 0, 0], [0, 0, 1.2]]))
    with pytest.raises(ValueError, match="atom 1 of species x is 'X': expected a chemical element"):
        read_species(tmp_path / "dummy.xyz", "x", 1)


def test_an_empty_file_points_to_vacancies(tmp_path):
    write(tmp_path / "empty.json", Atoms())
    with pytest.raises(ValueError, match=r"it holds no atoms; for an empty site use vacancy\(partner\)"):
        read_species(tmp_path / "empty.json", "x", 1)


HYDROGEN = Atoms("H2", [[0, 0, 0], [0, 0.74, 0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "two words"}, "name = 'two words': expected letters, digits and _"),
        ({"name": ""}, "name = '': expected letters"),
        ({"group": 5}, "group = 5: expected one of 0 (globular)"),
        ({"split": "test"}, "split = 'test' (species x): expected 'train' or 'validation'"),
        ({"atoms": "H2"}, "atoms = 'H2' (species x): expected an ase.Atoms"),
        ({"atoms": Atoms("H", [[np.nan, 0, 0]])}, "positions of species x (Å)[0, 0] = nan: expected finite"),
        ({"cell_lengths": (3.0, 3.0)}, "cell_lengths = (3.0, 3.0) (species x): expected (a, b, c) in Å"),
        ({"cell_lengths": 3.0}, "cell_lengths = 3.0 (species x): expected (a, b, c) in Å"),
        ({"cell_lengths": (3.0, -1.0, 3.0)}, "cell length b of species x (Å) = -1.0: expected a number in (0"),
        ({"cell_lengths": (3.0, 4.0, 3.1)}, "group 1 (rod) has a tetragonal lattice; expected a = c"),
        ({"cell_lengths": (3.0, 4.0, 3.0), "group": 0}, "has a cubic lattice; expected a = b = c"),
    ],
)
def test_bad_arguments_are_named(change, message):
    good = {"name": "x", "group": 1, "split": "train", "atoms": HYDROGEN, "cell_lengths": (3.0, 4.0, 3.0)}
    Species(**good)
    with pytest.raises(ValueError, match=re.escape(message)):
        Species(**(good | change))


def test_species_do_not_change_under_anyones_hands():
    source = HYDROGEN.copy()
    species = Species("x", 1, "train", source, (3.0, 4.0, 3.0))
    source.positions[:] = 7.0
    assert species.atoms.positions.max() == 0.74
    with pytest.raises(ValueError, match="read-only"):
        species.atoms.positions[0, 0] = 1.0
    editable = species.atoms.copy()
    editable.positions[0, 0] = 1.0
    assert species.atoms.positions[0, 0] == 0.0


def test_species_survive_the_way_to_a_worker():
    species = LIBRARY["hexachlorobenzene_R"]
    arrived = pickle.loads(pickle.dumps(species))
    assert arrived.geometry_digest() == species.geometry_digest()
    assert (arrived.name, arrived.group, arrived.split) == (species.name, species.group, species.split)


# --- digest ----------------------------------------------------------------------------------------------------------


def test_digest_is_about_geometry_alone():
    one = LIBRARY["benzene"]
    renamed = Species("other", one.group, "train", one.atoms, one.cell_lengths)
    assert renamed.geometry_digest() == one.geometry_digest()
    shuffled = one.atoms[np.random.default_rng(3).permutation(12)]
    assert Species("x", 3, "train", shuffled, one.cell_lengths).geometry_digest() == one.geometry_digest()


@pytest.mark.parametrize("change", ["position", "element", "length", "lattice"])
def test_digest_sees_every_change_that_scatters(change):
    one = LIBRARY["nitrate"]
    atoms, lengths, group = one.atoms.copy(), one.cell_lengths, one.group
    if change == "position":
        atoms.positions[0, 0] += 2e-6
    elif change == "element":
        atoms.numbers[0] = 6
    elif change == "length":
        lengths = (lengths[0], lengths[1] + 2e-6, lengths[2])
    else:
        group = 3
    assert Species("x", group, "train", atoms, lengths).geometry_digest() != one.geometry_digest()


def test_digest_is_the_same_everywhere():
    water = Species("w", 2, "train", Atoms("OH2", [[0, 0, 0], [0.8, 0, 0.6], [-0.8, 0, 0.6]]), (3.0, 3.0, 3.0))
    assert water.geometry_digest() == "5c899cf6dcd7618f48d01652bcb1100e27064fe0a54c31a0b0a1675101056bfb"


HALF_A_BENZENE = """\
data_benzene
_cell_length_a 7.44
_cell_length_b 9.55
_cell_length_c 6.92
_cell_angle_alpha 90
_cell_angle_beta 103.5
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 21/c 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
"""


def half_a_benzene(folder):
    """Three C–H of a ring about the inversion centre at the origin, in the manner of published files."""
    cell = Cell(7.44, 9.55, 6.92, beta=103.5)
    rows = []
    for number, angle in enumerate(np.radians([10, 70, 130])):
        for symbol, radius in (("C", 1.39), ("H", 2.47)):
            place = radius * np.array([np.cos(angle), np.sin(angle), 0.0]) @ np.linalg.inv(cell.vectors)
            rows.append(f"{symbol}{number + 1} {symbol} {' '.join(f'{x:.6f}' for x in place)}")
    path = folder / "benzene.cif"
    path.write_text(HALF_A_BENZENE + "\n".join(rows) + "\n")
    return path


def test_a_molecule_of_a_cif_is_put_together_by_symmetry_and_the_others_are_left_out(tmp_path):
    """Once the whole cell came as one molecule, in silence."""
    benzene = read_species(half_a_benzene(tmp_path), "benzene", 2)
    assert str(benzene.atoms.symbols.formula.count()) == "{'C': 6, 'H': 6}"
    carbon = benzene.atoms.positions[benzene.atoms.numbers == 6]
    between = np.linalg.norm(carbon[:, None] - carbon, axis=-1)
    np.testing.assert_allclose(np.sort(between, axis=1)[:, 1:3], 1.39, atol=1e-3)
    np.testing.assert_allclose(benzene.atoms.positions.mean(axis=0), 0, atol=1e-4)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("_cell_length_a 7.44\n", "", "cell"),
        ("'P 1 21/c 1'", "'P 99'", "space group"),
        ("_atom_site_fract_z\n", "_atom_site_fract_z\n_atom_site_occupancy\n", "occupancy of 0.5"),
    ],
)
def test_a_cif_that_does_not_say_what_is_there_is_refused(tmp_path, before, after, told):
    path = half_a_benzene(tmp_path)
    text = path.read_text().replace(before, after)
    if "occupancy" in after:
        text = "\n".join(
            f"{line} 0.5" if line[:1] in "CH" and line[1:2].isdigit() else line for line in text.split("\n")
        )
    path.write_text(text)
    with pytest.raises(ValueError, match=told):
        read_species(path, "benzene", 2)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("bomb.xyz", "1000000000000\nx\nH 0 0 0\n", "claims 1000000000000 atoms, and has 24 bytes"),
        ("later.xyz", "1\n\nH 0 0 0\n" + "9" * 400 + "\n\nH 0 0 0\n", "claims 9+ atoms"),
        ("POSCAR", "x\n1.0\n9 0 0\n0 9 0\n0 0 9\nH\n100000000000\nDirect\n0 0 0\n", "claims 100000000000 atoms"),
        ("many.xyz", "30000\n\n" + "".join(f"H {i} 0 0\n" for i in range(30_000)), "has 30000 atoms: expected at most"),
        ("huge.xyz", " " * (9 * 2**20), "it has 9437184 bytes; expected at most"),
    ],
    ids=["claim", "claim of a later frame", "another format", "atoms", "bytes"],
)
def test_files_that_would_keep_a_reader_busy_for_ever(tmp_path: Path, name: str, text: str, why: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=why):
        read_species(tmp_path / name, "bomb", 0, cell_lengths=(9.0, 9.0, 9.0), index=0)
