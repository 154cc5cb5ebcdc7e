"""Structure types: the table against the Pearson symbols of its labels, known crystals, and spglib."""

import re
from dataclasses import replace

import ase.data
import numpy as np
import pytest
from ase.neighborlist import neighbor_list

from dsfu.simulate.densities.crystals import cell_parameters, from_cif, lattice_of, unit_cell
from dsfu.simulate.densities.pattern import powder_lines
from dsfu.simulate.densities.structure_types import from_crystal, plain_name, shipped_types
from dsfu.simulate.densities.substitutions import (
    SHORTEST,
    expected_volume,
    metallic_volume,
    random_crystal,
    shortest_distance,
)

BY_NAME = {each.name: each for each in shipped_types()}


def test_every_type_has_the_atoms_that_its_pearson_symbol_says() -> None:
    assert len(BY_NAME) > 1000
    for name, kind in BY_NAME.items():
        pearson = re.search(r"_[a-z]([A-Z])(\d+)_", name)
        if pearson:
            told = int(pearson[2])
            assert kind.atoms in ((told, 3 * told) if pearson[1] == "R" else (told,)), name


def test_rutile_is_rutile() -> None:
    rutile = BY_NAME["A2B_tP6_136_f_a"]
    assert (rutile.number, rutile.free, dict(rutile.composition)) == (136, 1, {22: 2, 8: 4})
    moved = rutile.crystal(free=np.array([0.01]))
    oxygen = moved.positions[moved.numbers == 8]
    assert np.abs(oxygen - rutile.crystal().positions[2:]).max() == pytest.approx(0.01)
    strongest = powder_lines(rutile.crystal(), 1.5406)
    assert strongest.two_theta[strongest.intensity.argmax()] == pytest.approx(27.4, abs=0.1)  # (110) of rutile


@pytest.mark.parametrize("name", ["A2B_tP6_136_f_a", "AB_cF8_225_a_b", "A3B_cP4_221_d_a", "AB2_cF12_225_a_c"])
def test_spglib_finds_the_same_type_in_a_primitive_cell(name: str) -> None:
    pytest.importorskip("spglib")
    kind = BY_NAME[name]
    again = from_crystal(kind.crystal(), "again")
    assert again.number == kind.number
    assert again.wyckoff_counts == kind.wyckoff_counts
    assert powder_lines(again.crystal()).intensity == pytest.approx(powder_lines(kind.crystal()).intensity, abs=1e-6)


@pytest.mark.parametrize(("name", "pair", "known"), [
    ("A2B4C_oP28_62_2c_2cd_c", "KO", 2.7), ("A2BC8D2_oP52_62_d_c_2c3d_d", "CaO", 2.4),
    ("A2B_oP24_61_2c_c", "TiO", 1.88), ("ABC2_oP16_62_c_c_2c", "OH", 0.98), ("ABC2_oP16_62_c_c_2c", "AlO", 1.86),
    ("AB_mC8_15_c_e", "CuO", 1.95), ("AB_mP4_11_e_e", "NiTi", 2.53), ("AB_tP4_131_c_e", "PtS", 2.31),
    ("A10B3C4_oP68_55_2e2fgh2i_adef_2e2f", "RuO", 1.95), ("A10B3C4_oC68_64_2dfg_ad_2d", "RuO", 1.95),
    ("AB2_hR3_166_CdCl2", "CdCl", 2.64), ("AB_hR2_160_GeTe", "GeTe", 2.83), ("AB2_hR3_160_MoS2-3R", "MoS", 2.41),
    ("AB3C3_hR14_161_Proustite", "AsS", 2.26), ("AB4C_hP18_152_Berlinite", "AlO", 1.74),
    ("AB4C_hP18_152_Berlinite", "PO", 1.52), ("A3B4C12D_hR20_155_Huntite", "BO", 1.36),
    ("A6BC8_hR15_148_PbMo6S8", "MoMo", 2.68), ("ABC3_hR15_166_BaRuO3-9R", "RuRu", 2.53),
    ("ABC3_hR10_148_CrGeTe3", "GeGe", 2.43), ("A2BCD4_tP8_123_HgBa2CuO4", "HgO", 1.98),
    ("ABC5D2_oI18_71_Y2BaNiO5", "NiO", 1.88), ("AB2C4_oC28_64_La2CuO4-o", "CuO", 1.91),
])  # fmt: skip
def test_neighbours_are_as_far_as_in_the_known_crystal(name: str, pair: str, known: float) -> None:
    """Published distances (Å), where AFLOW has a number that cannot be right and where a type was written by hand."""
    crystal = BY_NAME[name].crystal()
    first, second = (ase.data.atomic_numbers[each] for each in re.findall("[A-Z][a-z]?", pair))
    atoms = ase.Atoms(crystal.numbers, scaled_positions=crystal.positions, cell=crystal.lattice, pbc=True)
    i, j, apart = neighbor_list("ijd", atoms, 4.5)
    found = apart[(crystal.numbers[i] == first) & (crystal.numbers[j] == second)].min()
    assert found == pytest.approx(known, abs=0.09)


def test_random_crystals_have_room_and_repeat_themselves() -> None:
    kinds = [kind for kind in shipped_types() if kind.system == "cubic" and kind.atoms < 30]
    drawn = [random_crystal(kinds, np.random.default_rng(seed)) for seed in (1, 2, 3, 1)]
    assert np.array_equal(drawn[0][1].positions, drawn[3][1].positions)
    for kind, crystal in drawn:
        assert shortest_distance(crystal) >= SHORTEST
        assert 0.5 < crystal.volume / expected_volume(kind) < 2


def test_cells_there_and_back() -> None:
    constants = np.array([4.1, 5.2, 6.3, 82, 95, 104])
    assert cell_parameters(lattice_of(constants)) == pytest.approx(constants)
    with pytest.raises(ValueError, match="constants"):
        lattice_of([4, 5, 6, 170, 20, 90])


def test_bad_cifs_are_told() -> None:
    with pytest.raises(ValueError, match="no atoms"):
        from_cif("data_x\n_cell_length_a 3\n")
    with pytest.raises(ValueError, match="atomic numbers"):
        unit_cell(np.eye(3), [[0, 0, 0]], [200])
    with pytest.raises(ValueError, match="finite"):
        unit_cell(np.eye(3) * 4, [[0, np.nan, 0]], [20])


@pytest.mark.parametrize(("told", "shown"), [
    ("F2Mn MnF2", "MnF2"), ("Cl2Pd $\\alpha$-PdCl2", "α-PdCl2"), ("Al2Co3O12Si3 Garnet", "Al2Co3O12Si3 Garnet"),
    ('H2O2Zn W\\"{u}lfingite', "H2O2Zn Wülfingite"), ("Hg4Pt $\\beta$-Hg$_{4}$Pt", "β-Hg4Pt"), ("Cs2Sb", "Cs2Sb"),
])  # fmt: skip
def test_names_have_no_tex_and_their_formula_once(told: str, shown: str) -> None:
    assert plain_name(told) == shown


def test_no_shipped_name_has_tex() -> None:
    assert not [each.prototype for each in shipped_types() if set(each.prototype) & set("$\\{}^_")]


def test_amounts_counted_from_stabilisers_are_those_of_the_sites() -> None:
    for kind in shipped_types()[::9]:
        counted: dict[int, int] = {}
        for orbit in kind.orbits:
            counted[orbit.element] = counted.get(orbit.element, 0) + orbit.multiplicity
        assert counted == kind.composition, kind.name


def test_a_type_in_another_cell_has_the_orbits_that_its_sites_have() -> None:
    kind = BY_NAME["A2B_tP6_136_f_a"]
    larger = kind.moved((5.0, 5.0, 3.2, 90, 90, 90), np.zeros(kind.free))
    assert larger.orbits is kind.orbits
    afresh = replace(larger).crystal()
    assert larger.crystal().positions == pytest.approx(afresh.positions)
    assert larger.crystal().lattice == pytest.approx(afresh.lattice)
    moved = kind.moved(kind.cell, np.array([0.02]))
    assert moved.orbits[1].anchor != pytest.approx(kind.orbits[1].anchor, abs=1e-3)


def test_no_atoms_are_too_close_in_types_that_were_written_down_by_hand() -> None:
    by_hand = [each for each in shipped_types() if each.source == "literature"]
    assert len(by_hand) > 110
    for kind in by_hand:
        assert shortest_distance(kind.crystal()) >= SHORTEST, kind.name


def test_isopointal_types_are_each_in_the_pool() -> None:
    """Same sites, other coordinates: a fit moves atoms by .09 of the cell, and does not get from one to the other."""
    near, far = BY_NAME["ABC2_hR4_166_Delafossite"], BY_NAME["ABC2_hR4_166_a_b_c"]
    assert near.sites[2][1][2] < far.sites[2][1][2] - 0.09
    tellurium, silicon = BY_NAME["A2B_tP12_92_Paratellurite"], BY_NAME["A2B_tP12_92_b_a"]
    assert dict(tellurium.sites)[52][0] < dict(silicon.sites)[14][0] - 0.09


@pytest.mark.parametrize(("element", "volume"), [(11, 39.5), (20, 43.6), (26, 11.8), (39, 33.0), (14, 0.0)])
def test_metals_take_the_volume_of_their_own_cells(element: int, volume: float) -> None:
    """Of sodium's compounds the volumes are half of that, and bcc sodium was not found. Silicon is no metal."""
    bcc = next(each for each in shipped_types() if each.prototype == "W Tungsten").substituted({74: element})
    assert metallic_volume(bcc) / 2 == pytest.approx(volume, rel=0.05)
    assert metallic_volume(BY_NAME["AB_cF8_225_a_b"]) == 0


def test_an_alloy_of_yttrium_takes_more_than_its_oxide_says() -> None:
    """Y2AgAl of Heusler's type, a 7.314 Å, was not found: its atoms take 235 Å³ a cell in compounds."""
    heusler = BY_NAME["AB2C_cF16_225_a_c_b"].substituted({13: 13, 25: 47, 29: 39})
    assert expected_volume(heusler) < 0.65 * 7.314**3
    assert 1.3 * metallic_volume(heusler) > 7.314**3
