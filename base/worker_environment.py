"""What a worker process is started with: threads of libraries, memory of the C library, settings of Dask."""

from collections.abc import Mapping
from typing import Any, Final

ONE_THREAD: Final[Mapping[str, str]] = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
"""One worker is one core: libraries must not start more threads."""

WORKER_ENVIRONMENT: Final[Mapping[str, str]] = {
    **ONE_THREAD,
    # Arrays of shards are freed and asked for again all the time. Dask's own choice, 64 KiB, gives each back to the
    # system at once, and new pages cost a third of a worker's time.
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_ARENA_MAX": "1",
}

WORKER_SETTINGS: Final[Mapping[str, Any]] = {
    # Results are a few hundred bytes: there is nothing to spill, and a worker that paused would never go on.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
}
"""Of Dask, in a worker."""


def as_variables(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings of Dask as the environment variables that say the same."""
    return {f"DASK_{name.upper().replace('.', '__')}": str(value) for name, value in settings.items()}
