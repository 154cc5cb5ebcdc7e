"""Verb that goes all the way from a reconstruction to α and a report: analyse."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsfu.model.measured.commands.hint_options import flag, with_hints
from dsfu.model.measured.commands.order_options import Axes
from dsfu.outputs import (
    DATA_CONTRADICT,
    FigureOption,
    ForceOption,
    JsonOption,
    ready_folder,
    refuse_existing,
    say,
    tell_written,
)
from dsfu.paper import check_figure, write_paper_figure
from dsfu.progress import PlainLines, Tell

if TYPE_CHECKING:
    from dsfu.model.front_door.analysis import Analysis

_SHOWN = 30
"""Shells on the terminal."""

_SECONDS = 2.0
"""Between two lines on single steps."""


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(analyse)


_LaueOption = Annotated[
    str, typer.Option(metavar="CLASS", help="Laue class or space group; equivalent vectors have one α.")
]
_CutoffOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=8,
        metavar="N",
        help="Largest |u|, |v|, |w| with an α. [default: as far as the data ask for]",
        show_default=False,
    ),
]
_NoOrderAlongOption = Annotated[
    Axes | None, typer.Option("--no-order-along", help="Only vectors without a component along these axes.")
]
_BackgroundOption = Annotated[
    bool, typer.Option("--background/--no-background", help="Fit a background that depends on |Q|.")
]
_BraggOption = Annotated[
    bool, typer.Option("--bragg/--no-bragg", help="Look for Bragg peaks, leave them out and fit their tails.")
]
_BoxOption = Annotated[
    bool, typer.Option("--box", help="Voxels are means over their boxes, not points: α far away are corrected.")
]

_StretchOption = Annotated[
    bool | None,
    typer.Option(
        "--stretch/--no-stretch",
        help="Stretch h, k and l to the lattice of the order. [default: where the verdict finds another lattice]",
        show_default=False,
    ),
]


@with_hints
def analyse(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…", help="A reconstruction, raw; or several of one crystal on one grid.", show_default=False
        ),
    ],
    out: Annotated[
        Path, flag("FOLDER", "Where to write report.html, factors.h5, sro.json and verdict.json.", "--out", "-o")
    ],
    laue: _LaueOption = "-1",
    cutoff: _CutoffOption = None,
    no_order_along: _NoOrderAlongOption = None,
    background: _BackgroundOption = True,
    bragg: _BraggOption = True,
    box: _BoxOption = False,
    stretch: _StretchOption = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
    *,
    hints: Mapping[str, Any],
) -> None:
    """Fit a whole volume: form factor, order and a verdict.

    The order is a set of Warren–Cowley parameters α. All voxels are fitted at once. Bragg peaks with their tails, and a
    background of air or glass, are part of the fit: nothing has to be prepared. Exit status 3 says that the data
    contradict the model of two species on one site.
    """
    from dsfu.model.front_door.analysis import analyse as analysed
    from dsfu.model.front_door.analysis import readable
    from dsfu.model.measured.volume.output import FILES
    from dsfu.model.measured.volume.paper_figure import section_figure

    check_figure(figure)
    reconstruction = readable(files, laue, **hints)
    ready_folder(out)
    refuse_existing([*(out / name for name in FILES), figure], force=force)
    answer = analysed(
        reconstruction,
        laue=laue,
        tell=_a_few_a_second(PlainLines(_SECONDS)),
        cutoff=cutoff,
        no_order_along=no_order_along.value if no_order_along else "",
        background=background,
        bragg=bragg,
        box=box,
        stretch=stretch,
    )
    answer.save(out, overwrite=True)
    if figure is not None:
        write_paper_figure(figure, lambda: section_figure(answer.data))
    _tell(answer, out, figure, as_json=as_json)
    if answer.judged.judgement == "contradicts":
        raise typer.Exit(DATA_CONTRADICT)


def _tell(answer: "Analysis", out: Path, figure: Path | None, *, as_json: bool) -> None:
    from dsfu.model.measured.volume.output import FILES

    if as_json:
        told = {name: (out / f"{name}.json").read_text(encoding="utf-8") for name in ("verdict", "sro")}
        typer.echo(f'{{"verdict": {told["verdict"]},\n"sro": {told["sro"]}}}')
    else:
        say(_text_of(answer))
    tell_written(*(out / name for name in FILES), figure, err=as_json)


def _text_of(answer: "Analysis") -> str:
    """The nearest shells, the checks and the verdict."""
    from dsfu.model.measured.order.tables import table_text

    lines, shells = table_text(answer.order.data).splitlines(), len(answer.order.best.shells)
    rows = 2 + shells
    told = lines[: min(2 + _SHOWN, rows)]
    if shells > _SHOWN:
        told.append(f"{shells - _SHOWN} further shells are in sro.json")
    told.append("\n".join(lines[rows:]))
    for check in answer.judged.checks:
        mark = "ok " if check.passed else "NO "
        told.append(f"{mark} {check.name:28s} {check.ratio:8.2f}  (limit {check.limit:g})")
    return "\n".join([*told, answer.verdict])


def _a_few_a_second(lines: PlainLines) -> Tell:
    """Every line but those of single steps, of which there are many."""

    def tell(text: str) -> None:
        if lines.due() or ": step " not in text:
            lines.say(text)

    return tell
