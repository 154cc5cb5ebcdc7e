"""The axis of α over distance ends where nothing is seen any more."""

import pytest

from dsfu.model.measured.order.picture import how_far
from dsfu.model.measured.order.result import Shell


def shell(length: float, alpha: float, uncertainty: float) -> Shell:
    return Shell(vector=(1, 0, 0), length_angstrom=length, multiplicity=2, alpha=alpha, uncertainty=uncertainty)


SEEN = [shell(6.0, -0.21, 0.01), shell(12.0, 0.06, 0.01), shell(30.0, 0.02, 0.001)]


@pytest.mark.parametrize("uncertainty", [0.1, 0.01])
def test_values_within_their_uncertainty_do_not_make_it_longer(uncertainty: float) -> None:
    noise = [shell(40.0 + each, 2.5 * uncertainty, uncertainty) for each in range(30)]
    assert how_far(SEEN + noise) == pytest.approx(1.05 * 30)


def test_an_uncertainty_that_is_not_known_hides_nothing() -> None:
    assert how_far([*SEEN, shell(50.0, 0.1, float("nan"))]) == pytest.approx(1.05 * 50)


def test_where_nothing_is_seen_the_first_shells_are() -> None:
    assert how_far([shell(6.0, 0.01, 0.1), shell(60.0, 0.01, 0.1)]) == pytest.approx(15)
