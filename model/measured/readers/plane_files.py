"""Planes in a file of our own: NXdata HDF5 that gives back every attribute, and opens in NeXpy and the like.

One NXentry per plane: ``data`` (NXdata: intensity, NaN where not live; live; intensity_errors; the axes in 1/Å),
``plane`` (where it lies in reciprocal space), ``sample`` (the cell, if known), ``title``, ``source`` and ``history``.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.new_hdf5 import new_hdf5
from dsfu.model.measured.data.plane import Grain, MeasuredPlane
from dsfu.model.measured.data.reconstruction import RealArray, Step
from dsfu.model.measured.readers.hdf5 import Hdf5, Node
from dsfu.simulate.arrays import BoolArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

FORMAT: Final = "dsfu planes 1"
"""The attribute ``dsfu_format`` of such files."""

_GRAIN: Final = ("lag_x", "lag_y", "shared_x", "shared_y", "independent")


def write_planes(path: str | Path, planes: Sequence[MeasuredPlane]) -> None:
    """Write planes to one file; it is there whole or not at all.

    History is kept as JSON: tuples and arrays among the parameters of a step come back as lists.
    """
    if not planes:
        raise ValueError("planes: none; expected one or more")
    with new_hdf5(path) as file:
        digits = max(3, len(str(len(planes))))
        names = [f"plane_{number:0{digits}d}" for number in range(1, len(planes) + 1)]
        file.attrs.update({"NX_class": "NXroot", "dsfu_format": FORMAT, "default": names[0]})
        for name, plane in zip(names, planes, strict=True):
            write_entry(make_group(file, name, "NXentry"), plane)


def read_planes(path: str | Path) -> list[MeasuredPlane]:
    """The planes of a file that `write_planes` wrote, in their order."""
    with Hdf5(path) as file:
        check_is_ours(file)
        names = [name for name in sorted(file.names(file.root)) if name.startswith("plane_")]
        if not names:
            raise InputError("holds no plane", where=str(path))
        return [read_entry(file, file.need(name)) for name in names]


def is_ours(file: Hdf5) -> bool:
    """Whether `write_planes` wrote it, in this version or another."""
    return file.said(file.root, "dsfu_format").startswith("dsfu planes")


def check_is_ours(file: Hdf5) -> None:
    found = file.said(file.root, "dsfu_format")
    if found != FORMAT:
        raise InputError(
            f"its format is {found!r}" if found else "it is not a file of planes",
            where=str(file.path),
            expected=f"a file that dsfu-model prepare wrote ({FORMAT})",
            remedy="dsfu-model inspect tells what it is",
        )


def write_entry(entry: Node, measured: MeasuredPlane) -> None:
    """Write a plane into an empty NXentry."""
    entry.attrs["default"] = "data"
    entry["title"], entry["source"] = measured.name, measured.source
    entry["history"] = history_text(measured.history)
    data = make_group(entry, "data", "NXdata")
    data.attrs.update({"signal": "intensity", "axes": ["Qy", "Qx"], "Qy_indices": 0, "Qx_indices": 1})
    for axis in ("Qy", "Qx"):
        data[axis] = measured.plane.offsets
        units = "1/angstrom" if measured.scale_known else ""
        data[axis].attrs.update({"units": units, "long_name": f"{axis} from the centre ({measured.unit})"})
    write_array(
        data, "intensity", np.where(measured.live, measured.intensity, np.nan).astype(_float(measured.intensity))
    )
    write_array(data, "live", measured.live.astype(np.uint8))
    if measured.sigma is not None:
        write_array(data, "intensity_errors", measured.sigma)
    geometry = make_group(entry, "plane", "NXcollection")
    for name in ("centre", "axis_x", "axis_y", "q_max", "pixels"):
        geometry[name] = getattr(measured.plane, name)
    grain = measured.grain
    geometry["scale_known"] = np.uint8(measured.scale_known)
    geometry["grain"] = np.array([getattr(grain, name) for name in _GRAIN])
    if measured.cell is not None:
        sample = make_group(entry, "sample", "NXsample")
        sample["unit_cell"] = np.array(measured.cell.constants)


def read_entry(file: Hdf5, entry: Node) -> MeasuredPlane:
    """The plane of an NXentry that `write_entry` wrote."""
    geometry = file.need("plane", entry)
    numbers = {
        name: file.numbers(file.need(name, geometry)) for name in ("centre", "axis_x", "axis_y", "q_max", "pixels")
    }
    live: BoolArray = file.array(file.need("data/live", entry)).astype(np.bool_)
    intensity = file.array(file.need("data/intensity", entry))
    errors, cell = file.find("data/intensity_errors", entry), file.find("sample/unit_cell", entry)
    try:
        plane = Plane(
            numbers["centre"],
            numbers["axis_x"],
            numbers["axis_y"],
            numbers["q_max"].item(),
            int(numbers["pixels"].item()),
        )
        return MeasuredPlane(
            intensity=np.where(live, intensity, 0).astype(_float(intensity)),
            live=live,
            plane=plane,
            cell=None if cell is None else Cell(*file.numbers(cell, 6).tolist()),
            sigma=None if errors is None else _as_real(file.array(errors)),
            name=file.text(file.need("title", entry)),
            source=file.text(file.need("source", entry)),
            history=history_of(file.text(file.need("history", entry)), file.where(entry)),
            grain=_grain_of(file, geometry),
            scale_known=_scale_known(file, geometry),
        )
    except ValueError as error:
        raise InputError(str(error), where=file.where(entry), remedy="the file seems damaged") from error


def _grain_of(file: Hdf5, geometry: Node) -> Grain:
    """Files from before 27 November 2026 have none."""
    found = file.find("grain", geometry)
    if found is None:
        return Grain()
    lag_x, lag_y, shared_x, shared_y, independent = file.numbers(found, len(_GRAIN)).tolist()
    return Grain(
        lag_x=max(1, int(lag_x)),
        lag_y=max(1, int(lag_y)),
        shared_x=shared_x,
        shared_y=shared_y,
        independent=min(1.0, max(1e-6, independent)),
    )


def _scale_known(file: Hdf5, geometry: Node) -> bool:
    """Files from before 28 November 2026 do not say."""
    found = file.find("scale_known", geometry)
    return found is None or bool(file.numbers(found, 1).item())


def history_text(history: Sequence[Step]) -> str:
    """Steps as JSON."""
    steps = [{"name": step.name, "parameters": step.parameters} for step in history]
    return json.dumps(steps, default=_plain, ensure_ascii=False)


def history_of(text: str, where: str) -> tuple[Step, ...]:
    """Steps from JSON."""
    try:
        return tuple(Step(name=str(step["name"]), parameters=dict(step["parameters"])) for step in json.loads(text))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError("its history is not what was written", where=where, expected="a JSON list of steps") from error


def _plain(value: Any) -> Any:
    """What JSON does not know: numpy's arrays and numbers, paths, cells."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Cell):
        return list(value.constants)
    return str(value)


def make_group(parent: Node, name: str, kind: str) -> Node:
    """A new group of a NeXus class."""
    group = parent.create_group(name)
    group.attrs["NX_class"] = kind
    return group


def write_array(group: Node, name: str, values: Any) -> None:
    """A new dataset, compressed by what every HDF5 knows."""
    group.create_dataset(name, data=values, compression="gzip", compression_opts=4, shuffle=True)


def _float(values: Any) -> type[np.float32] | type[np.float64]:
    return np.float32 if values.dtype.kind == "f" and values.dtype.itemsize <= 4 else np.float64


def _as_real(values: Any) -> RealArray:
    return np.asarray(values, _float(values))
