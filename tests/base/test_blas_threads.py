import numpy as np
import pytest

from dsfu.blas_threads import blas_threads, one_blas_thread


def test_one_thread_inside_and_as_many_as_before_outside():
    np.ones((8, 8)) @ np.ones((8, 8))
    before = blas_threads()
    if not before:
        pytest.skip("no OpenBLAS is loaded")
    with one_blas_thread():
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


def test_threads_are_given_back_after_an_error():
    before = blas_threads()
    with pytest.raises(ValueError, match="stop"), one_blas_thread():
        raise ValueError("stop")
    assert blas_threads() == before
