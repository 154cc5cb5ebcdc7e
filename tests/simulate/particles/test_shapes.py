from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from dsfu.simulate.particles.distances import distances_between
from dsfu.simulate.particles.faults import (
    FaultLimits,
    hexagonal_parameters,
    layered_parameters,
    sequences,
    twinned_parameters,
)
from dsfu.simulate.particles.shapes import BOND_LENGTHS, PUBLISHED, Shape, catalogue, positions_of, same_shape


@pytest.fixture(scope="module")
def published():
    return catalogue(PUBLISHED)


def test_the_published_set_has_197_shapes_at_19_bond_lengths(published):
    counts = Counter(shape.family for shape in published)
    expected = {"SC": 19, "BCC": 19, "FCC": 8, "HCP": 106, "Icosahedron": 3, "Decahedron": 37, "Octahedron": 5}
    assert counts == expected
    assert len(published) * len(BOND_LENGTHS) == 3743


def test_sizes_are_the_published_ones(published):
    sizes = {
        family: sorted(s.atoms for s in published if s.family == family) for family in ("Icosahedron", "Octahedron")
    }
    assert sizes == {"Icosahedron": [13, 55, 147], "Octahedron": [6, 19, 44, 85, 146]}
    assert all(5 <= shape.atoms <= 200 for shape in published)


def test_duplicates_of_other_families_are_kept_as_published(published):
    assert Shape("SC", (1, 1, 1)) in published
    assert Shape("BCC", (2, 2, 2)) not in published
    assert Shape("Octahedron", (3,)) in published
    assert not any(s.family == "FCC" and s.atoms == 19 for s in published)


@pytest.mark.parametrize(
    ("family", "parameters"),
    [("FCC", (3, 3, 3)), ("HCP", (3, 3, 2)), ("Octahedron", (4,)), ("Decahedron", (3, 2, 1)), ("SC", (2, 3, 3))],
)
def test_the_nearest_distance_is_b(family, parameters):
    assert pdist(positions_of(family, parameters)).min() == pytest.approx(1, abs=2e-3)  # c/a of HCP is 1.633


def test_icosahedra_have_radii_of_b_and_longer_edges():
    distances = np.sort(pdist(positions_of("Icosahedron", (2,))))
    assert distances[:12] == pytest.approx(1, abs=1e-5)
    assert distances[12:42] == pytest.approx(1.051462, abs=1e-5)


def test_same_shape_knows_turned_and_mixed_up_particles():
    positions = positions_of("Decahedron", (3, 2, 1))
    draw = np.random.default_rng(1)
    turn = np.linalg.qr(draw.standard_normal((3, 3)))[0]
    assert same_shape(positions, draw.permutation(positions @ turn) + 4)
    assert not same_shape(positions, positions * 1.001)
    assert not same_shape(positions, positions[1:])


@pytest.mark.parametrize(
    ("family", "parameters"), [("fcc", (1, 1, 1)), ("FCC", (1, 1)), ("Octahedron", ()), ("Faulted", ("ABB", 3, 3))]
)
def test_what_is_no_shape_is_refused(family, parameters):
    with pytest.raises(ValueError, match="expected|no shape"):
        positions_of(family, parameters)


def test_sequences_are_counted_up_to_reversal_and_relabelling():
    assert [len(sequences(n)) for n in range(2, 8)] == [1, 2, 3, 6, 10, 20]
    assert sequences(3) == ("ABC", "ABA")
    assert all(a != b for name in sequences(7) for a, b in pairwise(name))


def test_layered_particles_of_the_specification():
    assert len(list(layered_parameters())) == 709
    assert len(list(layered_parameters(FaultLimits(layers=(3, 8), hexagons=True)))) == 1739


def test_layers_are_close_packed():
    for parameters in (("ABCAC", 3, 4), ("ABCBA", 3, 3, "h")):
        distances = np.sort(pdist(positions_of("Faulted", parameters)))
        assert distances[0] == pytest.approx(1, abs=1e-9)
        assert distances[distances > 1.001].min() == pytest.approx(np.sqrt(2), abs=1e-6)


def test_the_sequence_abc_is_fcc_and_aba_is_hcp():
    fcc, hcp = (np.sort(pdist(positions_of("Faulted", (name, 4, 4)))) for name in ("ABCABC", "ABABAB"))
    sphere = np.sqrt(8 / 3)  # the distance between like layers of hcp, which fcc does not have
    assert np.abs(hcp - sphere).min() < 1e-9
    assert np.abs(fcc - sphere).min() > 0.05


def test_a_hexagon_of_edge_two_has_seven_atoms_a_layer():
    assert len(positions_of("Faulted", ("AB", 2, 2, "h"))) == 14
    assert len(positions_of("Faulted", ("AB", 3, 3, "h"))) == 38


def test_a_sphere_of_layers_abc_is_a_ball_of_fcc():
    atoms = positions_of("Faulted", ("ABCABCABC", 7, 2, "s"))
    steps = np.stack(np.meshgrid(*[np.arange(-8, 9)] * 3, indexing="ij"), -1).reshape(-1, 3)
    fcc = steps[steps.sum(axis=1) % 2 == 0] / np.sqrt(2)
    assert same_shape(atoms, fcc[np.linalg.norm(fcc, axis=1) <= 3.5])


def test_one_twin_plane_is_a_mirror_and_two_layers_are_a_fault():
    twins = [each for each in twinned_parameters((7, 9)) if each[0] in ("ABCACBA", "ABCABACBA")]
    assert twins
    for twin in twins:
        atoms = positions_of("Faulted", twin)
        assert pdist(atoms).min() == pytest.approx(1)
        mirrored = atoms * [1, 1, -1]
        assert {tuple(each) for each in mirrored.round(6) + 0.0} == {tuple(each) for each in atoms.round(6) + 0.0}
    stacks = [str(each[0]) for each in twinned_parameters()]
    kinds = ["".join("h" if a == b else "c" for a, b in zip(s, s[2:], strict=False)) for s in stacks]
    assert {kind.strip("c") for kind in kinds} == {"h", "hh"}
    assert all(len(positions_of("Faulted", each)) > 100 for each in list(twinned_parameters())[::20])


def test_a_twinned_octahedron_has_two_halves_of_fcc():
    positions = positions_of("Faulted", ("ABCACBA", 245, 318, "t"))
    distances = distances_between(positions, positions)
    bonds = (np.abs(distances - 1) < 1e-6).sum(axis=1)
    assert (len(positions), bonds.max(), bonds.min()) == (210, 12, 5)
    mirrored = distances_between(positions, positions * np.array([1, 1, -1])).min(axis=1)
    assert mirrored.max() < 1e-6
    # Like layers of hcp are √(8/3) apart. Here those beside the twin plane are, and no others.
    beside = np.abs(positions[:, 2]) < 1
    between = np.abs(distances - np.sqrt(8 / 3)) < 1e-6
    assert between[beside][:, beside].any()
    assert not between[~beside].any()


@pytest.mark.parametrize("wrong", [("ABCAB", 245, 318, "t"), ("ABCBA", 0, 318, "t")])
def test_no_twin_is_made_of_layers_that_are_no_mirror_images_or_without_faces(wrong):
    with pytest.raises(ValueError, match="expected"):
        positions_of("Faulted", wrong)


def test_no_sphere_is_made_around_a_place_that_layers_do_not_have():
    with pytest.raises(ValueError, match="expected a diameter of at least 1, and 1, 2 or 3"):
        positions_of("Faulted", ("ABC", 4, 0, "s"))


def test_spheres_of_hcp_have_the_c_over_a_that_they_say():
    every = list(hexagonal_parameters((6, 9)))
    assert {each[-1] for each in every} == {1580, 1603, 1625}
    for parameters in every[:6]:
        atoms = positions_of("Faulted", parameters)
        heights = np.unique(atoms[:, 2].round(6))
        assert np.diff(heights) == pytest.approx(int(parameters[-1]) / 2000, abs=1e-6)
        assert pdist(atoms[np.abs(atoms[:, 2] - heights[2]) < 1e-6]).min() == pytest.approx(1)


def _by_ase(family, parameters):
    from ase.cluster import BodyCenteredCubic, Decahedron, FaceCenteredCubic, Icosahedron, Octahedron, SimpleCubic
    from ase.lattice.hexagonal import HexagonalClosedPacked

    surfaces = [(1, 0, 0), (1, 1, 0), (1, 1, 1)]
    cubic = {"SC": SimpleCubic, "BCC": BodyCenteredCubic, "FCC": FaceCenteredCubic}
    others = {"Icosahedron": Icosahedron, "Decahedron": Decahedron, "Octahedron": Octahedron}
    if family in cubic:
        return cubic[family]("W", surfaces, parameters, latticeconstant=2**0.5 if family == "FCC" else 1)
    if family == "HCP":
        return HexagonalClosedPacked(symbol="W", latticeconstant=(1.0, 1.633), size=parameters)
    return others[family]("W", *parameters, latticeconstant=2**0.5)


def test_atoms_are_where_ase_puts_them_and_in_its_order(published):
    larger = [("Icosahedron", (7,)), ("Octahedron", (9, 2)), ("Octahedron", (10, 4)), ("Decahedron", (3, 2, 4))]
    larger += [("FCC", (7, 9, 8)), ("BCC", (6, 4, 11)), ("SC", (4, 5, 7)), ("Decahedron", (4, 1, 2))]
    for family, parameters in [*((s.family, s.parameters) for s in published), *larger]:
        found, expected = positions_of(family, parameters), _by_ase(family, parameters).positions
        assert found.shape == expected.shape, (family, parameters)
        assert np.abs(found - expected).max() < 1e-9, (family, parameters)


@pytest.mark.parametrize(
    ("family", "parameters"),
    [("Octahedron", (4, 2)), ("HCP", (2, 0, 1)), ("Icosahedron", (0,)), ("Decahedron", (0, 1, 0)), ("FCC", (2, 3))],
)
def test_impossible_shapes_are_refused(family, parameters):
    with pytest.raises(ValueError, match="is no shape"):
        positions_of(family, parameters)
