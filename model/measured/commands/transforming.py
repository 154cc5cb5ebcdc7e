"""Verb that transforms data, or an order, into real space: deltapdf."""

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsfu.errors import InputError
from dsfu.files import check_picture
from dsfu.model.measured.commands.hint_options import with_hints
from dsfu.outputs import (
    DATA_CONTRADICT,
    FigureOption,
    ForceOption,
    JsonOption,
    refuse_outputs,
    say,
    tell_written,
)
from dsfu.paper import check_figure, write_paper_figure

if TYPE_CHECKING:
    from dsfu.model.front_door.real_space import RealSpace
    from dsfu.model.measured.deltapdf.compute import DeltaPdf


class Source(StrEnum):
    """What is transformed."""

    DATA = "data"
    SRO = "sro"


class WindowName(StrEnum):
    """What data are multiplied with before they are transformed."""

    NONE = "none"
    HANN = "hann"
    GAUSS = "gauss"


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("deltapdf")(deltapdf_command)


_FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A reconstruction, or for --of sro what factorise wrote.")
]
_WindowOption = Annotated[
    WindowName,
    typer.Option("--window", metavar="none|hann|gauss", help="Weaken ripples; peaks become broader."),
]
_BraggOption = Annotated[
    str, typer.Option("--bragg", metavar="HOW", help="Take out Bragg peaks first: auto, none, punch:0.15 (filled).")
]
_PictureOption = Annotated[
    Path | None, typer.Option("--picture", metavar="FILE", help="Draw the central sections (.png, .pdf, .svg).")
]


@with_hints
def deltapdf_command(
    file: _FileArgument,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Where to write it (HDF5, as Yell's).")],
    of: Annotated[Source, typer.Option("--of", metavar="data|sro", help="The data, or I_SRO.")] = Source.DATA,
    window: _WindowOption = WindowName.NONE,
    bragg: _BraggOption = "none",
    keep_mean: Annotated[bool, typer.Option("--keep-mean", help="Do not subtract the mean.")] = False,
    plane: Annotated[int, typer.Option(min=1, metavar="N", help="Which plane, for --of sro.")] = 1,
    picture: _PictureOption = None,
    extent: Annotated[float, typer.Option(min=1.0, metavar="Å", help="How far the picture goes.")] = 25.0,
    figure: FigureOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
    *,
    hints: Mapping[str, Any],
) -> None:
    """Compute a difference pair distribution function, 3D-ΔPDF.

    That of I_SRO has α_v at each lattice vector v. Voxels that were not measured count as the mean.
    """
    from dsfu.model.front_door.real_space import delta_pdf

    if picture is not None:
        check_picture(picture)
    check_figure(figure)
    refuse_outputs([out], drawn=(picture, figure), force=force)
    if of is Source.SRO:
        _refuse(hints if bragg == "none" else {**hints, "bragg": bragg})
    answer = delta_pdf(
        file,
        of=of.value,
        plane=plane,
        bragg=bragg,
        hints=hints,
        tell=partial(say, err=True),
        window=window.value,
        subtract_mean=not keep_mean,
    )
    pdf = answer.data
    if pdf.cell is None:
        raise InputError("it has no cell", where=str(file), remedy="give --cell a,b,c,alpha,beta,gamma")
    answer.save(out, overwrite=True)
    _draw(pdf, picture, figure, extent)
    _tell(answer, [path for path in (out, picture, figure) if path is not None], as_json=as_json)
    if answer.verdict:
        say(answer.verdict, err=True)
        raise typer.Exit(DATA_CONTRADICT)


def _tell(answer: "RealSpace", files: list[Path], *, as_json: bool) -> None:
    pdf = answer.data
    if as_json:
        written = [str(path) for path in files]
        record = {"points": pdf.values.shape, "steps_uvw": pdf.steps.tolist(), "mean": pdf.mean, "files": written}
        told = record | ({"verdict": answer.verdict} if answer.verdict else {})
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        shape = " × ".join(map(str, pdf.values.shape))
        typer.echo(f"{shape} points")
        tell_written(*files)


def _draw(pdf: "DeltaPdf", picture: Path | None, figure: Path | None, extent: float) -> None:
    from dsfu.model.measured.deltapdf.picture import draw_sections, sections_figure

    if picture is not None:
        picture.parent.mkdir(parents=True, exist_ok=True)
        draw_sections(pdf, extent_angstrom=extent).savefig(picture, dpi=200)
    if figure is not None:
        write_paper_figure(figure, lambda: sections_figure(pdf, extent))


def _refuse(hints: Mapping[str, Any]) -> None:
    given = [f"--{name}" for name, value in hints.items() if value is not None]
    if given:
        raise InputError(
            f"{', '.join(given)} cannot be given with --of sro", remedy="what factorise wrote says all of this"
        )
