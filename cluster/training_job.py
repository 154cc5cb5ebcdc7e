"""The job script of a training: ranks on one node or several, stopped before the walltime, put back in the queue.

SLURM only. Shortly before the walltime SLURM sends SIGUSR1 to the job's step; torchrun hands it on to the ranks, which
write a checkpoint and leave the file `GOES_ON` beside it. Finding that file, the script puts its job back in the queue,
and the next turn goes on from the checkpoint. A training that failed leaves no such file and is not begun again.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from dsfu.cluster.job_script import clock, container_words, python_of
from dsfu.cluster.settings import ClusterSettings, SettingsError

GOES_ON: Final = "goes-on"
"""File in the folder of a training that was stopped, and is not finished."""

_MEETING: Final = (
    '--rdzv-id="$SLURM_JOB_ID-${SLURM_RESTART_COUNT:-0}" --rdzv-endpoint="$first:$((20000 + SLURM_JOB_ID % 20000))"'
)
"""Where and under which name the ranks find each other: another one for every job and turn."""

_LONGEST_STOP_SECONDS: Final = 15
"""Between the end of a training that was told to stop and the walltime."""


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What a training asks for beside the settings of the site, and what it runs.

    Attributes
    ----------
    run
        Folder of the training.
    arguments
        What ``dsfu-model train`` is given, without ``--out`` and ``--resume``.
    nodes, gpus_per_node
        Where it runs. Without GPUs, ranks train on processors.
    ranks_per_node
        Processes on each node; None: one for each GPU, or one.
    stop_seconds
        So long before the walltime it is told to stop.
    """

    run: str
    arguments: tuple[str, ...]
    nodes: int = 1
    gpus_per_node: int = 1
    ranks_per_node: int | None = None
    stop_seconds: int = 120

    def __post_init__(self) -> None:
        for name, least in (("nodes", 1), ("gpus_per_node", 0), ("ranks_per_node", 1), ("stop_seconds", 30)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise SettingsError(f"{name} = {value}: expected at least {least}")

    @property
    def ranks(self) -> int:
        """Processes on each node."""
        return self.ranks_per_node or max(1, self.gpus_per_node)


def training_script(settings: ClusterSettings, job: TrainingJob) -> str:
    """The whole script. ``settings.cores`` and its memory are those of each node."""
    if settings.scheduler != "slurm":
        raise SettingsError(f"scheduler = {settings.scheduler!r}: trainings are submitted to slurm only")
    if job.stop_seconds >= settings.walltime_seconds:
        raise SettingsError(
            f"stop_seconds = {job.stop_seconds}: expected less than the walltime, {settings.walltime_seconds} s"
        )
    lines = [f"#SBATCH {line}" for line in [*_directives(settings, job), *settings.job_extra]]
    goes_on = shlex.quote(str(PurePath(job.run) / GOES_ON))
    body = [
        f"export OMP_NUM_THREADS={max(1, settings.cores // job.ranks)}",
        *settings.prologue,
        "",
        "# One torchrun a node; they meet at the first.",
        'first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)',
        f"srun --cpus-per-task={settings.cores} --kill-on-bad-exit=1 \\",
        f"    {_torchrun(settings, job)} \\",
        f"    {shlex.join(_training(job))}",
        "status=$?",
        "",
        "# Told to stop before the walltime, it has written a checkpoint, and goes on in the job's next turn.",
        f"if [ -e {goes_on} ]; then",
        '    scontrol requeue "$SLURM_JOB_ID"',
        "fi",
        "exit $status",
    ]
    return "\n".join(["#!/bin/bash", *lines, "", *body, ""])


def _directives(settings: ClusterSettings, job: TrainingJob) -> list[str]:
    optional = {
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "constraint": settings.constraint and shlex.quote(settings.constraint),
        "reservation": settings.reservation,
        "exclude": settings.nodes_exclude,
        "gpus-per-node": job.gpus_per_node or None,
    }
    output = shlex.quote(f"{settings.log_dir}/%x-%j.out")
    return [
        f"--job-name={settings.job_name}",
        f"--output={output}",
        "--open-mode=append",
        *(f"--{name}={value}" for name, value in optional.items() if value is not None),
        f"--nodes={job.nodes}",
        "--ntasks-per-node=1",
        f"--cpus-per-task={settings.cores}",
        f"--mem={settings.memory_of_job_mib}M",
        f"--time={clock(settings.walltime_seconds)}",
        f"--signal=USR1@{job.stop_seconds}",
        "--requeue",
    ]


def _torchrun(settings: ClusterSettings, job: TrainingJob) -> str:
    """Signals: torchrun does not hand on SIGUSR1 unless told, and kills what takes longer than half a minute."""
    patience = job.stop_seconds - _LONGEST_STOP_SECONDS
    words = [*container_words(settings), python_of(settings), "-m", "torch.distributed.run"]
    words += [f"--nnodes={job.nodes}", f"--nproc-per-node={job.ranks}", "--rdzv-backend=c10d"]
    words += ["--signals-to-handle=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1", f"--shutdown-timeout={patience}"]
    meeting = (
        '--rdzv-id="$SLURM_JOB_ID-${SLURM_RESTART_COUNT:-0}" --rdzv-endpoint="$first:$((20000 + SLURM_JOB_ID % 20000))"'
    )
    return f"{shlex.join(words)} \\\n    {meeting}"


def _training(job: TrainingJob) -> Sequence[str]:
    return ["-m", "dsfu.model.cli", "train", *job.arguments, "--out", job.run, "--resume", "auto"]
