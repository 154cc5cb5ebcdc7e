"""Verb that compares a network with the truth: evaluate."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(evaluate)


def evaluate(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a training, or a file of weights.", show_default=False)
    ],
    store: Annotated[
        str, typer.Argument(metavar="STORE", help="Folder or URL (s3://…) of a data set.", show_default=False)
    ],
    split: Annotated[str, typer.Option(metavar="NAME", help="Which part of the data set.")] = "validation",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Where to write. [default: RUN/evaluation, with -METHOD for others than network]",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Only N planes, drawn at random; 0: all.")] = 0,
    poisson: Annotated[
        float,
        typer.Option(
            min=0.0, metavar="SHARE", help="Counting noise at the mean intensity, relative to it, such as 0.05."
        ),
    ] = 0.0,
    pixels: Annotated[
        int, typer.Option(min=0, metavar="N", help="Take planes at N × N pixels; 0: as they are in the store.")
    ] = 0,
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Planes at a time.")] = 16,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or cuda:1.")] = "auto",
    method: Annotated[
        str, typer.Option(metavar="NAME", help="network, solver (of RUN nothing is read) or hybrid.")
    ] = "network",
    inception_weights: Annotated[
        Path | None,
        typer.Option(
            "--inception-weights",
            metavar="FILE",
            help="Weights of Inception, for FID and KID; without them these are not computed.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the choice of planes and of noise.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON on stdout, for programs.")] = False,
) -> None:
    """Compare a network, the solver, or both together with the truth, and with the paper.

    Errors of both factors on both scales, in live pixels and dead zones, by group and kind of order; what can be
    refined from them; the best and the worst planes. Written as JSON, CSV, Markdown and a page of HTML.
    """
    from dsfu.model.problems.disorder.evaluation.evaluate import EvaluationSettings
    from dsfu.model.problems.disorder.evaluation.evaluate import evaluate as evaluate_run
    from dsfu.model.problems.disorder.evaluation.planes import PlaneSettings
    from dsfu.model.problems.disorder.evaluation.tables import as_text, tables_of

    settings = EvaluationSettings(
        method=method,
        split=split,
        batch_size=batch,
        device=device,
        inception_weights=inception_weights,
        planes=PlaneSettings(pixels=pixels, limit=limit, poisson=poisson, seed=seed),
    )
    name = "evaluation" if method == "network" else f"evaluation-{method}"
    folder = out or (run / name if run.is_dir() else run.with_name(f"{run.stem}-{name}"))
    with _progress() as watch:
        found = evaluate_run(run, store, folder, settings, watch)
    if as_json:
        typer.echo(json.dumps(found.summary.to_dict(), indent=2))
        return
    typer.echo("\n\n".join(as_text(table) for table in tables_of(found.summary)))
    typer.echo("\n" + "\n".join(f"  {name:16} {path}" for name, path in found.files.items()))


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("planes", total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)
