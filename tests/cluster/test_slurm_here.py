"""The SLURM of the tests itself: nothing of it is left, however a test run ends."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.runs import ROOT
from tests.cluster.slurm_here import SlurmHere, why_not
from tests.cluster.watchdog import started_with

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one"),
]

RUN = """
import sys, time
from pathlib import Path
from tests.cluster.slurm_here import SlurmHere
with SlurmHere(Path(sys.argv[1])) as slurm:
    slurm.command("sbatch", "--output=/dev/null", "--wrap=sleep 600")
    slurm.wait_for_jobs(1)
    print("running", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: sockets cannot have long ones."""
    with tempfile.TemporaryDirectory(prefix="dsfu-slurm-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "slurm"


def names(folder: Path) -> set[str]:
    return {process.name() for process in started_with(str(folder / "slurm.conf"))}


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_killed_test_run_leaves_nothing_behind(folder):
    """With all of its process group, as terminals and batch systems do it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", RUN, str(folder)]
    run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert run.stdout is not None
        assert run.stdout.readline() == "running\n"
        wait_until(lambda: {"munged", "slurmctld", "slurmd", "slurmstepd", "sleep"} <= names(folder))
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    wait_until(lambda: not names(folder) and not folder.exists())


def test_two_side_by_side_do_not_disturb_each_other_and_leave_nothing(folder):
    other = folder.with_name("other")
    with SlurmHere(folder) as one:
        with SlurmHere(other) as two:
            two.command("sbatch", "--output=/dev/null", "--wrap=sleep 600")
            two.wait_for_jobs(1)
            assert one.jobs() == []
        assert names(other) == set()
        one.be_idle()
    assert names(folder) == set()
