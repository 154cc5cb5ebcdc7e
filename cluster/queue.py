"""What a scheduler says of jobs, in its own words. So far it is asked of SLURM only."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PATIENCE_SECONDS: Final = 30
"""For the scheduler's answer; one that is busy may take long."""

ALIVE: Final = frozenset({"PENDING", "RUNNING", "CONFIGURING", "SUSPENDED", "REQUEUED", "REQUEUE_HOLD", "RESIZING"})

TAKEN_AWAY: Final = frozenset(
    {"CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE", "COMPLETED", "REQUEUED", "FORGOTTEN"}
)
"""How jobs end through no fault of what they were doing."""


@dataclass(frozen=True, kw_only=True)
class JobState:
    """State and reason of a job, in the words of the scheduler."""

    state: str
    reason: str

    @property
    def alive(self) -> bool:
        return self.state in ALIVE

    @property
    def ending(self) -> bool:
        """It has ended, and its nodes are being cleaned up; how it ended is told later."""
        return self.state == "COMPLETING"

    def __str__(self) -> str:
        return self.state if self.reason in ("", "None") else f"{self.state}, {self.reason}"


GONE: Final = JobState(state="FORGOTTEN", reason="")
"""Of a job that the scheduler does not know any more."""


def job_states(scheduler: str, job_name: str) -> Mapping[str, JobState] | None:
    """States of this user's jobs of a name, also of those that ended minutes ago, by their numbers.

    None if the scheduler does not answer, or is not one that we know how to ask.
    """
    if scheduler != "slurm":
        return None
    command = ["squeue", "--me", "--noheader", "--states=all", f"--name={job_name}", "--format=%i|%T|%r"]
    answer = _answer(command)
    return None if answer is None else parse_squeue(answer)


def job_state(number: str) -> JobState | None:
    """State of a job of SLURM; None if SLURM does not know it any more, or does not answer."""
    answer = _answer(["squeue", "--noheader", "--states=all", f"--jobs={number}", "--format=%i|%T|%r"])
    return None if answer is None else parse_squeue(answer).get(number)


def parse_squeue(answer: str) -> dict[str, JobState]:
    """Lines of ``NUMBER|STATE|REASON``."""
    rows = [line.strip().split("|", 2) for line in answer.splitlines()]
    return {row[0]: JobState(state=row[1], reason=row[2]) for row in rows if len(row) == 3}


def _answer(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
