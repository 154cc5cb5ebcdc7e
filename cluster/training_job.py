"""The job script of a training: ranks on one node or several, stopped before the walltime, put back in the queue.

SLURM only. Shortly before the walltime SLURM sends SIGUSR1 to all processes of the job's step; the ranks write a
checkpoint and leave the file `GOES_ON` beside it. Finding that file, the script puts its job back in the queue, and the
next turn goes on from the checkpoint. A training that failed leaves no such file and is not begun again.

torchrun's own options for signals came late and differ between versions; here it ignores SIGUSR1, as does what it
starts, until the ranks listen to it.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from dsfu.cluster.job_script import clock, container_words, python_of, slurm_choices
from dsfu.cluster.settings import ClusterSettings
from dsfu.errors import InputError

GOES_ON: Final = "goes-on"
"""File in the folder of a training that was stopped, and is not finished."""

_LEAST_SECONDS_OF_TRAINING: Final = 180
"""Between start and signal. SLURM may send it a minute early, and before training has begun nobody listens to it."""

_PORT: Final = "$((20000 + SLURM_JOB_ID % 12000))"
"""Where the ranks of several nodes find each other; below the ports that Linux gives away by itself."""


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
                raise InputError(f"{name} = {value}", expected=f"{least} or more")

    @property
    def ranks(self) -> int:
        """Processes on each node."""
        return self.ranks_per_node or max(1, self.gpus_per_node)


def training_script(settings: ClusterSettings, job: TrainingJob) -> str:
    """The whole script. ``settings.cores`` and its memory are those of each node."""
    if settings.scheduler != "slurm":
        raise InputError(
            f"it is {settings.scheduler}", where="scheduler", expected="slurm: trainings are submitted to slurm only"
        )
    _check_times(settings, job)
    lines = [f"#SBATCH {line}" for line in [*_directives(settings, job), *settings.job_extra]]
    return "\n".join(["#!/bin/bash", *lines, "", *_body(settings, job), ""])


def _check_times(settings: ClusterSettings, job: TrainingJob) -> None:
    longest = settings.walltime_seconds - _LEAST_SECONDS_OF_TRAINING
    if job.stop_seconds > longest:
        raise InputError(
            f"{job.stop_seconds} s before a walltime of {settings.walltime_seconds} s, nothing would be trained",
            where="--stop-before",
            expected=f"{longest} s or less" if longest >= 30 else "a longer walltime",
        )


def _body(settings: ClusterSettings, job: TrainingJob) -> list[str]:
    goes_on = shlex.quote(str(PurePath(job.run) / GOES_ON))
    return [
        f"export OMP_NUM_THREADS={max(1, settings.cores // job.ranks)}",
        *_network(settings, job),
        *settings.prologue,
        "",
        f"rm -f {goes_on}",
        *(["first=${MASTER_ADDR:-$(hostname)}  # this script runs on the first node"] if job.nodes > 1 else []),
        "# SLURM signals all processes. SIGUSR1 is for the ranks; torchrun would end by it.",
        f"srun --cpus-per-task={settings.cores} --kill-on-bad-exit=1 \\",
        f"    bash -c {shlex.quote(_launcher(settings, job))} torchrun \\",
        f"    {_flags(job)} \\",
        f"    {shlex.join(_training(job))}",
        "status=$?",
        "",
        "# Told to stop before the walltime, it has written a checkpoint, and goes on in the job's next turn.",
        f"if [ -e {goes_on} ]; then",
        '    scontrol requeue "$SLURM_JOB_ID" || echo "Not put back in the queue. Submit it again: it goes on."',
        "fi",
        "exit $status",
    ]


def _directives(settings: ClusterSettings, job: TrainingJob) -> list[str]:
    output = shlex.quote(f"{settings.log_dir}/%x-%j.out")
    return [
        f"--job-name={settings.job_name}",
        f"--output={output}",
        "--open-mode=append",
        *slurm_choices(settings),
        *([f"--gpus-per-node={job.gpus_per_node}"] if job.gpus_per_node else []),
        f"--nodes={job.nodes}",
        "--ntasks-per-node=1",
        f"--cpus-per-task={settings.cores}",
        f"--mem={settings.memory_of_job_mib}M",
        f"--time={clock(settings.walltime_seconds)}",
        f"--signal=USR1@{job.stop_seconds}",
        "--requeue",
    ]


def _network(settings: ClusterSettings, job: TrainingJob) -> list[str]:
    if settings.interface is None or job.nodes == 1:
        return []
    name = shlex.quote(settings.interface)
    return [f"export GLOO_SOCKET_IFNAME={name} NCCL_SOCKET_IFNAME={name}"]


def _launcher(settings: ClusterSettings, job: TrainingJob) -> str:
    """What each node runs; the flags follow."""
    seen = ["--nv"] if job.gpus_per_node else []  # without it a container sees no GPU, and trains on processors
    torchrun = shlex.join([*container_words(settings, *seen), python_of(settings), "-m", "torch.distributed.run"])
    place = ' --node-rank="$SLURM_NODEID"' if job.nodes > 1 else ""
    return f'trap "" USR1; exec {torchrun}{place} "$@"'


def _flags(job: TrainingJob) -> str:
    if job.nodes == 1:
        return f"--standalone --nproc-per-node={job.ranks}"
    return f'--nnodes={job.nodes} --nproc-per-node={job.ranks} --master-addr="$first" --master-port={_PORT}'


def _training(job: TrainingJob) -> Sequence[str]:
    return ["-m", "dsfu.model.cli", "train", *job.arguments, "--out", job.run, "--resume", "auto"]
