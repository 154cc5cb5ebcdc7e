import numpy as np
import pytest
from scipy.spatial.distance import pdist

from dsfu.model.problems.disorder.data.store_parameters import StoreParameters
from dsfu.model.problems.disorder.training.data_config import SynthesisConfig
from dsfu.model.problems.disorder.training.sampling import Recorded, Sampler, Specimen, strained
from dsfu.model.training.draws import SAMPLE, Draws
from dsfu.simulate.disorder.fields import SHELL_CUTOFF
from dsfu.simulate.lattice import Cell
from dsfu.simulate.shapes import cell_lengths_by_rule
from tests.model.training.stores import library_store, train

AS_STORED = SynthesisConfig(rotated=0, no_order=0, oscillators=0, permuted=0, random_offsets=0, flipped=0, transposed=0)


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> StoreParameters:
    return StoreParameters(train(library_store(tmp_path_factory.mktemp("sampling") / "store", materialise=False)))


def drawn(parameters: StoreParameters, config: SynthesisConfig, count: int = 200) -> list[Specimen]:
    sampler = Sampler(parameters, config, 16)
    return [sampler.draw(Draws(5, SAMPLE, number)) for number in range(count)]


def offset_and_axis(specimen: Specimen) -> tuple[float, int]:
    """In layers, and the number of the lattice vector that the plane is normal to."""
    vectors, plane = specimen.cell.vectors, specimen.plane
    in_plane = np.abs(vectors @ np.stack([plane.axis_x, plane.axis_y]).T).max(axis=1)
    axis = int(np.argmin(in_plane))
    assert in_plane[axis] < 1e-9
    return float(vectors[axis] @ plane.centre) / (2 * np.pi), axis


def test_a_sample_depends_on_its_number_and_the_seed_only(parameters: StoreParameters):
    sampler, again = (Sampler(parameters, SynthesisConfig(), 16) for _ in range(2))
    for number in (7, 3, 11):
        sampler.draw(Draws(5, SAMPLE, number + 1))
        one, other = (each.draw(Draws(5, SAMPLE, number)) for each in (sampler, again))
        np.testing.assert_array_equal(one.positions_a, other.positions_a)
        np.testing.assert_array_equal(one.alpha, other.alpha)
        np.testing.assert_array_equal(one.plane.q, other.plane.q)
        assert one.cell == other.cell


@pytest.mark.parametrize("split", ["train", "validation"])
def test_pairs_are_those_of_the_split_in_both_orders(parameters: StoreParameters, split: str):
    parameters = StoreParameters(parameters.split.store.split(split))
    expected = {
        (parameters.species[i].positions.tobytes(), parameters.species[j].positions.tobytes())
        for one, other in parameters.pairs
        for i, j in ((one, other), (other, one))
    }
    found = drawn(parameters, AS_STORED, 100)
    assert {(each.positions_a.tobytes(), each.positions_b.tobytes()) for each in found} == expected


def test_unturned_crystals_have_the_cell_of_vegards_law(parameters: StoreParameters):
    by_positions = {each.positions.tobytes(): each for each in parameters.species}
    for each in drawn(parameters, AS_STORED, 50):
        of_a, of_b = (by_positions[some.tobytes()].cell for some in (each.positions_a, each.positions_b))
        expected = each.fraction_a * np.array(of_a.constants) + (1 - each.fraction_a) * np.array(of_b.constants)
        assert each.cell.constants == pytest.approx(expected)


def test_turned_species_keep_their_shape_and_get_the_cell_they_need(parameters: StoreParameters):
    found = drawn(parameters, AS_STORED.model_copy(update={"rotated": 1}), 60)
    by_atoms = {each.numbers.tobytes(): each for each in parameters.species}
    for each in found:
        lengths = []
        for positions, numbers in ((each.positions_a, each.numbers_a), (each.positions_b, each.numbers_b)):
            species = by_atoms[numbers.tobytes()]
            np.testing.assert_allclose(np.sort(pdist(positions)), np.sort(pdist(species.positions)), atol=1e-9)
            assert not np.allclose(positions, species.positions, atol=1e-3)
            lengths.append(np.array(cell_lengths_by_rule(species.group, positions)))
        expected = each.fraction_a * lengths[0] + (1 - each.fraction_a) * lengths[1]
        assert each.cell.constants[:3] == pytest.approx(expected)
        assert each.cell.beta == (120 if species.group == 3 else 90)


def test_each_species_is_turned_on_its_own(parameters: StoreParameters):
    stored = {each.positions.tobytes() for each in parameters.species}
    found = drawn(parameters, AS_STORED.model_copy(update={"rotated": 0.5}))
    turned = [(each.positions_a.tobytes() not in stored, each.positions_b.tobytes() not in stored) for each in found]
    for outcome in ((False, False), (False, True), (True, False), (True, True)):
        assert turned.count(outcome) == pytest.approx(50, abs=25)


def test_planes_are_at_layers_or_half_way_where_order_says_so(parameters: StoreParameters):
    found = drawn(parameters, AS_STORED)
    for each in found:
        offset, axis = offset_and_axis(each)
        neighbour = [SHELL_CUTOFF] * 3
        neighbour[axis] += 1
        expected = 0.5 if each.alpha[tuple(neighbour)] < -0.05 else 0.0
        assert offset % 1 == pytest.approx(expected, abs=1e-9) or offset % 1 == pytest.approx(1, abs=1e-9)
        assert -1e-9 < offset < 4
        assert 6 <= each.plane.q_max <= 8
    axes = [offset_and_axis(each)[1] for each in found]
    for axis in range(3):
        assert axes.count(axis) == pytest.approx(67, abs=27)
    assert {round(offset_and_axis(each)[0] - 0.25) for each in found} >= {0, 1, 2, 3}
    assert any(offset_and_axis(each)[0] % 1 == pytest.approx(0.5) for each in found)


def test_random_offsets_are_anywhere_within_reach(parameters: StoreParameters):
    found = drawn(parameters, AS_STORED.model_copy(update={"random_offsets": 1}))
    offsets = np.array([offset_and_axis(each)[0] for each in found])
    assert (offsets % 0.5 > 1e-6).all()
    assert 4 < offsets.max() <= 6
    assert all(np.linalg.norm(each.plane.centre) <= each.plane.q_max for each in found)


def test_sets_without_order_along_b_are_looked_at_along_b(parameters: StoreParameters):
    found = drawn(parameters, AS_STORED.model_copy(update={"oscillators": 1, "fresh_oscillators": 1}), 40)
    assert {offset_and_axis(each)[1] for each in found} == {1}
    assert {round(offset_and_axis(each)[0], 9) for each in found} == {0, 1, 2, 3}


def test_flips_and_transposition_turn_the_planes_axes(parameters: StoreParameters):
    config = AS_STORED.model_copy(update={"flipped": 0.5, "transposed": 0.5})
    directions = set()
    for plain, each in zip(drawn(parameters, AS_STORED), drawn(parameters, config), strict=True):
        assert offset_and_axis(plain) == pytest.approx(offset_and_axis(each))
        axes, plain_axes = (np.stack([some.plane.axis_x, some.plane.axis_y]) for some in (each, plain))
        directions.add(tuple(np.rint(axes @ plain_axes.T).astype(int).flatten().tolist()))
    assert len(directions) == 8


def test_turned_planes_are_the_same_planes_with_axes_at_any_angle(parameters: StoreParameters):
    config = AS_STORED.model_copy(update={"turned": 0.5})
    angles = []
    for plain, each in zip(drawn(parameters, AS_STORED), drawn(parameters, config), strict=True):
        np.testing.assert_array_equal(each.plane.centre, plain.plane.centre)
        np.testing.assert_allclose(each.plane.normal, plain.plane.normal, atol=1e-12)
        angles.append(np.arctan2(each.plane.axis_x @ plain.plane.axis_y, each.plane.axis_x @ plain.plane.axis_x))
    found = np.array(angles)
    assert 0.35 < np.mean(found == 0) < 0.65
    assert np.histogram(found[found != 0], 4, (-np.pi, np.pi))[0].min() > 10


def test_recorded_samples_are_those_of_the_store(parameters: StoreParameters):
    columns, recorded = parameters.split.coordinates, Recorded(parameters, 16)
    for index in range(0, len(parameters.split), 5):
        specimen = recorded.specimen(index)
        assert specimen.cell.constants == tuple(columns["cell"][index])
        np.testing.assert_array_equal(specimen.plane.centre, columns["centre"][index])
        assert specimen.fraction_a == columns["fraction_a"][index]
        offset, axis = offset_and_axis(specimen)
        assert offset == pytest.approx(columns["plane_offset"][index])
        assert axis == columns["plane_axis"][index]


def test_strain_lengthens_each_lattice_vector(parameters: StoreParameters):
    assert strained(Cell(4, 5, 6, 90, 120, 90), (0.01, 0, -0.02)) == Cell(4 * 1.01, 5, 6 * 0.98, 90, 120, 90)
    sampler = Sampler(parameters, AS_STORED, 16)
    plain, longer = (sampler.draw(Draws(5, SAMPLE, 0), strain) for strain in ((0.0, 0.0, 0.0), (0.1, 0.1, 0.1)))
    assert longer.cell.constants[:3] == pytest.approx(1.1 * np.array(plain.cell.constants[:3]))
    assert offset_and_axis(longer) == pytest.approx(offset_and_axis(plain))
    np.testing.assert_array_equal(longer.positions_a, plain.positions_a)
