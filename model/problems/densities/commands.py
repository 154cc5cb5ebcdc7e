"""Verb of the problem densities: solve-density."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from dsfu.outputs import FigureOption, ForceOption, JsonOption, ready_folder, refuse_existing, say, tell_written
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
    """Find a crystal structure from a powder pattern.

    Its formula has to be known, in part at least. Searches over structure types with the formula's stoichiometry,
    refines the cell and free positions, ranks by how well the whole pattern is explained. Writes CIFs, CCP4 maps,
    answer.json and report.html.
    """
    from dsfu.errors import InputError
    from dsfu.model.front_door.density import solve_density as solved
    from dsfu.model.problems.densities.formulas import parse_formula
    from dsfu.model.problems.densities.output import answer_files, write_answer
    from dsfu.model.problems.densities.paper_figure import pattern_figure
    from dsfu.model.problems.densities.pools import read_pool
    from dsfu.model.problems.densities.readers import read_pattern

    parsed = parse_formula(formula)
    check_figure(figure)
    refuse_existing([*answer_files(out), figure], force=force)
    measured = read_pattern(pattern, wavelength)
    own = read_pool(pool, parsed) if pool else None
    if own:
        say(f"{own.crystals} crystals in {pool}, {len(own.kinds)} types of this stoichiometry", err=True)
    ready_folder(out)
    answer = solved(measured, parsed, pool=own, keep=keep, seconds=seconds, tell=partial(say, err=True)).data
    try:
        result = write_answer(answer, out, f"{pattern.name}: {parsed.text}")
    except OSError as error:
        raise InputError(f"it cannot be written: {error}", where=str(out)) from error
    if figure is not None and answer.candidates:
        write_paper_figure(figure, lambda: pattern_figure(answer.candidates[0]))
    for note in (*measured.notes, *(own.notes if own else ())):
        say(f"note: {note}", err=True)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    if result["candidates"]:
        say(_table_of(result["candidates"]))
    say(f"{answer.verdict}: {answer.reason}")
    tell_written(out / "report.html", figure if answer.candidates else None)


def _table_of(candidates: Sequence[Mapping[str, Any]]) -> str:
    from dsfu.model.evaluation.tables import as_text
    from dsfu.pages.frame import Table

    rows = [
        [
            str(number),
            f"{each['r']:.3f}",
            f"{each['r_without_noise']:.3f}",
            each["space_group"],
            " ".join(f"{length:.4f}" for length in each["cell"][:3]),
            " ".join(f"{round(angle, 2):g}" for angle in each["cell"][3:]),
            each["prototype"],
        ]
        for number, each in enumerate(candidates, 1)
    ]
    heads = [">", ">R", ">no noise", "space group", "a b c (Å)", "α β γ (°)", "type"]
    return as_text(Table(title="Candidates; R, and R without the noise", heads=heads, rows=rows))
