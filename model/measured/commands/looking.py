"""Verb that tells what a file holds: inspect."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsfu.model.measured.commands.hint_options import flag, with_hints
from dsfu.outputs import ForceOption, JsonOption, refuse_existing, say, tell_written
from dsfu.progress import waiting
from dsfu.words import folded

if TYPE_CHECKING:
    from dsfu.model.measured.data.reconstruction import Reconstruction
    from dsfu.model.measured.data.summary import AxisSummary, MeasuredSummary
    from dsfu.model.measured.prepare.advice import Advice


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(inspect)


@with_hints
def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A reconstruction, or planes.", show_default=False)],
    picture: Annotated[Path | None, flag("FILE", "Draw the three central planes (.png, .pdf, .svg).")] = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
    plane: Annotated[str | None, flag("PLANE", "Which plane of a file of planes, by number or name.")] = None,
    *,
    hints: Mapping[str, Any],
) -> None:
    """Say what is in a file, and what to do with it next.

    Tells format, axes, cell, range, intensities, Bragg peaks, and how much was measured. The format is found out by
    content: HDF5 of Meerkat, Yell, DISCUS and Mantid, NeXus, planes of dsfu-model prepare, .npy and .npz. What a file
    does not say can be given here, and to the other verbs in the same way.
    """
    from dsfu.model.measured.data.summary import MeasuredSummary
    from dsfu.model.measured.factorise.telling import factors_text, told_of_factors
    from dsfu.model.measured.prepare.advice import advice_on

    refuse_existing([picture], force=force)
    factors = told_of_factors(file)
    if factors is not None:
        typer.echo(json.dumps(factors, ensure_ascii=False, indent=2) if as_json else factors_text(factors))
        return
    with waiting("inspect"):
        found = _read_all(file, plane, hints)
        summaries = [MeasuredSummary.of(each) for each in found]
        said = [word for name, value in hints.items() if value for word in (f"--{name}", value)]
        given = shlex.join([str(file), *said])
        advice = [advice_on(*each, given) for each in zip(found, summaries, strict=True)]
    if as_json:
        parts = [{**one.to_dict(), **more.to_dict()} for one, more in zip(summaries, advice, strict=True)]
        told = {"file": str(file), "parts": parts}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        say("\n\n".join(_text(*each) for each in zip(summaries, advice, strict=True)))
    if picture is not None:
        _draw(found, picture, file.name)
        if not as_json:
            tell_written(picture)


def _read_all(file: Path, plane: str | None, hints: Mapping[str, Any]) -> list["Reconstruction"]:
    """The reconstruction, or every plane of a file of planes."""
    from dsfu.model.measured.readers.reading import plane_names, read

    names: list[str | None] = [plane] if plane is not None else [*plane_names(file)] or [None]
    return [read(file, **hints, plane=name) for name in names]


def _draw(found: list["Reconstruction"], picture: Path, title: str) -> None:
    from dsfu.model.measured.data.pictures import write_sections
    from dsfu.model.measured.data.sections import central_sections

    sections = [section for each in found for section in central_sections(each)]
    if len(found) == len(sections):  # planes, which have names
        names = [each.source.partition(": ")[2] for each in found]
        sections = [replace(one, across=name or one.across) for one, name in zip(sections, names, strict=True)]
    write_sections(picture, sections, f"{title}, axes in r.l.u." if found[0].indexed else title)


def _text(summary: "MeasuredSummary", advice: "Advice") -> str:
    more = [("WARNING", each) for each in advice.warnings] + [("next", each) for each in advice.suggestions]
    rows = [summary.name, *(_row(name, text) for name, text in [*_rows(summary), *more])]
    return "\n".join(rows)


def _row(name: str, text: str) -> str:
    """A row, in lines as wide as the terminal; a command to be copied stays in one."""
    return f"  {name:<11}{text}" if name == "next" else folded(text, f"  {name:<11}")


def _rows(summary: "MeasuredSummary") -> list[tuple[str, str]]:
    voxels = " × ".join(map(str, summary.shape))
    rows = [
        ("format", summary.format),
        ("voxels", f"{voxels} of {summary.dtype}, {_measured(summary.coverage)}"),
    ]
    width = max(len(axis.label) for axis in summary.axes)
    rows += [("axes" if number == 0 else "", _axis_text(axis, width)) for number, axis in enumerate(summary.axes)]
    rows += _cell_rows(summary)
    rows += [
        ("intensity", f"{_number(summary.minimum)} … {_number(summary.maximum)}, {_negative_text(summary)}"),
        ("", ", ".join(f"{_number(value)} ({each} %)" for each, value in summary.percentiles.items())),
        ("sigma", _sigma_text(summary)),
    ]
    if summary.median_weight is not None:
        rows.append(("weights", f"median {_number(summary.median_weight)}"))
    if summary.history:
        rows.append(("history", ", ".join(summary.history)))
    return rows + [("note" if number == 0 else "", note) for number, note in enumerate(summary.notes)]


def _measured(coverage: float) -> str:
    return "all measured" if coverage == 1 else f"{_percent(coverage)} of them measured"


def _axis_text(axis: "AxisSummary", width: int) -> str:
    if axis.voxels == 1:
        return f"{axis.label:<{width}}  {_number(axis.first)}"
    return f"{axis.label:<{width}}  {_number(axis.first)} … {_number(axis.last)} in steps of {_number(axis.step)}"


def _cell_rows(summary: "MeasuredSummary") -> list[tuple[str, str]]:
    if not summary.indexed:
        return [("cell", "unknown, and so is the grid; see --cell and --limits")]
    is_plain = all(len(axis.label) == 1 for axis in summary.axes)
    of_hkl = [] if is_plain else [("", _range_text(summary))]
    if summary.cell is None:
        return [*of_hkl, ("cell", "unknown; give --cell")]
    lengths, angles = (" ".join(_number(each) for each in part) for part in (summary.cell[:3], summary.cell[3:]))
    extent = " × ".join(_number(each) for each in summary.extent or () if each)
    return [
        *of_hkl,
        ("", f"{extent} 1/Å from end to end, |Q| up to {_number(summary.q_largest or 0)} 1/Å"),
        ("cell", f"{lengths} Å, {angles}°, {_number(summary.volume or 0)} Å³"),
    ]


def _range_text(summary: "MeasuredSummary") -> str:
    ranges = zip("hkl", summary.range_hkl or (), strict=True)
    return "that is, " + ", ".join(
        f"{letter} {_number(low)}" + (f" … {_number(high)}" if high - low > 1e-9 else "")
        for letter, (low, high) in ranges
    )


def _negative_text(summary: "MeasuredSummary") -> str:
    return f"{_percent(summary.negative)} negative" if summary.negative else "none negative"


def _sigma_text(summary: "MeasuredSummary") -> str:
    if summary.signal_to_noise is None:
        return "none"
    return f"median of intensity / sigma {_number(summary.signal_to_noise)}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _number(value: float) -> str:
    """Five digits, with a true minus, and no noise of rounding around 0."""
    text = f"{value:.5g}" if abs(value) > 1e-12 else "0"
    return text.replace("-", "−")
