"""Verbs that make networks: train and export."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from dsfu.model.commands.training_options import ConfigOption, RecipeOption, SettingsArgument
from dsfu.outputs import ForceOption, JsonOption, StoreArgument, refuse_existing, tell_written
from dsfu.progress import waiting

STOPPED = 75
"""Exit status of a training that wrote a checkpoint and wants to be continued: EX_TEMPFAIL, "try again later"."""

FAILED = 3


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    for verb in (train, export):
        app.command()(verb)


_RunOption = Annotated[
    Path, typer.Option("--out", "-o", metavar="RUN", help="Folder for all that comes of it.", show_default=False)
]
_ResumeOption = Annotated[
    str,
    typer.Option(
        "--resume",
        metavar="auto|none|FILE",
        help="Go on from the last checkpoint (auto) or from FILE, or begin anew (none).",
    ),
]
_StartOption = Annotated[
    Path | None, typer.Option("--start-from", metavar="RUN|FILE", help="Weights to begin with.", show_default=False)
]


def train(
    store: StoreArgument,
    settings: SettingsArgument = None,
    out: _RunOption = ...,  # type: ignore[assignment]
    recipe: RecipeOption = None,
    config: ConfigOption = None,
    resume: _ResumeOption = "auto",
    start_from: _StartOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a network on a data set.

    \b
      dsfu-model train STORE --out RUN
      dsfu-model train STORE --out RUN --recipe pix2pix limits.epochs=10 batch_size=32
      torchrun --nproc-per-node 4 -m dsfu.model.cli train STORE --out RUN

    On SIGTERM, SIGUSR1 and Ctrl-C it writes a checkpoint and exits with 75; the same command goes on from there.
    """
    from dsfu.model.training.signals import StopRequests

    with StopRequests() as requests:  # from here on: loading torch takes a while, too
        from dsfu.model.problem import learner_of
        from dsfu.model.store import problem_of
        from dsfu.model.training.config_file import load_config
        from dsfu.model.training.loop import Outcome
        from dsfu.model.training.loss_log import LossNotFinite
        from dsfu.model.training.train import Job
        from dsfu.model.training.train import train as run

        chosen = load_config(recipe, config, settings or (), learner=learner_of(problem_of(store)))
        job = Job(store=store, run=out, config=chosen, resume=resume, start_from=start_from)
        try:
            outcome = run(job, requests)
        except LossNotFinite as error:
            typer.echo(f"error: {error}\n  The last checkpoint is from before: {out / 'checkpoints'}", err=True)
            raise typer.Exit(FAILED) from error
    if as_json and os.environ.get("RANK", "0") == "0":
        typer.echo(json.dumps({"outcome": outcome.name.lower(), "run": str(out)}))
    status = STOPPED if outcome is Outcome.STOPPED else 0
    if "TORCHELASTIC_RUN_ID" in os.environ:
        _leave_at_once(status)
    raise typer.Exit(status)


def _leave_at_once(status: int) -> NoReturn:
    """End without taking Python down: threads that connected the processes may abort it, and fail a finished job."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def export(
    source: Annotated[
        Path, typer.Argument(metavar="RUN|FILE", help="A training's folder, or a file of weights.", show_default=False)
    ],
    onnx: Annotated[
        Path | None,
        typer.Option("--onnx", metavar="FILE", help="Write the network as ONNX.", show_default=False),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", metavar="FILE", help="Write the weights as safetensors.", show_default=False),
    ] = None,
    half: Annotated[bool, typer.Option("--half", help="Store --weights in float16, half as large.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write FILE.onnx or FILE.safetensors.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Write a trained network for others to use.

    Of a training the weights are taken that were best in validation. ONNX files are compared with torch in onnxruntime
    before they are left there.
    """
    from dsfu.errors import InputError
    from dsfu.model.weights.files import load_weights, save_weights, weights_file

    onnx, weights = _by_suffix(out, onnx, weights)
    refuse_existing((onnx, weights), force=force)
    if onnx is None and weights is None:
        raise InputError("nothing to write", expected="-o FILE.onnx or FILE.safetensors; or --onnx and --weights")
    if half and weights is None:
        raise InputError("--half is for --weights, which is not given", expected="--weights FILE --half")
    network, card = load_weights(weights_file(source))
    told: dict[str, Any] = {}
    if weights is not None:
        save_weights(weights, network, card, "float16" if half else "float32")
        told |= {"weights": str(weights), "bytes": weights.stat().st_size}
        typer.echo(f"{weights.stat().st_size / 1e6:.1f} MB of weights", err=as_json)
        tell_written(weights, err=as_json)
    if onnx is not None:
        from dsfu.model.weights.onnx_files import export_onnx

        with waiting("export, compared with torch"):
            difference = export_onnx(onnx, network, card)
        told |= {"onnx": str(onnx), "largest_difference": float(difference)}
        typer.echo(f"onnxruntime differs from torch by {difference:.1e} at most", err=as_json)
        tell_written(onnx, err=as_json)
    if as_json:
        typer.echo(json.dumps(told, indent=2))


def _by_suffix(out: Path | None, onnx: Path | None, weights: Path | None) -> tuple[Path | None, Path | None]:
    """Where ``--out`` goes, by its suffix."""
    from dsfu.errors import InputError

    if out is None:
        return onnx, weights
    if out.suffix not in (".onnx", ".safetensors"):
        raise InputError(f"suffix {out.suffix!r}", where=f"-o {out}", expected="FILE.onnx or FILE.safetensors")
    return (out, weights) if out.suffix == ".onnx" else (onnx, out)
