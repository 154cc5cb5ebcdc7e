"""The verb of particles: solve-particle."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsfu.errors import InputError
from dsfu.outputs import DATA_CONTRADICT, FigureOption, ForceOption, JsonOption, ready_folder, refuse_existing, say
from dsfu.paper import check_figure, write_paper_figure

if TYPE_CHECKING:
    from dsfu.model.front_door.particle import Particle


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("solve-particle")(solve_particle_command)


_FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE.gr", help="G(r): PDFgetX2, PDFgetX3, xPDFsuite, PDFgui, columns.")
]
_OutOption = Annotated[
    Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for results; made if it is not there.")
]
_BondLengthOption = Annotated[
    float | None, typer.Option("--bond-length", metavar="Å", help="b, the distance of neighbours, if known within 5 %.")
]
_QMaxOption = Annotated[
    float | None, typer.Option("--qmax", metavar="1/Å", help="Largest Q, if the file does not say it.")
]
_QMinOption = Annotated[
    float | None, typer.Option("--qmin", metavar="1/Å", help="Smallest Q, if the file does not say it.")
]
_QDampOption = Annotated[
    float | None, typer.Option("--qdamp", metavar="1/Å", help="Damping by the instrument. [default: looked for]")
]
_RMaxOption = Annotated[float | None, typer.Option("--rmax", metavar="Å", help="Where the fit ends. [default: 30]")]


def solve_particle_command(
    file: _FileArgument,
    out: _OutOption,
    element: Annotated[str, typer.Option(metavar="SYMBOL", help="Element of the atoms. [default: from the file]")] = "",
    q_max: _QMaxOption = None,
    q_min: _QMinOption = None,
    q_damp: _QDampOption = None,
    r_min: Annotated[float, typer.Option("--rmin", metavar="Å", help="Where the fit begins.")] = 2.0,
    r_max: _RMaxOption = None,
    bond_length: _BondLengthOption = None,
    figure: FigureOption = None,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Find a metal nanoparticle from its G(r).

    G(r) is a measured pair distribution function. Compares some 2180 shapes of eight families at all bond lengths, fits
    the best, and says whether one of them explains the data (exit status 3 if none does, or if too little order is seen
    to tell).
    """
    from dsfu.model.front_door.particle import solve_particle
    from dsfu.model.problems.particles.files import FILES
    from dsfu.model.problems.particles.output import json_of
    from dsfu.model.problems.particles.paper_figure import particle_figure
    from dsfu.model.problems.particles.reading import read_pdf

    own = {"q_max": q_max, "q_min": q_min, "q_damp": q_damp, "r_min": r_min, "r_max": r_max, "bond_length": bond_length}
    _check(element, **own)
    check_figure(figure)
    refuse_existing([*(out / name for name in FILES), figure], force=force)
    try:
        measured = read_pdf(file)
        if element:
            measured = replace(measured, composition=element)
        ready_folder(out)
        answer = solve_particle(measured, name=file.name, **own)
    except InputError as error:
        raise (
            error
            if error.where
            else InputError(error.what, where=str(file), expected=error.expected, remedy=error.remedy)
        ) from None
    answer.save(out, overwrite=True, element=element)
    if figure is not None:
        write_paper_figure(figure, lambda: particle_figure(answer.data, answer.candidates[0]))
    for note in answer.data.notes:
        say(f"note: {note}", err=True)
    if json:
        typer.echo(json_of(answer.data, answer.candidates, answer.judged, answer.opinion), nl=False)
    else:
        say(_text_of(answer))
        typer.echo(f"Look at {out / 'report.html'}", err=True)
    if not answer.judged.accepted:
        raise typer.Exit(DATA_CONTRADICT)


def _text_of(answer: "Particle") -> str:
    """The verdict, the candidates with the best first, and what the network says."""
    from dsfu.model.problems.particles.intervals import interval_words, intervals_of
    from dsfu.model.problems.particles.output import name_of
    from dsfu.model.problems.particles.verdict import tied

    lines = [answer.judged.words, *(f"  {reason}" for reason in answer.judged.reasons)]
    lines.append("  In the order of a score: R_w, and how unlikely a shape is beforehand")
    alike = tied(answer.data)
    for each in answer.candidates:
        fit = each.refined
        mark = "=" if len(alike) > 1 and each in alike else " "
        numbers = f"{each.atoms} atoms  b {fit.bond:.4f} Å  B {fit.b_iso:.2f} Å²"
        numbers += f"  c/a {each.c_over_a:.3f}" if each.c_over_a else ""
        lines.append(f"{mark} R_w {fit.rw:.4f}  {name_of(each)}  {numbers}")
    lines.append(
        f"  with all shapes of this lattice that fit nearly as well: {interval_words(intervals_of(answer.data))}"
    )
    if len(alike) > 1:
        lines.append(f"  = the data do not tell these {len(alike)} apart")
    if answer.opinion:
        lines.append(f"  the network, not used for this: {answer.opinion.words()}")
        lines += [f"    it disagrees on {each}" for each in answer.opinion.against(answer.candidates[0])]
    return "\n".join(lines)


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
