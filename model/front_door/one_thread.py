"""One thread for a fit, whoever calls it: threads that wait for one another in a loop cost more than they bring."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from dsfu.blas_threads import one_blas_thread


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread in torch, numpy and scipy, and as many as before at the end; with OMP_NUM_THREADS nothing is changed.

    On two loaded cores the fit of 101³ voxels took 63 s of the processor with two threads, and 6 s with one.
    """
    if "OMP_NUM_THREADS" in os.environ:
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_blas_thread():
            yield
    finally:
        torch.set_num_threads(threads)
