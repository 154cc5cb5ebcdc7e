"""Waits for the end of a process, however it ends, and then ends all that was started with one SLURM_CONF.

    python tests/cluster/watchdog.py PID SLURM_CONF

SLURM's daemons outlive whoever has started them, and jobs outlive the daemons: so a killed test run would leave both.
A process of its own, in a session of its own, as everything within a killed one is gone.
"""

import os
import select
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

_ROUNDS = 25
"""Looks for processes that were just being started, a fifth of a second apart; the last five find nothing."""


def wait_for_end(pid: int) -> None:
    with suppress(ProcessLookupError):
        end = os.pidfd_open(pid)
        select.select([end], [], [])


def started_with(slurm_conf: str, **environment: str) -> list[psutil.Process]:
    """Whatever was started by one SLURM, with something in its environment, but for the process that asks."""
    wanted = {"SLURM_CONF": slurm_conf, **environment}
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            belongs = wanted.items() <= process.environ().items()
            if not belongs and not environment and process.name().startswith("slurm"):
                belongs = _has_open(process.pid, str(Path(slurm_conf).parent))
            if belongs and process.pid != os.getpid():
                found.append(process)
    return found


def _has_open(pid: int, folder: str) -> bool:
    """Whether a process has files of a folder open: slurmstepd writes its title over its environment."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    return any(link.readlink().is_relative_to(folder) for link in links)


def end_all(slurm_conf: str) -> None:
    quiet = 0
    for _ in range(_ROUNDS):
        found = started_with(slurm_conf)
        quiet = 0 if found else quiet + 1
        if quiet == 5:
            break
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(0.2)


if __name__ == "__main__":
    wait_for_end(int(sys.argv[1]))
    end_all(sys.argv[2])
    shutil.rmtree(Path(sys.argv[2]).parent, ignore_errors=True)
