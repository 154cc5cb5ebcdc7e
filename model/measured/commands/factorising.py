"""Verb that takes a plane apart: factorise."""

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsfu.errors import InputError
from dsfu.model.measured.commands.hint_options import flag, with_hints
from dsfu.outputs import (
    DATA_CONTRADICT,
    FigureOption,
    ForceOption,
    JsonOption,
    refuse_outputs,
    say,
    tell_written,
)
from dsfu.paper import check_figure

if TYPE_CHECKING:
    from dsfu.model.measured.factorise.factors import CrystalFactors


class How(StrEnum):
    """Ways to factorise."""

    HYBRID = "hybrid"
    SOLVER = "solver"
    NETWORK = "network"


class Lattice(StrEnum):
    """Where the lattice comes from."""

    GIVEN = "given"
    FIND = "find"
    CHECK = "check"
    NONE = "none"


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(factorise)


_FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="Planes that prepare made, or a reconstruction.", show_default=False)
]
_MethodOption = Annotated[
    How,
    typer.Option(
        metavar="HOW",
        help="hybrid, solver or network; the solver needs the lattice.",
    ),
]
_LatticeOption = Annotated[
    Lattice | None,
    typer.Option(
        metavar="given|find|check|none",
        help="given: that of the cell; find: from the data of one plane; check: that of the cell, compared with the "
        "data; none: the network's answer as it is. [default: given, or find where there is no cell]",
        show_default=False,
    ),
]
_PlaneOption = Annotated[
    list[str] | None,
    flag("PLANE", "Which planes, such as hk0; may be repeated, for one fit of all.", "--plane"),
]
_WeightsOption = Annotated[
    Path | None,
    flag("FILE", "Weights of the network, or the folder of a training. [default: those shipped]"),
]
_CutoffOption = Annotated[
    int, typer.Option(min=1, max=12, metavar="N", help="Largest |u|, |v|, |w| with an α. Too short does harm.")
]
_UncertaintyOption = Annotated[
    bool, typer.Option("--uncertainty/--no-uncertainty", help="Compute uncertainties; costs about as much again.")
]


@with_hints
def factorise(
    file: _FileArgument,
    out: Annotated[Path, flag("OUT", "Write the factors here (HDF5, opens in NeXpy).", "--out", "-o")],
    method: _MethodOption = (How.HYBRID),
    lattice: _LatticeOption = None,
    plane: _PlaneOption = None,
    weights: _WeightsOption = None,
    background: Annotated[bool, typer.Option("--background", help="Fit a flat background.")] = False,
    stretch: Annotated[bool, typer.Option("--stretch", help="Fit the lengths of the lattice along both axes.")] = False,
    cutoff: _CutoffOption = 6,
    uncertainty: _UncertaintyOption = True,
    npz: Annotated[Path | None, flag("FILE", "Write plain arrays too.")] = None,
    yell: Annotated[Path | None, flag("FOLDER", "Write both factors of every plane as files for Yell.")] = None,
    report: Annotated[Path | None, flag("FILE", "Write a report with pictures (.html).")] = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
    *,
    hints: Mapping[str, Any],
) -> None:
    """Take planes apart into form factor and short-range order.

    The planes are of one crystal and fitted together: they share the order in three dimensions. A reconstruction is
    only freed of hot pixels; for all else there is prepare. Exit status 3 says that the data break the assumptions.
    """
    from dsfu.model.front_door.factors import factorise as take_apart
    from dsfu.model.measured.factorise.told import record_of, text_of

    _check_outputs({"--out": out, "--npz": npz, "--report": report, "--figure": figure}, yell)
    check_figure(figure)
    refuse_outputs([out], drawn=(npz, report, figure), force=force)
    _one_thread()
    factors = take_apart(
        file,
        plane or [],
        method=method.value,
        lattice=lattice.value if lattice else None,
        weights=weights,
        hints=hints,
        tell=partial(say, err=as_json),
        cutoff=cutoff,
        background=background,
        stretch=stretch,
        uncertainty=uncertainty,
    )
    if not as_json:
        say(text_of(factors.data))
    written = [*_write(factors.data, out, npz, yell, report), *_draw(factors.data, figure)]
    if as_json:
        typer.echo(json.dumps(record_of(factors.data, written, factors.lattice), ensure_ascii=False, indent=2))
    else:
        tell_written(*written)
    if not factors.passed:
        raise typer.Exit(DATA_CONTRADICT)


def _check_outputs(files: dict[str, Path | None], folder: Path | None) -> None:
    """Refuse what could not be written after the fit, before it."""
    given = {option: path for option, path in files.items() if path is not None}
    for option, path in given.items():
        where = f"{option} {path}"
        if path.is_dir():
            raise InputError("is a folder", where=where, expected="the name of a file")
        if not path.parent.is_dir():
            raise InputError(f"there is no folder {path.parent}", where=where, remedy="make it, or write elsewhere")
        if not os.access(path.parent, os.W_OK):
            raise InputError(f"the folder {path.parent} cannot be written to", where=where, remedy="write elsewhere")
        if any(path.resolve() == other.resolve() for name, other in given.items() if name != option):
            raise InputError("two outputs have this name", where=where, expected="another name for each")
    if folder is not None and folder.exists() and not folder.is_dir():
        raise InputError("is a file", where=f"--yell {folder}", expected="a folder, or a name for a new one")


def _one_thread() -> None:
    """The products of the fit are small: several threads wait for one another more than they help."""
    if "OMP_NUM_THREADS" not in os.environ:
        import torch

        torch.set_num_threads(1)


def _write(
    factors: "CrystalFactors", out: Path, npz: Path | None, yell: Path | None, report: Path | None
) -> list[Path]:
    from dsfu.model.measured.factorise.files import write_factors, write_npz

    write_factors(out, factors)
    written = [out]
    if npz is not None:
        write_npz(npz, factors)
        written.append(npz)
    if yell is not None:
        from dsfu.model.measured.factorise.yell_files import not_for_yell, write_yell_files

        written += write_yell_files(yell, factors)
        for each in factors.planes:
            if reason := not_for_yell(each):
                say(f"{each.name}: not written for Yell; {reason}", err=True)
    if report is not None:
        from dsfu.model.measured.factorise.report import write_report

        write_report(report, factors)
        written.append(report)
    return written


def _draw(factors: "CrystalFactors", figure: Path | None) -> list[Path]:
    if figure is None:
        return []
    from dsfu.model.measured.factorise.paper_figure import write_figure

    write_figure(figure, factors.planes[0])
    return [figure]
