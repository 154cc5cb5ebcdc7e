"""Verb for the order: refine-sro."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsfu.errors import InputError
from dsfu.files import check_picture, write_text
from dsfu.model.measured.commands.order_options import Axes
from dsfu.outputs import DATA_CONTRADICT, FigureOption, ForceOption, JsonOption, refuse_existing, say, tell_written
from dsfu.paper import check_figure, write_paper_figure

if TYPE_CHECKING:
    from dsfu.model.front_door.order import Order


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("refine-sro")(refine_sro_command)


_LaueOption = Annotated[
    str,
    typer.Option("--laue", metavar="CLASS", help='Laue class ("6/mmm", "6/mmm:b"), plane group or space group.'),
]
_NoOrderAlongOption = Annotated[
    Axes | None,
    typer.Option("--no-order-along", metavar="AXES", help="Refine only vectors without a component along these axes."),
]
_CutoffAngstromOption = Annotated[
    float | None, typer.Option("--cutoff-angstrom", min=0.1, metavar="Å", help="Instead, the greatest length.")
]
_WeakOption = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Leave out where I_FF is below this share."),
]
_FractionAOption = Annotated[
    float | None, typer.Option("--fraction-a", metavar="m_A", help="Mole fraction of A: α are kept to what it allows.")
]
_PositivityOption = Annotated[
    bool, typer.Option("--positivity/--no-positivity", help="Keep I_SRO from being negative.")
]
_ClippedOption = Annotated[
    bool | None,
    typer.Option(
        "--clipped/--not-clipped",
        help="Take zeros for negative values that were set to zero. [default: as factorise says]",
        show_default=False,
    ),
]
_OwnScalesOption = Annotated[
    bool | None,
    typer.Option(
        "--own-scales/--one-scale",
        help="Whether each plane has a scale of its own. [default: as factorise says]",
        show_default=False,
    ),
]
_MoleculesOption = Annotated[
    tuple[Path, Path] | None,
    typer.Option(metavar="A B", help="Structures of the species: I_FF is calculated.", show_default=False),
]
_SiteOption = Annotated[
    list[str] | None,
    typer.Option(metavar="WHERE", help="Of --molecules, as for refine-ff: file, centroid, an atom, or x,y,z in Å."),
]
_DwOption = Annotated[
    float | None,
    typer.Option(min=0.0, metavar="Å²", help="Of --molecules, D_w. [default: fitted]", show_default=False),
]
_JsonFileOption = Annotated[Path | None, typer.Option("--json-file", metavar="FILE", help="Write everything as JSON.")]
_PictureOption = Annotated[
    Path | None, typer.Option("--picture", metavar="FILE", help="Draw I_SRO and α (.png, .pdf, .svg).")
]


def refine_sro_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What factorise or analyse wrote, or an .npz with I_SRO.")
    ],
    laue: _LaueOption = "-1",
    no_order_along: _NoOrderAlongOption = None,
    cutoff: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="Largest |u|, |v|, |w|.")] = 5,
    cutoff_angstrom: _CutoffAngstromOption = None,
    weak: _WeakOption = 0.05,
    fraction_a: _FractionAOption = None,
    positivity: _PositivityOption = True,
    clipped: _ClippedOption = None,
    own_scales: _OwnScalesOption = None,
    molecules: _MoleculesOption = None,
    site: _SiteOption = None,
    dw: _DwOption = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the table as CSV.")] = None,
    json_file: _JsonFileOption = None,
    cif: Annotated[Path | None, typer.Option("--cif", metavar="FILE", help="Write a CIF.")] = None,
    picture: _PictureOption = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FOLDER", help="Write all four there.")] = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Refine Warren–Cowley parameters α with uncertainties.

    Linear least squares on all pixels of all planes at once. The solver's own parameters, where the file has them, are
    averaged over the symmetry and shown beside them. On one plane both are as good. From several planes use those of
    the solver: this refinement takes I_FF for exact, and its uncertainties leave out that the scale of I_FF on each
    plane is not; with --molecules I_FF is calculated, and that is no longer so. What the data do not determine is named
    and not given. Exit status 3 says that the data contradict the model behind the factors; everything is written all
    the same.
    """
    from dsfu.model.front_door.order import refine_sro

    outputs = _Outputs(csv, json_file, cif, picture, out, file.stem)
    check_figure(figure)
    refuse_existing([*outputs.paths.values(), figure], force=force)
    if fraction_a is not None and not 0 < fraction_a < 1:
        raise InputError(f"--fraction-a is {fraction_a:g}", expected="a number between 0 and 1, both excluded")
    answer = refine_sro(
        file,
        laue=laue,
        molecules=molecules,
        sites=site or ["file"],
        dw=dw,
        no_order_along=no_order_along.value if no_order_along else "",
        cutoff=cutoff,
        cutoff_angstrom=cutoff_angstrom,
        weak=weak,
        fraction_a=fraction_a,
        **_as_the_file_says(positivity, clipped, own_scales),
    )
    _tell(answer, as_json=as_json)
    tell_written(*outputs.write(answer), *_figure(figure, answer), err=as_json)
    if answer.contradicts:
        raise typer.Exit(DATA_CONTRADICT)


def _tell(answer: "Order", *, as_json: bool) -> None:
    from dsfu.model.measured.order.tables import as_json as as_text
    from dsfu.model.measured.order.tables import table_text

    if answer.fitted is None:  # one refinement, of which there is nothing to recommend
        told = as_text(answer.data) if as_json else table_text(answer.data)
    else:
        best, warning = answer.recommended, answer.fitted[0].warning
        told = as_text(answer.data, best, warning) if as_json else table_text(answer.data, best)
    (typer.echo if as_json else say)(told)
    if answer.known is not None:
        say(
            f"I_FF calculated, D_w {answer.known.dw:.4f} Å²; "
            f"{100 * answer.known.unexplained:.1f} % of the solver's is not in it",
            err=as_json,
        )
    if answer.fitted is None:
        say("from the fit of all voxels (dsfu-model analyse): other options of refine-sro do not apply", err=as_json)


def _as_the_file_says(positivity: bool, clipped: bool | None, own_scales: bool | None) -> dict[str, Any]:
    """Settings that follow the file of factors unless something else was said."""
    wanted: dict[str, Any] = {} if own_scales is None else {"own_scales": own_scales}
    if not positivity:
        wanted["negative"] = "allowed"
    elif clipped is not None:
        wanted["negative"] = "clipped" if clipped else "forbidden"
    return wanted


def _figure(path: Path | None, answer: "Order") -> list[Path]:
    """Draw α for a paper, and the first layer where there are planes; which file."""
    if path is None:
        return []
    from dsfu.model.measured.order.paper_figure import order_figure
    from dsfu.model.measured.order.picture import rows_of
    from dsfu.model.measured.order.refine import compatible_operators

    rows = []
    if answer.fitted is not None:
        given, settings = answer.fitted
        group = compatible_operators(settings, given.planes[0].cell)
        rows = rows_of(given.planes, settings, group, answer.data[0])
    write_paper_figure(path, lambda: order_figure(rows, answer.data))
    return [path]


class _Outputs:
    """The files that are asked for; unwritable ones are refused before the work is done."""

    def __init__(
        self, csv: Path | None, json: Path | None, cif: Path | None, picture: Path | None, out: Path | None, stem: str
    ) -> None:
        given = {"csv": csv, "json": json, "cif": cif, "png": picture}
        if out is not None:
            if out.exists() and not out.is_dir():
                raise InputError("it is a file", where=f"-o {out}", expected="a folder")
            given = {kind: path or out / f"{stem}-sro.{kind}" for kind, path in given.items()}
        self.paths = {kind: path for kind, path in given.items() if path is not None}
        if "png" in self.paths:
            check_picture(self.paths["png"])

    def write(self, answer: "Order") -> list[Path]:
        """All that is wanted, a picture only of what was fitted on planes; which files."""
        written = []
        for kind, path in self.paths.items():
            if kind != "png":
                write_text(path, answer.text(kind), make_folder=True)
            elif answer.fitted is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                answer.picture().savefig(path, dpi=200)
            else:
                continue
            written.append(path)
        return written
