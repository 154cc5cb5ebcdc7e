import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.model.factorise.joining import extend, join


def smooth(pixels: int = 48, phase: float = 0.3) -> np.ndarray:
    y, x = np.mgrid[:pixels, :pixels] / pixels
    return np.asarray(1.5 + np.sin(5 * x + phase) * np.cos(4 * y), np.float32)


def with_hole(pixels: int = 48) -> np.ndarray:
    known = np.ones((pixels, pixels), bool)
    known[15:30, 20:41] = False
    return known


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e6))
def test_data_are_left_alone_and_units_do_not_matter(seed: int, unit: float):
    rng = np.random.default_rng(seed)
    truth, known = smooth() ** 2, rng.random((48, 48)) < 0.7
    joined = join((unit * truth).astype(np.float32), known, smooth(phase=1.0))
    np.testing.assert_allclose(joined[known], unit * truth[known], rtol=1e-5)
    same = join(truth, known, smooth(phase=1.0))
    np.testing.assert_allclose(joined, unit * same, rtol=1e-3, atol=1e-3 * unit)


def test_a_guess_that_is_right_up_to_its_unit_fills_exactly():
    joined = join(smooth() ** 2, with_hole(), 7.0 * smooth())
    np.testing.assert_allclose(joined, smooth() ** 2, rtol=1e-3)


def test_there_is_no_seam():
    """With a guess that is off by a smooth amount, the joined field changes across the border as it does elsewhere."""
    known = with_hole()
    truth, guess = smooth(), smooth() + 0.4 * smooth(phase=2.0)
    joined = np.sqrt(join(truth**2, known, guess))
    jumps = np.abs(np.diff(joined, axis=1))
    border = known[:, 1:] != known[:, :-1]
    hard = np.where(known, truth, guess * (truth[known] @ guess[known]) / (guess[known] @ guess[known]))
    hard_jumps = np.abs(np.diff(hard, axis=1))
    assert hard_jumps[border].mean() > 2 * jumps[border].mean()
    assert jumps[border].mean() < 1.5 * np.abs(np.diff(truth, axis=1))[border].mean()


def test_corrections_fall_off():
    known = np.zeros((101, 101), bool)
    known[:, :5] = True
    out = extend(np.where(known, 1.0, 0.0), known, 6.0)
    expected = np.exp(-np.arange(40) / 6.0)  # of the continuum
    np.testing.assert_allclose(out[50, 4:44], expected, atol=0.02)


def test_nothing_known_and_everything_known():
    guess = smooth()
    np.testing.assert_allclose(join(np.zeros_like(guess), np.zeros(guess.shape, bool), guess), guess**2, rtol=1e-6)
    np.testing.assert_allclose(join(guess**2, np.ones(guess.shape, bool), guess * 0), guess**2, rtol=1e-6)


def test_a_network_that_sees_nothing_is_survived():
    joined = join(smooth() ** 2, with_hole(), np.zeros((48, 48), np.float32))
    assert np.isfinite(joined).all()
    assert (joined >= 0).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_joined_is_never_negative(sign: int):
    assert (join(smooth() ** 2, with_hole(), sign * smooth(phase=3.0)) >= 0).all()
