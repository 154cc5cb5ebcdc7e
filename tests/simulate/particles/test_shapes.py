from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from dsfu.simulate.particles.faults import FaultLimits, layered_parameters, sequences
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
