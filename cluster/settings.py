"""Where a cluster's jobs run, and with what: settings from a site file and from command lines, checked once."""

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from dsfu.errors import InputError

SCHEDULERS: Final = ("slurm", "pbs", "lsf", "sge", "htcondor")

ENVIRONMENT_VARIABLE: Final = "DSFU_CLUSTER"

MEMORY_MIB_PER_CORE: Final = 2048
"""Asked for where no memory is given."""

_UNITS_MIB: Final = {"M": 1, "MIB": 1, "G": 1024, "GIB": 1024, "T": 1024**2, "TIB": 1024**2}
_UNITS_BYTES: Final = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_TIME_UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400}

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

_NAMES: Final = (
    *("partition", "account", "qos", "constraint", "reservation", "nodes_exclude", "interface"),
    *("parallel_environment", "memory_resource"),
)
_NOT_IN_NAMES: Final = re.compile(r"""[\s'"\\`$#;<>%]|^-""")
"""What would end a directive, or begin another one: `short --wrap=evil`."""

_NOT_IN_FOLDERS: Final = re.compile(r"""['"\\`$%]|^[\s-]|\s$""")
_NOT_IN_FOLDERS_OF: Final[Mapping[str, str]] = {"pbs": ":,", "sge": ":,", "htcondor": ","}
"""They take `host:path`, and lists."""


class SettingsError(ValueError):
    """A setting cannot be used. Its text names the file, the key, the value, and what was expected."""


def preset_text(name: str) -> str:
    """The settings file of a kind of cluster that comes with the package, every key explained."""
    folder = Path(__file__).parent / "presets"
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        raise InputError(
            f"there are no settings called {name!r}",
            where="--cluster",
            expected=", ".join(names),
            remedy=f"--cluster {near[0]}" if near else "",
        )
    return (folder / f"{name}.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """What jobs ask for, and what they do before their work.

    Attributes
    ----------
    scheduler
        One of `SCHEDULERS`.
    jobs
        Jobs at all times. With ``min_jobs`` or ``max_jobs``, their number follows the work instead.
    cores
        Worker processes of a job, each with a core of its own.
    memory_mib
        Memory of a job, all its workers together, in MiB (2²⁰ bytes). None: 2 GiB a core.
    walltime_seconds
        What a job may take.
    lifetime_seconds, lifetime_stagger_seconds
        Workers leave after so long, plus or minus a random part of the stagger, and hand over what they have not
        begun. None: a little under the walltime.
    partition
        Also called queue.
    account
        Also called project.
    interface
        Network interface through which workers and driver talk, such as ``ib0``.
    scratch
        Folder on the nodes for the workers' temporary files.
    container
        Apptainer image in which jobs run.
    python
        Program that workers run; None for the one that runs this, or ``python3`` in a container.
    prologue
        Lines of shell before the work: ``module load …``.
    job_extra
        Further directives for the scheduler, as they follow ``#SBATCH`` and its like.
    log_dir
        Folder of the jobs' output.
    job_name
        Name of the jobs.
    parallel_environment, memory_resource
        Names at this site, for Grid Engine.
    say_pending_seconds
        Jobs that wait for longer are spoken of.
    """

    scheduler: str
    jobs: int | None = None
    min_jobs: int | None = None
    max_jobs: int | None = None
    cores: int = 1
    memory_mib: int | None = None
    walltime_seconds: int = 3600
    lifetime_seconds: int | None = None
    lifetime_stagger_seconds: int | None = None
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    reservation: str | None = None
    nodes_exclude: str | None = None
    interface: str | None = None
    scratch: str | None = None
    container: str | None = None
    python: str | None = None
    prologue: tuple[str, ...] = ()
    job_extra: tuple[str, ...] = ()
    log_dir: str = "dsfu-logs"
    job_name: str = "dsfu"
    parallel_environment: str | None = None
    memory_resource: str | None = None
    say_pending_seconds: int = 60

    def __post_init__(self) -> None:
        if self.scheduler not in SCHEDULERS:
            meant = _meant(self.scheduler, SCHEDULERS)
            raise SettingsError(f"scheduler = {self.scheduler!r}{meant}: expected one of {', '.join(SCHEDULERS)}")
        for name in ("jobs", "max_jobs", "cores", "memory_mib", "lifetime_seconds", "say_pending_seconds"):
            _at_least(name, getattr(self, name), 1)
        for name in ("min_jobs", "lifetime_stagger_seconds"):
            _at_least(name, getattr(self, name), 0)
        _at_least("walltime", self.walltime_seconds, 60)
        self._check_numbers_of_jobs()
        self._check_lifetime()
        self._check_words()

    @property
    def memory_of_job_mib(self) -> int:
        return self.memory_mib or self.cores * MEMORY_MIB_PER_CORE

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
        if self.lifetime_stagger_seconds is not None:
            return self.lifetime_stagger_seconds
        return min(300, self.walltime_seconds // 20)

    @property
    def worker_lifetime_seconds(self) -> int:
        """Such that the last worker leaves before the walltime, although it takes a while from a job's start to it."""
        if self.lifetime_seconds is not None:
            return self.lifetime_seconds
        return self.walltime_seconds - self.stagger_seconds - min(300, max(15, self.walltime_seconds // 10))

    def _check_numbers_of_jobs(self) -> None:
        if self.jobs is not None and self.adaptive:
            raise SettingsError(f"jobs = {self.jobs}: either this, or min_jobs and max_jobs, but not both")
        if self.fewest_jobs > self.most_jobs:
            raise SettingsError(f"min_jobs = {self.min_jobs}: expected no more than max_jobs = {self.max_jobs}")

    def _check_lifetime(self) -> None:
        latest = self.worker_lifetime_seconds + self.stagger_seconds
        if not self.stagger_seconds < self.worker_lifetime_seconds:
            raise SettingsError(
                f"lifetime_stagger = {self.stagger_seconds} s: expected less than lifetime = "
                f"{self.worker_lifetime_seconds} s"
            )
        if latest >= self.walltime_seconds:
            raise SettingsError(
                f"lifetime = {self.worker_lifetime_seconds} s: with lifetime_stagger = {self.stagger_seconds} s, "
                f"expected less than walltime = {self.walltime_seconds} s together, so that workers can hand over"
            )

    def _check_words(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            for text in value if isinstance(value, tuple) else [value]:
                if isinstance(text, str) and not text.replace("\t", " ").isprintable():
                    raise SettingsError(f"{field.name} = {text!r}: expected a single line of printable text")
        for name in _NAMES:
            if _NOT_IN_NAMES.search(getattr(self, name) or ""):
                raise SettingsError(
                    f"{name} = {getattr(self, name)!r}: expected one word without quotes, blanks, "
                    "\\, $, #, %, ;, < and >; directives of any other kind go under job_extra"
                )
        refused = _NOT_IN_FOLDERS_OF.get(self.scheduler, "")
        if _NOT_IN_FOLDERS.search(self.log_dir) or set(self.log_dir) & set(refused):
            raise SettingsError(
                f"log_dir = {self.log_dir!r}: expected a folder without quotes, \\, $ and %"
                + (f", and for {self.scheduler} without {' and '.join(refused)}" if refused else "")
            )
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", self.job_name):
            raise SettingsError(f"job_name = {self.job_name!r}: expected letters, digits, _, . and -")
        for name, schedulers in _NOT_EVERYWHERE.items():
            if getattr(self, name) is not None and self.scheduler not in schedulers:
                raise SettingsError(
                    f"{name} = {getattr(self, name)!r}: {self.scheduler} has no word for it; "
                    "expected it under job_extra, in the words of this site"
                )


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

    Raises
    ------
    SettingsError
    """
    path = find_site_file(file)
    told = _read(path) if path else {}
    theirs = told.get("scheduler")
    if scheduler and theirs and scheduler != theirs and file is None:
        told = {}  # the user's usual site is another one
    where = str(path) if told else "command line"
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    if {"min_jobs", "max_jobs"} & set(given):
        told.pop("jobs", None)
    elif "jobs" in given:
        told = {name: value for name, value in told.items() if name not in ("min_jobs", "max_jobs")}
    if scheduler:
        given["scheduler"] = scheduler
    values = {**_converted(told, str(path)), **_converted(given, "command line")}
    if "scheduler" not in values:
        raise SettingsError(f"{where}: there is no scheduler; expected one of {', '.join(SCHEDULERS)}")
    try:
        return ClusterSettings(**values)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from None


def find_site_file(file: str | Path | None = None) -> Path | None:
    """The site file that is to be read, if there is one. One that was named has to exist."""
    named = file or os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            origin = "" if file else f" (from ${ENVIRONMENT_VARIABLE})"
            raise SettingsError(f"{path}: there is no such site file{origin}")
        return path
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    path = config / "dsfu" / "cluster.yaml"
    return path if path.is_file() else None


def memory_mib(text: str) -> int:
    """Memory in MiB, rounded up to a whole one. ``4G`` is 4 GiB, as schedulers mean it; ``4GB`` is 4·10⁹ bytes."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", text)
    unit = match[2].upper() if match else ""
    if match is None or unit not in {**_UNITS_MIB, **_UNITS_BYTES}:
        raise SettingsError(f"memory = {text!r}: expected a number with its unit, as 4GiB or 512MiB")
    whole, _, decimals = match[1].partition(".")
    unit_bytes = _UNITS_MIB[unit] * 2**20 if unit in _UNITS_MIB else _UNITS_BYTES[unit]
    parts_of_mib: int = 2**20 * 10 ** len(decimals)
    return -(-int(whole + decimals) * unit_bytes // parts_of_mib)


def seconds_of(text: str, name: str = "walltime") -> int:
    """Seconds of ``1:30:00``, ``2-00:00:00`` (days first), ``90min``, ``12h`` or ``45s``."""
    if match := re.fullmatch(r"\s*(\d+)\s*(s|min|h|d)\s*", text):
        return int(match[1]) * _TIME_UNITS[match[2]]
    if match := re.fullmatch(r"\s*(?:(\d+)-)?(\d+):([0-5]\d):([0-5]\d)\s*", text):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    raise SettingsError(f"{name} = {text!r}: expected HH:MM:SS, D-HH:MM:SS, or as 90min, 12h, 2d")


_TIMES: Final = ("walltime", "lifetime", "lifetime_stagger", "say_pending")
KEYS: Final = tuple(
    {"memory_mib": "memory"}.get(field.name, field.name.removesuffix("_seconds")) for field in fields(ClusterSettings)
)
"""Keys of a site file."""

_NUMBERS: Final = ("jobs", "min_jobs", "max_jobs", "cores")
_LISTS: Final = ("prologue", "job_extra")


def _converted(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    converted: dict[str, Any] = {}
    for name, value in values.items():
        if name not in KEYS:
            raise SettingsError(f"{where}: there is no setting {name!r}{_meant(str(name), KEYS)}; expected {_listed()}")
        try:
            converted.update(_convert(name, value))
        except SettingsError as error:
            raise SettingsError(f"{where}: {error}") from None
    return converted


def _convert(name: str, value: Any) -> dict[str, Any]:
    """A key of the file and its value as fields of the settings."""
    if value is None:
        return {}
    if name in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int):
            raise SettingsError(f"{name} = {value!r}: expected a whole number")
        return {name: value}
    if name in _LISTS:
        lines = value.splitlines() if isinstance(value, str) else value
        if not isinstance(lines, list | tuple) or not all(isinstance(line, str) for line in lines):
            raise SettingsError(f"{name} = {value!r}: expected a list of lines")
        return {name: tuple(lines)}
    if name in _TIMES:
        return {f"{name}_seconds": seconds_of(_time_text(name, value), name)}
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise SettingsError(f"{name} = {value!r}: expected a word")
    return {"memory_mib": memory_mib(str(value))} if name == "memory" else {name: str(value)}


def _time_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SettingsError(f"{name} = {value!r}: expected HH:MM:SS in quotes, or as 90min, 12h, 2d")
    return value


def _read(path: Path) -> dict[str, Any]:
    from dsfu.yaml.reader import read_yaml_file

    try:
        return read_yaml_file(path)
    except InputError as error:
        raise SettingsError(str(error)) from None


def _at_least(name: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        raise SettingsError(f"{name.removesuffix('_seconds')} = {value}: expected at least {least}")


def _meant(word: str, words: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word.lower().replace("-", "_"), words, 1, 0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _listed() -> str:
    return "one of " + ", ".join(KEYS)
