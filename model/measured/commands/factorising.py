"""Verb that takes a plane apart: factorise."""

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsfu.errors import InputError
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
from dsfu.outputs import DATA_CONTRADICT, FigureOption, ForceOption, JsonOption, refuse_existing
from dsfu.paper import check_figure
from dsfu.progress import waiting

if TYPE_CHECKING:
    from dsfu.model.measured.data.plane import MeasuredPlane
    from dsfu.model.measured.factorise.factors import CrystalFactors
    from dsfu.model.measured.factorise.methods import Network
    from dsfu.model.measured.solver.settings import SolverSettings


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


def factorise(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Planes that prepare made, or a reconstruction.", show_default=False)
    ],
    out: Annotated[Path, flag("OUT", "Write the factors here (HDF5, opens in NeXpy).", "--out", "-o")],
    method: Annotated[
        How,
        typer.Option(
            metavar="HOW",
            help="hybrid, solver or network; the solver needs the lattice.",
        ),
    ] = (How.HYBRID),
    lattice: Annotated[
        Lattice | None,
        typer.Option(
            metavar="given|find|check|none",
            help="The cell's; or found from the data, for one plane; or the cell's, compared with what the data show; "
            "or none, for a network's answer as it is. "
            "[default: given, or find where there is no cell]",
            show_default=False,
        ),
    ] = None,
    plane: Annotated[
        list[str] | None,
        flag("PLANE", "Which planes, such as hk0; may be repeated, for one fit of all.", "--plane"),
    ] = None,
    weights: Annotated[
        Path | None,
        flag("FILE", "Weights of the network, or the folder of a training. [default: those shipped]"),
    ] = None,
    background: Annotated[bool, typer.Option("--background", help="Fit a flat background.")] = False,
    stretch: Annotated[bool, typer.Option("--stretch", help="Fit the lengths of the lattice along both axes.")] = False,
    cutoff: Annotated[
        int, typer.Option(min=1, max=12, metavar="N", help="Largest |u|, |v|, |w| with an α. Too short does harm.")
    ] = 6,
    uncertainty: Annotated[
        bool, typer.Option("--uncertainty/--no-uncertainty", help="Compute uncertainties; costs about as much again.")
    ] = True,
    npz: Annotated[Path | None, flag("FILE", "Write plain arrays too.")] = None,
    yell: Annotated[Path | None, flag("FOLDER", "Write both factors of every plane as files for Yell.")] = None,
    report: Annotated[Path | None, flag("FILE", "Write a report with pictures (.html).")] = None,
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
    """Take planes of one crystal apart into form factor and short-range order.

    Several planes are fitted together: they share the order in three dimensions. A reconstruction is only freed of
    hot pixels; for all else there is prepare. Exit status 3 says that the data break the assumptions.
    """
    from dsfu.model.measured.factorise.loading import check_one_crystal, load_planes
    from dsfu.model.measured.factorise.methods import factorise as take_apart
    from dsfu.model.measured.factorise.methods import load_network
    from dsfu.model.measured.factorise.verdict import judge
    from dsfu.model.measured.solver.settings import SolverSettings

    if lattice is Lattice.NONE and method is not How.NETWORK:
        raise InputError(
            f"the method {method.value} needs a lattice", where="--lattice none", expected="--method network"
        )
    _check_outputs(file, {"--out": out, "--npz": npz, "--report": report, "--figure": figure}, yell)
    check_figure(figure)
    refuse_existing((out, npz, report, figure), force=force)
    _one_thread()
    network = None if method is How.SOLVER else load_network(weights)
    hints = hints_of(
        cell=cell, limits=limits, origin=origin, steps=steps, axes=axes, frame=frame, dataset=dataset, zeros=zeros
    )
    planes = load_planes(file, plane or [], **hints)
    settings = SolverSettings(cutoff=cutoff, background=background, stretch=stretch, uncertainty=uncertainty)
    has_cells = all(each.cell is not None for each in planes)
    if lattice is Lattice.FIND or (lattice is None and not has_cells and method is not How.NETWORK):
        _say_what_comes(planes, quiet=as_json)
        factors = _blind(planes, method, network, settings, file, as_json=as_json)
    else:
        if method is not How.NETWORK:
            check_one_crystal(planes, file)
        _say_what_comes(planes, quiet=as_json)
        if lattice is Lattice.CHECK:
            _compare_lattices(planes, network, quiet=as_json)
        with waiting(f"factorise, {method}"):
            factors = take_apart(
                planes,
                method.value,
                network=network,
                settings=settings,
                judge=judge,
                on_lattice=lattice is not Lattice.NONE,
            )
    if not as_json:
        _say(factors)
    written = _write(factors, out, npz, yell, report)
    written += _draw(factors, figure)
    if as_json:
        typer.echo(json.dumps(_record(factors, written), ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(f"wrote {path}" for path in written))
    if not factors.verdict.passed:
        raise typer.Exit(DATA_CONTRADICT)


def _blind(
    planes: "list[MeasuredPlane]",
    method: How,
    network: "Network | None",
    settings: "SolverSettings",
    file: Path,
    *,
    as_json: bool,
) -> "CrystalFactors":
    """Factors of a plane whose lattice is to be found."""
    from dsfu.model.measured.factorise.blind import factorise_blind
    from dsfu.model.measured.factorise.verdict import judge

    if len(planes) > 1:
        names = ", ".join(each.name.partition(" of ")[0] for each in planes)
        raise InputError(
            f"there are {len(planes)} planes: {names}",
            where=str(file),
            expected="one plane where the lattice is to be found",
            remedy="choose with --plane, or give the cell",
        )
    factors, found = factorise_blind(
        planes[0], network, method=method.value, settings=settings, judge=judge, progress=_progress
    )
    if found is None:
        typer.echo("no lattice is seen: the network's answer stands", err=as_json)
    else:
        typer.echo(f"found         {found.words}", err=as_json)
        if factors.method == "network" and not factors.settings:
            text = "              it does not fit, and the network's order is another: the network's answer stands"
            typer.echo(text, err=as_json)
    return factors


def _compare_lattices(planes: "list[MeasuredPlane]", network: "Network | None", *, quiet: bool) -> None:
    from dsfu.model.measured.factorise.blind import better_lattice

    for plane in planes:
        found = better_lattice(plane, network, _progress)
        if found is None:
            typer.echo(f"{plane.name}: the data show no other lattice than the one given", err=quiet)
        else:
            better, misfit = found
            typer.echo(f"{plane.name}: the data show another lattice than the one given: {better.words}", err=quiet)
            fits = f"  structured misfit {misfit:.4f} with the one given, {better.misfit:.4f} with this one"
            typer.echo(fits, err=quiet)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\rlattices tried: {done} of {total}" + ("\n" if done == total else ""), nl=False, err=True)


def _check_outputs(file: Path, files: dict[str, Path | None], folder: Path | None) -> None:
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
        if path.resolve() == file.resolve():
            raise InputError("would overwrite the data", where=where, expected="another name")
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
                typer.echo(f"{each.name}: not written for Yell; {reason}", err=True)
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


def _record(factors: "CrystalFactors", written: list[Path]) -> dict[str, Any]:
    """The answer for programs."""
    planes = [
        {
            "name": each.name,
            "measured": float(each.measured.coverage),
            "from_data": float(each.from_data.mean()),
            "misfit": float(each.misfit),
            "background": float(each.background),
        }
        for each in factors.planes
    ]
    checks = [
        {"name": each.name, "value": float(each.value), "limit": each.limit, "passed": each.passed}
        for each in factors.verdict.checks
    ]
    verdict = {
        "passed": factors.verdict.passed,
        "judgement": factors.verdict.judgement,
        "sentence": factors.verdict.sentence,
        "checks": checks,
    }
    return {
        "method": factors.method, "planes": planes, "verdict": verdict, "files": [str(path) for path in written]
    }  # fmt: skip


def _say_what_comes(planes: "list[MeasuredPlane]", *, quiet: bool) -> None:
    names = ", ".join(each.name.partition(" of ")[0] for each in planes)
    typer.echo(f"{len(planes)} plane{'s' if len(planes) > 1 else ''}: {names}", err=quiet)


def _say(factors: "CrystalFactors") -> None:
    for plane in factors.planes:
        known = 100 * float(plane.from_data.mean())
        typer.echo(f"{plane.name}")
        typer.echo(f"  measured      {100 * plane.measured.coverage:.1f} % of the plane")
        if factors.method != "network":
            typer.echo(f"  from data     {known:.1f} % of the form factor")
        typer.echo(f"  misfit        {100 * plane.misfit:.2f} % of the intensity")
        if plane.background:
            typer.echo(f"  background    {plane.background:.4g}")
    for captured in factors.settings.get("captured_by_lattice", []):
        typer.echo(f"on the lattice: {100 * captured:.0f} % of what the network says of the order")
    for check in factors.verdict.checks:
        mark = "ok " if check.passed else "NO "
        typer.echo(f"{mark} {check.name:34s} {check.value:.4f}  (limit {check.limit:g})")
    typer.echo(factors.verdict.sentence)
