"""The cell that belongs to an NXdata: in the sample or crystal of its entry, in one of several spellings."""

from typing import Final

import h5py
import numpy as np

from dsfu.model.measured.readers.hdf5 import Hdf5, Node, name_of
from dsfu.model.measured.readers.hints import cell_of
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell

_MOST_CHILDREN: Final = 100
_NAMES: Final = ("a", "b", "c", "alpha", "beta", "gamma")


def cell_near(file: Hdf5, group: Node, notes: list[str]) -> Cell | None:
    """The cell of the sample nearest above a group, or of any other entry; None, and a note, if there is none."""
    node = group
    while node is not None:
        cell = _cell_beside(file, node)
        if cell is not None:
            return cell
        node = None if name_of(node) == "/" else file.find(name_of(node).rpartition("/")[0] or "/", node)
    for name in file.names(file.root):
        entry = file.find(name)
        cell = None if entry is None else _cell_beside(file, entry)
        if cell is not None:
            notes.append(f"the cell is that of /{name}")
            return cell
    notes.append("there is no cell beside the data; give --cell for what needs lengths")
    return None


def _cell_beside(file: Hdf5, group: Node) -> Cell | None:
    """The cell in a group itself, or in a sample or crystal in it."""
    for sample in (group, *_samples(file, group)):
        constants = _constants(file, sample)
        if constants is not None:
            return cell_of(constants, file.where(sample))
    return None


def _samples(file: Hdf5, group: Node) -> list[Node]:
    """What is called sample or crystal, also by way of a link, and then what is one by its class."""
    usual = [file.find(name, group) for name in ("sample", "crystal")]
    others = [file.hard_child(group, name) for name in file.names(group)[:_MOST_CHILDREN]]
    by_class = [each for each in others if each is not None and file.said(each, "NX_class") == "NXsample"]
    return [each for each in (*usual, *by_class) if isinstance(each, h5py.Group)]


def _constants(file: Hdf5, sample: Node) -> FloatArray | None:
    names = set(file.names(sample))
    if "unit_cell" in names:  # NXsample: six numbers, or as many for each of several components
        return file.numbers(file.need("unit_cell", sample))[:6]
    if {"unit_cell_abc", "unit_cell_alphabetagamma"} <= names:
        pair = [file.numbers(file.need(name, sample), 3) for name in ("unit_cell_abc", "unit_cell_alphabetagamma")]
        return np.concatenate(pair)
    for prefix in ("unitcell_", "unit_cell_", "lattice_"):  # nxrefine now, Mantid, nxrefine in earlier years
        if {prefix + name for name in _NAMES} <= names:
            return np.concatenate([file.numbers(file.need(prefix + name, sample), 1) for name in _NAMES])
    return None
