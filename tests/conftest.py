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
    "tests/cluster/test_slurm",
    "tests/integration/test_interruptions.py",
    "tests/pipeline/running/test_interruption.py",
)
"""Where tests kill at moments that the clock says, or count on it: `make test` runs them last, two at a time.

They wait far longer than they compute, and were seen to pass where four times as much was to do as there were cores.
"""

_LONG = (
    "tests/integration/test_training.py",
    "tests/integration/test_versions.py",
    "tests/cluster/test_launch.py",
    "tests/pipeline/running/test_graph.py",
    "tests/benchmarks/test_they_run.py",
    "tests/docs/",
    "tests/integration/",
)
"""What takes minutes begins first, so that no core waits for it in the end."""

_APART = ("tests/benchmarks/test_they_run.py",)
"""Where each test is a long program of its own, so that those of one file need not wait for one another."""

_ONE_AT_A_TIME = ("tests/integration/test_versions.py", "tests/integration/test_packaging.py")
"""Where tests make environments of up to 0.9 GB, each removed by its end: never two of them on the disk."""


def begins_first(path: str) -> int:
    """Place in the order of what is long; all else comes after."""
    return next((place for place, long in enumerate(_LONG) if path.startswith(long)), len(_LONG))


def group_of(path: str, name: str) -> str:
    """What one process runs, in order: mostly a file, for its fixtures are shared."""
    return name if path in _APART else "environments" if path in _ONE_AT_A_TIME else path


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs alone, keep in one process what shares what is made for it, and put the longest first."""
    root = Path(__file__).parents[1]
    places = {item.nodeid: item.path.relative_to(root).as_posix() for item in items}
    for item in items:
        path = places[item.nodeid]
        if path.startswith(_ALONE):
            item.add_marker(pytest.mark.alone)
        item.add_marker(pytest.mark.xdist_group(group_of(path, item.name)))
    items.sort(key=lambda item: begins_first(places[item.nodeid]))
