"""Verb for the molecules: refine-ff."""

from pathlib import Path
from typing import Annotated

import typer

from dsfu.errors import InputError
from dsfu.outputs import DATA_CONTRADICT, ForceOption, JsonOption, refuse_existing
from dsfu.progress import waiting

_MOST_ANGLES = 3601


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command(name="refine-ff")(refine_ff)


def refine_ff(
    factors: Annotated[
        Path, typer.Argument(metavar="FILE", help="What analyse or factorise wrote, or .npz (docs/refine-ff.md).")
    ],
    structure_a: Annotated[Path, typer.Argument(metavar="A", help="Structure of species A: CIF, XYZ …")],
    structure_b: Annotated[Path, typer.Argument(metavar="B", help="Structure of species B.")],
    site: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHERE",
            help="What lies on the common site: file (coordinates as they are), centroid, an atom, or x,y,z in Å. "
            "Once for both, or twice for A and B.  [default: file]",
            show_default=False,
        ),
    ] = None,
    molecule_a: Annotated[
        str, typer.Option(metavar="ATOMS", help="Atoms of the molecule A that is meant, commas between them.")
    ] = "",
    molecule_b: Annotated[str, typer.Option(metavar="ATOMS", help="The same for B.")] = "",
    part_a: Annotated[int | None, typer.Option(metavar="N", help="Disorder group of A in its CIF.")] = None,
    part_b: Annotated[int | None, typer.Option(metavar="N", help="Disorder group of B in its CIF.")] = None,
    torsion: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BONDS",
            help='Groups that turn by one angle: "C1-C7", "A:C1-C7 -B:C1-C7", "name=A:N*-C*4"; may be repeated.',
            show_default=False,
        ),
    ] = None,
    scan: Annotated[
        str, typer.Option(metavar="FROM:TO:STEP", help="Angles in degrees to try first; none with --scan no.")
    ] = "-60:60:2",
    refine: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="Of torsions, rotation (or rotation-a, rotation-b), translation, scale, dw, background.",
        ),
    ] = "torsions,scale,dw",
    robust: Annotated[bool, typer.Option(help="Let pixels that lie far off count less.")] = True,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Where to write.")] = Path("refine-ff"),
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Fit the form factor calculated from two structures to the observed one.

    Refines torsion angles, rotations and a translation together with scale and Debye–Waller factor, and writes the
    refined structures, the parameters with their uncertainties, the misfit against each torsion angle, and a picture.
    Exit status 3 says that the structures do not explain the data; everything is written all the same.
    """
    import torch

    from dsfu.model.measured.molecules.data import read_observed, warning_of
    from dsfu.model.measured.molecules.output import write_outputs
    from dsfu.model.measured.molecules.parameters import kinds_of
    from dsfu.model.measured.molecules.refine import RefinementSettings, refine_form_factor
    from dsfu.model.measured.molecules.report import text_of
    from dsfu.model.measured.molecules.sites import on_site
    from dsfu.model.measured.molecules.torsion import torsions_of
    from dsfu.model.measured.molecules.verdict import judge_molecules
    from dsfu.simulate.structures.files import read_structure

    refuse_existing([out / "refine-ff.json"], force=force)
    settings = RefinementSettings(kinds=kinds_of(refine), scan_angles=angles_of(scan), robust=robust)
    sites, texts = site or ["file"], torsion or []
    read = (  # before the factors, which take longer
        read_structure(structure_a, molecule=_names(molecule_a), part=part_a),
        read_structure(structure_b, molecule=_names(molecule_b), part=part_b),
    )
    observations = read_observed(factors)
    structures = on_site(read, sites, observations[0].cell)
    torsions = torsions_of(texts, structures)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # products of small matrices: threads that wait for one another cost more than they bring
    try:
        with waiting("refine-ff"):
            refinement = refine_form_factor(observations, structures, torsions, settings)
    finally:
        torch.set_num_threads(threads)
    made_from = {
        "factors": str(factors),
        "A": str(structure_a),
        "B": str(structure_b),
        "molecules": [molecule_a, molecule_b],
        "parts": [part_a, part_b],
        "site": sites,
        "torsions": texts,
        "scan": scan,
        "refine": refine,
    }
    written = write_outputs(out, refinement, made_from)
    if as_json:
        typer.echo((out / "refine-ff.json").read_text(encoding="utf-8"), nl=False)
    else:
        typer.echo(f"{factors}: {structure_a} and {structure_b}")
        typer.echo(text_of(refinement))
        typer.echo(f"Wrote {', '.join(path.name for path in written)} in {out}.")
    warning = warning_of(factors)
    if warning:
        typer.echo(f"DO NOT RELY ON THESE VALUES. Of the factors they were fitted to: {warning}", err=as_json)
    if warning or judge_molecules(refinement).judgement == "contradicts":
        raise typer.Exit(DATA_CONTRADICT)


def angles_of(text: str) -> tuple[float, ...]:
    """Angles of "from:to:step" in degrees, both ends included; none of "no"."""
    if text.strip().lower() in ("no", "none", ""):
        return ()
    expected = "FROM:TO:STEP in degrees, such as -60:60:1, or no"
    try:
        first, last, step = (float(part) for part in text.split(":"))
    except ValueError as error:
        raise InputError(f"{text!r} is no range", where="--scan", expected=expected) from error
    if not (step > 0 and -360 <= first < last <= 360):
        raise InputError(f"{text!r} is no range", where="--scan", expected=expected)
    count = int((last - first) / step + 1e-9) + 1
    if count > _MOST_ANGLES:
        raise InputError(f"{text!r} are {count} angles", where="--scan", expected=f"at most {_MOST_ANGLES}")
    return tuple(round(first + i * step, 9) for i in range(count))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
