"""Noise and misfit told apart."""

import numpy as np

from dsfu.model.measured.solver.noise import smoothed, stated_variance, structured_misfit, variance_of

SIZE = 128


def hill() -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    return np.asarray(np.exp(-3 * (x**2 + y**2)))


def test_the_variance_of_poisson_noise_is_found() -> None:
    rng = np.random.default_rng(1)
    live = rng.random((SIZE, SIZE)) > 0.2
    residual = rng.poisson(400 * hill()) / 400 - hill()
    found = variance_of(residual + 0.05 * hill(), hill(), live)
    np.testing.assert_allclose(found[hill() > 0.1], hill()[hill() > 0.1] / 400, rtol=0.15)


def test_noise_is_no_structured_misfit() -> None:
    rng = np.random.default_rng(2)
    live = np.ones((SIZE, SIZE), np.bool_)
    noise = 0.02 * rng.normal(size=live.shape)
    model = np.ones(live.shape)
    wave = 0.01 * np.cos(np.arange(SIZE) / 5) * np.ones((SIZE, 1))
    assert structured_misfit(noise, model, live) < 0.0012
    np.testing.assert_allclose(structured_misfit(noise + wave, model, live), 0.005 / np.sqrt(2), rtol=0.1)


def test_dead_pixels_are_left_out_of_means() -> None:
    values = np.ones((SIZE, SIZE))
    live = np.random.default_rng(3).random(values.shape) > 0.5
    np.testing.assert_allclose(smoothed(np.where(live, values, 99), live, 5), 1)


def test_stated_uncertainties_are_averaged_and_gaps_in_them_filled_by_their_neighbours() -> None:
    live = np.ones((16, 16), np.bool_)
    live[3, 3] = False
    sigma = np.full(live.shape, 2.0, np.float32)
    sigma[3, 3], sigma[8, 8], sigma[8, 9] = 100.0, np.nan, -1.0
    found = stated_variance(sigma, live)
    assert found is not None
    np.testing.assert_allclose(found, 4.0)


def test_who_states_nothing_has_no_variance() -> None:
    live = np.ones((8, 8), np.bool_)
    assert stated_variance(None, live) is None
    assert stated_variance(np.full(live.shape, np.nan), live) is None
