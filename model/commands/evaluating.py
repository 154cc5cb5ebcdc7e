"""Verb that compares a network with the truth: evaluate."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dsfu.model.commands.added_options import added_options, check_chosen, with_added_options
from dsfu.outputs import ForceOption, JsonOption, StoreArgument, refuse_existing
from dsfu.progress import counting

_TABLE: Final = "EVALUATION_OPTIONS"


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(with_added_options(evaluate, added_options(_TABLE)))


def evaluate(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a training, or a file of weights.", show_default=False)
    ],
    store: StoreArgument,
    split: Annotated[str, typer.Option(metavar="NAME", help="Which part of the data set.")] = "validation",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Where to write. [default: RUN/evaluation]",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Only N samples, drawn at random; 0: all.")] = 0,
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Samples at a time.")] = 16,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or cuda:1.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of all that is drawn.")] = 0,
    as_json: JsonOption = False,
    force: ForceOption = False,
    *,
    chosen: Mapping[str, Any],
) -> None:
    """Compare a network with the truth, sample by sample.

    Scores of every sample, their statistics by kind, the best and the worst samples. Problems may add methods and
    comparisons of their own. Written as JSON, CSV, Markdown and a page of HTML.
    """
    from dsfu.model.evaluation.options import EvaluationOptions
    from dsfu.model.problem import learner_of
    from dsfu.model.store import problem_of

    learner = learner_of(problem_of(store))
    chosen = check_chosen(chosen, learner.name, added_options(_TABLE))
    options = EvaluationOptions(split=split, limit=limit, batch_size=batch, device=device, seed=seed)
    name = learner.evaluation_name(chosen)
    folder = out or (run / name if run.is_dir() else run.with_name(f"{run.stem}-{name}"))
    refuse_existing(folder.glob("evaluation.*"), force=force)
    with counting(learner.nouns) as watch:
        found = learner.evaluate(run, store, folder, options, chosen, watch)
    if as_json:
        typer.echo(json.dumps(found.summary, indent=2))
        return
    typer.echo(found.text)
    typer.echo("\n" + "\n".join(f"  {name:16} {path}" for name, path in found.files.items()))
