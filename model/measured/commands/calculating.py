"""Verb that goes the way back, from molecules and α to diffuse scattering: calculate."""

import json
from pathlib import Path
from typing import Annotated

import typer

from dsfu.errors import InputError
from dsfu.outputs import ForceOption, JsonOption, refuse_outputs, tell_written

_LIMITS = "h, k and l as FROM:TO or one number, commas between them, such as -3:3,-3:3,0"


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(calculate)


_OrderArgument = Annotated[
    Path, typer.Argument(metavar="ALPHA", help="JSON of refine-sro or analyse, or a CSV with u, v, w, alpha.")
]
_OutOption = Annotated[
    Path, typer.Option("-o", "--out", metavar="FILE", help="Name.h5 for Yell's format; name.nxs for NXdata.")
]
_CellOption = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,C,…",
        help="The cell: a, b, c in Å, alpha, beta, gamma. [default: that of ALPHA's JSON]",
        show_default=False,
    ),
]
_FractionAOption = Annotated[float, typer.Option("--fraction-a", min=0.0, max=1.0, metavar="m_A", help="Share of A.")]
_SiteOption = Annotated[
    list[str] | None,
    typer.Option(metavar="WHERE", help="As for refine-ff: file, centroid, an atom, or x,y,z in Å.", show_default=False),
]


def calculate(
    order: _OrderArgument,
    structure_a: Annotated[Path, typer.Argument(metavar="A", help="Structure of species A: CIF, XYZ …")],
    structure_b: Annotated[Path, typer.Argument(metavar="B", help="Structure of species B.")],
    out: _OutOption,
    limits: Annotated[str, typer.Option(metavar="LIMITS", help=_LIMITS)] = "-3:3,-3:3,0",
    step: Annotated[float, typer.Option(min=1e-3, max=1.0, metavar="STEP", help="Of voxels, in r.l.u.")] = 0.05,
    cell: _CellOption = None,
    fraction_a: _FractionAOption = 0.5,
    dw: Annotated[float, typer.Option(metavar="Å²", help="D_w, as refine-ff gives it.")] = 0.0,
    site: _SiteOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Calculate the diffuse scattering of two species from α.

    On a plane or a volume; nothing is fitted. In electrons² a site: m_A m_B |F_A − F_B|² exp(−D_w Q²) I_SRO.
    """
    from dsfu.model.measured.molecules.calculate import calculated
    from dsfu.model.measured.molecules.sites import on_site
    from dsfu.model.measured.order.records import read_alpha, read_cell
    from dsfu.model.measured.readers.hints import Hints
    from dsfu.model.measured.readers.writing import write_meerkat, write_reconstruction
    from dsfu.simulate.structures.files import read_structure

    refuse_outputs([out], force=force)
    alpha = read_alpha(order)
    known = read_cell(order) if cell is None else Hints.of(cell=cell).cell
    if known is None:
        raise InputError("a CSV has no cell", where=str(order), remedy="give --cell a,b,c,alpha,beta,gamma")
    structures = on_site((read_structure(structure_a), read_structure(structure_b)), site or ["file"], known)
    found = calculated(_limits_of(limits), step, known, structures, alpha, fraction_a=fraction_a, dw=dw)
    write = write_reconstruction if out.suffix.lower() in (".nxs", ".nx", ".nexus") else write_meerkat
    write(out, found)
    if as_json:
        record = {
            "files": [str(out)],
            "voxels": list(found.shape),
            "vectors": len(alpha),
            "cell": list(known.constants),
            "unit": "electrons squared a site",
            "smallest": float(found.intensity.min()),
            "largest": float(found.intensity.max()),
        }
        typer.echo(json.dumps(record, indent=2))
        return
    typer.echo(f"{' × '.join(map(str, found.shape))} voxels, {len(alpha)} vectors")
    tell_written(out)


def _limits_of(text: str) -> list[tuple[float, float]]:
    try:
        parts = [[float(x) for x in part.split(":")] for part in text.split(",")]
    except ValueError:
        parts = []
    if len(parts) != 3 or any(len(part) not in (1, 2) or part[0] > part[-1] for part in parts):
        raise InputError(f"{text!r} are no limits", where="--limits", expected=_LIMITS)
    return [(part[0], part[-1]) for part in parts]
