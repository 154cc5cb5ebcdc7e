import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsfu.simulate.disorder.encoding import LEVELS, decode_plane, encode_plane
from tests.simulate.strategies import seeds


@given(seeds, st.floats(1e-6, 1e9))
def test_a_plane_survives_storage_within_half_a_step_of_its_root(seed: int, largest: float) -> None:
    plane = (np.random.default_rng(seed).random((9, 9)) ** 4 * largest).astype(np.float32)
    stored, scale = encode_plane(plane)
    assert stored.max() == LEVELS
    error = np.abs(np.sqrt(decode_plane(stored, scale)) - np.sqrt(plane)) / np.sqrt(scale)
    assert error.max() <= 0.51 / LEVELS


def test_an_empty_plane_stays_empty() -> None:
    stored, scale = encode_plane(np.zeros((4, 4), np.float32))
    assert scale == 0
    assert not decode_plane(stored, scale).any()


def test_planes_are_decoded_together_with_their_own_scales() -> None:
    stored = np.full((3, 2, 2), LEVELS, np.uint16)
    np.testing.assert_allclose(decode_plane(stored, [1.0, 4.0, 0.0])[:, 0, 0], [1.0, 4.0, 0.0], rtol=1e-6)
