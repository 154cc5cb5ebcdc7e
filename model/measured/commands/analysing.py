"""Verb that goes all the way from a reconstruction to α and a report: analyse."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from dsfu.model.measured.commands.hint_options import (
    AxesOrder,
    CellText,
    Dataset,
    FrameName,
    Limits,
    Origin,
    Steps,
    Zeros,
    flag,
    hints_of,
)
from dsfu.model.measured.commands.refining import Axes
from dsfu.outputs import DATA_CONTRADICT, FigureOption, ForceOption, JsonOption, ready_folder, refuse_existing
from dsfu.paper import check_figure, write_paper_figure

_SHOWN = 30
"""Shells on the terminal."""


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(analyse)


def analyse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A reconstruction, raw.", show_default=False)],
    out: Annotated[Path, flag("FOLDER", "For report.html, factors.h5, sro.json, verdict.json.", "--out", "-o")],
    laue: Annotated[
        str, typer.Option(metavar="CLASS", help="Laue class or space group; equivalent vectors have one α.")
    ] = "-1",
    cutoff: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=8,
            metavar="N",
            help="Largest |u|, |v|, |w| with an α. [default: as far as the data ask for]",
            show_default=False,
        ),
    ] = None,
    no_order_along: Annotated[
        Axes | None, typer.Option("--no-order-along", help="Only vectors without a component along these axes.")
    ] = None,
    background: Annotated[
        bool, typer.Option("--background/--no-background", help="Fit a background that depends on |Q|.")
    ] = True,
    bragg: Annotated[
        bool, typer.Option("--bragg/--no-bragg", help="Look for Bragg peaks, leave them out and fit their tails.")
    ] = True,
    box: Annotated[
        bool, typer.Option("--box", help="Voxels are means over their boxes, not points: α far away are corrected.")
    ] = False,
    figure: FigureOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
    cell: CellText = None,
    limits: Limits = None,
    origin: Origin = None,
    steps: Steps = None,
    axes: AxesOrder = None,
    frame: FrameName = None,
    dataset: Dataset = None,
    zeros: Zeros = None,
) -> None:
    """From a reconstruction to form factor, Warren–Cowley parameters and a verdict, all voxels fitted at once.

    Bragg peaks with their tails, and a background of air or glass, are part of the fit: nothing has to be prepared.
    Exit status 3 says that the data contradict the model of two species on one site.
    """
    import torch

    from dsfu.model.measured.order.tables import table_text
    from dsfu.model.measured.readers.reading import read
    from dsfu.model.measured.symmetry.groups import laue_operators
    from dsfu.model.measured.volume.order import order_of
    from dsfu.model.measured.volume.output import FILES, write_analysis
    from dsfu.model.measured.volume.paper_figure import section_figure
    from dsfu.model.measured.volume.settings import VolumeSettings
    from dsfu.model.measured.volume.solve import solve_volume
    from dsfu.model.measured.volume.verdict import judge_volume

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(2, os.cpu_count() or 1))
    hints = hints_of(
        cell=cell, limits=limits, origin=origin, steps=steps, axes=axes, frame=frame, dataset=dataset, zeros=zeros
    )
    check_figure(figure)
    reconstruction = read(file, **hints)
    if reconstruction.cell is not None:
        laue_operators(laue, reconstruction.cell)  # refused now and not after the fit
    ready_folder(out)
    refuse_existing([*(out / name for name in FILES), figure], force=force)
    settings = VolumeSettings(
        laue=laue,
        cutoff=cutoff,
        no_order_along=tuple("abc".index(each) for each in (no_order_along or "")),
        background=background,
        bragg=bragg,
        box=box,
    )
    solution = solve_volume(reconstruction, settings, _Progress())
    verdict = judge_volume(solution)
    refinement = order_of(solution, verdict)
    write_analysis(out, solution, verdict, refinement)
    if figure is not None:
        write_paper_figure(figure, lambda: section_figure(solution))
    if as_json:
        told = {name: (out / f"{name}.json").read_text(encoding="utf-8") for name in ("verdict", "sro")}
        typer.echo(f'{{"verdict": {told["verdict"]},\n"sro": {told["sro"]}}}')
    else:
        lines = table_text([refinement]).splitlines()
        rows = 2 + len(refinement.shells)
        typer.echo("\n".join(lines[: min(2 + _SHOWN, rows)]))
        if len(refinement.shells) > _SHOWN:
            typer.echo(f"{len(refinement.shells) - _SHOWN} further shells are in sro.json")
        typer.echo("\n".join(lines[rows:]))
        for check in verdict.checks:
            mark = "ok " if check.passed else "NO "
            typer.echo(f"{mark} {check.name:28s} {check.ratio:8.2f}  (limit {check.limit:g})")
        typer.echo(verdict.sentence)
    for path in (*(out / name for name in FILES), figure):
        if path is not None:
            typer.echo(f"wrote {path}", err=as_json)
    if verdict.judgement == "contradicts":
        raise typer.Exit(DATA_CONTRADICT)


class _Progress:
    """Lines to stderr, a few a second at most."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, line: str) -> None:
        now = time.monotonic()
        if ": step " not in line or now - self._last > 0.3:
            self._last = now
            typer.echo(line, err=True)
