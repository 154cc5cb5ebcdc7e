"""Settings of all tests."""

import os
from pathlib import Path

# Before torch is imported: its threads take more time to meet than tests have to compute, on machines with few cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

# Compiling takes seconds on first use, and machines are shared: time is no criterion. The same examples in every run.
settings.register_profile(
    "dsfu", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("dsfu")

_ALONE = (
    "tests/cluster/test_others_refused.py",
    "tests/cluster/test_slurm",
    "tests/integration/test_interruptions.py",
    "tests/integration/test_training.py",
    "tests/pipeline/running/test_graph.py",
    "tests/pipeline/running/test_interruption.py",
    "tests/pipeline/store/test_locks.py",
)
"""Where tests kill processes, start clusters or count on the clock: `make test` runs them one after another."""

_APART = ("tests/benchmarks/test_they_run.py",)
"""Where each test is a long program of its own, so that those of one file need not wait for one another."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs alone, and keep tests of one file, which share what is made for them, in one process."""
    root = Path(__file__).parents[1]
    for item in items:
        path = item.path.relative_to(root).as_posix()
        if path.startswith(_ALONE):
            item.add_marker(pytest.mark.alone)
        item.add_marker(pytest.mark.xdist_group(item.name if path in _APART else path))
