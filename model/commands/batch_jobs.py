"""Verb that hands training to a batch system: submit."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dsfu.cluster.options import with_cluster_options
from dsfu.model.errors import InputError

_OF_THE_SITE: Final = (
    "cluster",
    "cores",
    "memory",
    "walltime",
    "partition",
    "account",
    "qos",
    "constraint",
    "reservation",
    "nodes_exclude",
    "container",
    "prologue",
    "job_extra",
    "log_dir",
    "job_name",
)


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(_with_options(submit))


def _with_options(verb: Any) -> Any:
    return with_cluster_options(verb, _OF_THE_SITE)


def submit(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The data set: a folder or a URL.", show_default=False)],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]…", help="Settings of the training, as for train.", show_default=False),
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN", help="Folder of the training, seen by all nodes.")],
    recipe: Annotated[str, typer.Option(metavar="dsfu|pix2pix", help="What is trained.")] = "dsfu",
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings of the training.")] = None,
    nodes: Annotated[int, typer.Option(min=1, metavar="N", help="Nodes.")] = 1,
    gpus: Annotated[int, typer.Option(min=0, metavar="N", help="GPUs of each node; 0: train on processors.")] = 1,
    ranks: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes on each node. [default: one a GPU]")
    ] = None,
    stop_before: Annotated[
        str, typer.Option(metavar="TIME", help="So long before the walltime it writes a checkpoint and stops.")
    ] = "120s",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the job script, and submit nothing.")] = False,
    cluster: Mapping[str, Any],
) -> None:
    """Train as a SLURM job that goes on, turn after turn, until it is done.

    Before the walltime the training writes a checkpoint and the job puts itself back in the queue. Submitted again
    after any failure, it goes on from the last checkpoint.
    """
    from dsfu.cluster.arrays import submit as submit_script
    from dsfu.cluster.launch import ClusterError, check_commands
    from dsfu.cluster.settings import SettingsError, read_settings, seconds_of
    from dsfu.cluster.training_job import TrainingJob, training_script

    arguments = [_absolute(store), "--recipe", recipe]
    arguments += ["--config", str(config.resolve())] if config else []
    try:
        site = read_settings("slurm", cluster.get("cluster"), {k: v for k, v in cluster.items() if k != "cluster"})
        job = TrainingJob(
            run=str(out.resolve()),
            arguments=(*arguments, *(settings or [])),
            nodes=nodes,
            gpus_per_node=gpus,
            ranks_per_node=ranks,
            stop_seconds=seconds_of(stop_before, "stop-before"),
        )
        script = training_script(site, job)
        if dry_run:
            typer.echo(script, nl=False)
            return
        check_commands(site)
        out.mkdir(parents=True, exist_ok=True)
        Path(site.log_dir).mkdir(parents=True, exist_ok=True)
        number = submit_script(site, script, out / "train.sbatch")
    except SettingsError as error:
        raise InputError(str(error)) from None
    except ClusterError as error:
        raise InputError(str(error), remedy="--dry-run shows the job script") from None
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(out)) from None
    typer.echo(f"Submitted job {number}.")
    typer.echo(f"  output  {site.log_dir}/{site.job_name}-{number}.out")
    typer.echo(f"  script  {out / 'train.sbatch'}")
    typer.echo(f"  stop    scancel {number}; to go on, submit again: dsfu-model submit {shlex.quote(store)} …")


def _absolute(store: str) -> str:
    return store if "://" in store else str(Path(store).resolve())
