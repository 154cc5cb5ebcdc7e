"""Where a cluster's jobs run, and with what: settings from a site file and from command lines, checked once."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dsfu.cluster.quantities import MEMORY_EXPECTED, TIME_EXPECTED, memory_mib, seconds
from dsfu.errors import InputError, near_miss
from dsfu.settings.checking import checked
from dsfu.settings.section import Section, refuse
from dsfu.yaml.document import Document
from dsfu.yaml.reader import read_yaml_document

Scheduler = Literal["slurm", "pbs", "lsf", "sge", "htcondor"]
SCHEDULERS: Final[tuple[str, ...]] = get_args(Scheduler)

ENVIRONMENT_VARIABLE: Final = "DSFU_CLUSTER"

MEMORY_MIB_PER_CORE: Final = 2048
"""Asked for where no memory is given."""

_NOT_EVERYWHERE: Final[Mapping[str, tuple[str, ...]]] = {
    "partition": ("slurm", "pbs", "lsf", "sge"),
    "qos": ("slurm",),
    "constraint": ("slurm",),
    "reservation": ("slurm", "lsf"),
    "nodes_exclude": ("slurm",),
    "parallel_environment": ("sge",),
    "memory_resource": ("sge",),
}
"""Keys that only these schedulers have a word for."""

_NOT_IN_NAMES: Final = re.compile(r"""[\s'"\\`$#;<>%]|^-""")
"""What would end a directive, or begin another one: `short --wrap=evil`."""

_NOT_IN_FOLDERS: Final = re.compile(r"""['"\\`$%]|^[\s-]|\s$""")
_NOT_IN_FOLDERS_OF: Final[Mapping[str, str]] = {"pbs": ":,", "sge": ":,", "htcondor": ","}
"""They take `host:path`, and lists."""


def _number_as_text(value: Any) -> Any:
    """Accounts and node features may be numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _line(text: str) -> str:
    if not text.replace("\t", " ").isprintable():
        raise refuse(f"{text!r} is more than a line", expected="a single line of printable text")
    return text


def _one_word(text: str) -> str:
    if _NOT_IN_NAMES.search(text):
        raise refuse(
            f"{text!r} is more than a name",
            expected="one word without quotes, blanks, \\, $, #, %, ;, < and >",
            remedy="directives of any other kind go under job_extra",
        )
    return text


def _folder(text: str) -> str:
    if _NOT_IN_FOLDERS.search(text):
        raise refuse(f"{text!r} is no plain folder", expected="a folder without quotes, \\, $ and %")
    return text


def _lines(value: Any) -> Any:
    return tuple(value.splitlines()) if isinstance(value, str) else value


def _memory(text: str) -> str:
    if not memory_mib(text):
        raise refuse(f"{text!r} is no size", expected=MEMORY_EXPECTED)
    return text


def _time(text: Any) -> Any:
    if not isinstance(text, str) or seconds(text) is None:
        raise refuse(f"{text!r} is no time", expected=TIME_EXPECTED)
    return text


Number = Annotated[int, Field(ge=1)]
Word = Annotated[str, BeforeValidator(_number_as_text), Field(min_length=1), AfterValidator(_line)]
SiteName = Annotated[Word, AfterValidator(_one_word)]
Lines = Annotated[tuple[Annotated[str, AfterValidator(_line)], ...], BeforeValidator(_lines)]
Memory = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_memory)]
Time = Annotated[str, BeforeValidator(_time)]


class ClusterSettings(Section):
    """What jobs ask for, and what they do before their work: the keys of a site file."""

    scheduler: Scheduler = Field(description="The batch system.")
    jobs: Number | None = Field(default=None, description="Jobs at all times.")
    min_jobs: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Fewest jobs, where their number follows the work."
    )
    max_jobs: Number | None = Field(default=None, description="Most jobs, where their number follows the work.")
    cores: Number = Field(default=1, description="Worker processes of a job, each with a core of its own.")
    memory: Memory | None = Field(
        default=None, description="Memory of a job, all its workers together; null: 2 GiB a core."
    )
    walltime: Time = Field(default="1:00:00", description="What a job may take.")
    lifetime: Time | None = Field(
        default=None,
        description="Workers leave after so long, and hand over what they have not begun; null: before the walltime.",
    )
    lifetime_stagger: Time | None = Field(default=None, description="Random part of the lifetime, more or less.")
    partition: SiteName | None = Field(default=None, description="Also called queue.")
    account: SiteName | None = Field(default=None, description="Also called project.")
    qos: SiteName | None = None
    constraint: SiteName | None = None
    reservation: SiteName | None = None
    nodes_exclude: SiteName | None = None
    interface: SiteName | None = Field(
        default=None, description="Network interface through which workers and driver talk, such as ib0."
    )
    scratch: Word | None = Field(default=None, description="Folder on the nodes for the workers' temporary files.")
    container: Word | None = Field(default=None, description="Apptainer image in which jobs run.")
    python: Word | None = Field(
        default=None, description="Program that workers run; null: the one that runs this, python3 in a container."
    )
    prologue: Lines = Field(default=(), description="Lines of shell before the work: module load …")
    job_extra: Lines = Field(
        default=(), description="Further directives for the scheduler, as they follow #SBATCH and its like."
    )
    log_dir: Annotated[Word, AfterValidator(_folder)] = Field(
        default="dsfu-logs", description="Folder of the jobs' output."
    )
    job_name: Annotated[str, BeforeValidator(_number_as_text), Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")] = Field(
        default="dsfu", description="Name of the jobs."
    )
    parallel_environment: SiteName | None = Field(default=None, description="Its name at this site, for Grid Engine.")
    memory_resource: SiteName | None = Field(default=None, description="Its name at this site, for Grid Engine.")
    say_pending: Time = Field(default="60s", description="Jobs that wait for longer are spoken of.")

    @property
    def walltime_seconds(self) -> int:
        return seconds(self.walltime) or 0

    @property
    def say_pending_seconds(self) -> int:
        return seconds(self.say_pending) or 0

    @property
    def memory_of_job_mib(self) -> int:
        return memory_mib(self.memory or "") or self.cores * MEMORY_MIB_PER_CORE

    @property
    def memory_of_worker_bytes(self) -> int:
        return self.memory_of_job_mib * 2**20 // self.cores

    @property
    def adaptive(self) -> bool:
        return self.min_jobs is not None or self.max_jobs is not None

    @property
    def fewest_jobs(self) -> int:
        return (self.min_jobs or 0) if self.adaptive else self.most_jobs

    @property
    def most_jobs(self) -> int:
        return (self.max_jobs or max(1, self.min_jobs or 1)) if self.adaptive else (self.jobs or 1)

    @property
    def stagger_seconds(self) -> int:
        if self.lifetime_stagger is not None:
            return seconds(self.lifetime_stagger) or 0
        return min(300, self.walltime_seconds // 20)

    @property
    def worker_lifetime_seconds(self) -> int:
        """Such that the last worker leaves before the walltime, although it takes a while from a job's start to it."""
        if self.lifetime is not None:
            return seconds(self.lifetime) or 0
        return self.walltime_seconds - self.stagger_seconds - min(300, max(15, self.walltime_seconds // 10))

    @model_validator(mode="after")
    def _numbers_of_jobs(self) -> Self:
        if self.jobs is not None and self.adaptive:
            raise refuse(f"{self.jobs} beside min_jobs or max_jobs", "jobs", expected="one or the other, not both")
        if self.fewest_jobs > self.most_jobs:
            raise refuse(
                f"{self.min_jobs} is too many", "min_jobs", expected=f"no more than max_jobs = {self.max_jobs}"
            )
        return self

    @model_validator(mode="after")
    def _times(self) -> Self:
        lifetime, stagger, walltime = self.worker_lifetime_seconds, self.stagger_seconds, self.walltime_seconds
        if walltime < 60:
            raise refuse(f"{walltime} s", "walltime", expected="a minute or more")
        for name in ("lifetime", "say_pending"):
            if seconds(getattr(self, name) or "1s") == 0:
                raise refuse("0 s", name, expected="a second or more")
        if stagger >= lifetime:
            raise refuse(f"{stagger} s", "lifetime_stagger", expected=f"less than lifetime = {lifetime} s")
        if lifetime + stagger >= walltime:
            raise refuse(
                f"{lifetime} s and lifetime_stagger = {stagger} s",
                "lifetime",
                expected=f"less than walltime = {walltime} s together, so that workers can hand over",
            )
        return self

    @model_validator(mode="after")
    def _words_of_the_scheduler(self) -> Self:
        for name, schedulers in _NOT_EVERYWHERE.items():
            if getattr(self, name) is not None and self.scheduler not in schedulers:
                raise refuse(
                    f"{self.scheduler} has no word for it", name, expected="it under job_extra, in this site's words"
                )
        if set(self.log_dir) & set(refused := _NOT_IN_FOLDERS_OF.get(self.scheduler, "")):
            raise refuse(
                f"{self.log_dir!r}",
                "log_dir",
                expected=f"a folder for {self.scheduler} without {' and '.join(refused)}",
            )
        return self


def preset_text(name: str) -> str:
    """The settings file of a kind of cluster that comes with the package, every key explained."""
    folder = Path(__file__).parent / "presets"
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in names:
        near = near_miss(name, names)
        raise InputError(
            f"there are no settings called {name!r}",
            where="--cluster",
            expected=", ".join(names),
            remedy=f"--cluster {near}" if near else "",
        )
    return (folder / f"{name}.yaml").read_text(encoding="utf-8")


def read_settings(
    scheduler: str | None = None, file: str | Path | None = None, flags: Mapping[str, Any] | None = None
) -> ClusterSettings:
    """Settings of a site, with what a command line says put over them.

    Parameters
    ----------
    scheduler
        Its name, unless the file says it.
    file
        Site file; if not given, the one that ``$DSFU_CLUSTER`` names, or that of the user, if there is one.
    flags
        From the command line, named as in the file. What is None was not given.
    """
    path = find_site_file(file)
    site = read_yaml_document(path) if path else None
    told = {} if site is None else {name: value for name, value in site.value.items() if value is not None}
    if scheduler and scheduler != told.get("scheduler", scheduler) and file is None:
        site, told = None, {}  # the user's usual site is another one
    given = {name: _with_tuples(value) for name, value in (flags or {}).items() if value is not None}
    if scheduler:
        given["scheduler"] = scheduler
    if {"min_jobs", "max_jobs"} & set(given):
        told.pop("jobs", None)
    elif "jobs" in given:
        told = {name: value for name, value in told.items() if name not in ("min_jobs", "max_jobs")}
    command_line = Document(source="command line", value=given, has_lines=False)
    documents = [command_line] if site is None else [site, command_line]
    return checked(ClusterSettings, {**told, **given}, documents, site.problems if site else ())


def find_site_file(file: str | Path | None = None) -> Path | None:
    """The site file that is to be read, if there is one. One that was named has to exist."""
    named = file or os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            origin = "" if file else f" (from ${ENVIRONMENT_VARIABLE})"
            raise InputError(f"there is no such site file{origin}", where=str(path))
        return path
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    path = config / "dsfu" / "cluster.yaml"
    return path if path.is_file() else None


def _with_tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
