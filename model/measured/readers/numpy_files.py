"""Arrays of numpy, .npy and .npz, with what is known of them in a JSON file beside them, in the .npz, or as hints.

Headers are read by themselves first: one of a hundred bytes can ask for any amount of memory. Nothing is unpickled.
"""

import json
import math
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.readers.assembling import assemble
from dsfu.model.measured.readers.hints import Hints
from dsfu.model.measured.readers.labels import AXES_TAKEN, grid_by_centres, why_no_grid
from dsfu.model.measured.readers.sizes import IF_CUT_SHORT, check_declared

_SAID: Final = ("cell", "origin", "steps", "limits", "axes", "frame")
_AXES: Final = ("h", "k", "l", "H", "K", "L")
_INTENSITY_NAMES: Final = ("intensity", "data", "signal", "arr_0")
_LARGEST_SIDECAR: Final = 1 << 20
_CHUNK: Final = 1 << 24
_HEADERS: Final = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npy(path: Path, hints: Hints) -> Reconstruction:
    """The array of a .npy file."""
    with path.open("rb") as file:
        intensity = _array(file, str(path), path.stat().st_size)
    return _assembled({"intensity": intensity}, path, "numpy .npy", hints)


def read_npz(path: Path, hints: Hints) -> Reconstruction:
    """The arrays of a .npz file: intensity; sigma, live or mask, weight, cell, origin, steps, h, k, l if there."""
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = _wanted_arrays(archive, path, hints)
    except InputError:
        raise
    except Exception as error:  # zipfile and zlib raise errors of many kinds on damaged archives
        raise InputError(f"cannot be read as .npz: {error}", where=str(path), remedy="get a fresh copy") from error
    return _assembled(arrays, path, "numpy .npz", hints)


def _wanted_arrays(archive: zipfile.ZipFile, path: Path, hints: Hints) -> dict[str, npt.NDArray[Any]]:
    members = {
        info.filename.removesuffix(".npy"): info for info in archive.infolist() if info.filename.endswith(".npy")
    }
    name = hints.dataset or next((each for each in _INTENSITY_NAMES if each in members), "")
    if not members:
        raise InputError(
            "is a zip archive without an array of numpy",
            where=str(path),
            expected="what numpy.savez wrote",
            remedy="tables of Excel and the like: export them as text, make an array of it, save that with numpy.savez",
        )
    if not name and len(members) == 1:
        name = next(iter(members))
    if name not in members:
        raise InputError(
            f"{name} is missing" if name else "does not say which array is the intensity",
            where=str(path),
            expected=f"--dataset with one of {', '.join(list(members)[:12])}",
        )
    axes = [each for each in _AXES if each in members and members[each].file_size <= _LARGEST_SIDECAR]
    others = ("sigma", "live", "mask", "weight", *_SAID, *(axes if len(axes) == 3 else ()))
    wanted = {"intensity": name, **{other: other for other in others if other in members and other != name}}
    return {key: _member(archive, members[member], path) for key, member in wanted.items()}


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> npt.NDArray[Any]:
    where = f"{path}:{info.filename}"
    check_declared(info.file_size, where, stored=info.compress_size)
    with archive.open(info) as file:
        return _array(file, where, info.file_size)


def _array(file: IO[bytes], where: str, size: int) -> npt.NDArray[Any]:
    """An array in numpy's format, if its header agrees with the ``size`` in bytes of the whole."""
    try:
        with warnings.catch_warnings(action="ignore"):
            version = np.lib.format.read_magic(file)
            shape, fortran, dtype = _HEADERS[version](file)
    except Exception as error:
        what = "has no valid header" if not isinstance(error, KeyError) else "is of a version for records"
        raise InputError(what, where=where, expected="an array that numpy.save wrote") from error
    if dtype.kind not in "iufb":
        kinds = {"c": "complex numbers", "O": "objects of Python", "S": "text", "U": "text"}
        raise InputError(
            f"holds {kinds.get(dtype.kind, f'values of type {dtype}')}", where=where, expected="real numbers"
        )
    count = math.prod(shape) if min(shape, default=0) >= 0 else -1
    check_declared(count * dtype.itemsize, where, stored=None)
    if count < 0 or file.tell() + count * dtype.itemsize > size:
        raise InputError(
            f"its header says {shape} of {dtype}, which does not fit in its {size} bytes",
            where=where,
            remedy=IF_CUT_SHORT,
        )
    values = np.empty(count, dtype)
    view, done = values.view(np.uint8), 0
    while done < len(view):
        chunk = file.read(min(len(view) - done, _CHUNK))
        if not chunk:
            raise InputError("ends too early", where=where, remedy=IF_CUT_SHORT)
        view[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
        done += len(chunk)
    values = values if dtype.isnative else values.astype(dtype.newbyteorder("="))
    return values.reshape(shape, order="F" if fortran else "C")


def _assembled(arrays: dict[str, npt.NDArray[Any]], path: Path, format_name: str, hints: Hints) -> Reconstruction:
    where = str(path)
    inside = {name: arrays[name].tolist() for name in _SAID if name in arrays}
    sidecar, notes = _sidecar(path)
    hints = hints.or_else(Hints.of(where, **inside)).or_else(sidecar)
    live = arrays["live"] != 0 if "live" in arrays else None
    if "mask" in arrays:
        live = (arrays["mask"] == 0) if live is None else live & (arrays["mask"] == 0)
    shape, grid = arrays["intensity"].shape, None
    if 2 <= len(shape) <= 3 and hints.grid(shape, where) is None:
        beside: dict[str, Any] = {name: arrays[name] for name in _AXES if name in arrays}
        grid = grid_by_centres(
            beside,
            shape,
            hints.order(len(shape), where),
            lambda name: (arrays[name].astype(np.float64), f"{where}:{name}"),
        )
        notes = [*notes, why_no_grid(beside, shape) if grid is None else AXES_TAKEN]
    return assemble(
        intensity=arrays["intensity"],
        grid=grid,
        cell=None,
        where=where,
        format_name=format_name,
        hints=hints,
        live=live,
        sigma=arrays.get("sigma"),
        weight=arrays.get("weight"),
        notes=notes,
    )


def _sidecar(path: Path) -> tuple[Hints, list[str]]:
    """What a JSON file of the same name says, and a note about it."""
    for sidecar in (path.with_suffix(".json"), path.with_name(path.name + ".json")):
        if sidecar.is_file():
            where = str(sidecar)
            if sidecar.stat().st_size > _LARGEST_SIDECAR:
                raise InputError("is larger than a megabyte", where=where, expected="a few numbers")
            try:
                said = json.loads(sidecar.read_text(encoding="utf-8"))
            except (ValueError, RecursionError, OSError) as error:
                raise InputError(f"is not JSON: {error}", where=where) from error
            if not isinstance(said, dict):
                raise InputError("is not an object", where=where, expected='such as {"cell": [...], "limits": [...]}')
            return Hints.of(where, **said), [f"grid and cell are those of {sidecar.name}"]
    return Hints(), []
