from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.embedding import (
    EMBEDDING_SIZE,
    SLICED_UNIT,
    embed_quantiles,
    projected_quantiles,
    sliced_distances,
    vector_distances,
)
from tests.simulate.strategies import seeds


def random_planes(seed: int, count: int, pixels: int) -> FloatArray:
    """Planes of a few blobs each, of any width, on a background or none."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:pixels, :pixels] / pixels
    planes = np.zeros((count, pixels, pixels))
    for plane in planes:
        plane += rng.choice([0.0, 0.1])
        for _ in range(rng.integers(1, 5)):
            (at_x, at_y), width = rng.uniform(size=2), rng.uniform(0.01, 0.2)
            plane += rng.exponential() * np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / (2 * width**2))
    return planes


def slow_quantiles(plane: FloatArray, directions: int, levels: int) -> FloatArray:
    """The same by sorting all pixels, without bins."""
    pixels = len(plane)
    first = 1 - pixels % 2
    weights = plane[first:, first:].ravel() / plane[first:, first:].sum()
    places = (np.arange(first, pixels) - pixels // 2) / pixels
    y, x = (grid.ravel() for grid in np.meshgrid(places, places, indexing="ij"))
    means = np.empty((directions, levels))
    for j in range(directions):
        along = x * np.cos(np.pi * j / directions) + y * np.sin(np.pi * j / directions)
        order = np.argsort(along, kind="stable")
        share = np.concatenate([[0.0], np.cumsum(weights[order])])
        moment = np.concatenate([[0.0], np.cumsum(weights[order] * along[order])])
        means[j] = levels * np.diff(np.interp(np.linspace(0, share[-1], levels + 1), share, moment))
    return means


@given(seeds, st.integers(5, 40), st.integers(1, 9), st.integers(1, 30))
def test_quantiles_agree_with_sorting_pixels(seed: int, pixels: int, directions: int, levels: int) -> None:
    planes = random_planes(seed, 2, pixels)
    found = projected_quantiles(planes, directions, levels)
    for plane, quantiles in zip(planes, found, strict=True):
        slow = slow_quantiles(plane.astype(np.float32).astype(float), directions, levels)
        # Dealing a pixel out to two bins moves it by less than a bin, and on average not at all.
        assert np.abs(quantiles - slow).max() < 1 / pixels
        np.testing.assert_allclose(quantiles.mean(axis=1), slow.mean(axis=1), atol=1e-9)


def test_quantiles_along_x_are_those_of_the_sums_of_columns() -> None:
    plane = random_planes(4, 1, 21)[0].astype(np.float32)
    columns = plane.sum(axis=0, dtype=float)
    share = np.concatenate([[0.0], np.cumsum(columns / columns.sum())])
    edges = np.linspace(-0.5, 0.5, 22)
    finely = np.interp((np.arange(6000) + 0.5) / 6000, share, edges)  # a column fills its width evenly
    found = projected_quantiles(plane[np.newaxis], 4, 6)[0, 0]
    np.testing.assert_allclose(found, finely.reshape(6, 1000).mean(axis=1), atol=1e-5)


@given(seeds, st.integers(4, 40), st.sampled_from([1e-6, 3.7, 1e8]))
def test_scale_makes_no_difference(seed: int, pixels: int, factor: float) -> None:
    planes = random_planes(seed, 2, pixels)
    np.testing.assert_allclose(
        projected_quantiles(factor * planes, 5, 6), projected_quantiles(planes, 5, 6), atol=1e-6 / pixels
    )


@given(seeds, st.integers(4, 40))
def test_a_turn_changes_the_sign_of_the_second_half_and_nothing_else(seed: int, pixels: int) -> None:
    planes = random_planes(seed, 2, pixels).astype(np.float32)
    first = 1 - pixels % 2
    turned = planes.copy()
    turned[:, first:, first:] = planes[:, first:, first:][:, ::-1, ::-1]
    vectors, other = embed_quantiles(planes), embed_quantiles(turned)
    half = EMBEDDING_SIZE // 2
    assert np.abs(vectors[:, :half].astype(int) - other[:, :half]).max() <= 1
    assert np.abs(vectors[:, half:].astype(int) + other[:, half:]).max() <= 1
    assert np.diag(vector_distances(vectors, other, SLICED_UNIT)).max() < 2 * EMBEDDING_SIZE**0.5 * SLICED_UNIT


@given(seeds, st.integers(4, 24))
def test_distances_are_a_metric(seed: int, pixels: int) -> None:
    distances = vector_distances(embed_quantiles(random_planes(seed, 5, pixels)), None, SLICED_UNIT)
    assert np.diag(distances).max() == 0
    np.testing.assert_array_equal(distances, distances.T)
    around = distances[:, :, np.newaxis] + distances[np.newaxis, :, :]
    assert (distances[:, np.newaxis, :] <= around + 1e-12).all()


@given(seeds)
def test_vectors_keep_the_distances_of_quantile_functions(seed: int) -> None:
    planes = random_planes(seed, 4, 32)
    vectors = vector_distances(embed_quantiles(planes), None, SLICED_UNIT)
    np.testing.assert_allclose(vectors, sliced_distances(planes, 12, 40), atol=2.0**-15)


@given(st.integers(-30, 30), st.integers(-30, 30))
def test_moving_all_intensity_by_a_vector_is_its_length_over_root_two(x: int, y: int) -> None:
    plane = np.zeros((128, 128))
    plane[60:68, 62:66] = np.random.default_rng(0).random((8, 4))
    quantiles = projected_quantiles(np.stack([plane, np.roll(plane, (y, x), (0, 1))]), 12, 40)
    moved = np.sqrt(((quantiles[0] - quantiles[1]) ** 2).mean())
    assert moved == pytest.approx(np.hypot(x, y) / 128 / np.sqrt(2), abs=0.02 / 128)


def test_distances_do_not_depend_on_the_number_of_pixels() -> None:
    y, x = np.mgrid[-128:128, -128:128] / 256
    blobs = np.stack([np.exp(-((x - 0.1) ** 2 + y**2) / 0.01), 0.1 + np.exp(-(x**2 + (y + 0.2) ** 2) / 0.02)])
    fine, coarse = sliced_distances(blobs, 12, 40), sliced_distances(blobs[:, ::2, ::2], 12, 40)
    assert coarse[0, 1] == pytest.approx(fine[0, 1], rel=0.01)


def test_more_levels_find_more_and_never_less() -> None:
    planes = random_planes(1, 6, 64)
    squares = [sliced_distances(planes, 12, levels) for levels in (5, 10, 20, 40, 400)]
    assert all((more >= less - 1e-12).all() for less, more in pairwise(squares))
    above = ~np.eye(6, dtype=bool)
    assert (squares[3][above] > 0.95 * squares[4][above]).all()


def test_a_plane_without_intensity_is_far_from_others_and_equal_to_its_like() -> None:
    planes = np.concatenate([np.zeros((2, 32, 32)), random_planes(3, 3, 32)])
    distances = vector_distances(embed_quantiles(planes), None, SLICED_UNIT)
    assert distances[0, 1] == 0
    assert distances[0, 2:].min() > 0.01


@pytest.mark.parametrize("value", [-1e-3, np.nan, np.inf])
def test_what_is_no_intensity_is_refused(value: float) -> None:
    planes = np.ones((2, 8, 8))
    planes[1, 2, 3] = value
    with pytest.raises(ValueError, match=r"intensities\[1, 2, 3\] = .*: expected finite intensities, not below 0"):
        embed_quantiles(planes)


def test_wrong_shapes_and_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"intensities has shape \(8, 8\): expected \(planes, pixels, pixels\)"):
        embed_quantiles(np.ones((8, 8)))
    with pytest.raises(ValueError, match=r"intensities has shape \(1, 8, 7\)"):
        embed_quantiles(np.ones((1, 8, 7)))
    with pytest.raises(ValueError, match=r"intensities has shape \(1, 2, 2\): .* with 3 pixels or more"):
        embed_quantiles(np.ones((1, 2, 2)))
    with pytest.raises(ValueError, match="levels = 0: expected at least 1"):
        projected_quantiles(np.ones((1, 8, 8)), 3, 0)
    with pytest.raises(ValueError, match=r"other is float64 of shape \(1, 480\): expected int16"):
        vector_distances(embed_quantiles(np.ones((1, 8, 8))), np.ones((1, EMBEDDING_SIZE)), 1.0)  # type: ignore[arg-type]
