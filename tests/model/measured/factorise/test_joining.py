import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsfu.model.measured.factorise.guess import Guess
from dsfu.model.measured.factorise.joining import as_data


def guess_of(root: np.ndarray, spread: float = 0.0) -> Guess:
    every = np.full_like(root, spread)
    return Guess(form_factor_root=root, sro_root=root, form_factor_spread=every, sro_spread=every)


def smooth(pixels: int = 32) -> np.ndarray:
    y, x = np.mgrid[:pixels, :pixels] / pixels
    return np.asarray(1.5 + np.sin(5 * x) * np.cos(4 * y), np.float32)


def known() -> np.ndarray:
    out = np.ones((32, 32), bool)
    out[10:20, 12:25] = False
    return out


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_a_guess_comes_in_the_unit_of_the_data(of_data: float, of_guess: float):
    found = as_data(guess_of(of_guess * smooth()), of_data * smooth() ** 2, known())
    np.testing.assert_allclose(found.form_factor, of_data * smooth() ** 2, rtol=1e-3)
    reference = as_data(guess_of(smooth()), smooth() ** 2, known())
    np.testing.assert_allclose(found.variance, of_data**2 * reference.variance, rtol=1e-3)


def test_where_there_are_data_nothing_is_guessed():
    found = as_data(guess_of(smooth()), smooth() ** 2, known())
    assert np.isinf(found.variance[known()]).all()
    assert np.isfinite(found.variance[~known()]).all()


def test_what_stands_in_dead_zones_is_not_looked_at():
    form_factor = np.where(known(), smooth() ** 2, 1e6)
    found = as_data(guess_of(smooth()), form_factor, known())
    np.testing.assert_allclose(found.variance, as_data(guess_of(smooth()), smooth() ** 2, known()).variance)


def test_answers_that_scatter_count_less():
    sure, unsure = (as_data(guess_of(smooth(), spread), smooth() ** 2, known()) for spread in (0.0, 0.3))
    assert (unsure.variance[~known()] > 1.5 * sure.variance[~known()]).all()


def test_a_network_that_sees_nothing_is_not_believed():
    assert np.isinf(as_data(guess_of(np.zeros((32, 32), np.float32)), smooth() ** 2, known()).variance).all()
