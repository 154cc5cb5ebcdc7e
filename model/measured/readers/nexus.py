"""NXdata on axes of hkl: generic NeXus files, those of nxrefine, and mdx2's maps.

Which NXdata: the one that hints name, else the one that the attributes ``default`` lead to, else the only one whose
axes are hkl; of nxrefine's several, ``transform`` before the others. nxrefine's arrays are [l, k, h] and often links to
other files; mdx2's are [h, k, l].

Weights. nxrefine's ``transform`` holds sums, and in ``weights`` how many were summed: their ratio is the intensity.
Where a ``transform`` has no weights, nxrefine takes zeros for unmeasured, and so does this, unless NaN is in the file:
then that is what stands for unmeasured, and without voxels that counted nothing, the mean of dark places would be too
high. The weights of ``symm_transform`` are a window for Fourier transforms and are left alone.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.readers.assembling import assemble
from dsfu.model.measured.readers.hdf5 import Hdf5, Node, name_of
from dsfu.model.measured.readers.hints import Hints
from dsfu.model.measured.readers.labels import direction_of, evenly_spaced
from dsfu.model.measured.readers.nexus_cells import cell_near
from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.lattice import Cell

NAME: Final = "NeXus NXdata"
_PREFERRED: Final = (
    "transform",
    "masked_transform",
    "symm_transform",
    "masked_symm_transform",
    "symm_masked_transform",
)
_PER_LENGTH: Final = re.compile(r"angstrom|Å|\bnm\b|\bA\s*\^?-1", re.IGNORECASE)
"""Units of axes that do not count hkl."""


@dataclass(frozen=True, kw_only=True)
class _Data:
    """An NXdata group: its signal, and for each axis of the signal the name and the dataset, if there is one."""

    group: Node
    signal: Node
    signal_name: str
    axis_names: tuple[str, ...]
    axes: tuple[Node | None, ...]


def refusal(file: Hdf5) -> str:
    """Why this is not such a file; empty if it is."""
    return "" if _groups(file) else "there is no group with NX_class = NXdata"


def read(file: Hdf5, hints: Hints) -> Reconstruction:
    """The NXdata in such a file that is most likely meant."""
    data = _chosen(file, hints)
    where, notes = file.where(data.group), list[str]()
    own = cell_near(file, data.group, notes) if hints.cell is None else None
    grid = _grid(file, data, hints, hints.cell or own)
    notes += _units_against(file, data, hints) if grid is not None else []
    values = file.array(data.signal)
    intensity, live, weight = _weighted(file, data, values, hints, notes)
    mask = _companion(file, data, "mask")
    if mask is not None:
        live = (mask == 0) if live is None else live & (mask == 0)
    sigma = _companion(file, data, "errors")
    if sigma is not None and weight is not None:
        with np.errstate(all="ignore"):
            sigma = sigma / weight
    return assemble(
        intensity=intensity,
        grid=grid,
        cell=own,
        where=where,
        format_name=_format_of(data),
        hints=hints,
        live=live,
        sigma=sigma,
        weight=weight,
        notes=notes,
    )


def _format_of(data: _Data) -> str:
    return f"{NAME} (nxrefine)" if data.axis_names == ("Ql", "Qk", "Qh") else NAME


def _groups(file: Hdf5) -> list[Node]:
    return [node for node in file.walk() if isinstance(node, h5py.Group) and _class(file, node) == "NXdata"]


def _class(file: Hdf5, node: Node) -> str:
    return file.said(node, "NX_class")


def _chosen(file: Hdf5, hints: Hints) -> _Data:
    if hints.dataset:
        node = file.need(hints.dataset)
        if isinstance(node, h5py.Dataset):
            folder, _, name = f"/{hints.dataset.strip('/')}".rpartition("/")
            return _data(file, file.need(folder) if folder else file.root, signal=name)
        return _data(file, node)
    default = _default(file)
    if default is not None and _is_hkl(file, default):
        return _data(file, default)
    groups = _groups(file)
    fitting = [group for group in groups if _is_hkl(file, group)]
    if not fitting and default is not None:
        return _data(file, default)
    if not fitting and len(groups) == 1:
        return _data(file, groups[0])
    ranked = sorted(fitting, key=lambda group: _rank(name_of(group)))
    if len(ranked) == 1 or (ranked and _rank(name_of(ranked[0])) < _rank(name_of(ranked[1]))):
        return _data(file, ranked[0])
    names = ", ".join(name_of(group) for group in (ranked or groups)[:10])
    raise InputError(
        "holds several NXdata" if ranked else "holds several NXdata, none of them on axes of hkl",
        where=str(file.path),
        expected=f"--dataset with one of {names}",
    )


def _rank(path: str) -> int:
    name = path.rpartition("/")[2]
    return _PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)


def _default(file: Hdf5) -> Node | None:
    """The NXdata to which the attributes ``default`` lead from the root, at most a few steps down."""
    node = file.root
    for _ in range(4):
        name = file.attribute(node, "default")
        if not isinstance(name, str):
            return None
        node = file.find(name, node)
        if node is None or _class(file, node) == "NXdata":
            return node
    return None


def _is_hkl(file: Hdf5, group: Node) -> bool:
    try:
        data = _data(file, group)
        return all(axis is not None and _direction(file, axis) is not None for axis in data.axes)
    except InputError:
        return False


def _data(file: Hdf5, group: Node, signal: str = "") -> _Data:
    name = signal or _signal_name(file, group)
    node = file.need(name, group, why="the signal of the NXdata")
    shape = getattr(node, "shape", None)
    if not isinstance(node, h5py.Dataset) or shape is None or not 2 <= len(shape) <= 3:
        raise InputError(f"has shape {shape}", where=file.where(node), expected="a volume or a plane")
    names = _axis_names(file, group, node)
    if names and len(names) != len(shape):
        raise InputError(f"names {len(names)} axes", where=file.where(group), expected=f"{len(shape)}, as in {name}")
    axes = tuple(file.find(axis, group) if axis not in ("", ".") else None for axis in names) or (None,) * len(shape)
    return _Data(group=group, signal=node, signal_name=name, axis_names=names, axes=axes)


def _signal_name(file: Hdf5, group: Node) -> str:
    """By the group's attribute, or in older files by an attribute of the dataset."""
    named = file.attribute(group, "signal")
    if isinstance(named, str):
        return named
    for name in file.names(group):
        node = file.find(name, group)
        if isinstance(node, h5py.Dataset) and file.said(node, "signal") == "1":
            return name
    raise InputError("has no attribute signal", where=file.where(group), expected="the name of the data")


def _axis_names(file: Hdf5, group: Node, signal: Node) -> tuple[str, ...]:
    found = file.attribute(group, "axes")
    if found is None:
        found = file.attribute(signal, "axes")
    if isinstance(found, str):
        return tuple(name.strip() for name in found.strip("[]").replace(",", ":").split(":"))
    return () if found is None else tuple(str(name) for name in np.ravel(found))


def _direction(file: Hdf5, axis: Node) -> FloatArray | None:
    """hkl of one unit along an axis, from its name or else its title."""
    title = file.said(axis, "long_name")
    by_name = direction_of(name_of(axis).rpartition("/")[2])
    return by_name if by_name is not None else direction_of(title)


def _grid(file: Hdf5, data: _Data, hints: Hints, cell: Cell | None) -> tuple[FloatArray, FloatArray] | None:
    if hints.limits is not None or (hints.origin is not None and hints.steps is not None):
        return None
    if all(axis is None for axis in data.axes) and not hints.frame:
        return None
    directions = [_direction_of_axis(file, data, position, hints, cell) for position in range(len(data.axes))]
    origin, steps = np.zeros(3), np.zeros((3, 3))
    for position, (axis, direction) in enumerate(zip(data.axes, directions, strict=True)):
        first, step = evenly_spaced(file.numbers(axis), data.signal.shape[position], file.where(axis))
        origin += first * direction
        steps[position] = step * direction
    return origin + _fixed_index(file, data), steps


def _direction_of_axis(file: Hdf5, data: _Data, position: int, hints: Hints, cell: Cell | None) -> FloatArray:
    axis = data.axes[position]
    name = data.axis_names[position] if data.axis_names else f"number {position}"
    if axis is None:
        raise InputError(f"its axis {name} is missing", where=file.where(data.group), expected="a dataset; or --limits")
    if hints.frame in ("q", "s"):
        if cell is None:
            raise InputError("has no cell", where=file.where(data.group), expected="--cell, for axes in 1/Å")
        along = np.eye(3)["xyz".index(name[-1].lower())] if name[-1:].lower() in tuple("xyz") else np.eye(3)[position]
        return cell.hkl_of_q(along * (1.0 if hints.frame == "q" else 2 * np.pi))
    if hints.axes or hints.frame == "hkl":
        recognised = None if hints.axes else _direction(file, axis)
        order = hints.order(len(data.axes), file.where(data.group))
        return np.eye(3)[order[position]] if recognised is None else recognised
    direction = _direction(file, axis)
    if direction is None:
        units = file.said(axis, "units")
        raise InputError(
            f"its axis {name} is none of hkl" + (f"; its units are {units}" if units else ""),
            where=file.where(axis),
            expected="h, k, l, Qh, Qk, Ql, [H,H,0] and the like",
            remedy="say --axes hkl (or lkh …), or --frame q for 1/Å; or point to other data with --dataset",
        )
    return direction


def _units_against(file: Hdf5, data: _Data, hints: Hints) -> list[str]:
    """A note where axes are taken for hkl by their names, and their units say that they are not."""
    if hints.frame or hints.axes:
        return []
    said = [file.said(axis, "units") for axis in data.axes if axis is not None]
    lengths = [each for each in said if _PER_LENGTH.search(each)]
    if not lengths:
        return []
    return [f"the axes are called h, k, l, and their units are {lengths[0]}: taken for hkl; if not: --frame q"]


def _fixed_index(file: Hdf5, data: _Data) -> FloatArray:
    """For a plane: the hkl that is the same everywhere, from a scalar beside the signal such as ``l``; else 0."""
    fixed = np.zeros(3)
    if len(data.axes) == 2:
        for name in file.names(data.group):
            direction = direction_of(name) if name not in data.axis_names else None
            node = file.find(name, data.group) if direction is not None else None
            if direction is not None and isinstance(node, h5py.Dataset) and node.size == 1:
                fixed += file.numbers(node, 1).item() * direction
    return fixed


def _companion(file: Hdf5, data: _Data, what: str) -> npt.NDArray[Any] | None:
    """Errors, mask or weights that belong to the signal, of its shape; None if there are none."""
    named = file.attribute(data.signal, {"errors": "uncertainties"}.get(what, what))
    names = [named] if isinstance(named, str) else []
    for name in (*names, f"{data.signal_name}_{what}", what):
        node = file.find(name, data.group)
        if isinstance(node, h5py.Dataset) and node.shape == data.signal.shape:
            return file.array(node)
    return None


def _weighted(
    file: Hdf5, data: _Data, values: npt.NDArray[Any], hints: Hints, notes: list[str]
) -> tuple[npt.NDArray[Any], BoolArray | None, npt.NDArray[Any] | None]:
    """Intensity, which voxels are live (None: those that are finite), and weights, by the rules above."""
    name = name_of(data.group).rpartition("/")[2]
    is_transform = data.axis_names == ("Ql", "Qk", "Qh") and name.startswith(("transform", "masked_transform"))
    zeros_are_dead = hints.zeros != "live" and not np.isnan(values).any()
    if "symm" in name:
        return values, values != 0 if zeros_are_dead else None, None
    weight = _companion(file, data, "weights")
    if weight is None:
        if is_transform and zeros_are_dead:
            notes.append(
                "it has no weights; voxels that are exactly 0 are taken for unmeasured, as nxrefine does: where they "
                "are counts of nothing, give --zeros live"
            )
            return values, values != 0, None
        return values, None, None
    notes.append("intensities are the signal divided by its weights; voxels of weight 0 are unmeasured")
    with np.errstate(all="ignore"):
        live: BoolArray = weight > 0
        return np.where(live, values / weight, np.nan), live, weight
