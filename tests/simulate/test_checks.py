import numpy as np
import pytest

from dsfu.simulate.checks import finite_array, warren_cowley_set


@pytest.mark.parametrize(
    "value", [np.array([1 + 2j, 0, 0]), [1.0, 2j, 0.0], ["a", "b", "c"], [[1.0], [2.0, 3.0]], None]
)
def test_what_is_no_array_of_real_numbers_is_refused(value) -> None:
    with pytest.raises(ValueError, match="place.*expected"):
        finite_array("place", value, (3,))


def test_an_imaginary_part_is_not_dropped_in_silence() -> None:
    alpha = np.zeros((11, 11, 11), np.complex128)
    alpha[5, 5, 5] = 1
    with pytest.raises(ValueError, match="expected an array of real numbers"):
        warren_cowley_set("alpha", alpha)


def test_a_symmetric_set_comes_back_as_it_is() -> None:
    alpha = np.random.default_rng(1).normal(size=(11, 11, 11))
    alpha += alpha[::-1, ::-1, ::-1]
    alpha[5, 5, 5] = 1
    assert warren_cowley_set("alpha", alpha) is alpha
