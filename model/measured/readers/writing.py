"""Write reconstructions, and arrays like them, for other programs. A file is there whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.errors import InputError
from dsfu.model.measured.data.axes import axes_of
from dsfu.model.measured.data.new_hdf5 import new_hdf5
from dsfu.model.measured.data.reconstruction import RealArray, Reconstruction, Step
from dsfu.model.measured.data.regular import along_indices
from dsfu.model.measured.readers.plane_files import history_text, make_group, write_array
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell

YELL_FORMAT: Final = "Yell 1.0"


@dataclass(frozen=True, kw_only=True, eq=False)
class NexusAxis:
    """One axis of an array in a NeXus file: its name, what a plot writes beside it, and the centres of its voxels."""

    name: str
    long_name: str
    values: FloatArray
    units: str = "r.l.u."


@dataclass(frozen=True, kw_only=True, eq=False)
class NexusArray:
    """An array with two or three axes that becomes an NXdata.

    Attributes
    ----------
    name
        Of the group, a word without spaces: "form_factor".
    long_name
        For people: "I_FF, molecular form factor".
    values
        NaN where there is nothing.
    errors
        Standard uncertainty, same shape.
    """

    name: str
    values: RealArray
    axes: tuple[NexusAxis, ...]
    long_name: str = ""
    units: str = ""
    errors: RealArray | None = None

    def __post_init__(self) -> None:
        lengths = tuple(axis.values.size for axis in self.axes)
        if self.values.shape != lengths:
            raise ValueError(f"values of {self.name}: shape {self.values.shape}; expected that of the axes, {lengths}")
        if self.errors is not None and self.errors.shape != lengths:
            raise ValueError(f"errors of {self.name}: shape {self.errors.shape}; expected {lengths}")


def write_meerkat(path: str | Path, reconstruction: Reconstruction) -> None:
    """Write the HDF5 that Meerkat writes and Yell reads ("Yell 1.0"): intensities [h, k, l], NaN where not measured.

    A plane has one voxel along the index that is the same everywhere. What does not lie on axes of h, k and l is
    resampled, for the format knows no others.
    """
    if reconstruction.cell is None or not reconstruction.indexed:
        raise InputError(
            "its cell is unknown",
            where=reconstruction.source,
            expected="a cell, which Yell needs",
            remedy="give --cell",
        )
    regular = along_indices(reconstruction)
    vectors = reconstruction.cell.vectors
    with new_hdf5(path) as file:
        write_array(file, "data", np.where(regular.live, regular.intensity, np.nan).astype(np.float32))
        file["format"] = YELL_FORMAT
        file["is_direct"] = False
        file["lower_limits"] = regular.origin
        file["step_sizes"] = np.diag(regular.steps)
        file["unit_cell"] = np.array(reconstruction.cell.constants)
        file["metric_tensor"] = vectors @ vectors.T
        file.attrs.update({"creator": _creator(), "source": regular.source, "history": history_text(regular.history)})


def write_reconstruction(path: str | Path, reconstruction: Reconstruction) -> None:
    """Write a reconstruction as NXdata on axes in r.l.u., with its uncertainties, cell and history."""
    intensity = NexusArray(
        name="intensity",
        values=_with_nan(reconstruction, reconstruction.intensity),
        axes=nexus_axes(reconstruction),
        long_name="intensity",
        errors=reconstruction.sigma,
    )
    write_nexus(
        path,
        [intensity],
        title=reconstruction.source,
        cell=reconstruction.cell,
        history=reconstruction.history,
    )


def write_nexus(
    path: str | Path,
    arrays: Sequence[NexusArray],
    *,
    title: str = "",
    cell: Cell | None = None,
    history: Sequence[Step] = (),
    attributes: dict[str, Any] | None = None,
) -> None:
    """Write arrays as one NXentry with an NXdata for each, which opens in NeXpy; the first is what is plotted.

    ``history`` is kept as JSON in an NXnote, ``attributes`` are those of the entry.
    """
    if not arrays:
        raise ValueError("arrays: none; expected one or more")
    with new_hdf5(path) as file:
        file.attrs.update({"NX_class": "NXroot", "default": "entry", "creator": _creator()})
        entry = make_group(file, "entry", "NXentry")
        entry.attrs.update({"default": arrays[0].name, **(attributes or {})})
        entry["title"] = title
        for array in arrays:
            _write_data(make_group(entry, array.name, "NXdata"), array)
        if cell is not None:
            make_group(entry, "sample", "NXsample")["unit_cell"] = np.array(cell.constants)
        note = make_group(entry, "history", "NXnote")
        note["type"], note["data"] = "application/json", history_text(history)


def nexus_axes(reconstruction: Reconstruction) -> tuple[NexusAxis, ...]:
    """Axes in r.l.u. of the array of a reconstruction; in voxels where nothing is known of it."""
    axes = axes_of(reconstruction)
    if not reconstruction.indexed:
        names = ("axis_0", "axis_1", "axis_2")
        return tuple(
            NexusAxis(name=name, long_name="voxels from the middle", values=axis.values, units="voxel")
            for name, axis in zip(names, axes, strict=True)
        )
    return tuple(
        NexusAxis(
            name=axis.label if axis.index is not None else f"axis_{number}",
            long_name=f"{axis.exact_label} (r.l.u.)",
            values=axis.values,
        )
        for number, axis in enumerate(axes)
    )


def _write_data(group: Any, array: NexusArray) -> None:
    group.attrs.update({"signal": "data", "axes": [axis.name for axis in array.axes]})
    write_array(group, "data", array.values)
    group["data"].attrs.update({"long_name": array.long_name or array.name, "units": array.units})
    if array.errors is not None:
        write_array(group, "data_errors", array.errors)
    for number, axis in enumerate(array.axes):
        group.attrs[f"{axis.name}_indices"] = number
        group[axis.name] = axis.values
        group[axis.name].attrs.update({"units": axis.units, "long_name": axis.long_name})


def _with_nan(reconstruction: Reconstruction, values: npt.NDArray[Any]) -> RealArray:
    return np.where(reconstruction.live, values, np.array(np.nan, values.dtype))


def _creator() -> str:
    return f"dsfu {version('dsfu')}"
