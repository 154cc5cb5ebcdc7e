"""Verb that makes planes of a reconstruction: prepare."""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsfu.errors import InputError
from dsfu.model.measured.commands.hint_options import flag, with_hints
from dsfu.outputs import ForceOption, JsonOption, refuse_outputs, say, tell_written
from dsfu.progress import Tell, waiting

if TYPE_CHECKING:
    from dsfu.model.measured.data.plane import MeasuredPlane
    from dsfu.model.measured.data.reconstruction import Reconstruction
    from dsfu.model.measured.prepare.plane_spec import PlaneSpec
    from dsfu.model.measured.prepare.recipe import CleaningRecipe
    from dsfu.simulate.arrays import FloatArray


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(prepare)


_PlaneOption = Annotated[
    list[str] | None,
    flag("PLANE", 'Such as hk0, h1.5l, hhl, "0,0,1 1,0,1 0,1,1"; may be repeated.', "--plane"),
]
_ThicknessOption = Annotated[
    float, typer.Option(min=0.0, metavar="T", help="Average over this much on both sides, in layers.")
]
_PixelsOption = Annotated[
    int | None,
    typer.Option(
        min=8,
        max=4096,
        metavar="N",
        help="Pixels along each side. [default: 256; small images without a scale keep their own]",
    ),
]
_HotPixelsOption = Annotated[
    float, typer.Option(min=0.0, metavar="K", help="Take out pixels that stick out by K times the scale; 0: none.")
]
_BraggOption = Annotated[
    str, typer.Option(metavar="HOW", help="Take out Bragg peaks: none, punch:0.15, punch:0.05A, karen:7:3.")
]
_ReflectionsOption = Annotated[
    str, typer.Option(metavar="WHERE", help="Where they are: P, A, B, C, I, F, R, or a space group.")
]
_BackgroundOption = Annotated[
    str, typer.Option(metavar="HOW", help="Subtract a background: none, flat:12.5, flat:5%, radial:5%.")
]
_CentreOption = Annotated[
    str,
    flag("WHERE", "Q = 0 is not at h = k = l = 0 of the file but at H,K,L; find: where Friedel pairs agree best."),
]
_LaueOption = Annotated[str, flag("CLASS", "Average over a Laue class, plane or space group, such as 6/mmm.")]


@with_hints
def prepare(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A reconstruction.", show_default=False)],
    out: Annotated[Path | None, flag("OUT", "Write the planes here (HDF5).", "--out", "-o")] = None,
    volume: Annotated[Path | None, flag("OUT", "Write all of it, cleaned, as Meerkat does (HDF5).")] = None,
    plane: _PlaneOption = None,
    centre: _CentreOption = "",
    pixels: _PixelsOption = None,
    q_max: Annotated[float | None, flag("Q", "Half the side in 1/Å. [default: the largest square with data]")] = None,
    thickness: _ThicknessOption = 0.0,
    hot_pixels: _HotPixelsOption = 8.0,
    bragg: _BraggOption = "none",
    reflections: _ReflectionsOption = "P",
    fill: Annotated[bool, typer.Option("--fill", help="Fill the holes that they leave.")] = False,
    background: _BackgroundOption = "none",
    laue: _LaueOption = "",
    clip_negative: Annotated[bool, typer.Option("--clip-negative", help="Set negative values to zero.")] = False,
    picture: Annotated[Path | None, flag("FILE", "Draw the planes (.png, .pdf, .svg).")] = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
    *,
    hints: Mapping[str, Any],
) -> None:
    """Cut, clean and resample planes of a reconstruction.

    Every plane comes on a square grid in 1/Å, in true angles, with its live pixels, its uncertainties where the
    file has them, and a record of all that was done. Nothing is subtracted and no peak removed unless asked for.
    Where no step needs the whole volume, only the surroundings of each plane are cleaned.
    """
    from dsfu.model.measured.prepare.centring import parse_centre
    from dsfu.model.measured.prepare.plane_spec import parse_plane
    from dsfu.model.measured.prepare.recipe import CleaningRecipe
    from dsfu.model.measured.readers.reading import read

    if out is None and volume is None and picture is None:
        raise InputError("nothing is to be written", expected="-o for planes, --volume for all of it, or --picture")
    refuse_outputs((out, volume), drawn=[picture], force=force)
    tell = partial(say, err=as_json)
    recipe = CleaningRecipe(
        hot_pixels=hot_pixels, bragg=bragg, reflections=reflections, fill=fill, background=background, laue=laue,
        clip_negative=clip_negative,
    )  # fmt: skip
    recipe.treatments()
    specs: list[PlaneSpec | None] = [parse_plane(each) for each in plane or []]
    wanted_centre = parse_centre(centre) if centre else None
    reconstruction = read(file, **hints)
    _say_what_it_is(reconstruction, tell)
    if centre:
        reconstruction = _centred(reconstruction, wanted_centre, tell)
    size = {"pixels": pixels, "q_max": q_max, "thickness": thickness}
    if volume is not None:
        reconstruction = _cleaned(reconstruction, recipe, tell)
    planes: list[MeasuredPlane] = []
    if out is not None or picture is not None:
        planes = _make_planes(reconstruction, specs or [None], None if volume else recipe, size, tell)
        _write_planes(planes, out, picture)
    if volume is not None:
        from dsfu.model.measured.readers.writing import write_meerkat

        write_meerkat(volume, reconstruction)
    _say_what_was_written(planes, (out, picture, volume), as_json)


def _say_what_was_written(planes: "list[MeasuredPlane]", files: Iterable[Path | None], as_json: bool) -> None:
    written = [str(path) for path in files if path is not None]
    if as_json:
        typer.echo(json.dumps({"planes": [_record(each) for each in planes], "files": written}, indent=2))
    else:
        tell_written(*written)


def _make_planes(
    reconstruction: "Reconstruction",
    specs: "list[PlaneSpec | None]",
    recipe: "CleaningRecipe | None",
    size: dict[str, Any],
    tell: Tell,
) -> "list[MeasuredPlane]":
    """Cut planes and tell of them; cleaned after a recipe, if they are not yet."""
    from dsfu.model.measured.prepare.cutting import cut
    from dsfu.model.measured.prepare.preparing import prepared_planes

    made: Iterable[MeasuredPlane]
    if recipe is None:
        made = (cut(reconstruction, spec, **size) for spec in specs)
    else:
        made = prepared_planes(reconstruction, specs, recipe, **size, clean=partial(_cleaned, recipe=recipe, tell=tell))
    planes = []
    with waiting("prepare"):
        for plane in made:
            tell(_what_was_cut(plane))
            planes.append(plane)
    return planes


def _write_planes(planes: "list[MeasuredPlane]", out: Path | None, picture: Path | None) -> None:
    if out is not None:
        from dsfu.model.measured.readers.plane_files import write_planes

        write_planes(out, planes)
    if picture is not None:
        from dsfu.model.measured.prepare.picture import write_picture

        write_picture(planes, picture)


def _say_what_it_is(reconstruction: "Reconstruction", tell: Tell) -> None:
    from dsfu.model.measured.prepare.cutting import available_range

    shape = " × ".join(map(str, reconstruction.shape))
    tell(f"{reconstruction.source}: {shape} voxels, {100 * reconstruction.coverage:.1f} % measured")
    if reconstruction.indexed:
        tell(f"  {available_range(reconstruction)}")
    for note in reconstruction.notes:
        tell(f"  {note}")


def _centred(reconstruction: "Reconstruction", hkl: "FloatArray | None", tell: Tell) -> "Reconstruction":
    from dsfu.model.measured.prepare.centring import centred, centred_as_found

    if hkl is not None:
        return centred(reconstruction, hkl)
    with waiting("prepare"):
        moved, found = centred_as_found(reconstruction)
    tell(f"  moved the centre: {found.words}")
    return moved


def _cleaned(reconstruction: "Reconstruction", recipe: "CleaningRecipe", tell: Tell) -> "Reconstruction":
    from dsfu.model.measured.prepare.recipe import told

    if reconstruction.history and reconstruction.history[-1].name == "cropped":
        tell(f"around the plane, {' × '.join(map(str, reconstruction.shape))} voxels:")
    for treatment in recipe.treatments():
        reconstruction = treatment(reconstruction)
        step = reconstruction.history[-1]
        if step.parameters.get("voxels") != 0:
            tell(f"  {told(step, reconstruction.intensity.size)}")
    return reconstruction


def _what_was_cut(plane: "MeasuredPlane") -> str:
    pixels = plane.plane.pixels
    reach = f"|Qx|, |Qy| ≤ {plane.plane.q_max:.3g} 1/Å" if plane.scale_known else "no cell, so that nothing is in 1/Å"
    return f"{plane.name.partition(' of ')[0]}: {pixels} × {pixels} pixels, {reach}, {100 * plane.coverage:.1f} % live"


def _record(plane: "MeasuredPlane") -> dict[str, Any]:
    """One plane for programs; of images half the side is in voxels."""
    unit = "q_max_inv_angstrom" if plane.scale_known else "half_side_voxels"
    return {"name": plane.name, "pixels": plane.plane.pixels, unit: plane.plane.q_max, "live": plane.coverage}
