"""Held to what is known of Wasserstein distances; and the embedding, to POT."""

from functools import partial
from itertools import combinations

import numpy as np
import pytest

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.embedding import projected_quantiles, sliced_distances
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.scattering import simulate_planes
from dsfu.simulate.disorder.transport import entropic, exact, sliced_by_pot, transport_distances
from dsfu.simulate.lattice import Cell
from dsfu.simulate.species import load_library
from tests.simulate.strategies import random_alpha


def blob(pixels: int, x: float, y: float, width: float = 0.03) -> FloatArray:
    """A Gaussian at (x, y), in widths of the plane from its centre."""
    along = (np.arange(pixels) - pixels // 2) / pixels
    return np.asarray(np.exp(-((along[:, np.newaxis] - y) ** 2 + (along - x) ** 2) / (2 * width**2)))


@pytest.fixture(scope="module")
def planes() -> FloatArray:
    """Four planes of 128 pixels of one pair: two random kinds of disorder, two layers each."""
    library = load_library()
    one, other, cell = library["sulfate_R"].atoms, library["norbornene"].atoms, Cell(6.5, 6.5, 6.5)
    layers = [layer(cell, "b", k, 6.5, 128) for k in (0.0, 1.3)]
    made = [each for seed in range(2) for each in simulate_planes(one, other, 0.4, cell, random_alpha(seed), layers)]
    return np.stack([scattering.intensity for scattering in made])


@pytest.mark.parametrize(("x", "y"), [(0, 1), (1, 1), (2, 1)])
def test_moving_a_blob_by_whole_cells_costs_their_distance(x: int, y: int) -> None:
    # Near a corner, so that the twin, near the opposite one, is further away than the blob itself.
    blobs = np.stack([blob(33, -0.35, -0.35), blob(33, -0.35 + 3 * x / 33, -0.35 + 3 * y / 33)])
    expected = np.hypot(3 * x, 3 * y) / 33
    assert transport_distances(blobs, exact, grid=11)[0, 1] == pytest.approx(expected, rel=1e-3)
    assert transport_distances(blobs, entropic, grid=11)[0, 1] == pytest.approx(expected, rel=1e-2)
    assert transport_distances(blobs, sliced_by_pot)[0, 1] == pytest.approx(expected / np.sqrt(2), rel=0.2)
    assert sliced_distances(blobs, 12, 40)[0, 1] == pytest.approx(expected / np.sqrt(2), rel=5e-3)


def test_exact_distances_of_a_few_points_are_those_found_by_hand() -> None:
    planes = np.zeros((2, 3, 3))
    planes[0, 0, 0] = planes[0, 2, 2] = 0.5
    planes[1, 0, 1] = 0.75
    planes[1, 2, 2] = 0.25
    # A half moves by one cell; a quarter of the other corner by one across and two up. Turned by 180°, the best is to
    # move a quarter from the first corner by (1, 2), a quarter by nothing, and the other half by one cell: the same.
    expected = np.sqrt((0.5 * 1 + 0.25 * 5) / 9)
    assert transport_distances(planes, exact)[0, 1] == pytest.approx(expected)


def test_twins_are_at_no_distance(planes: FloatArray) -> None:
    turned = np.roll(planes[1, ::-1, ::-1], (1, 1), (0, 1))
    pair = np.stack([planes[1], turned])
    for distance, grid in ((exact, 9), (entropic, 9), (sliced_by_pot, None)):
        assert transport_distances(pair, distance, grid)[0, 1] < 1e-6
    part = planes[1, 1:, 1:] / planes[1, 1:, 1:].sum()
    assert sliced_by_pot(part, part[::-1, ::-1]) > 1e-6


@pytest.mark.parametrize("pixels", [5, 8, 11])
def test_regularised_distances_tend_to_exact_ones(pixels: int) -> None:
    planes = np.random.default_rng(pixels).exponential(size=(2, pixels, pixels)) ** 3
    true = transport_distances(planes, exact)[0, 1]
    found = [
        transport_distances(planes, partial(entropic, regularisation=weight))[0, 1] for weight in (0.1, 0.01, 0.001)
    ]
    assert abs(found[0] / true - 1) > abs(found[1] / true - 1) > abs(found[2] / true - 1)
    assert found[2] == pytest.approx(true, rel=0.02)


def test_a_slice_is_never_longer_than_what_it_is_a_slice_of(planes: FloatArray) -> None:
    """W_2 along a direction is at most W_2; averaged over directions, at most W_2/√2 (up to the width of a cell)."""
    sliced = sliced_distances(planes[:6], 12, 40)
    assert (sliced <= transport_distances(planes[:6], exact, grid=16) / np.sqrt(2) + 0.25 / 16).all()


def test_coarser_grids_keep_the_sum_and_the_symmetry_of_a_plane() -> None:
    from dsfu.simulate.disorder.transport import _cell_shares

    shares = _cell_shares(7, 255)
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    np.testing.assert_allclose(shares.sum(axis=1), 255 / 7)
    np.testing.assert_allclose(shares, shares[::-1, ::-1], atol=1e-12)
    with pytest.raises(ValueError, match="grid = 9: expected 1 to 7 cells"):
        _cell_shares(9, 7)


def test_the_embedding_agrees_with_pot_along_the_same_directions(planes: FloatArray) -> None:
    """Where planes differ by less than a pixel, POT's points on a grid are further apart than the areas of pixels."""
    import ot

    places = (np.arange(127) - 63) / 128
    y, x = (grid.ravel() for grid in np.meshgrid(places, places, indexing="ij"))
    points = np.stack([x, y], axis=-1)
    angles = np.pi * np.arange(12) / 12
    projections = np.stack([np.cos(angles), np.sin(angles)])
    weights = [(plane[1:, 1:] / plane[1:, 1:].sum(dtype=float)).ravel().astype(float) for plane in planes]
    quantiles = projected_quantiles(planes, 12, 2000)
    further = 0
    for i, j in combinations(range(4), 2):
        by_pot = ot.sliced_wasserstein_distance(points, points, weights[i], weights[j], projections=projections)
        ours = np.sqrt(((quantiles[i] - quantiles[j]) ** 2).mean())
        if by_pot > 1 / 128:
            further += 1
            assert ours == pytest.approx(by_pot, rel=3e-3)
        assert ours < by_pot
    assert further == 4


def test_the_embedding_agrees_with_pot_within_the_error_of_sampling_directions(planes: FloatArray) -> None:
    """POT has sixty random directions, the embedding twelve; the scatter along directions says what to expect."""
    ours = sliced_distances(planes, 12, 40)
    by_pot = transport_distances(planes, partial(sliced_by_pot, directions=60, seed=3))
    quantiles = projected_quantiles(planes, 12, 40)
    along = ((quantiles[:, np.newaxis] - quantiles) ** 2).mean(axis=-1)
    error = along.std(axis=-1) * np.sqrt(1 / 12 + 1 / 60)
    above = np.triu_indices(len(planes), k=1)
    np.testing.assert_allclose(ours[above], np.sqrt(along.mean(axis=-1))[above])  # none is nearer to a twin
    assert (np.abs(ours**2 - by_pot**2)[above] < 2 * error[above]).all()
    assert (np.abs(ours - by_pot) <= 0.1 * by_pot).all()
