"""HDF5 with an array in no known format: axes named h, k and l beside it are used, the rest comes from hints."""

from typing import Any, Final

import h5py

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.readers.assembling import assemble
from dsfu.model.measured.readers.hdf5 import Hdf5, Node, name_of
from dsfu.model.measured.readers.hints import Hints
from dsfu.model.measured.readers.labels import AXES_TAKEN, grid_by_centres, why_no_grid
from dsfu.simulate.arrays import FloatArray

NAME: Final = "HDF5 with an array"


def refusal(file: Hdf5) -> str:
    """Why nothing can be read; empty if there is an array."""
    return "" if _arrays(file) else "there is no array of numbers with two or three axes"


def read(file: Hdf5, hints: Hints) -> Reconstruction:
    """The array ``/data``, the one that hints name, or the only one that there is."""
    node = _chosen(file, hints)
    hinted = hints.grid(node.shape, file.where(node)) is not None
    beside = _beside(file, node)
    grid = None if hinted else _grid_beside(file, beside, node, hints)
    if hinted:
        notes = []
    elif grid is None:
        notes = [why_no_grid(beside, node.shape)]
    else:
        notes = [AXES_TAKEN]
    return assemble(
        intensity=file.array(node),
        grid=grid,
        cell=None,
        where=file.where(node),
        format_name=NAME,
        hints=hints,
        notes=notes,
    )


def _beside(file: Hdf5, node: Node) -> dict[str, Node]:
    """What is called h, k or l in the group of an array."""
    group = node.parent
    return {name: file.need(name, group) for name in file.names(group) if name.lower() in ("h", "k", "l")}


def _grid_beside(file: Hdf5, beside: dict[str, Node], node: Node, hints: Hints) -> tuple[FloatArray, FloatArray] | None:
    def values(name: str) -> tuple[FloatArray, str]:
        return file.numbers(beside[name]), file.where(beside[name])

    return grid_by_centres(beside, node.shape, hints.order(len(node.shape), file.where(node)), values)


def _chosen(file: Hdf5, hints: Hints) -> Node:
    if hints.dataset:
        return file.need(hints.dataset)
    arrays = _arrays(file)
    named = [node for node in arrays if name_of(node) == "/data"] or arrays
    if len(named) > 1:
        names = ", ".join(name_of(node) for node in named[:10])
        raise InputError(f"holds {len(named)} arrays", where=str(file.path), expected=f"--dataset with one of {names}")
    return named[0]


def _arrays(file: Hdf5) -> list[Any]:
    return [node for node in file.walk() if isinstance(node, h5py.Dataset) and _is_array(node)]


def _is_array(node: Node) -> bool:
    try:
        return (
            node.dtype.kind in "iufbc" and node.shape is not None and 2 <= len(node.shape) <= 3 and max(node.shape) > 3
        )
    except Exception:  # a damaged dataset is none that could be read
        return False
