"""Job scripts as pure text: what schedulers are asked for, and what runs in the jobs. Nothing here starts anything."""

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from dsfu.cluster.settings import ClusterSettings
from dsfu.errors import InputError
from dsfu.worker_environment import ONE_THREAD, WORKER_ENVIRONMENT, WORKER_SETTINGS, as_variables

ADDRESS_TO_COME: Final = "tls://ADDRESS-OF-THE-DRIVER:PORT"
NAME_TO_COME: Final = "NAME-OF-THE-WORKER"
KEY_TO_COME: Final = "KEY-OF-THE-RUN"

_PREFIX: Final = {"slurm": "#SBATCH", "pbs": "#PBS", "lsf": "#BSUB", "sge": "#$"}

DEATH_TIMEOUT_SECONDS: Final = 120
"""Workers end when they find no driver for so long: jobs of a driver that was killed end by themselves."""


def worker_script(
    settings: ClusterSettings, address: str = ADDRESS_TO_COME, name: str = NAME_TO_COME, key: str = KEY_TO_COME
) -> str:
    """The script of a job whose workers work for a driver.

    Parameters
    ----------
    address, name
        Of the driver's scheduler, and of the worker; the only parts that differ from job to job.
    key
        File with the run's key and certificate.
    """
    command = _in_container(settings, _worker(settings, address, name, key)) + _scratch(settings)
    lines = directives(settings)
    if settings.scheduler == "htcondor":  # where nodes do not see the folder, the worker finds it in the job's own
        lines += [f"transfer_input_files = {key}", "encrypt_input_files = *"]
    return _script(settings, lines, {**WORKER_ENVIRONMENT, **as_variables(WORKER_SETTINGS)}, command)


def array_script(settings: ClusterSettings, arguments: Sequence[str], parts: int) -> str:
    """The script of a job array; each element runs ``dsfu-pipeline run … --part i/N``."""
    lines = directives(settings, array=parts)
    command = _pipeline(settings, ["run", *arguments, "--workers", str(settings.cores), "--dashboard", "none"])
    command += f' --part "${{{_INDEX[settings.scheduler]}}}/{parts}"'
    return _script(settings, lines, ONE_THREAD, command)


def closing_script(settings: ClusterSettings, arguments: Sequence[str], after: str = "ARRAY-JOB") -> str:
    """The script of the job that closes the store once the array has ended, however it ended."""
    return _script(settings, directives(settings, after=after), ONE_THREAD, _pipeline(settings, ["close", *arguments]))


_INDEX: Final = {
    "slurm": "SLURM_ARRAY_TASK_ID",
    "pbs": "PBS_ARRAY_INDEX",
    "lsf": "LSB_JOBINDEX",
    "sge": "SGE_TASK_ID",
}

ARRAY_SCHEDULERS: Final = tuple(_INDEX)


def directives(settings: ClusterSettings, *, array: int = 0, after: str = "") -> list[str]:
    """What the scheduler is asked for, each as it follows ``#SBATCH`` and its like; for HTCondor, submit commands."""
    made = {"slurm": _slurm, "pbs": _pbs, "lsf": _lsf, "sge": _sge, "htcondor": _htcondor}[settings.scheduler]
    return [*made(settings, array, after), *settings.job_extra]


def clock(seconds: int) -> str:
    """HH:MM:SS, with as many hours as there are."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def slurm_choices(settings: ClusterSettings) -> list[str]:
    """What a site may ask for, as far as it does."""
    options = {
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "constraint": settings.constraint,
        "reservation": settings.reservation,
        "exclude": settings.nodes_exclude,
    }
    return [f"--{name}={shlex.quote(value)}" for name, value in options.items() if value is not None]


def _slurm(settings: ClusterSettings, array: int, after: str) -> list[str]:
    output = f"{settings.log_dir}/%x-{'%A_%a' if array else '%j'}.out"
    lines = [f"--job-name={settings.job_name}", f"--output={shlex.quote(output)}"]
    lines += slurm_choices(settings)
    lines += [
        "--nodes=1",
        "--ntasks=1",
        f"--cpus-per-task={settings.cores}",
        f"--mem={settings.memory_of_job_mib}M",
        f"--time={clock(settings.walltime_seconds)}",
    ]
    lines += [f"--array=1-{array}", "--requeue"] if array else []
    return lines + ([f"--dependency=afterany:{after}"] if after else [])


def _pbs(settings: ClusterSettings, array: int, after: str) -> list[str]:
    lines = [f"-N {settings.job_name}", "-j oe", f"-o {shlex.quote(settings.log_dir + '/')}"]
    lines += [f"-q {shlex.quote(settings.partition)}"] if settings.partition else []
    lines += [f"-A {shlex.quote(settings.account)}"] if settings.account else []
    lines += [
        f"-l select=1:ncpus={settings.cores}:mem={settings.memory_of_job_mib}mb",
        f"-l walltime={clock(settings.walltime_seconds)}",
    ]
    lines += [f"-J 1-{array}", "-r y"] if array else []
    return lines + ([f"-W depend=afterany:{after}"] if after else [])


def _lsf(settings: ClusterSettings, array: int, after: str) -> list[str]:
    minutes = -(-settings.walltime_seconds // 60)
    lines = [f"-J {settings.job_name}[1-{array}]" if array else f"-J {settings.job_name}"]
    output = f"{settings.log_dir}/{settings.job_name}-%J{'-%I' if array else ''}.out"
    lines += [f"-o {shlex.quote(output)}"]
    lines += [f"-q {shlex.quote(settings.partition)}"] if settings.partition else []
    lines += [f"-P {shlex.quote(settings.account)}"] if settings.account else []
    lines += [f"-U {shlex.quote(settings.reservation)}"] if settings.reservation else []
    lines += [
        f"-n {settings.cores}",
        '-R "span[hosts=1]"',
        f"-M {settings.memory_of_job_mib}MB",
        f'-R "rusage[mem={settings.memory_of_job_mib}MB]"',
        f"-W {minutes // 60}:{minutes % 60:02d}",
    ]
    lines += ["-r"] if array else []
    return lines + ([f'-w "ended({after})"'] if after else [])


def _sge(settings: ClusterSettings, array: int, after: str) -> list[str]:
    """Grid Engine counts memory by the core."""
    per_core_mib = -(-settings.memory_of_job_mib // settings.cores)
    lines = [f"-N {settings.job_name}", "-S /bin/bash", "-cwd", "-j y", f"-o {shlex.quote(settings.log_dir + '/')}"]
    lines += [f"-q {shlex.quote(settings.partition)}"] if settings.partition else []
    lines += [f"-P {shlex.quote(settings.account)}"] if settings.account else []
    if settings.cores > 1 or settings.parallel_environment:
        lines += [f"-pe {shlex.quote(settings.parallel_environment or 'smp')} {settings.cores}"]
    lines += [
        f"-l {shlex.quote(settings.memory_resource or 'h_vmem')}={per_core_mib}M",
        f"-l h_rt={clock(settings.walltime_seconds)}",
    ]
    lines += [f"-t 1-{array}", "-r y"] if array else []
    return lines + ([f"-hold_jid {after}"] if after else [])


def _htcondor(settings: ClusterSettings, array: int, after: str) -> list[str]:
    if array or after:
        raise ValueError("htcondor: there are no job arrays that depend on each other; use `run --scheduler htcondor`")
    lines = [
        f'batch_name = "{settings.job_name}"',
        f"request_cpus = {settings.cores}",
        f"request_memory = {settings.memory_of_job_mib}MB",
        "request_disk = 2GB",
        f"periodic_remove = JobStatus == 2 && time() - EnteredCurrentStatus > {settings.walltime_seconds}",
        f"output = {settings.log_dir}/{settings.job_name}-$(ClusterId).out",
        f"error = {settings.log_dir}/{settings.job_name}-$(ClusterId).err",
        f"log = {settings.log_dir}/{settings.job_name}-$(ClusterId).log",
        "stream_output = True",
        "stream_error = True",
    ]
    return lines + ([f"accounting_group = {settings.account}"] if settings.account else [])


def _script(settings: ClusterSettings, lines: Sequence[str], environment: Mapping[str, str], command: str) -> str:
    if "\n" in command:  # some schedulers look for directives in every line
        raise InputError(f"{command!r} is more than a line", expected="paths without line breaks")
    before = ['cd "$PBS_O_WORKDIR"'] if settings.scheduler == "pbs" else []  # it starts in the home folder
    before += [f"export {name}={value}" for name, value in environment.items()] + list(settings.prologue)
    if settings.scheduler == "htcondor":
        return _condor_script(lines, [*before, f"exec {command}"])
    prefix = _PREFIX[settings.scheduler]
    return "\n".join(["#!/bin/bash", *(f"{prefix} {line}" for line in lines), "", *before, f"exec {command}", ""])


def _condor_script(lines: Sequence[str], commands: Sequence[str]) -> str:
    """A submit description: what runs is an argument of a shell, quoted by HTCondor's rules (doubled quotes).

    ``$(name)`` and ``$FUNCTION(…)`` are macros of HTCondor, unless their dollar is one, ``$(DOLLAR)``.
    """
    code = "; ".join(commands)
    if "$$(" in code:
        raise InputError(f"{code!r}: HTCondor would replace $$(…) where the job runs", expected="$( alone")
    quoted = re.sub(r"\$(?=\w*\()", "$(DOLLAR)", code).replace("'", "''").replace('"', '""')
    return "\n".join(["executable = /bin/sh", f"arguments = \"-c '{quoted}'\"", *lines, "queue", ""])


def _worker(settings: ClusterSettings, address: str, name: str, key: str) -> list[str]:
    command = [python_of(settings), "-m", "dsfu.cluster.worker", address, "--name", name, "--key", key]
    command += ["--nthreads", "1", "--nworkers", str(settings.cores), "--nanny"]
    command += ["--memory-limit", f"{settings.memory_of_worker_bytes}B"]
    command += ["--death-timeout", str(DEATH_TIMEOUT_SECONDS), "--no-dashboard"]
    command += ["--lifetime", f"{settings.worker_lifetime_seconds}s"]
    command += ["--lifetime-stagger", f"{settings.stagger_seconds}s"]
    return command + (["--interface", settings.interface] if settings.interface else [])


def _scratch(settings: ClusterSettings) -> str:
    """Variables in the name of the folder are the node's: ``$TMPDIR``."""
    if settings.scratch is None:
        return ""
    return ' --local-directory "' + re.sub(r'([\\"`])', r"\\\1", settings.scratch) + '"'


def _pipeline(settings: ClusterSettings, arguments: Sequence[str]) -> str:
    return _in_container(settings, [python_of(settings), "-m", "dsfu.pipeline.cli", *arguments])


def python_of(settings: ClusterSettings) -> str:
    """The Python that jobs run."""
    return settings.python or ("python3" if settings.container else sys.executable)


def container_words(settings: ClusterSettings, *options: str) -> list[str]:
    """What stands before a command that runs in the container, if there is one."""
    return ["apptainer", "exec", *options, settings.container] if settings.container else []


def _in_container(settings: ClusterSettings, command: Sequence[str]) -> str:
    return shlex.join([*container_words(settings), *command])
