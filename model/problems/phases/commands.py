"""Verb of the phase problem: solve-phases."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

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


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(name="solve-phases")(solve_phases)


def solve_phases(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Reflections: SHELX .hkl, .fcf, CIF with reflections, MTZ, XDS_ASCII.HKL or .sca; gzipped or not.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for the results.")],
    cell: Annotated[
        str,
        typer.Option(
            metavar="A,B,C,…",
            help="The cell: a, b, c in Å, alpha, beta, gamma. "
            "[default: from the file, or an .ins, .res or .cif beside it]",
        ),
    ] = "",
    resolution: Annotated[
        float, typer.Option(min=0, metavar="Å", help="Phase no smaller d; all tell the space group. 0: all.")
    ] = 0.0,
    formula: Annotated[
        str, typer.Option(metavar="FORMULA", help="Elements to give to the peaks, such as C9H8O4.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the random starts.")] = 0,
    figure: FigureOption = None,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Solve a crystal structure from |F|².

    No symmetry needs to be known. Projections find the phases in P1, the map's own symmetry gives the space group, and
    atoms are fitted to the averaged map. Exit status 3 if the structure is not solved.
    """
    import json as json_module

    from dsfu.model.front_door.phases import reflections_of
    from dsfu.model.front_door.phases import solve_phases as solved
    from dsfu.model.problems.phases.outputs import files_of, write_all
    from dsfu.model.problems.phases.pictures import projections_figure

    check_figure(figure)
    refuse_existing([*files_of(out, file).values(), figure], force=force)
    reflections = reflections_of(file, cell, formula)
    for note in reflections.notes:
        say(note, err=True)
    ready_folder(out)
    answer = solved(reflections, resolution=resolution, seed=seed, tell=partial(say, err=True))
    record = write_all(out, answer.data)
    if figure is not None:
        write_paper_figure(figure, lambda: projections_figure(answer.data))
    if json:
        typer.echo(json_module.dumps(record, ensure_ascii=False, indent=1))
    else:
        say(f"{record['verdict']}: {' '.join(record['reasons'])}")
        typer.echo(f"space group {record['space_group']} (number {record['space_group_number']}), R {record['r']:.3f}")
        tell_written(*(record[each] for each in ("map", "res", "cif", "reflections", "record", "report")), figure)
    if record["verdict"] == "not solved":
        raise typer.Exit(DATA_CONTRADICT)
