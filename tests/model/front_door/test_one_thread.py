"""Threads of a fit: one, unless somebody says how many."""

import pytest
import torch

from dsfu.blas_threads import blas_threads
from dsfu.model.front_door.one_thread import one_thread


def test_one_thread_unless_somebody_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        with one_thread():
            assert torch.get_num_threads() == 2
        monkeypatch.delenv("OMP_NUM_THREADS")
        with one_thread():
            assert torch.get_num_threads() == 1
            assert set(blas_threads()) <= {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
