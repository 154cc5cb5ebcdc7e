"""The bound is held to POT, and the decision in two steps to one by all distances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.embedding import EMBEDDING_SIZE, vector_distances
from dsfu.simulate.disorder.selection import select_by_distances
from dsfu.simulate.disorder.transport import exact, transport_distances
from dsfu.simulate.disorder.wasserstein import BOUND_UNIT, GRID, ROUNDING, embed_cells, select_exactly, shares_of


def spots(count: int, seed: int, pixels: int = 48) -> FloatArray:
    """Planes of six Gaussian spots, every third of which is an earlier one with its spots moved a little, or turned."""
    random = np.random.default_rng(seed)
    x = np.arange(pixels) - pixels // 2
    places = random.uniform(-0.4, 0.4, (count, 6, 2)) * pixels
    heights = random.uniform(0.2, 1, (count, 6))
    for k in range(2, count, 3):
        places[k] = places[k - 1] * random.choice([-1, 1]) + random.normal(0, 0.3, (6, 2))
        heights[k] = heights[k - 1]
    squares = (x[:, None] - places[..., 1, None, None]) ** 2 + (x - places[..., 0, None, None]) ** 2
    return np.asarray((heights[..., None, None] * np.exp(-squares / 8)).sum(axis=1))


def all_distances(planes: FloatArray) -> FloatArray:
    """W_2 of every two, in widths of the part that is symmetric."""
    pixels = planes.shape[-1]
    extent = (pixels - 1 + pixels % 2) / pixels
    return np.asarray(transport_distances(planes, exact, GRID) / extent)


@given(st.integers(0, 10**6), st.sampled_from([24, 33, 48]))
@settings(max_examples=15, deadline=None)
def test_the_bound_is_never_above_the_distance(seed: int, pixels: int) -> None:
    planes = np.concatenate([spots(3, seed, pixels), np.random.default_rng(seed).random((1, pixels, pixels)) ** 8])
    bounds = vector_distances(embed_cells(planes)[:, :EMBEDDING_SIZE], None, BOUND_UNIT)
    true = all_distances(planes)
    assert (bounds <= true + ROUNDING).all()
    assert bounds[0, 1] > 0.2 * true[0, 1]  # and it is worth something


def test_a_bound_is_the_distance_where_all_moves_by_the_same() -> None:
    planes = np.zeros((2, 33, 33))
    planes[0, 2, 2], planes[1, 2, 12] = 1.0, 1.0  # near a corner: the twin is further away
    bound = vector_distances(embed_cells(planes)[:, :EMBEDDING_SIZE], None, BOUND_UNIT)[0, 1]
    assert bound == pytest.approx(all_distances(planes)[0, 1], abs=2 * ROUNDING)
    assert bound == pytest.approx(10 / 33, abs=0.02)  # cells are 1/16 wide


def test_decisions_are_those_by_all_distances() -> None:
    planes = spots(15, 5)
    distances = all_distances(planes)
    vectors = embed_cells(planes.astype(np.float32))
    for threshold in (0.0, 0.004, 0.03, 0.1):
        found, expected = select_exactly(vectors, threshold), select_by_distances(distances, threshold)
        np.testing.assert_array_equal(found.duplicate_of, expected.duplicate_of)
        np.testing.assert_allclose(found.distance, expected.distance, atol=1e-5)
        assert (found.candidate_of >= 0)[~found.kept].all()
        assert (found.candidate_distance[~found.kept] <= found.distance[~found.kept] + ROUNDING).all()
        assert found.transports < 15 * 14
    assert 0 < (~select_exactly(vectors, 0.03).kept).sum() < 8
    assert select_exactly(vectors, 0.0).transports == 0


def test_vectors_keep_the_shares_of_cells() -> None:
    planes = spots(3, 1, 64)
    part = planes[:, 1:, 1:] / planes[:, 1:, 1:].sum(axis=(1, 2), keepdims=True)
    shares = shares_of(embed_cells(planes))
    np.testing.assert_allclose(shares.sum(axis=(1, 2)), 1)
    # 63 pixels in 16 cells: the middle of every side is the border of two of them.
    np.testing.assert_allclose(
        shares[:, :8].sum(axis=(1, 2)), part[:, :31].sum((1, 2)) + part[:, 31].sum(1) / 2, atol=1e-5
    )
    assert shares_of(embed_cells(np.zeros((1, 9, 9))))[0, 4, 4] == 1  # dark planes are a point in the middle
    assert embed_cells(np.empty((0, 16, 16))).shape == (0, EMBEDDING_SIZE + 2 * 15**2)
