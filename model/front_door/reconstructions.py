"""Measured reconstructions at the front door: read them, cut planes."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.model.front_door.answer import Answer, Drawing, free_file
from dsfu.model.front_door.given import check_kinds, names_of, path_of, refusals, settings_of
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.progress import waiting
from dsfu.simulate.checks import number_between

if TYPE_CHECKING:
    import xarray


class Volume(Answer):
    """A measured reconstruction: intensities on a grid of reciprocal space. ``data`` is a `Reconstruction`."""

    data: Reconstruction

    def __init__(self, data: Reconstruction) -> None:
        self.data = data

    def facts(self) -> Mapping[str, str]:
        shape = " × ".join(map(str, self.data.shape))
        cell = self.data.cell
        return {
            "what": f"{Path(self.data.source).name}, {shape} voxels",
            "format": self.data.format,
            "measured": f"{100 * self.data.coverage:.1f} % measured",
            "cell": "cell " + " ".join(f"{value:g}" for value in cell.constants) if cell else "no cell",
            "done": ", ".join(step.name for step in self.data.history),
            "notes": "; ".join(self.data.notes),
        }

    def plot(self) -> Drawing:
        """The sections nearest to the origin."""
        from dsfu.model.measured.data.pictures import write_sections
        from dsfu.model.measured.data.sections import central_sections

        return Drawing(partial(write_sections, sections=central_sections(self.data)))

    def to_xarray(self) -> "xarray.Dataset":
        """Intensity, NaN where nothing was measured, over h, k, l in r.l.u. (voxels without an index)."""
        import xarray

        from dsfu.model.measured.data.axes import axes_of

        axes = axes_of(self.data)
        plain = self.data.indexed and sorted(axis.index for axis in axes if axis.index is not None) == [0, 1, 2]
        dims = [axis.label if plain else f"axis_{number}" for number, axis in enumerate(axes)]
        unit = "r.l.u." if self.data.indexed else "voxels"
        coordinates = {
            dim: (dim, axis.values, {"units": unit, "long_name": axis.label})
            for dim, axis in zip(dims, axes, strict=True)
        }
        arrays = {"intensity": (dims, np.where(self.data.live, self.data.intensity, np.nan))}
        if self.data.sigma is not None:
            arrays["sigma"] = (dims, np.where(self.data.live, self.data.sigma, np.nan))
        cell = {"cell": list(self.data.cell.constants)} if self.data.cell else {}
        return xarray.Dataset(arrays, coordinates, {"source": self.data.source, **cell})

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """As Meerkat does, HDF5."""
        from dsfu.model.measured.readers.writing import write_meerkat

        path = free_file(path, overwrite=overwrite)
        write_meerkat(path, self.data)
        return path


class Planes(Answer):
    """Planes cut from a reconstruction, on square grids in 1/Å. ``data`` is a list of `MeasuredPlane`."""

    data: list[MeasuredPlane]

    def __init__(self, data: Sequence[MeasuredPlane]) -> None:
        self.data = list(data)

    def facts(self) -> Mapping[str, str]:
        first = self.data[0].plane
        names = ", ".join(each.name.partition(" of ")[0] for each in self.data)
        live = 100 * float(np.mean([each.coverage for each in self.data]))
        unit = "|Qx|, |Qy| ≤ {:.3g} 1/Å" if self.data[0].cell else "half the side {:.3g} voxels"
        return {
            "planes": names,
            "pixels": f"{first.pixels} × {first.pixels} pixels",
            "size": unit.format(first.q_max),
            "live": f"{live:.1f} % live",
        }

    def plot(self) -> Drawing:
        from dsfu.model.measured.prepare.picture import write_picture

        return Drawing(partial(write_picture, self.data))

    def to_xarray(self) -> "xarray.Dataset":
        """Intensity, NaN where dead, over plane, y and x; pixel centres ``qx``, ``qy`` of each plane."""
        import xarray

        unit = {"units": "1/Å" if self.data[0].cell else "voxels"}
        offsets = np.stack([each.plane.offsets for each in self.data])
        return xarray.Dataset(
            {
                "intensity": (
                    ("plane", "y", "x"),
                    np.stack([np.where(each.live, each.intensity, np.nan) for each in self.data]),
                )
            },
            {
                "plane": [each.name.partition(" of ")[0] for each in self.data],
                "qx": (("plane", "x"), offsets, unit),
                "qy": (("plane", "y"), offsets, unit),
            },
        )

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """As ``dsfu-model prepare`` does, HDF5."""
        from dsfu.model.measured.readers.plane_files import write_planes

        path = free_file(path, overwrite=overwrite)
        write_planes(path, self.data)
        return path


def read(path: str | Path, **hints: Any) -> Volume:
    """Read a measured reconstruction, whatever program wrote it.

    Parameters
    ----------
    path
        HDF5 of Meerkat, Yell, DISCUS or Mantid, NeXus, planes of dsfu, .npy or .npz.
    hints
        What the file does not say: ``cell``, ``limits``, ``origin``, ``steps``, ``axes``, ``frame``, ``dataset``,
        ``plane``, ``zeros``, ``missing``; docs/formats.md.
    """
    from dsfu.model.measured.readers.reading import read as read_file

    return Volume(read_file(path_of(path, "the path of a file, or a Volume that dsfu.read gave"), **hints))


def volume_of(source: "Volume | Reconstruction | str | Path", **hints: Any) -> Reconstruction:
    """The reconstruction behind anything that stands for one; hints as for `read` where it is a file."""
    if isinstance(source, Volume):
        return source.data
    return source if isinstance(source, Reconstruction) else read(source, **hints).data


def prepare(
    source: "Volume | Reconstruction | str | Path",
    planes: str | Sequence[str] = (),
    *,
    pixels: int | None = None,
    q_max: float | None = None,
    thickness: float = 0.0,
    **recipe: Any,
) -> Planes:
    """Cut, clean and resample planes of a reconstruction.

    Parameters
    ----------
    source
        What `read` gave, or a file.
    planes
        "hk0", "h1.5l", or several; nothing where the reconstruction is a plane itself.
    pixels, q_max, thickness
        Of each plane: pixels along a side (256, or an image's own if it is no larger), half the side in 1/Å, and layers
        averaged on both sides.
    recipe
        How to clean: ``hot_pixels``, ``bragg``, ``reflections``, ``fill``, ``background``, ``laue``,
        ``clip_negative``, as the options of ``dsfu-model prepare``; docs/preparing.md.
    """
    from dsfu.model.measured.prepare.preparing import prepared_planes
    from dsfu.model.measured.prepare.recipe import CleaningRecipe

    wanted = names_of(planes, "planes")
    check_kinds("prepare", pixels=(pixels, int | None), q_max=(q_max, float | None), thickness=(thickness, float))
    chosen = settings_of(CleaningRecipe, recipe, "prepare")
    chosen.treatments()
    with waiting("prepare"), refusals("prepare"):
        number_between("thickness", thickness, 0.0, np.inf)
        return Planes(
            list(
                prepared_planes(
                    volume_of(source), wanted or [None], chosen, pixels=pixels, q_max=q_max, thickness=thickness
                )
            )
        )
