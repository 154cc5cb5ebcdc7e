"""Verb of the problem densities: solve-density."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dsfu.outputs import FigureOption, ForceOption, JsonOption, ready_folder, refuse_existing, tell_written
from dsfu.paper import check_figure, write_paper_figure


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("solve-density")(solve_density)


_PatternArgument = Annotated[
    Path, typer.Argument(metavar="PATTERN", help="A powder pattern: .xy, .csv, powder CIF …", show_default=False)
]
_FormulaOption = Annotated[
    str,
    typer.Option("--formula", metavar="FORMULA", help="NaCl; Na-Cl without ratios; ? unknown.", show_default=False),
]
_WavelengthOption = Annotated[
    float | None, typer.Option("--wavelength", metavar="Å", help="Where the file does not say it.")
]
_PoolOption = Annotated[
    Path | None,
    typer.Option("--pool", metavar="FILE", help="Your own crystals too: a CSV with a column cif, or a folder."),
]
_SecondsOption = Annotated[
    float,
    typer.Option("--seconds", min=1, metavar="S", help="Processor time after which no type is tried."),
]


def solve_density(
    pattern: _PatternArgument,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where to write.", show_default=False)],
    formula: _FormulaOption,
    wavelength: _WavelengthOption = None,
    pool: _PoolOption = None,
    seconds: _SecondsOption = 120.0,
    keep: Annotated[int, typer.Option("--keep", min=1, max=50, metavar="N", help="How many candidates to write.")] = 5,
    figure: FigureOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Find the crystal structure and electron density behind a powder pattern, given the formula.

    Searches over structure types with the formula's stoichiometry, refines the cell and free positions, ranks by how
    well the whole pattern is explained. Writes CIFs, CCP4 maps, answer.json and report.html.
    """
    from dsfu.errors import InputError
    from dsfu.model.front_door.density import solve_density as solved
    from dsfu.model.problems.densities.formulas import parse_formula
    from dsfu.model.problems.densities.output import write_answer
    from dsfu.model.problems.densities.paper_figure import pattern_figure
    from dsfu.model.problems.densities.pools import read_pool
    from dsfu.model.problems.densities.readers import read_pattern

    parsed = parse_formula(formula)
    check_figure(figure)
    refuse_existing([out / "answer.json", figure], force=force)
    measured = read_pattern(pattern, wavelength)
    own = read_pool(pool, parsed) if pool else None
    if own:
        typer.echo(f"{own.crystals} crystals in {pool}, {len(own.kinds)} types of this stoichiometry", err=True)
    ready_folder(out)
    answer = solved(measured, parsed, pool=own, keep=keep, seconds=seconds, tell=partial(typer.echo, err=True)).data
    try:
        result = write_answer(answer, out, f"{pattern.name}: {parsed.text}")
    except OSError as error:
        raise InputError(f"it cannot be written: {error}", where=str(out)) from error
    if figure is not None and answer.candidates:
        write_paper_figure(figure, lambda: pattern_figure(answer.candidates[0]))
    for note in (*measured.notes, *(own.notes if own else ())):
        typer.echo(f"note: {note}", err=True)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    for number, each in enumerate(result["candidates"], 1):
        cell = " ".join(f"{value:.4f}" for value in each["cell"])
        agreement = f"R {each['r']:.3f} ({each['r_without_noise']:.3f})"
        typer.echo(f"{number}  {agreement}  {each['space_group']:<12} {cell}  {each['prototype']}")
    typer.echo(f"{answer.verdict}: {answer.reason}")
    tell_written(out, figure if answer.candidates else None)
