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
    "tests/benchmarks/",
    "tests/cluster/test_dashboard.py",
    "tests/cluster/test_others_refused.py",
    "tests/cluster/test_slurm",
    "tests/integration/",
    "tests/pipeline/running/",
    "tests/pipeline/store/test_locks.py",
    "tests/pipeline/test_cli.py",
    "tests/model/training/test_distributed.py",
)
"""Where tests kill processes, start clusters or count on the clock: `make test` runs them one after another."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = Path(__file__).parents[1]
    for item in items:
        if item.path.relative_to(root).as_posix().startswith(_ALONE):
            item.add_marker(pytest.mark.alone)
