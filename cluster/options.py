"""The options of batch jobs, for every command line that starts some."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final

import typer

from dsfu.gathered_options import Verb, gathered

OPTIONS: Final[Mapping[str, tuple[type, str, str]]] = {
    "cluster": (str, "FILE", "Site file with the settings of batch jobs; these options win over it."),
    "jobs": (int, "N", "Batch jobs at all times."),
    "min_jobs": (int, "N", "Fewest batch jobs, where their number follows the work."),
    "max_jobs": (int, "N", "Most batch jobs, where their number follows the work."),
    "cores": (int, "N", "Cores of a job."),
    "memory": (str, "SIZE", "Memory of a job, as 8GiB."),
    "walltime": (str, "TIME", "What a job may take, as 4:00:00."),
    "lifetime": (str, "TIME", "When workers leave, so that others take over. [default: before the walltime]"),
    "lifetime_stagger": (str, "TIME", "Random part of the lifetime."),
    "partition": (str, "NAME", "Partition or queue."),
    "account": (str, "NAME", "Account or project."),
    "qos": (str, "NAME", "Quality of service."),
    "constraint": (str, "FEATURES", "Features that nodes must have."),
    "reservation": (str, "NAME", "Reservation."),
    "nodes_exclude": (str, "NODES", "Nodes not to be used."),
    "interface": (str, "NAME", "Network interface of driver and workers, as ib0."),
    "scratch": (str, "FOLDER", "Folder on the nodes for temporary files."),
    "container": (str, "IMAGE", "Apptainer image in which jobs run."),
    "prologue": (list[str], "LINE", "Line of shell at the beginning of a job; may be repeated."),
    "job_extra": (list[str], "DIRECTIVE", "Further directive for the scheduler; may be repeated."),
    "log_dir": (str, "FOLDER", "Folder for the output of jobs."),
    "job_name": (str, "NAME", "Name of the jobs."),
}


def with_cluster_options(verb: Verb, names: Collection[str] = OPTIONS) -> Verb:
    """Give a verb the options of batch jobs; it gets them as one mapping, ``cluster``, without those not given."""

    return gathered(verb, "cluster", {name: _annotation(name) for name in names})


def _annotation(name: str) -> Any:
    kind, metavar, text = OPTIONS[name]
    option = typer.Option(f"--{name.replace('_', '-')}", metavar=metavar, help=text, show_default=False)
    return Annotated[kind | None, option]
