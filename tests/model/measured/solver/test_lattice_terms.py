"""The series of I_SRO against the kernel that made it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.model.measured.solver.lattice_terms import half_of_lattice, lattice_terms
from dsfu.model.measured.solver.series import Series
from dsfu.simulate.disorder.planes import Plane, layer, plane_through
from dsfu.simulate.disorder.scattering import sro_of_planes
from dsfu.simulate.lattice import Cell

TRICLINIC = Cell(4.1, 5.3, 6.2, 95.0, 102.0, 88.0)
HEXAGONAL = Cell(6.0, 4.0, 6.0, 90.0, 120.0, 90.0)


def random_alpha(rng: np.random.Generator, cutoff: int) -> np.ndarray:
    """A set whose series is positive, with vectors up to the cutoff."""
    half = half_of_lattice(cutoff)
    alpha = np.zeros((11, 11, 11))
    values = rng.normal(size=len(half))
    values *= 0.4 / np.abs(values).sum()
    values[0] = 1.0
    for sign in (1, -1):
        alpha[tuple((sign * half + 5).T)] = values
    return alpha


def series_on(plane: Plane, cell: Cell, alpha: np.ndarray, cutoff: int) -> np.ndarray:
    found = lattice_terms(plane, cell, cutoff)
    of_members = alpha[tuple((found.members + 5).T)]
    cosines, sines = found.map_from_alpha() @ of_members
    assert np.abs(sines[1:][~found.terms.has_sine[1:]]).max(initial=0) < 1e-2
    series = Series([found.terms], plane.offsets[None], torch.float64, "cpu")
    return np.asarray(series(torch.as_tensor(cosines[None]), torch.as_tensor(sines[None]))[0].numpy())


@given(st.integers(0, 2**32), st.sampled_from("abc"), st.floats(-3, 3), st.sampled_from([TRICLINIC, HEXAGONAL]))
@settings(max_examples=30, deadline=None)
def test_layers(seed: int, axis: str, offset: float, cell: Cell) -> None:
    plane = layer(cell, axis, offset, 6.0, 24)  # type: ignore[arg-type]
    alpha = random_alpha(np.random.default_rng(seed), 2)
    expected = sro_of_planes(cell, alpha, [plane])[0][0]
    np.testing.assert_allclose(series_on(plane, cell, alpha, 2), expected, atol=2e-4)


@pytest.mark.parametrize("points", [[(0, 0, 0), (1, 1, 0), (0, 1, 1)], [(0.3, 0, 1), (1, 1.7, 0), (0, 1, 2.2)]])
def test_planes_in_any_orientation(points: list[tuple[float, float, float]]) -> None:
    plane = plane_through(TRICLINIC, points, 5.0, 20)
    alpha = random_alpha(np.random.default_rng(4), 2)
    expected = sro_of_planes(TRICLINIC, alpha, [plane])[0][0]
    np.testing.assert_allclose(series_on(plane, TRICLINIC, alpha, 2), expected, atol=2e-4)


@pytest.mark.parametrize(("offset", "sines"), [(0.0, 0), (1.0, 0), (0.5, 0), (0.3, 60)])
def test_layers_need_sines_only_between_integers_and_halves(offset: float, sines: int) -> None:
    found = lattice_terms(layer(TRICLINIC, "b", offset, 6.0, 32), TRICLINIC, 5)
    assert len(found) == 61
    assert found.terms.has_sine.sum() == sines


def test_terms_are_named_by_vectors_in_the_layer() -> None:
    found = lattice_terms(layer(TRICLINIC, "b", 1.0, 6.0, 32), TRICLINIC, 3)
    assert (found.vectors[0] == 0).all()
    in_layer = {tuple(sorted([(u, w), (-u, -w)])) for u, _, w in found.vectors.tolist()}
    assert len(in_layer) == len(found) == 25


def test_one_of_each_pair() -> None:
    half = half_of_lattice(5)
    both = {tuple(v) for v in half.tolist()} | {tuple(v) for v in (-half).tolist()}
    assert len(half) == 666
    assert len(both) == 1331
