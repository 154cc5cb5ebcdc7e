"""The stored geometries against known chemistry, against each other, and against the rules of how they lie."""

import hashlib
from importlib import resources
from itertools import combinations

import numpy as np
import pytest
from ase import Atoms
from ase.data import covalent_radii
from ase.io import read
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components
from scipy.spatial.transform import Rotation

from dsfu.simulate.shapes import rotation_matrix
from dsfu.simulate.species import LIBRARY_FILES, load_library

LIBRARY = load_library()
PARENTS = [name for name in LIBRARY if f"{name}_R" in LIBRARY]
LAID = [name for name in LIBRARY if not name.endswith("_R")]

DIGESTS = {
    "globular.xyz": "aa3744ca77905792111affa2c6a787ebf6af5e206c729c382c841475ba9798d0",
    "rods.xyz": "6ee823a38ff1e497f40fa66b898e214a27d7abc4f0a356fa19ccfa7652370df4",
    "flat.xyz": "93840ee46d683e37a74559311aae34767f4664635bfdd46c36ed5ecd7228a5d6",
    "rings.xyz": "3769f268fbca506bbc6aaadf6b0c1bf71bafbeb1d0ed4212813e47cfa1f9fcd9",
    "perovskites.xyz": "39b515aaa737a8b4c54917656009d3cb15adeceaba90503643982901818f1d53",
}
"""SHA-256 of the files, as tools/make_species.py prints them: a change of the library is a change of every data set."""


def distances(species):
    return np.linalg.norm(species.atoms.positions[:, None] - species.atoms.positions[None], axis=-1)


def bonded(species, reach):
    radii = covalent_radii[species.atoms.numbers]
    near = distances(species) < reach * (radii[:, None] + radii[None])
    np.fill_diagonal(near, False)
    return near


def bond_lengths(species, first, second):
    symbols = np.array(species.atoms.get_chemical_symbols())
    found = np.argwhere(np.triu(bonded(species, 1.2)))
    apart = distances(species)
    return np.array([apart[i, j] for i, j in found if {symbols[i], symbols[j]} == {first, second}])


def bond_angles(species, first, centre, last):
    symbols, positions, joined = species.atoms.get_chemical_symbols(), species.atoms.positions, bonded(species, 1.2)
    angles = []
    for middle in (i for i, symbol in enumerate(symbols) if symbol == centre):
        for i, j in combinations(np.flatnonzero(joined[middle]), 2):
            if sorted((symbols[i], symbols[j])) == sorted((first, last)):
                one, other = positions[i] - positions[middle], positions[j] - positions[middle]
                cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
                angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return np.array(angles)


@pytest.mark.parametrize("file", LIBRARY_FILES)
def test_files_are_as_the_script_made_them(file):
    stored = (resources.files("dsfu.simulate.library") / file).read_text(encoding="utf-8")
    assert hashlib.sha256(stored.encode()).hexdigest() == DIGESTS[file], "run tools/make_species.py and say why"


@pytest.mark.parametrize("file", LIBRARY_FILES)
def test_files_are_what_ase_reads_too(file):
    with resources.as_file(resources.files("dsfu.simulate.library") / file) as path:
        frames = read(path, index=":")
    own = [one for one in LIBRARY.values() if one.group == LIBRARY_FILES.index(file)]
    assert [frame.info["name"] for frame in frames] == [one.name for one in own]
    for frame, one in zip(frames, own, strict=True):
        assert (frame.numbers == one.atoms.numbers).all()
        assert (frame.positions == one.atoms.positions).all()
        np.testing.assert_allclose(frame.cell.array, one.cell.vectors, atol=2e-8)
        assert frame.info["split"] == one.split
        assert frame.info["source"] == one.atoms.info["source"]


# --- chemistry -------------------------------------------------------------------------------------------------------

# Bond: how many of them, their mean length in Å from textbooks and surveys of crystal structures, and how far off it
# a force field or MP2 may be.
BONDS = [
    ("perchlorate", "Cl", "O", 4, 1.44, 0.01),
    ("sulfate", "S", "O", 4, 1.48, 0.01),
    ("hexafluorophosphate", "P", "F", 6, 1.60, 0.01),
    ("hexafluoroantimonate", "Sb", "F", 6, 1.88, 0.01),
    ("tetrafluoroborate", "B", "F", 4, 1.39, 0.01),
    ("nitrate", "N", "O", 3, 1.25, 0.01),
    ("ammonium", "N", "H", 4, 1.03, 0.02),
    ("adamantane", "C", "C", 12, 1.54, 0.01),
    ("norbornene", "C", "C", 8, 1.52, 0.02),
    ("DABCO", "C", "N", 6, 1.47, 0.03),
    ("diethyl_ether", "C", "O", 2, 1.42, 0.02),
    ("ethanol", "C", "O", 1, 1.43, 0.02),
    ("ethanol", "O", "H", 1, 0.97, 0.02),
    ("isobutanol", "C", "C", 3, 1.53, 0.02),
    ("dichloroethane_anti", "C", "Cl", 2, 1.79, 0.02),
    ("dichloroethane_syn", "C", "Cl", 2, 1.79, 0.02),
    ("dichloromethane", "C", "Cl", 2, 1.77, 0.02),
    ("chloroform", "C", "Cl", 3, 1.76, 0.02),
    ("dimethylammonium", "C", "N", 2, 1.49, 0.02),
    ("ethylammonium", "C", "N", 1, 1.49, 0.02),
    ("DMSO", "S", "O", 1, 1.50, 0.02),
    ("DMSO", "C", "S", 2, 1.80, 0.02),
    ("triflate", "S", "O", 3, 1.44, 0.01),
    ("triflate", "C", "F", 3, 1.33, 0.01),
    ("triflate", "C", "S", 1, 1.82, 0.01),
    ("trifluoroacetate", "C", "C", 1, 1.54, 0.01),
    ("acetonitrile", "C", "N", 1, 1.16, 0.03),
    ("acetonitrile", "C", "C", 1, 1.46, 0.02),
    ("water", "O", "H", 2, 0.96, 0.02),
    ("acetone", "C", "O", 1, 1.22, 0.02),
    ("DMF", "C", "O", 1, 1.23, 0.02),
    ("dimethylacetamide", "C", "O", 1, 1.23, 0.02),
    ("nitromethane", "N", "O", 2, 1.22, 0.03),
    ("THF", "C", "O", 2, 1.43, 0.02),
    ("dioxane", "C", "O", 4, 1.42, 0.02),
    ("dithiolane", "C", "S", 4, 1.81, 0.02),
    ("thiophene", "C", "S", 2, 1.71, 0.02),
    ("cyclohexane", "C", "C", 6, 1.53, 0.02),
    ("guanidinium", "C", "N", 3, 1.33, 0.02),
    ("guanylthiourea", "C", "S", 1, 1.69, 0.03),
    ("piperazine", "C", "N", 4, 1.47, 0.02),
    ("benzene", "C", "C", 6, 1.395, 0.005),
    ("benzene", "C", "H", 6, 1.09, 0.01),
    ("pyridine", "C", "N", 2, 1.34, 0.02),
    ("hexachlorobenzene", "C", "Cl", 6, 1.72, 0.03),
    ("hexachlorobenzene", "C", "C", 6, 1.40, 0.02),
    ("naphthalene", "C", "C", 11, 1.40, 0.02),
    ("chlorobenzene", "C", "Cl", 1, 1.74, 0.03),
    ("fluorobenzene", "C", "F", 1, 1.35, 0.02),
    ("benzoate", "C", "O", 2, 1.26, 0.02),
    ("benzoquinone", "C", "O", 2, 1.22, 0.02),
    ("aniline", "C", "N", 1, 1.40, 0.02),
    ("cresol", "C", "O", 1, 1.37, 0.02),
    ("CaTiO3", "Ti", "O", 3, 1.95, 0.02),
    ("CaMnO3", "Mn", "O", 3, 1.90, 0.02),
    ("CaMoO3", "Mo", "O", 3, 2.00, 0.03),
    ("CaZrO3", "Zr", "O", 3, 2.10, 0.02),
    ("CaFeO3", "Fe", "O", 3, 1.92, 0.02),
    ("CaCuO_square_planar", "Cu", "O", 2, 1.93, 0.02),
    ("Ca_vacant_B_OH", "O", "H", 3, 0.97, 0.01),
]

# Angle: mean in degrees, and how far off every single one may be.
ANGLES = [
    ("perchlorate", "O", "Cl", "O", 109.47, 0.01),
    ("sulfate", "O", "S", "O", 109.47, 0.01),
    ("ammonium", "H", "N", "H", 109.47, 0.01),
    ("tetrafluoroborate", "F", "B", "F", 109.47, 0.01),
    ("adamantane", "C", "C", "C", 109.47, 0.01),
    ("nitrate", "O", "N", "O", 120.0, 0.01),
    ("benzene", "C", "C", "C", 120.0, 0.1),
    ("hexachlorobenzene", "C", "C", "Cl", 120.0, 0.1),
    ("guanidinium", "N", "C", "N", 120.0, 0.5),
    ("water", "H", "O", "H", 104.5, 1.0),
    ("acetonitrile", "C", "C", "N", 180.0, 0.5),
    ("acetone", "C", "C", "C", 116.5, 1.0),
    ("nitromethane", "O", "N", "O", 125.5, 1.0),
    ("DMSO", "C", "S", "C", 96.5, 2.0),
    ("DMSO", "C", "S", "O", 107.0, 2.0),
    ("chloroform", "Cl", "C", "Cl", 111.0, 1.0),
    ("dichloromethane", "Cl", "C", "Cl", 112.0, 1.5),
    ("thiophene", "C", "S", "C", 92.2, 1.0),
    ("pyridine", "C", "N", "C", 117.0, 1.0),
    ("diethyl_ether", "C", "O", "C", 112.0, 2.0),
    ("cyclohexane", "C", "C", "C", 111.4, 1.0),
    ("triflate", "O", "S", "O", 115.0, 1.0),
    ("triflate", "F", "C", "F", 107.5, 1.0),
    ("trifluoroacetate", "O", "C", "O", 128.0, 1.0),
    ("benzoate", "O", "C", "O", 126.0, 4.0),
    ("CaTiO3", "O", "Ti", "O", 90.0, 0.01),
    ("CaCuO_square_planar", "O", "Cu", "O", 90.0, 0.01),
]


@pytest.mark.parametrize(("name", "first", "second", "count", "expected", "tolerance"), BONDS)
def test_bond_lengths(name, first, second, count, expected, tolerance):
    for species in (LIBRARY[name], LIBRARY.get(f"{name}_R", LIBRARY[name])):
        found = bond_lengths(species, first, second)
        assert len(found) == count
        assert found.mean() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(("name", "first", "centre", "last", "expected", "tolerance"), ANGLES)
def test_bond_angles(name, first, centre, last, expected, tolerance):
    found = bond_angles(LIBRARY[name], first, centre, last)
    assert found.size
    np.testing.assert_allclose(found, expected, atol=tolerance)


@pytest.mark.parametrize("name", ["hexafluorophosphate", "hexafluoroantimonate"])
def test_octahedra_have_twelve_right_angles_and_three_straight_ones_along_the_axes(name):
    ion = LIBRARY[name]
    angles = np.sort(bond_angles(ion, "F", ion.atoms.get_chemical_symbols()[0], "F"))
    np.testing.assert_allclose(angles, [90.0] * 12 + [180.0] * 3, atol=1e-6)
    assert (np.count_nonzero(np.abs(ion.atoms.positions[1:]) > 1e-9, axis=1) == 1).all()


@pytest.mark.parametrize(
    ("name", "expected"), [("dichloroethane_anti", 180.0), ("dichloroethane_syn", 60.0), ("diethyl_ether", 180.0)]
)
def test_torsions_that_make_conformers(name, expected):
    torsion = LIBRARY[name].atoms.get_dihedral(0, 1, 2, 3)
    assert min(torsion, 360.0 - torsion) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("name", LIBRARY)
def test_no_atoms_overlap_and_no_molecule_falls_apart(name):
    species = LIBRARY[name]
    apart = distances(species) + 10 * np.eye(len(species.atoms))
    assert apart.min() > 0.9
    # A perovskite cell holds together by its long Ca–O distances (2.75–2.97 Å), all others by bonds.
    fragments, _ = connected_components(bonded(species, 1.25), directed=False)
    assert fragments == 1


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("norbornene", "C7H10"), ("DABCO", "C6H12N2"), ("dimethyl_carbonate", "C3H6O3"), ("isobutanol", "C4H10O"),
        ("dimethylpyrazolate", "C5H7N2"), ("tert_butanol", "C4H10O"), ("dithiolane", "C3H6S2"),
        ("imidazole", "C3H4N2"), ("guanylthiourea", "C2H6N4S"), ("methylimidazole", "C4H6N2"),
        ("hydroxyquinoline", "C9H7NO"), ("cymene", "C10H14"), ("methylindole", "C9H9N"),
        ("methylbenzoxazine", "C9H9NO"), ("methylquinolinol", "C10H9NO"), ("cresol", "C7H8O"),
        ("Ca_vacant_B_OH", "CaH3O3"), ("CaCuO_square_planar", "CaCuO2"), ("CaCuO_Jahn_Teller", "CaCuO3"),
    ],
)  # fmt: skip
def test_formulas(name, formula):
    assert sorted(LIBRARY[name].atoms.symbols) == sorted(Atoms(formula).symbols)


# --- no two alike ----------------------------------------------------------------------------------------------------


def fingerprint(species):
    """Sorted distances between the elements: the same for molecules that differ by a motion or the order of atoms."""
    numbers, apart = species.atoms.numbers, distances(species)
    rows = [(*sorted((numbers[i], numbers[j])), apart[i, j]) for i, j in combinations(range(len(numbers)), 2)]
    return np.array(sorted(rows)).reshape(-1, 3)


def is_alike(one, other, tolerance=0.02):
    """Whether two species are one molecule, up to a motion (or a mirror), to a tolerance in Å."""
    if sorted(one.atoms.numbers) != sorted(other.atoms.numbers):
        return False
    return bool(np.abs(fingerprint(one) - fingerprint(other)).max(initial=0.0) < tolerance)


@pytest.mark.parametrize("group", range(5))
def test_no_two_species_of_a_group_are_one_molecule(group):
    members = [one for one in LIBRARY.values() if one.group == group]
    alike = [(a.name, b.name) for a, b in combinations(members, 2) if is_alike(a, b)]
    assert alike == [(name, f"{name}_R") for name in PARENTS if LIBRARY[name].group == group]


def test_no_two_species_scatter_alike():
    digests = [one.geometry_digest() for one in LIBRARY.values()]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("name", PARENTS)
def test_turned_species_are_true_rotations_of_their_parents(name):
    parent, turned = LIBRARY[name], LIBRARY[f"{name}_R"]
    assert (parent.atoms.numbers == turned.atoms.numbers).all()
    assert (parent.group, parent.split) == (turned.group, turned.split)
    rotation, residual = Rotation.align_vectors(turned.atoms.positions, parent.atoms.positions)
    assert residual < 1e-6
    assert np.linalg.det(rotation.as_matrix()) == pytest.approx(1.0)
    assert np.degrees(rotation.magnitude()) > 10.0
    recorded = rotation_matrix([float(angle) for angle in turned.atoms.info["rotation"].split()])
    np.testing.assert_allclose(parent.atoms.positions @ recorded.T, turned.atoms.positions, atol=2e-8)


@pytest.mark.parametrize("name", PARENTS)
def test_turned_species_differ_from_their_parents_by_more_than_their_symmetry(name):
    parent, turned = LIBRARY[name].atoms, LIBRARY[f"{name}_R"].atoms
    apart = np.linalg.norm(parent.positions[:, None] - turned.positions[None], axis=-1)
    apart[parent.numbers[:, None] != turned.numbers[None]] = 1e3
    rows, columns = linear_sum_assignment(apart**2)
    assert np.sqrt((apart[rows, columns] ** 2).mean()) > 0.4


@pytest.mark.parametrize("name", PARENTS)
def test_the_library_was_turned_as_the_program_turns(name):
    again, stored = LIBRARY[name].rotated(), LIBRARY[f"{name}_R"]
    assert again.name == stored.name
    np.testing.assert_allclose(again.atoms.positions, stored.atoms.positions, atol=2e-8)
    np.testing.assert_allclose(again.cell_lengths, stored.cell_lengths, atol=1e-7)


# --- how they lie, and their cells -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, one in LIBRARY.items() if one.group != 4])
def test_cells_follow_the_rules(name):
    species = LIBRARY[name]
    xyz = species.atoms.positions
    across = max((np.hypot(p[0] - q[0], p[2] - q[2]) for p in xyz for q in xyz), default=0.0)
    if species.group == 0:
        extents = np.full(3, max(np.linalg.norm(p - q) for p in xyz for q in xyz))
    else:
        extents = np.array([across, xyz[:, 1].max() - xyz[:, 1].min(), across])
    np.testing.assert_allclose(species.cell_lengths, np.maximum(extents + 1.5, 3.0), atol=1e-7)
    np.testing.assert_allclose(xyz.mean(axis=0), 0.0, atol=1e-7)


def test_cells_have_the_lattices_of_their_groups():
    for species in LIBRARY.values():
        a, b, c = species.cell_lengths
        assert a == c
        if species.group == 0:
            assert a == b
        assert species.cell.constants == (a, b, c, 90.0, 120.0 if species.group == 3 else 90.0, 90.0)
        np.testing.assert_allclose(species.cell.vectors[1], [0.0, b, 0.0], atol=1e-12)  # b along y


@pytest.mark.parametrize("name", [name for name in LAID if LIBRARY[name].group in (1, 2, 3)])
def test_rods_stand_along_b_and_flat_species_lie_normal_to_it(name):
    species = LIBRARY[name]
    xyz = species.atoms.positions
    spread = xyz.T @ xyz / len(xyz)
    np.testing.assert_allclose(spread - np.diag(np.diag(spread)), 0.0, atol=1e-6)
    along = spread[1, 1]
    across = np.array([spread[0, 0], spread[2, 2]])
    assert (along > across).all() if species.group == 1 else (along < across).all()


@pytest.mark.parametrize("name", ["benzene", "pyridine", "naphthalene", "thiophene", "nitrate", "water", "imidazole"])
def test_planar_molecules_lie_in_the_plane_of_a_and_c(name):
    assert np.abs(LIBRARY[name].atoms.positions[:, 1]).max() < 2e-3


@pytest.mark.parametrize(("name", "ends"), [("acetonitrile", "CN"), ("diethyl_ether", "CC"), ("triflate", "CS")])
def test_known_axes_of_rods_are_along_b(name, ends):
    atoms = LIBRARY[name].atoms
    first = [atom.position for atom in atoms if atom.symbol == ends[0]]
    last = [atom.position for atom in atoms if atom.symbol == ends[1]]
    axis = max((q - p for p in first for q in last), key=np.linalg.norm)
    assert abs(axis[1]) / np.linalg.norm(axis) > np.cos(np.radians(8.0))


def test_perovskites_have_their_own_cells_with_b_at_the_origin():
    perovskites = [one for one in LIBRARY.values() if one.group == 4]
    for one in perovskites:
        assert 3.89 <= min(one.cell_lengths) <= max(one.cell_lengths) <= 4.64
        calcium = one.atoms.positions[one.atoms.numbers == 20]
        np.testing.assert_allclose(calcium, [-np.array(one.cell_lengths) / 2], atol=1e-8)
        cation = one.atoms.positions[(one.atoms.numbers != 20) & (one.atoms.numbers > 8)]
        assert len(cation) == (0 if one.name == "Ca_vacant_B_OH" else 1)
        assert not cation.any()
    jahn_teller = LIBRARY["CaCuO_Jahn_Teller"]
    assert jahn_teller.cell_lengths == (3.89, 4.64, 3.89)
    np.testing.assert_allclose(sorted(distances(jahn_teller)[1, 2:]), [1.945, 1.945, 2.32], atol=1e-8)
