"""Job arrays without a driver: writes and submits an array that makes a store in parts, and the job that closes it."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsfu.cluster.job_script import ARRAY_SCHEDULERS, array_script, closing_script
from dsfu.cluster.settings import ClusterSettings
from dsfu.cluster.submitting import SUBMIT_COMMANDS, ClusterError, check_commands
from dsfu.errors import InputError

_NUMBER_OF_JOB: Final = {
    "slurm": r"^(\d+)",
    "pbs": r"^(\d+\[\]\S*|\d+\S*)",
    "lsf": r"Job <(\d+)>",
    "sge": r"[Jj]ob(?:-array)? (\d+)",
}

_PATIENCE_SECONDS: Final = 120


@dataclass(frozen=True, kw_only=True)
class ArrayScripts:
    """The scripts of an array and of the job that follows it.

    Attributes
    ----------
    closing
        With ``after`` in place of the array's number, which is not known before it is submitted.
    """

    array: str
    closing: str


def array_scripts(
    settings: ClusterSettings, parts: int, run: Sequence[str], close: Sequence[str], after: str = "ARRAY-JOB"
) -> ArrayScripts:
    """Scripts that do ``dsfu-pipeline run RUN --part i/N`` and then ``dsfu-pipeline close CLOSE``."""
    if settings.scheduler not in ARRAY_SCHEDULERS:
        raise InputError(
            f"{settings.scheduler} has no job arrays here",
            where="scheduler",
            expected=f"one of {', '.join(ARRAY_SCHEDULERS)}",
            remedy=f"`dsfu-pipeline run --scheduler {settings.scheduler}` needs none",
        )
    if parts < 1:
        raise InputError(f"{parts} parts", where="--array", expected="1 or more")
    return ArrayScripts(array=array_script(settings, run, parts), closing=closing_script(settings, close, after))


def submit_array(settings: ClusterSettings, parts: int, run: Sequence[str], close: Sequence[str]) -> tuple[str, str]:
    """Write the scripts into the folder of logs, and submit them. Returns the numbers of both jobs."""
    array_scripts(settings, parts, run, close)
    check_commands(settings)
    folder = Path(settings.log_dir)
    folder.mkdir(parents=True, exist_ok=True)
    array = submit(settings, array_scripts(settings, parts, run, close).array, folder / f"{settings.job_name}-array.sh")
    closing = array_scripts(settings, parts, run, close, after=array).closing
    try:
        return array, submit(settings, closing, folder / f"{settings.job_name}-close.sh")
    except ClusterError as error:
        raise ClusterError(f"the array was submitted as job {array}, but not what closes the store: {error}") from None


def submit(settings: ClusterSettings, script: str, file: Path) -> str:
    """Write a script and submit it; gives the number of the job. Raises ClusterError with the scheduler's words."""
    file.write_text(script, encoding="utf-8")
    program = SUBMIT_COMMANDS[settings.scheduler]
    command = [program, "--parsable"] if settings.scheduler == "slurm" else [program]
    piped = settings.scheduler == "lsf"
    try:
        done = subprocess.run(
            command if piped else [*command, str(file)],
            input=script if piped else None,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{program} did not answer within {_PATIENCE_SECONDS} s") from None
    match = re.search(_NUMBER_OF_JOB[settings.scheduler], done.stdout.strip(), re.MULTILINE)
    if done.returncode != 0 or match is None:
        words = "; ".join((done.stderr.strip() or done.stdout.strip() or "without a word").splitlines())
        raise ClusterError(f"{program} refuses {file}: {words}")
    return match[1]
