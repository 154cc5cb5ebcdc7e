import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.appearance import APPEARANCE_UNIT, embed_appearance
from dsfu.simulate.disorder.embedding import EMBEDDING_SIZE, centred_part, vector_distances
from dsfu.simulate.random_stream import random_word, stream_key
from tests.simulate.strategies import seeds


def smooth_planes(seed: int, count: int, pixels: int, correlation: float) -> FloatArray:
    """Positive planes of one picture and something of their own, so that their roots correlate."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(count + 1, pixels, pixels))
    low = np.fft.fftfreq(pixels) ** 2
    smooth = np.fft.ifft2(np.fft.fft2(noise) * np.exp(-50 * (low[:, np.newaxis] + low))).real
    smooth /= smooth.std(axis=(1, 2), keepdims=True)
    mixed = np.sqrt(correlation) * smooth[0] + np.sqrt(1 - correlation) * smooth[1:]
    return np.asarray((mixed - mixed.min() + 0.5) ** 2, dtype=np.float64)


def root_distances(planes: FloatArray) -> FloatArray:
    """√(1 − r) of √I, or that of the plane turned if it is smaller, over all pixels."""
    first = 1 - planes.shape[1] % 2
    part = np.sqrt(planes[:, first:, first:])
    count = len(planes)
    turned = part[:, ::-1, ::-1].reshape(count, -1)
    both = np.corrcoef(np.concatenate([part.reshape(count, -1), turned]))
    nearer = np.maximum(both[:count, :count], both[:count, count:])
    return np.asarray(np.sqrt(np.maximum(1 - nearer, 0)), dtype=np.float64)


@pytest.mark.parametrize("correlation", [0.5, 0.9, 0.98, 0.999])
def test_distances_are_those_of_the_correlation_within_some_per_cent(correlation: float) -> None:
    planes = np.concatenate([smooth_planes(seed, 4, 128, correlation) for seed in range(5)])
    found, expected = vector_distances(embed_appearance(planes), None, APPEARANCE_UNIT), root_distances(planes)
    apart = expected > 1e-6
    ratio = found[apart] / expected[apart]
    assert abs(ratio.mean() - 1) < 0.02
    assert ratio.std() < 0.06
    assert found[~apart].max() == 0


@given(seeds)
def test_a_turn_changes_the_sign_of_the_second_half_and_nothing_else(seed: int) -> None:
    planes = smooth_planes(seed, 2, 33, 0.5).astype(np.float32)
    vectors, turned = embed_appearance(planes), embed_appearance(planes[:, ::-1, ::-1])
    half = EMBEDDING_SIZE // 2
    assert np.abs(vectors[:, :half].astype(int) - turned[:, :half]).max() <= 1
    assert np.abs(vectors[:, half:].astype(int) + turned[:, half:]).max() <= 1


def test_the_row_and_column_without_partners_are_left_out() -> None:
    planes = np.repeat(smooth_planes(1, 1, 32, 0.5), 2, axis=0)
    planes[1, 0], planes[1, :, 0] = 7.0, 9.0
    first, second = embed_appearance(planes)
    np.testing.assert_array_equal(first, second)


def test_a_plane_without_contrast_is_far_from_others_and_equal_to_its_like() -> None:
    flat = [np.zeros((32, 32)), np.full((32, 32), 0.3), np.full((32, 32), 1e6)]
    planes = np.concatenate([flat, smooth_planes(2, 2, 32, 0.99)])
    vectors = embed_appearance(planes)
    assert (vectors[:3] == 0).all()
    distances = vector_distances(vectors, None, APPEARANCE_UNIT)
    assert distances[0, 3:].min() > 0.6


@given(seeds, st.sampled_from([9, 32, 33]))
def test_every_pair_of_pixels_is_dealt_out_as_written(seed: int, pixels: int) -> None:
    (plane,) = smooth_planes(seed, 1, pixels, 0.5).astype(np.float32)
    roots = np.sqrt(centred_part(plane)).ravel().astype(float)
    roots -= roots.mean()
    half, signs = EMBEDDING_SIZE // 2, np.uint64(stream_key(0, "signs of pixels"))
    expected = np.zeros(EMBEDDING_SIZE)
    for i in range(roots.size // 2):
        bits = int(random_word(signs, np.uint64(i)))
        here, there = roots[i], roots[-1 - i]
        expected[i % half] += here + there if bits & 1 else -here - there
        expected[half + i % half] += here - there if bits & 2 else there - here
    expected[roots.size // 2 % half] += np.sqrt(2) * roots[roots.size // 2]
    expected /= np.sqrt(2 * (roots**2).sum())
    assert np.abs(embed_appearance(plane[np.newaxis])[0] - expected * 2**14).max() <= 1
