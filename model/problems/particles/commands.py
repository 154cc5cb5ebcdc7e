"""The verb of particles: solve-particle."""

from pathlib import Path
from typing import Annotated

import typer

from dsfu.errors import InputError
from dsfu.outputs import DATA_CONTRADICT, FigureOption, ForceOption, JsonOption, ready_folder, refuse_existing
from dsfu.paper import check_figure, write_paper_figure
from dsfu.progress import waiting


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("solve-particle")(solve_particle_command)


def solve_particle_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.gr", help="G(r): PDFgetX2, PDFgetX3, xPDFsuite, PDFgui, columns.")
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for results; made if it is not there.")
    ],
    figure: FigureOption = None,
    json: JsonOption = False,
    force: ForceOption = False,
    element: Annotated[str, typer.Option(metavar="SYMBOL", help="Of the atoms. [default: from the file]")] = "",
    q_max: Annotated[float | None, typer.Option("--qmax", metavar="1/Å", help="If the file does not say.")] = None,
    q_min: Annotated[float | None, typer.Option("--qmin", metavar="1/Å", help="If the file does not say.")] = None,
    q_damp: Annotated[float | None, typer.Option("--qdamp", metavar="1/Å", help="Of the instrument.")] = None,
    r_min: Annotated[float, typer.Option("--rmin", metavar="Å", help="Where the fit begins.")] = 2.0,
    r_max: Annotated[float | None, typer.Option("--rmax", metavar="Å", help="Where it ends. [default: 30]")] = None,
    bond_length: Annotated[
        float | None, typer.Option("--bond-length", metavar="Å", help="b, if it is known within 5 %.")
    ] = None,
) -> None:
    """Find the metal nanoparticle that a measured pair distribution function comes from.

    Compares some 1800 shapes of eight families at all bond lengths, fits the best, and says whether one of them
    explains the data (exit status 3 if none does).
    """
    from dsfu.model.problems.particles.files import write_results
    from dsfu.model.problems.particles.output import json_of, name_of
    from dsfu.model.problems.particles.paper_figure import particle_figure
    from dsfu.model.problems.particles.reading import read_pdf
    from dsfu.model.problems.particles.second_opinion import second_opinion
    from dsfu.model.problems.particles.solving import SolveSettings, shown, solve_particle
    from dsfu.model.problems.particles.verdict import judge, tied

    _check(element, q_max=q_max, q_min=q_min, q_damp=q_damp, r_min=r_min, r_max=r_max, bond_length=bond_length)
    check_figure(figure)
    refuse_existing([out / "result.json", figure], force=force)
    settings = SolveSettings(q_max=q_max, q_min=q_min, q_damp=q_damp, r_min=r_min, r_max=r_max, bond_length=bond_length)
    try:
        measured = read_pdf(file)
        ready_folder(out)
        with waiting("solve-particle"):
            solution = solve_particle(measured, settings)
    except InputError as error:
        raise (
            error
            if error.where
            else InputError(error.what, where=str(file), expected=error.expected, remedy=error.remedy)
        ) from None
    verdict = judge(solution)
    candidates = shown(solution.candidates)
    opinion = second_opinion(solution.space)
    write_results(out, file.name, solution, candidates, verdict, opinion, element)
    if figure is not None:
        write_paper_figure(figure, lambda: particle_figure(solution, candidates[0]))
    for note in solution.notes:
        typer.echo(f"note: {note}", err=True)
    if json:
        typer.echo(json_of(solution, candidates, verdict, opinion), nl=False)
    else:
        typer.echo(verdict.words + "".join(f"\n  {reason}" for reason in verdict.reasons))
        alike = tied(solution)
        for each in candidates:
            fit = each.refined
            mark = "=" if len(alike) > 1 and each in alike else " "
            numbers = f"{each.atoms} atoms  b {fit.bond:.4f} Å  B {fit.b_iso:.2f} Å²"
            typer.echo(f"{mark} R_w {fit.rw:.4f}  {name_of(each)}  {numbers}")
        if len(alike) > 1:
            typer.echo(f"  = the data do not tell these {len(alike)} apart")
        if opinion:
            typer.echo(f"  the network, not used for this: {opinion.words()}")
            typer.echo("".join(f"    it disagrees on {each}\n" for each in opinion.against(candidates[0])), nl=False)
        typer.echo(f"Look at {out / 'report.html'}", err=True)
    if not verdict.accepted:
        raise typer.Exit(DATA_CONTRADICT)


def _check(element: str, **numbers: float | None) -> None:
    from ase.data import atomic_numbers

    if element and element not in atomic_numbers:
        raise InputError(f"no element is called {element!r}", where="--element", expected="a symbol such as Au")
    ranges = {"q_max": (4, 100), "q_min": (0, 5), "q_damp": (0, 0.5), "r_min": (0.5, 50), "r_max": (5, 200)}
    for name, value in numbers.items():
        low, high = ranges.get(name, (1.5, 5.0))
        if value is not None and not low <= value <= high:
            option = "--" + name.replace("q_", "q").replace("r_", "r").replace("_", "-")
            raise InputError(f"{value:g}", where=option, expected=f"{low:g} to {high:g}")
