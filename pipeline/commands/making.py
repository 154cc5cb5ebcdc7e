"""The verbs that make data: plan, run, close."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from dsfu.cluster.options import with_cluster_options
from dsfu.errors import InputError
from dsfu.pipeline.commands.clusters import (
    SCHEDULERS,
    RetriesOption,
    batch_engine,
    dashboard_of,
    settings_of,
    show_script,
)
from dsfu.pipeline.commands.common import (
    DEFAULT_MANIFEST,
    JsonOption,
    ManifestArgument,
    StoreOption,
    answer_json,
    say,
    store_of,
    want,
)

if TYPE_CHECKING:
    from dsfu.cluster.settings import ClusterSettings
    from dsfu.pipeline.plan import Plan
    from dsfu.pipeline.running.engines import Engine

DASHBOARD: Final = "127.0.0.1:8787"

_STOPPING: Final = "Stopping: what is being made is finished first. Ctrl-C again drops it."


def add_to(app: typer.Typer) -> None:
    for verb in (plan, run, close):
        app.command()(verb)


def plan(
    manifest: ManifestArgument = DEFAULT_MANIFEST,
    store: StoreOption = None,
    every: Annotated[bool, typer.Option("--every", help="Name every shard, not only how many.")] = False,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Make a few shards of each kind and drop them, some 10 s, to know how long they take here.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what a run would make, and why.

    And how long it would take, and how much room: from what shards took that the store holds, or from guesses, or
    measured now (--measure). Changes nothing.
    """
    from dsfu.pipeline.plan import make_plan
    from dsfu.pipeline.store.ledger import Ledger

    wanted = want(manifest)
    files = store_of(wanted, store)
    made = make_plan(wanted.expected, Ledger(files))
    if measure and made.missing:
        from dsfu.pipeline.trial import measured_rates

        made = made.at_rates(measured_rates(wanted.specs, {each.spec.kind for each in made.missing}))
    else:
        made = made.with_compiling()
    if as_json:
        answer_json({"store": files.url, **_plan_dict(made)})
    else:
        say(_plan_text(files.url, made, every=every))


_SchedulerOption = Annotated[
    str,
    typer.Option(
        metavar="local|sync|slurm|…|tcp://HOST:PORT",
        help="Who makes the shards: worker processes on this machine; this process itself, for debugging; jobs of "
        "slurm, pbs, lsf, sge or htcondor; or a Dask scheduler that is there already.",
    ),
]
_WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Worker processes on this machine. [default: one a core]", show_default=False
    ),
]
_DashboardOption = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Address of Dask's dashboard, which asks for a token; 'none' for none."),
]
_PartOption = Annotated[
    str | None,
    typer.Option(
        metavar="i/N", help="Make only the i-th of N parts, and do not close. See submit.", show_default=False
    ),
]


@with_cluster_options
def run(
    manifest: ManifestArgument = DEFAULT_MANIFEST,
    store: StoreOption = None,
    scheduler: _SchedulerOption = "local",
    workers: _WorkersOption = None,
    threads: Annotated[int, typer.Option(min=1, metavar="N", help="Threads of each worker.")] = 1,
    retries: RetriesOption = 2,
    dashboard: _DashboardOption = DASHBOARD,
    part: _PartOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the summary.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the script of a batch job, and start nothing.")
    ] = False,
    as_json: JsonOption = False,
    *,
    cluster: Mapping[str, Any],
) -> None:
    """Make what the store lacks, and close it.

    Shards that are there and intact are left alone, so running again after whatever happened goes on where it was.
    Ctrl-C stops cleanly: what is being made is finished, what is complete is closed. A shard that cannot be made is
    set aside with its traceback, and the others go on.

    With --json, stdout is a line of JSON for everything that happens; the last one has the event "summary".
    """
    from dsfu.pipeline.running.feeding import FeedRules
    from dsfu.pipeline.running.interruption import Interruption
    from dsfu.pipeline.running.parts import parse_part, run_part
    from dsfu.pipeline.running.reporter import open_reporter, print_event
    from dsfu.pipeline.running.run import run_store
    from dsfu.pipeline.running.summary import summary_dict, summary_text

    batch = _batch_settings(scheduler, cluster)
    if dry_run:
        _show_script(scheduler, batch)
        return
    reporter = open_reporter(as_json=as_json, quiet=quiet)
    address = dashboard_of(dashboard)
    rules = FeedRules(retries=retries, threads_hoped_for=batch.most_jobs * batch.cores if batch else 1)
    if batch:
        engine = batch_engine(batch, reporter.note, address, quiet="DSFU_DEBUG" not in os.environ)
    else:
        engine = _engine(scheduler, workers, threads, address)
    run_it = run_store if part is None else partial(run_part, part=parse_part(part))
    wanted = want(manifest)
    files = store_of(wanted, store)
    with Interruption(lambda: reporter.note(_STOPPING)) as stop:
        result = run_it(wanted, files, engine=engine, reporter=reporter, stop=stop, rules=rules)
    if as_json:
        print_event(sys.stdout, "summary", summary_dict(result))
    else:
        say(summary_text(result, run_again=_again()))
    raise typer.Exit(result.exit_status)


def close(
    manifest: ManifestArgument = DEFAULT_MANIFEST, store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Make arrays of the shards that are there.

    A run does this at its end. On its own it is of use after a run that was killed, or to apply another threshold of
    uniqueness, other splits or another order of pairs to what is there.
    """
    from dsfu.pipeline.store.closing import MissingObjects, close_store
    from dsfu.pipeline.store.ledger import Ledger
    from dsfu.pipeline.store.locks import writer_lock
    from dsfu.pipeline.store.manifest_copy import keep_manifest
    from dsfu.pipeline.store.records import DamagedRecord
    from dsfu.words import usable

    wanted = want(manifest)
    files = store_of(wanted, store)
    with writer_lock(files):
        keep_manifest(files, wanted.loaded)
        ledger = Ledger(files)
        try:
            summary = close_store(files, ledger, wanted.closing_spec(ledger.entries()))
        except (DamagedRecord, MissingObjects) as error:
            raise InputError(
                str(error),
                where=files.url,
                remedy=f"dsfu-pipeline run {shlex.quote(manifest)} --store {shlex.quote(files.url)}",
            ) from None
    if as_json:
        answer_json({"store": files.url, "samples": dict(summary.samples), "kept": dict(summary.kept)})
        return
    say(f"Closed {files.url}.")
    for split, samples in summary.samples.items():
        say(f"  {split}: {usable(summary.kept[split], samples, wanted.problem.left_out)}")


def _batch_settings(scheduler: str, cluster: Mapping[str, Any]) -> "ClusterSettings | None":
    """Settings of batch jobs, if it is they that make the shards."""
    if scheduler in SCHEDULERS:
        return settings_of(scheduler, cluster)
    if scheduler == "local" and "cluster" in cluster:
        return settings_of(None, cluster)
    if cluster:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in cluster)
        raise InputError(f"{options}: of use with batch jobs only", expected=f"--scheduler {'|'.join(SCHEDULERS)}")
    return None


def _show_script(scheduler: str, batch: "ClusterSettings | None") -> None:
    if batch is None:
        raise InputError(
            f"--dry-run shows the script of a batch job, and with --scheduler {scheduler} there is none",
            expected=f"--scheduler {'|'.join(SCHEDULERS)}",
            remedy="dsfu-pipeline plan says what would be made",
        )
    show_script(batch)


def _engine(
    scheduler: str, workers: int | None, threads: int, dashboard: str | None
) -> "Callable[[], AbstractContextManager[Engine]]":
    """How to open what makes the shards."""
    if scheduler == "sync":
        from dsfu.pipeline.running.engines import InThisProcess

        return InThisProcess
    if scheduler == "local":

        def open_it() -> "AbstractContextManager[Engine]":
            from dsfu.pipeline.running.dask_workers import open_local

            return open_local(workers, threads, dashboard_address=dashboard, quiet="DSFU_DEBUG" not in os.environ)

        return open_it
    if "://" in scheduler:

        def connect() -> "AbstractContextManager[Engine]":
            from dsfu.pipeline.running.dask_workers import open_existing

            return open_existing(scheduler, quiet="DSFU_DEBUG" not in os.environ)

        return connect
    raise InputError(
        f"--scheduler {scheduler}: there is no such engine",
        expected=f"local, sync, {', '.join(SCHEDULERS)}, or the address of a Dask scheduler such as tcp://10.0.0.1:8786",
    )


def _again() -> str:
    return " ".join(["dsfu-pipeline", *map(shlex.quote, sys.argv[1:])])


def _plan_text(store: str, made: "Plan", *, every: bool) -> str:
    from dsfu.words import count, duration, size

    rows = [f"{store}: {count(len(made.present), 'shard')} there, {count(len(made.missing), 'shard')} to make"]
    for reason, specs in made.by_reason().items():
        rows.append(f"  {count(len(specs), 'shard')} of {reason}")
        rows += [f"    {spec.identity}" for spec in specs] if every else []
    if made.orphans:
        rows.append(f"  {count(len(made.orphans), 'shard')} that the manifest does not ask for; see dsfu-pipeline gc")
    if made.missing:
        cores = os.cpu_count() or 1
        rows.append(
            f"  about {duration(made.seconds_expected)} of one core ({duration(made.seconds_on(cores))} on the "
            f"{cores} here, start and closing included), {size(made.bytes_expected)}"
        )
        if made.seconds_to_compile:
            rows.append(f"  with {duration(made.seconds_to_compile)} to compile, which only the first run here has to")
        if made.by_earlier:
            rows.append(f"  {', '.join(made.by_earlier)}: by what shards took that the manifest no longer asks for")
        if made.guessed:
            rows.append(f"  {', '.join(made.guessed)}: a guess, none was made here yet; --measure makes some, in 10 s")
    return "\n".join(rows)


def _plan_dict(made: "Plan") -> dict[str, object]:
    return {
        "present": len(made.present),
        "missing": [
            {"shard": each.spec.identity, "key": each.spec.key, "kind": each.spec.kind, "reason": each.reason}
            for each in made.missing
        ],
        "orphans": list(made.orphans),
        "core_seconds_expected": made.seconds_expected,
        "seconds_to_start_expected": made.seconds_to_start,
        "seconds_to_compile_expected": made.seconds_to_compile,
        "bytes_expected": made.bytes_expected,
        "guessed": list(made.guessed),
        "by_earlier": list(made.by_earlier),
    }
