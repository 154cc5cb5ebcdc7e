"""Verbs for the order: refine-sro and deltapdf."""

import json
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsfu.errors import InputError
from dsfu.files import check_picture, write_text
from dsfu.model.measured.commands.hint_options import (
    AxesOrder,
    CellText,
    Dataset,
    FrameName,
    Limits,
    Origin,
    Steps,
    Zeros,
    hints_of,
)
from dsfu.outputs import DATA_CONTRADICT, FigureOption, ForceOption, JsonOption, refuse_existing
from dsfu.paper import check_figure, write_paper_figure
from dsfu.progress import waiting

if TYPE_CHECKING:
    from dsfu.model.measured.deltapdf.compute import DeltaPdf, DeltaPdfSettings
    from dsfu.model.measured.molecules.known_form_factor import KnownFormFactor
    from dsfu.model.measured.order.input import SroInput
    from dsfu.model.measured.order.planes import Negative, SroSettings
    from dsfu.model.measured.order.result import SroRefinement


class Axes(StrEnum):
    """Axes along which there may be no order."""

    A = "a"
    B = "b"
    C = "c"
    AB = "ab"
    AC = "ac"
    BC = "bc"


class Source(StrEnum):
    """What is transformed."""

    DATA = "data"
    SRO = "sro"


class WindowName(StrEnum):
    """What data are multiplied with before they are transformed."""

    NONE = "none"
    HANN = "hann"
    GAUSS = "gauss"


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("refine-sro")(refine_sro_command)
    app.command("deltapdf")(deltapdf_command)


def refine_sro_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What analyse, factorise wrote, or an .npz with I_SRO.")],
    laue: Annotated[
        str,
        typer.Option("--laue", metavar="CLASS", help='Laue class ("6/mmm", "6/mmm:b"), plane group or space group.'),
    ] = "-1",
    no_order_along: Annotated[
        Axes | None,
        typer.Option(
            "--no-order-along", metavar="AXES", help="Refine only vectors without a component along these axes."
        ),
    ] = None,
    cutoff: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="Largest |u|, |v|, |w|.")] = 5,
    cutoff_angstrom: Annotated[
        float | None, typer.Option("--cutoff-angstrom", min=0.1, metavar="Å", help="Instead, the greatest length.")
    ] = None,
    weak: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Leave out where I_FF is below this share."),
    ] = 0.05,
    fraction_a: Annotated[
        float | None, typer.Option("--fraction-a", metavar="m_A", help="Keep α to what this composition allows.")
    ] = None,
    positivity: Annotated[
        bool, typer.Option("--positivity/--no-positivity", help="Keep I_SRO from being negative.")
    ] = True,
    clipped: Annotated[
        bool | None,
        typer.Option(
            "--clipped/--not-clipped",
            help="Take zeros for negative values that were set to zero. [default: as factorise says]",
            show_default=False,
        ),
    ] = None,
    own_scales: Annotated[
        bool | None,
        typer.Option(
            "--own-scales/--one-scale",
            help="Whether each plane has a scale of its own. [default: as factorise says]",
            show_default=False,
        ),
    ] = None,
    molecules: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A B", help="Structures of the species: I_FF is calculated.", show_default=False),
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(metavar="WHERE", help="Of --molecules, as for refine-ff: file, centroid, an atom, or x,y,z in Å."),
    ] = None,
    dw: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="Å²", help="Of --molecules, D_w. [default: fitted]", show_default=False),
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the table as CSV.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json-file", metavar="FILE", help="Write everything as JSON.")
    ] = None,
    cif: Annotated[Path | None, typer.Option("--cif", metavar="FILE", help="Write a CIF.")] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Draw I_SRO and α (.png, .pdf, .svg).")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FOLDER", help="Write all four there.")] = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Refine Warren–Cowley parameters from I_SRO, with standard uncertainties.

    Linear least squares on all pixels of all planes at once. The solver's own parameters, where the file has them, are
    averaged over the symmetry and shown beside them. On one plane both are as good. From several planes use those of
    the solver: this refinement takes I_FF for exact, and its uncertainties leave out that each plane has an I_FF of its
    own; with --molecules I_FF is calculated, and that is no longer so. What the data do not determine is named and not
    given. Exit status 3 says that the data contradict the model behind the factors; everything is written all the same.
    """
    from dsfu.model.measured.order.input import read_sro
    from dsfu.model.measured.order.refining import recommended, refinements_of
    from dsfu.model.measured.order.tables import as_json as as_text
    from dsfu.model.measured.order.tables import table_text
    from dsfu.model.measured.volume.reading import is_volume_factors

    outputs = _Outputs(csv, json_file, cif, picture, out, file.stem)
    check_figure(figure)
    refuse_existing([*outputs.paths.values(), figure], force=force)
    if is_volume_factors(file):
        if molecules is not None:
            raise InputError(
                "it is what analyse wrote, which has one I_FF in three dimensions already",
                where=str(file),
                expected="what factorise wrote, for --molecules",
            )
        _told_again(file, laue, outputs, figure, as_json=as_json)
        return
    known = None if molecules is None else _with_molecules(file, molecules, site or ["file"], dw)
    given = read_sro(file) if known is None else known.given
    settings = _settings(
        given,
        laue,
        no_order_along=no_order_along,
        cutoff=cutoff,
        cutoff_angstrom=cutoff_angstrom,
        weak=weak,
        fraction_a=fraction_a,
        negative=_negative(positivity, given.clipped if clipped is None else clipped),
        own_scales=own_scales,
    )
    with waiting("refine-sro"):
        refinements = refinements_of(given, settings)
    best = recommended(given, refinements)
    told = as_text(refinements, best, given.warning) if as_json else table_text(refinements, best)
    typer.echo(told)
    if known is not None:
        typer.echo(
            f"I_FF calculated, D_w {known.dw:.4f} Å²; {100 * known.unexplained:.1f} % of the solver's is not in it",
            err=as_json,
        )
    for path in [*outputs.write(given, settings, refinements, best), *_figure(figure, refinements, given, settings)]:
        typer.echo(f"Wrote {path}.", err=as_json)
    if given.warning:
        raise typer.Exit(DATA_CONTRADICT)


def _with_molecules(file: Path, molecules: tuple[Path, Path], site: list[str], dw: float | None) -> "KnownFormFactor":
    from dsfu.model.measured.factorise.files import read_factors
    from dsfu.model.measured.molecules.known_form_factor import with_molecules
    from dsfu.model.measured.molecules.sites import on_site
    from dsfu.simulate.structures.files import read_structure

    factors = read_factors(file)
    first, second = (read_structure(path) for path in molecules)
    structures = on_site((first, second), site, factors.planes[0].cell)
    return with_molecules(factors, structures, dw)


def _told_again(file: Path, laue: str, outputs: "_Outputs", figure: Path | None, *, as_json: bool) -> None:
    """The order that analyse refined together with I_FF, which no later fit betters; averaged over a Laue class."""
    from dsfu.model.measured.order.refining import order_of_analysis
    from dsfu.model.measured.order.tables import as_json as as_text
    from dsfu.model.measured.order.tables import table_text
    from dsfu.model.measured.volume.reading import read_volume_verdict

    found = order_of_analysis(file, laue)
    typer.echo(as_text([found]) if as_json else table_text([found]))
    typer.echo("from the fit of all voxels (dsfu-model analyse): other options of refine-sro do not apply", err=as_json)
    for path in [*outputs.write_texts([found]), *_figure(figure, [found])]:
        typer.echo(f"Wrote {path}.", err=as_json)
    if read_volume_verdict(file)[0] == "contradicts":
        raise typer.Exit(DATA_CONTRADICT)


def _figure(
    path: Path | None,
    refinements: "list[SroRefinement]",
    given: "SroInput | None" = None,
    settings: "SroSettings | None" = None,
) -> list[Path]:
    """Draw α for a paper, and the first layer where there are planes; which file."""
    if path is None:
        return []
    from dsfu.model.measured.order.paper_figure import order_figure
    from dsfu.model.measured.order.picture import rows_of
    from dsfu.model.measured.order.refine import compatible_operators

    rows = []
    if given is not None and settings is not None:
        group = compatible_operators(settings, given.planes[0].cell)
        rows = rows_of(given.planes, settings, group, refinements[0])
    write_paper_figure(path, lambda: order_figure(rows, refinements))
    return [path]


def deltapdf_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A reconstruction, or for --of sro what factorise wrote.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Where to write it (HDF5, as Yell's).")],
    of: Annotated[Source, typer.Option("--of", metavar="data|sro", help="The data, or I_SRO.")] = Source.DATA,
    window: Annotated[
        WindowName,
        typer.Option("--window", metavar="none|hann|gauss", help="Weaken ripples; peaks become broader."),
    ] = WindowName.NONE,
    bragg: Annotated[
        str, typer.Option("--bragg", metavar="HOW", help="Take out Bragg peaks first: auto, none, punch:0.15 (filled).")
    ] = "none",
    keep_mean: Annotated[bool, typer.Option("--keep-mean", help="Do not subtract the mean.")] = False,
    plane: Annotated[int, typer.Option(min=1, metavar="N", help="Which plane, for --of sro.")] = 1,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Draw the central sections (.png, .pdf, .svg).")
    ] = None,
    extent: Annotated[float, typer.Option(min=1.0, metavar="Å", help="How far the picture goes.")] = 25.0,
    figure: FigureOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
    cell: CellText = None,
    limits: Limits = None,
    origin: Origin = None,
    steps: Steps = None,
    axes: AxesOrder = None,
    frame: FrameName = None,
    dataset: Dataset = None,
    zeros: Zeros = None,
) -> None:
    """Compute the difference pair distribution function (3D-ΔPDF).

    That of I_SRO has α_v at each lattice vector v. Voxels that were not measured count as the mean.
    """
    from dsfu.model.measured.deltapdf.compute import DeltaPdfSettings
    from dsfu.model.measured.deltapdf.files import write_yell

    if picture is not None:
        check_picture(picture)
    check_figure(figure)
    refuse_existing((out, picture, figure), force=force)
    warning = ""
    settings = DeltaPdfSettings(window=window.value, subtract_mean=not keep_mean)
    hints = hints_of(
        cell=cell, limits=limits, origin=origin, steps=steps, axes=axes, frame=frame, dataset=dataset, zeros=zeros
    )
    if of is Source.SRO:
        _refuse(hints if bragg == "none" else {**hints, "bragg": bragg})
        pdf, warning = _pdf_of_sro(file, plane, settings)
    else:
        with waiting("deltapdf"):
            pdf = _pdf_of_data(file, hints, settings, bragg)
    if pdf.cell is None:
        raise InputError("it has no cell", where=str(file), remedy="give --cell a,b,c,alpha,beta,gamma")
    write_yell(out, pdf)
    if picture is not None:
        from dsfu.model.measured.deltapdf.picture import draw_sections

        picture.parent.mkdir(parents=True, exist_ok=True)
        draw_sections(pdf, extent_angstrom=extent).savefig(picture, dpi=200)
    if figure is not None:
        from dsfu.model.measured.deltapdf.picture import sections_figure

        write_paper_figure(figure, lambda: sections_figure(pdf, extent))
    if as_json:
        written = [str(path) for path in (out, picture, figure) if path is not None]
        record = {"points": pdf.values.shape, "steps_uvw": pdf.steps.tolist(), "mean": pdf.mean, "files": written}
        typer.echo(json.dumps(record | ({"verdict": warning} if warning else {}), ensure_ascii=False, indent=2))
    else:
        shape = " × ".join(map(str, pdf.values.shape))
        typer.echo(f"Wrote {out}: {shape} points.")
        for path in (picture, figure):
            if path is not None:
                typer.echo(f"Wrote {path}.")
    if warning:
        typer.echo(warning, err=True)
        raise typer.Exit(DATA_CONTRADICT)


def _refuse(hints: dict[str, str | None]) -> None:
    given = [f"--{name}" for name, value in hints.items() if value is not None]
    if given:
        raise InputError(
            f"{', '.join(given)} cannot be given with --of sro", remedy="what factorise wrote says all of this"
        )


def _pdf_of_data(file: Path, hints: dict[str, str | None], settings: "DeltaPdfSettings", bragg: str) -> "DeltaPdf":
    from dsfu.model.measured.deltapdf.compute import deltapdf
    from dsfu.model.measured.prepare.bragg_search import find_bragg_peaks
    from dsfu.model.measured.prepare.recipe import CleaningRecipe
    from dsfu.model.measured.readers.reading import read

    reconstruction = read(file, **hints)
    if not reconstruction.live.any():
        raise InputError("not a single voxel was measured", where=str(file))
    peaks = find_bragg_peaks(reconstruction) if bragg in ("none", "auto") else None
    if bragg == "auto":
        bragg = "none" if peaks is None else f"punch:{peaks.radius:.2f}"
        typer.echo("no Bragg peaks were found" if peaks is None else f"{peaks.sentence}: {bragg}, filled", err=True)
    elif peaks is not None:
        typer.echo(
            f"WARNING: {peaks.sentence}. They make most of this map; --bragg auto, or punch:{peaks.radius:.2f}, "
            "takes them out first.",
            err=True,
        )
    if bragg != "none":
        reconstruction = CleaningRecipe(hot_pixels=0, bragg=bragg, fill=True).apply(reconstruction)
    return deltapdf(reconstruction, settings)


def _pdf_of_sro(file: Path, number: int, settings: "DeltaPdfSettings") -> "tuple[DeltaPdf, str]":
    """And what the verdict on the factors says against it."""
    from dsfu.model.measured.order.input import read_sro
    from dsfu.model.measured.order.realspace import deltapdf_of_order

    given = read_sro(file)
    planes = given.planes
    if number > len(planes):
        names = ", ".join(f"{i} {each.name}" for i, each in enumerate(planes, start=1))
        raise InputError(f"--plane is {number}", where=str(file), expected=f"one of its planes: {names}")
    return deltapdf_of_order(planes[number - 1], settings, str(file)), given.warning


def _negative(positivity: bool, clipped: bool) -> "Negative":
    if not positivity:
        return "allowed"
    return "clipped" if clipped else "forbidden"


def _settings(
    given: "SroInput",
    laue: str,
    *,
    no_order_along: Axes | None,
    cutoff: int,
    cutoff_angstrom: float | None,
    weak: float,
    fraction_a: float | None,
    negative: "Negative",
    own_scales: bool | None,
) -> "SroSettings":
    from dsfu.model.measured.order.refining import settings_for

    if fraction_a is not None and not 0 < fraction_a < 1:
        raise InputError(f"--fraction-a is {fraction_a:g}", expected="a number between 0 and 1, both excluded")
    wanted = {
        "no_order_along": no_order_along.value if no_order_along else "",
        "cutoff": cutoff,
        "cutoff_angstrom": cutoff_angstrom,
        "weak": weak,
        "fraction_a": fraction_a,
        "negative": negative,
        **({} if own_scales is None else {"own_scales": own_scales}),
    }
    return settings_for(given, laue, wanted)


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

    def write(
        self, given: "SroInput", settings: "SroSettings", refinements: "list[SroRefinement]", best: int
    ) -> list[Path]:
        """All that is wanted; which files."""
        written = self.write_texts(refinements, best)
        if "png" in self.paths:
            self._draw(given, settings, refinements)
            written.append(self.paths["png"])
        return written

    def write_texts(self, refinements: "list[SroRefinement]", best: int = 0) -> list[Path]:
        """CSV, JSON and CIF, as far as wanted, with one refinement recommended; which files."""
        from dsfu.model.measured.order.tables import as_cif, as_json, table_csv

        for kind, text_of in (("csv", table_csv), ("json", partial(as_json, recommended=best)), ("cif", as_cif)):
            if kind in self.paths:
                write_text(self.paths[kind], text_of(refinements), make_folder=True)
        return [self.paths[kind] for kind in ("csv", "json", "cif") if kind in self.paths]

    def _draw(self, given: "SroInput", settings: "SroSettings", refinements: "list[SroRefinement]") -> None:
        from dsfu.model.measured.order.picture import draw_refinement
        from dsfu.model.measured.order.refine import compatible_operators

        group = compatible_operators(settings, given.planes[0].cell)
        path = self.paths["png"]
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_refinement(given.planes, settings, group, refinements).savefig(path, dpi=200)
