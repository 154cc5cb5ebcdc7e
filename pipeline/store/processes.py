"""Which process this is, in words that another process, perhaps on another machine, can check."""

import getpass
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

_PROC: Final = Path("/proc")
_DEAD_STATES: Final = ("Z", "X", "x")


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """A process, and who started it.

    Attributes
    ----------
    machine
        The machine since it was last started, and the process's own view of it: numbers of processes mean nothing
        beyond. Containers on one machine differ.
    started
        When the process started, as the system counts; numbers of processes are used again.
    """

    user: str
    host: str
    machine: str
    pid: int
    started: str
    command: str

    @classmethod
    def of_this(cls) -> Self:
        pid = os.getpid()
        return cls(
            user=user_name(),
            host=socket.gethostname(),
            machine=_machine(),
            pid=pid,
            started=_start_of(pid) or "",
            command=" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        process = cls(**values)
        texts = (process.user, process.host, process.machine, process.started, process.command)
        if type(process.pid) is not int or not all(isinstance(text, str) for text in texts):
            raise TypeError(f"{values!r}: expected a number for pid, texts for all else")
        return process

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def is_running(self) -> bool | None:
        """Whether the process still runs; None if it cannot be told from here."""
        if self.machine != _machine():
            return None
        return _start_of(self.pid) == self.started

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host} ({self.command})"


def user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without an entry in the password file, as in some containers
        return "unknown"


def _machine() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _start_of(pid: int) -> str | None:
    """When a process started; None if it does not run, also if it is dead and nobody has noticed yet."""
    if (_PROC / "self/stat").exists():
        try:
            fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in _DEAD_STATES else fields[19]
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.Error:
        return None
