"""Verb that hands training to a batch system: submit."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from dsfu.cluster.options import with_cluster_options
from dsfu.errors import InputError
from dsfu.model.commands.training_options import ConfigOption, RecipeOption, SettingsArgument
from dsfu.outputs import StoreArgument

if TYPE_CHECKING:
    from dsfu.cluster.settings import ClusterSettings

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
    "interface",
    "container",
    "prologue",
    "job_extra",
    "log_dir",
    "job_name",
)

_JOB: Final = "job"
"""File in the folder of a training with the number of the job that was submitted last."""

_CORES_PER_RANK, _MIB_PER_RANK = 4, 8 * 1024
"""Asked for at least, unless a command line says otherwise: site files are about jobs of the pipeline."""


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(_with_options(submit))


def _with_options(verb: Any) -> Any:
    return with_cluster_options(verb, _OF_THE_SITE)


_RunOption = Annotated[
    Path, typer.Option("--out", "-o", metavar="RUN", help="Folder of the training, seen by all nodes.")
]
_RanksOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Processes on each node. [default: one a GPU]")
]
_StopOption = Annotated[
    str, typer.Option(metavar="TIME", help="So long before the walltime it writes a checkpoint and stops.")
]


def submit(
    store: StoreArgument,
    settings: SettingsArgument = None,
    *,
    out: _RunOption,
    recipe: RecipeOption = None,
    config: ConfigOption = None,
    nodes: Annotated[int, typer.Option(min=1, metavar="N", help="Nodes.")] = 1,
    gpus: Annotated[int, typer.Option(min=0, metavar="N", help="GPUs of each node; 0: train on processors.")] = 1,
    ranks: _RanksOption = None,
    stop_before: _StopOption = "120s",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the job script, and submit nothing.")] = False,
    cluster: Mapping[str, Any],
) -> None:
    """Train as a SLURM job that goes on until it is done.

    Before the walltime the training writes a checkpoint and the job puts itself back in the queue. Submitted again
    after any failure, it goes on from the last checkpoint.
    """
    from dsfu.cluster.quantities import seconds_of
    from dsfu.cluster.settings import read_settings
    from dsfu.cluster.submitting import ClusterError
    from dsfu.cluster.training_job import TrainingJob, training_script
    from dsfu.model.problem import learner_of
    from dsfu.model.store import problem_of
    from dsfu.model.training.config_file import load_config

    load_config(recipe, config, settings or (), learner=learner_of(problem_of(store)))
    arguments = [_absolute(store)]
    arguments += ["--recipe", recipe] if recipe else []
    arguments += ["--config", str(config.resolve())] if config else []
    try:
        site = read_settings("slurm", cluster.get("cluster"), {k: v for k, v in cluster.items() if k != "cluster"})
        job = TrainingJob(
            run=str(out.resolve()),
            arguments=(*arguments, *(settings or [])),
            nodes=nodes,
            gpus_per_node=gpus,
            ranks_per_node=ranks,
            stop_seconds=seconds_of(stop_before, "--stop-before"),
        )
        site = _with_enough(site, cluster, job.ranks)
        script = training_script(site, job)
        if dry_run:
            typer.echo(script, nl=False)
            return
        number = _submitted(site, script, store, out)
    except ClusterError as error:
        raise InputError(str(error), remedy="--dry-run shows the job script") from None
    typer.echo(f"Submitted job {number}.")
    typer.echo(f"  output  {site.log_dir}/{site.job_name}-{number}.out")
    typer.echo(f"  script  {out / 'train.sbatch'}")
    typer.echo(f"  stop    scancel {number}; to go on, submit again: dsfu-model submit {shlex.quote(store)} …")


def _with_enough(site: "ClusterSettings", given: Mapping[str, Any], ranks: int) -> "ClusterSettings":
    """Cores and memory for so many ranks, where the command line does not say how many."""
    cores = site.cores if "cores" in given else max(site.cores, _CORES_PER_RANK * ranks)
    memory_mib = max(site.memory_of_job_mib, _MIB_PER_RANK * ranks)
    memory = site.memory if "memory" in given else f"{memory_mib}MiB"
    return site.model_copy(update={"cores": cores, "memory": memory})


def _submitted(site: "ClusterSettings", script: str, store: str, run: Path) -> str:
    """Number of the job, unless it would fail or disturb another one: better told now than after hours in the queue."""
    from dsfu.cluster.arrays import submit as submit_script
    from dsfu.cluster.submitting import check_commands

    check_commands(site)
    _check_store(store)
    _make_folder(run)
    _make_folder(Path(site.log_dir))
    _check_that_no_job_trains_here(run)
    try:
        number = submit_script(site, script, run / "train.sbatch")
        (run / _JOB).write_text(number + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"it cannot be written to: {error.strerror}", where=str(run)) from None
    return number


def _check_store(url: str) -> None:
    from dsfu.model.store import opened_store

    splits = opened_store(url).splits
    if "train" not in splits:
        raise InputError(
            f"it has no split 'train', but {', '.join(splits) or 'none'}",
            where=url,
            expected="what dsfu-pipeline run has finished, with samples to train on",
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder cannot be made: {error.strerror}", where=str(folder)) from None


def _check_that_no_job_trains_here(run: Path) -> None:
    from dsfu.cluster.queue import job_state

    file = run / _JOB
    if not file.exists():
        return
    number = file.read_text(encoding="utf-8").strip()
    state = job_state(number)
    if state is not None and (state.alive or state.ending):
        raise InputError(
            f"job {number} trains here already ({state})",
            where=str(run),
            expected="another --out",
            remedy=f"scancel {number}, and wait until squeue does not list it",
        )


def _absolute(store: str) -> str:
    return store if "://" in store else str(Path(store).resolve())
