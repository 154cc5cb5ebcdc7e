import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.disorder import selection
from dsfu.simulate.disorder.embedding import EMBEDDING_DTYPE, EMBEDDING_SIZE, EmbeddingArray, vector_distances
from dsfu.simulate.disorder.selection import Selection, select_by_distances, select_by_vectors
from tests.simulate.strategies import seeds

UNIT = 0.01
thresholds = st.just(0.0) | st.floats(0.01, 60.0)


def clustered_vectors(seed: int, count: int) -> EmbeddingArray:
    """Vectors in clusters, in a few dimensions, some turned and some repeated."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(6, EMBEDDING_SIZE))
    centres = rng.normal(scale=200, size=(max(1, count // 5), 6))
    places = centres[rng.integers(len(centres), size=count)] + rng.normal(scale=20, size=(count, 6))
    vectors = places @ directions
    half = EMBEDDING_SIZE // 2
    vectors[:, half:] *= rng.choice([-1, 1], size=(count, 1))
    repeated = rng.random(count) < 0.1
    vectors[repeated] = vectors[rng.integers(count, size=repeated.sum())]
    return np.rint(vectors).astype(EMBEDDING_DTYPE)


def assert_is_a_selection(found: Selection, distances: FloatArray, threshold: float, order: IntArray) -> None:
    """Kept planes are apart; every other repeats the nearest of those kept before it."""
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    kept = np.flatnonzero(found.kept)
    apart = distances[np.ix_(kept, kept)] + np.where(np.eye(len(kept)), np.inf, 0)
    assert not kept.size or apart.min() >= threshold
    for plane in np.flatnonzero(~found.kept):
        earlier = kept[rank[kept] < rank[plane]]
        assert found.duplicate_of[plane] in earlier
        assert found.distance[plane] == distances[plane, earlier].min() < threshold
        assert distances[plane, found.duplicate_of[plane]] == found.distance[plane]
    assert (found.duplicate_of[kept] == -1).all()
    assert np.isnan(found.distance[kept]).all()


def assert_same(one: Selection, other: Selection) -> None:
    for name in ("kept", "duplicate_of", "distance"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@given(st.data(), seeds, st.integers(0, 60), thresholds)
def test_a_selection_is_separated_maximal_and_says_what_repeats_what(
    data: st.DataObject, seed: int, count: int, threshold: float
) -> None:
    vectors = clustered_vectors(seed, count)
    distances = vector_distances(vectors, None, UNIT)
    order = np.array(data.draw(st.permutations(range(count))), dtype=np.int64)
    found = select_by_vectors(vectors, threshold, UNIT, order)
    assert_is_a_selection(found, distances, threshold, order)
    assert_same(found, select_by_distances(distances, threshold, order))


@given(seeds, st.integers(1, 40), thresholds)
def test_only_the_order_matters_and_not_where_a_plane_stands(seed: int, count: int, threshold: float) -> None:
    vectors = clustered_vectors(seed, count)
    shuffled = np.random.default_rng(seed).permutation(count)
    plain = select_by_vectors(vectors, threshold, UNIT)
    back = np.argsort(shuffled)
    found = select_by_vectors(vectors[shuffled], threshold, UNIT, order=back)
    np.testing.assert_array_equal(found.kept, plain.kept[shuffled])
    repeats = np.where(plain.kept, -1, back[plain.duplicate_of])
    np.testing.assert_array_equal(found.duplicate_of, repeats[shuffled])


@pytest.mark.parametrize("threshold", [0.0, 1.0, 10.0, 40.0, 1e9])
def test_the_search_of_many_finds_what_comparing_all_finds(threshold: float, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = clustered_vectors(5, 3000)
    assert len(vectors) > selection._FEW
    searched = select_by_vectors(vectors, threshold, UNIT)
    monkeypatch.setattr(selection, "_FEW", 10**9)
    assert_same(searched, select_by_vectors(vectors, threshold, UNIT))


def test_many_vectors_that_are_all_the_same_leave_one() -> None:
    vectors = np.repeat(clustered_vectors(1, 1), 5000, axis=0)
    vectors[::2, EMBEDDING_SIZE // 2 :] *= -1
    found = select_by_vectors(vectors, 1.0, UNIT)
    assert found.kept.tolist() == [True] + 4999 * [False]
    assert found.share_removed == pytest.approx(4999 / 5000)
    assert (found.distance[1:] == 0).all()


def test_planes_exactly_at_the_threshold_are_both_kept() -> None:
    vectors = np.zeros((2, EMBEDDING_SIZE), EMBEDDING_DTYPE)
    vectors[1, 7] = 5
    assert select_by_vectors(vectors, 5.0, 1.0).kept.all()
    assert not select_by_vectors(vectors, 5.000001, 1.0).kept.all()


def test_of_several_equally_near_the_first_in_order_is_named() -> None:
    vectors = np.zeros((3, EMBEDDING_SIZE), EMBEDDING_DTYPE)
    vectors[:2, 0] = -5, 5
    assert select_by_vectors(vectors, 8.0, 1.0).duplicate_of.tolist() == [-1, -1, 0]
    assert select_by_vectors(vectors, 8.0, 1.0, order=[1, 0, 2]).duplicate_of.tolist() == [-1, -1, 1]


def test_numbers_as_large_as_can_be_stored_do_not_overflow() -> None:
    vectors = np.full((2, EMBEDDING_SIZE), 32767, EMBEDDING_DTYPE)
    vectors[1] = -32767
    assert select_by_vectors(vectors, 1e5, 1.0).kept.all()
    far = np.sqrt(EMBEDDING_SIZE / 2) * 65534
    assert select_by_vectors(vectors, 1e9, 1.0).distance[1] == pytest.approx(far, rel=1e-12)


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [1, 2, 3]])
def test_an_order_that_is_none_is_refused(order: list[int]) -> None:
    with pytest.raises(ValueError, match=r"expected every number from 0 to 2 once"):
        select_by_vectors(clustered_vectors(1, 3), 1.0, UNIT, order)


def test_a_matrix_of_distances_must_be_square() -> None:
    with pytest.raises(ValueError, match=r"distances has shape \(2, 3\): expected as many rows as columns"):
        select_by_distances(np.ones((2, 3)), 1.0)
