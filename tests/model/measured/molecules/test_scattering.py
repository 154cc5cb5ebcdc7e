import numpy as np
import pytest
import torch
from ase import Atoms

from dsfu.model.measured.molecules.scattering import DifferenceOnPlane
from dsfu.simulate.disorder.planes import Plane, layer, plane_through
from dsfu.simulate.disorder.scattering import form_factor_of_planes
from dsfu.simulate.lattice import Cell
from dsfu.simulate.species import load_library, pairs

TRICLINIC = Cell(7.1, 8.4, 6.3, 82, 101, 95)


def planes() -> list[Plane]:
    return [
        layer(TRICLINIC, "c", 1, 7, 32),
        layer(TRICLINIC, "a", 0.5, 6, 32),
        plane_through(TRICLINIC, [[0.3, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0]], 6.5, 33),
    ]


def difference_of(one: Atoms, other: Atoms, plane: Plane) -> DifferenceOnPlane:
    numbers = np.concatenate([one.numbers, other.numbers]).astype(np.int64)
    return DifferenceOnPlane(numbers, np.repeat([1.0, -1.0], [len(one), len(other)]), plane)


@pytest.mark.parametrize("plane", planes())
def test_equals_the_kernels(plane: Plane):
    library = load_library()
    for species_a, species_b in pairs(library, "validation")[::14]:
        one, other = species_a.atoms, species_b.atoms
        expected = 4 * form_factor_of_planes(one, other, 0.5, [plane])[0]
        found = difference_of(one, other, plane).intensity(torch.tensor(np.vstack([one.positions, other.positions])))
        assert np.abs(found.numpy() - expected).max() <= 1e-5 * expected.max()


def test_occupancy_is_a_share_of_an_atom():
    plane = planes()[0]
    half = DifferenceOnPlane(np.array([29]), np.array([0.5]), plane)
    whole = DifferenceOnPlane(np.array([29]), np.array([1.0]), plane)
    here = torch.tensor([[0.3, 0.4, 0.5]], dtype=torch.float64)
    torch.testing.assert_close(half.intensity(here) * 4, whole.intensity(here))


def test_can_be_differentiated_with_respect_to_positions():
    rng = np.random.default_rng(0)
    plane = Plane(np.array([0.1, 0.2, 0.3]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), 5.0, 6)
    difference = DifferenceOnPlane(np.array([6, 8, 1]), np.array([1, 1, -1.0]), plane)
    places = torch.tensor(rng.normal(size=(3, 3)), requires_grad=True)
    assert torch.autograd.gradcheck(difference.intensity, (places,))


def test_derivatives_are_those_of_torch():
    rng = np.random.default_rng(1)
    plane = planes()[2]
    difference = DifferenceOnPlane(np.array([6, 8, 1, 6]), np.array([1, 1, -1.0, 0.4]), plane)
    places, directions = torch.tensor(rng.normal(size=(4, 3))), torch.tensor(rng.normal(size=(2, 4, 3)))
    for direction, found in zip(directions, difference.intensity_changes(places, directions), strict=True):
        expected = torch.autograd.functional.jvp(difference.intensity, places, direction)[1]
        torch.testing.assert_close(found, expected)
