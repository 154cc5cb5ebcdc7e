"""A SLURM of two small nodes on this machine, in a folder of its own, for tests: started, and stopped by its pids.

Should the process that has started it be killed, its watchdog ends it.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from tests.cluster import watchdog

NODES = ("here1", "here2")
CORES_PER_NODE = 2

_PORTS = range(12_000, 19_900)
_ATTEMPTS = 3

_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
_FOLDERS = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")

_CONFIGURATION = """\
ClusterName=here
SlurmctldHost=localhost
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=15
CredType=cred/munge
SlurmctldPort={controller_port}
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/spool-%n
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
ReturnToService=2
EnforcePartLimits=ALL
KillWait=5
InactiveLimit=0
MinJobAge=300
SlurmctldTimeout=60
SlurmdTimeout=60
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=physics Nodes=ALL AllowAccounts=physics MaxTime=INFINITE State=UP
PartitionName=closed Nodes=ALL MaxTime=INFINITE State=DOWN
"""


def why_not() -> str:
    """Why SLURM cannot be started here; empty if it can."""
    missing = [name for name in _PROGRAMS if _program(name) is None]
    if missing:
        return f"{', '.join(missing)} missing: apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "its daemons have to be started as root"


class SlurmHere:
    """Started on entering, stopped on leaving. ``environment`` has what its commands need."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: Mapping[str, str] = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: list[subprocess.Popen[bytes]] = []
        self._watchdog: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._make_folders()
        conf = self.environment["SLURM_CONF"]
        command = [sys.executable, watchdog.__file__, str(os.getpid()), conf]
        self._watchdog = subprocess.Popen(command, start_new_session=True)
        try:
            self._start_with_other_ports_if_they_are_taken()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_daemons()
        watchdog.end_all(self.environment["SLURM_CONF"])
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.wait()

    def _start_with_other_ports_if_they_are_taken(self) -> None:
        """Between finding ports free and listening on them, another session may take them."""
        for attempt in range(_ATTEMPTS):
            self._configure()
            try:
                self._start_daemons()
                return
            except RuntimeError:
                self._stop_daemons()
                if attempt == _ATTEMPTS - 1:
                    raise

    def _stop_daemons(self) -> None:
        if len(self._daemons) > 1:
            subprocess.run(["scancel", "--user=root"], env=self.environment, timeout=30, check=False)
            self.wait_until(lambda: not self.jobs(), "jobs to end", 15, insist=False)
        for daemon in reversed(self._daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in reversed(self._daemons):
            try:
                daemon.wait(timeout=15)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self._daemons.clear()
        stranded = [each for each in self.processes() if each.name() == "slurmstepd"]  # of nodes that were down
        _signal_all(stranded, signal.SIGKILL)

    def command(self, *words: str, check: bool = True) -> str:
        """What a command of SLURM answers."""
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
        return done.stdout if done.returncode == 0 else done.stderr

    def jobs(self, state: str = "") -> list[str]:
        """Numbers of the jobs that have not ended, or are in a state."""
        only = [f"--states={state}"] if state else []
        return self.command("squeue", "--noheader", "--format=%i", *only).split()

    def be_idle(self) -> None:
        """End all jobs, and open all nodes."""
        self.command("scancel", "--user=root", check=False)
        self.wait_until(lambda: not self.jobs(), "jobs to end", 30)
        for name in NODES:
            self.command("scontrol", "update", f"nodename={name}", "state=resume", check=False)
        self.wait_until(self._is_idle, "idle nodes", 90)

    def wait_for_end(self, seconds: float) -> None:
        self.wait_until(lambda: not self.jobs(), "jobs to end", seconds)

    def wait_for_jobs(self, number: int, state: str = "RUNNING", seconds: float = 180.0) -> list[str]:
        self.wait_until(lambda: len(self.jobs(state)) >= number, f"{number} jobs {state}", seconds)
        return self.jobs(state)

    def lose_power(self, job: str, nodes: str) -> None:
        """What happens to a job when its nodes do: everything of it is gone at once, and SLURM finds the nodes down."""
        processes = self.processes(SLURM_JOB_ID=job)
        parents = {process.parent() for process in processes}
        lost = [each for each in parents if each is not None and each.name() == "slurmstepd"] + processes
        _signal_all(lost, signal.SIGSTOP)  # nothing sees another end, nor tells of it
        self.command("scontrol", "update", f"nodename={nodes}", "state=down", "reason=test")
        _signal_all(lost, signal.SIGKILL)

    def processes(self, **environment: str) -> list[psutil.Process]:
        """Whatever was started by this SLURM, with something in its environment."""
        return watchdog.started_with(self.environment["SLURM_CONF"], **environment)

    def _make_folders(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)

    def _configure(self) -> None:
        ports = _free_ports(1 + len(NODES))
        nodes = [
            f"NodeName={name} NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 Port={port} "
            f"CPUs={CORES_PER_NODE} RealMemory=4000 State=UNKNOWN"
            for name, port in zip(NODES, ports[1:], strict=True)
        ]
        text = _CONFIGURATION.format(folder=self.folder, controller_port=ports[0], nodes="\n".join(nodes))
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")

    def _start_daemons(self) -> None:
        folder = self.folder
        options = [f"--{name}-file={folder / f'munge.{name}'}" for name in ("key", "pid", "seed", "log")]
        self._start("munged", "--foreground", "--force", f"--socket={folder / 'munge.socket'}", *options)
        self.wait_until(lambda: (folder / "munge.socket").exists(), "munged", 10)
        self._start("slurmctld", "-D")
        for name in NODES:
            self._start("slurmd", "-D", "-N", name)
        self.wait_until(self._is_idle, "two idle nodes", 60)

    def _start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as output:
            program = _program(name) or name
            daemon = subprocess.Popen([program, *arguments], env=self.environment, stdout=output, stderr=output)
        self._daemons.append(daemon)

    def _is_idle(self) -> bool:
        return self.command("sinfo", "--noheader", "--Node", "--format=%N %t", check=False).count(" idle") >= len(NODES)

    def wait_until(self, is_so: Callable[[], bool], what: str, seconds: float, *, insist: bool = True) -> None:
        end = time.monotonic() + seconds
        while not is_so():
            dead = [daemon.args for daemon in self._daemons if daemon.poll() is not None]
            if insist and (dead or time.monotonic() > end):
                raise RuntimeError(f"waited for {what} in vain; ended: {dead}; see {self.folder}")
            if time.monotonic() > end:
                return
            time.sleep(0.2)


def _signal_all(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *_FOLDERS]))


def _free_ports(number: int) -> list[int]:
    """Random ones below those that Linux gives away by itself, so that nothing takes them meanwhile by accident."""
    found: list[int] = []
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        with socket.socket() as each, suppress(OSError):
            each.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == number:
            break
    return found
