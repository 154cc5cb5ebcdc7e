"""What the verbs need to run as jobs of a batch system: their options, and the verb submit."""

import shlex
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from dsfu.cluster.options import with_cluster_options
from dsfu.errors import InputError
from dsfu.pipeline.commands.common import DEFAULT_MANIFEST, ManifestArgument, StoreOption, say, store_of, want
from dsfu.pipeline.running.engines import EngineError

if TYPE_CHECKING:
    from dsfu.cluster.settings import ClusterSettings
    from dsfu.pipeline.running.engines import Engine

RetriesOption = Annotated[int, typer.Option(min=0, metavar="N", help="Further attempts at a shard that fails.")]

SCHEDULERS: Final = ("slurm", "pbs", "lsf", "sge", "htcondor")


def settings_of(scheduler: str | None, cluster: Mapping[str, Any]) -> "ClusterSettings":
    """Settings of batch jobs from a site file and options."""
    from dsfu.cluster.settings import read_settings

    flags = {name: value for name, value in cluster.items() if name != "cluster"}
    return read_settings(scheduler, cluster.get("cluster"), flags)


def batch_engine(
    settings: "ClusterSettings", note: Callable[[str], None], dashboard: str | None, *, quiet: bool
) -> "Callable[[], AbstractContextManager[Engine]]":
    """How to open the engine whose workers are batch jobs. Complains at once where there is no such scheduler."""
    from dsfu.cluster.launch import BatchJobs
    from dsfu.cluster.submitting import ClusterError, check_commands
    from dsfu.pipeline.running.dask_workers import open_batch
    from dsfu.pipeline.running.graph import BatchWorkers

    try:
        check_commands(settings)
    except ClusterError as error:
        raise InputError(
            str(error), where=f"--scheduler {settings.scheduler}", remedy="--dry-run shows the job script"
        ) from None

    def launch() -> BatchWorkers:
        try:
            return BatchJobs(settings, note, dashboard)
        except ClusterError as error:
            raise EngineError(str(error)) from error

    return lambda: open_batch(launch, quiet=quiet)


def dashboard_of(text: str | None) -> str | None:
    """The address of the dashboard that was asked for, if one was; refuses what is no address."""
    from dsfu.cluster.dashboard import parse_address

    if text is None or text == "none":
        return None
    parse_address(text)
    return text


def show_script(settings: "ClusterSettings") -> None:
    """Print the script of a job of workers."""
    from dsfu.cluster.job_script import worker_script

    typer.echo(worker_script(settings), nl=False)


def add_to(app: typer.Typer) -> None:
    app.command()(submit)


@with_cluster_options
def submit(
    manifest: ManifestArgument = DEFAULT_MANIFEST,
    store: StoreOption = None,
    *,
    array: Annotated[int, typer.Option(min=1, metavar="N", help="Parts, and elements of the job array.")],
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(SCHEDULERS[:-1]), help="The batch system. [default: that of the site file, or slurm]"
        ),
    ] = None,
    retries: RetriesOption = 2,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the job scripts, and submit nothing.")] = False,
    cluster: Mapping[str, Any],
) -> None:
    """Make a store as a job array; no program has to stay on.

    Each of N elements makes its own part of what the store lacks; a last job closes the store when all have ended,
    however they ended. Submitted again, it makes what is still missing.
    """
    from dsfu.cluster.arrays import array_scripts, submit_array
    from dsfu.cluster.settings import find_site_file
    from dsfu.cluster.submitting import ClusterError

    site = find_site_file(cluster.get("cluster"))
    settings = settings_of(scheduler or (None if site else "slurm"), cluster)
    url = store_of(want(manifest), store).url
    close = [str(Path(manifest).resolve()), "--store", url]
    run = [*close, "--retries", str(retries)]
    try:
        if dry_run:
            scripts = array_scripts(settings, array, run, close)
            typer.echo(f"{scripts.array}\n{scripts.closing}")
            return
        job, last = submit_array(settings, array, run, close)
    except ClusterError as error:
        raise InputError(str(error), where=f"--scheduler {settings.scheduler}") from None
    say(f"Submitted job {job} with {array} parts, and job {last}, which closes {url} after it.")
    say(f"  output  {settings.log_dir}\n  see     dsfu-pipeline status {shlex.quote(url)}")
