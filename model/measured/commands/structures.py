"""Verb for the molecules: refine-ff."""

from pathlib import Path
from typing import Annotated

import typer

from dsfu.outputs import DATA_CONTRADICT, FigureOption, ForceOption, JsonOption, refuse_existing, say, tell_written
from dsfu.paper import check_figure, write_paper_figure


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command(name="refine-ff")(refine_ff)


_FactorsArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="What analyse or factorise wrote, or .npz (docs/refine-ff.md).")
]
_SiteOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WHERE",
        help="What lies on the common site: file (coordinates as they are), centroid, an atom, or x,y,z in Å. "
        "Once for both, or twice for A and B.  [default: file]",
        show_default=False,
    ),
]
_MoleculeAOption = Annotated[
    str, typer.Option(metavar="ATOMS", help="Atoms of the molecule A that is meant, commas between them.")
]
_TorsionOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="BONDS",
        help='Groups that turn by one angle: "C1-C7", "A:C1-C7 -B:C1-C7", "name=A:N*-C*4"; may be repeated.',
        show_default=False,
    ),
]
_ScanOption = Annotated[
    str, typer.Option(metavar="FROM:TO:STEP", help="Angles in degrees to try first; none with --scan no.")
]
_RefineOption = Annotated[
    str,
    typer.Option(
        metavar="WHAT",
        help="Of torsions, rotation (or rotation-a, rotation-b), translation, scale, dw, background.",
    ),
]


def refine_ff(
    factors: _FactorsArgument,
    structure_a: Annotated[Path, typer.Argument(metavar="A", help="Structure of species A: CIF, XYZ …")],
    structure_b: Annotated[Path, typer.Argument(metavar="B", help="Structure of species B.")],
    site: _SiteOption = None,
    molecule_a: _MoleculeAOption = "",
    molecule_b: Annotated[str, typer.Option(metavar="ATOMS", help="The same for B.")] = "",
    part_a: Annotated[int | None, typer.Option(metavar="N", help="Disorder group of A in its CIF.")] = None,
    part_b: Annotated[int | None, typer.Option(metavar="N", help="Disorder group of B in its CIF.")] = None,
    torsion: _TorsionOption = None,
    scan: _ScanOption = "-60:60:2",
    refine: _RefineOption = "torsions,scale,dw",
    robust: Annotated[bool, typer.Option(help="Let pixels that lie far off count less.")] = True,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="Where to write.")] = Path("refine-ff"),
    figure: FigureOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Fit the structures of two species to a form factor.

    Refines torsion angles, rotations and a translation together with scale and Debye–Waller factor, and writes the
    refined structures, the parameters with their uncertainties, the misfit against each torsion angle, and a picture.
    Exit status 3 says that the structures do not explain the data; everything is written all the same.
    """
    from dsfu.model.front_door.molecules import refine_molecules
    from dsfu.model.measured.molecules.output import NAMES, write_outputs
    from dsfu.model.measured.molecules.paper_figure import molecules_figure
    from dsfu.model.measured.molecules.report import text_of

    check_figure(figure)
    refuse_existing([*(out / name for name in NAMES), figure], force=force)
    answer = refine_molecules(
        factors,
        structure_a,
        structure_b,
        torsions=torsion or [],
        sites=site or ["file"],
        refine=refine,
        scan=scan,
        robust=robust,
        molecules=(molecule_a, molecule_b),
        parts=(part_a, part_b),
    )
    written = write_outputs(out, answer.data, answer.made_from)
    if figure is not None:
        write_paper_figure(figure, lambda: molecules_figure(answer.data))
    if as_json:
        typer.echo((out / "refine-ff.json").read_text(encoding="utf-8"), nl=False)
    else:
        typer.echo(f"{factors}: {structure_a} and {structure_b}")
        say(text_of(answer.data))
    tell_written(*written, figure, err=as_json)
    if answer.warning:
        say(f"DO NOT RELY ON THESE VALUES. Of the factors they were fitted to: {answer.warning}", err=as_json)
    if answer.warning or answer.judged.judgement == "contradicts":
        raise typer.Exit(DATA_CONTRADICT)
