"""Least squares between bounds, beside SciPy's."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from dsfu.model.problems.densities.bounded_steps import bounded_least_squares
from dsfu.simulate.arrays import FloatArray


def _problem(seed: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    x = np.linspace(-3, 3, 300)
    counts = 5 * np.exp(-((x - 0.4) ** 2) / 0.5) + 0.3 + rng.normal(0, 0.05, len(x))
    counts[::37] += 3
    return x, counts


def _model(x: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    height, centre, width, level = values
    bell = np.exp(-((x - centre) ** 2) / width)
    by_centre = height * bell * 2 * (x - centre) / width
    by_width = height * bell * (x - centre) ** 2 / width**2
    return height * bell + level, np.stack([bell, by_centre, by_width, np.ones_like(x)], axis=1)


@pytest.mark.parametrize("top", [10.0, 4.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_values_are_those_of_scipy_with_a_bound_that_holds_or_not(seed: int, top: float) -> None:
    x, counts = _problem(seed)
    start = np.array([2.0, 0.0, 1.0, 0.0])
    low, high = np.array([0.0, -2.0, 0.05, -1.0]), np.array([top, 2.0, 3.0, 1.0])

    def residual(values: FloatArray) -> FloatArray:
        return 10 * (_model(x, values)[0] - counts)

    def jacobian(values: FloatArray) -> FloatArray:
        return 10 * _model(x, values)[1]

    found = bounded_least_squares(residual, jacobian, start, low, high, 50)
    wanted = least_squares(residual, start, jacobian, bounds=(low, high), loss="soft_l1", xtol=1e-12, ftol=1e-12)
    np.testing.assert_allclose(found, wanted.x, atol=2e-3)
    assert (found[0] == top) == (top < 5)


def test_a_parameter_that_does_nothing_stays() -> None:
    x, counts = _problem(0)
    start = np.array([2.0, 0.0, 1.0, 0.0, 0.7])
    found = bounded_least_squares(
        lambda values: _model(x, values[:4])[0] - counts,
        lambda values: np.concatenate([_model(x, values[:4])[1], np.zeros((len(x), 1))], axis=1),
        start, np.full(5, -5.0) + 5.05 * (np.arange(5) == 2), np.full(5, 20.0), 30,
    )  # fmt: skip
    assert found[4] == 0.7
    assert found[1] == pytest.approx(0.4, abs=0.02)
