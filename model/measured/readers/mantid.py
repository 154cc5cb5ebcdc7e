"""Mantid's MDHistoWorkspace, as SaveMD writes it (version 2).

``/MDHistoWorkspace/data/signal`` has the axes that its attribute ``axes`` names, colon-joined, slowest first; each is a
dataset with the **edges** of the bins. Column j of the matrix ``W_MATRIX`` is the hkl by which one unit along D*j*
advances. The cell stands under ``experiment0/sample/oriented_lattice``.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.readers.assembling import assemble, constants_text
from dsfu.model.measured.readers.hdf5 import Hdf5, Node
from dsfu.model.measured.readers.hints import Hints, cell_of
from dsfu.model.measured.readers.labels import direction_of, evenly_spaced
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell

NAME: Final = "Mantid MDHistoWorkspace"
_SIGNAL: Final = "MDHistoWorkspace/data/signal"
_FRAME_NUMBERS: Final = {1: "Q (lab)", 2: "Q (sample)", 3: "HKL"}


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """One axis of the signal."""

    number: int
    title: str
    frame: str
    first: float
    step: float
    bins: int

    @property
    def is_energy(self) -> bool:
        return self.number > 2 or bool(re.search(r"delta ?e|energy|\[?mev\]?", self.title, re.IGNORECASE))


def refusal(file: Hdf5) -> str:
    """Why this is not such a file; empty if it is."""
    if "MDEventWorkspace" in file.names(file.root):
        return "it holds events, not a histogram: in Mantid, BinMD or MDNorm makes one"
    return "" if "MDHistoWorkspace" in file.names(file.root) else "there is no group MDHistoWorkspace"


def read(file: Hdf5, hints: Hints) -> Reconstruction:
    """The histogram in such a file."""
    signal = file.need(_SIGNAL)
    axes = _axes(file, signal)
    _check_frame(file, axes, hints)
    notes: list[str] = []
    kept = [axis for axis in axes if not axis.is_energy]
    if not 2 <= len(kept) <= 3:
        raise InputError(f"has {len(kept)} axes of reciprocal space", where=file.where(signal), expected="2 or 3")
    cell = _cell(file, notes) if hints.cell is None else None
    grid = _grid(file, kept, hints, hints.cell or cell, notes)
    arrays = {name: _array(file, name, axes) for name in ("signal", "errors_squared", "mask", "num_events")}
    return assemble(
        intensity=arrays["signal"],
        grid=grid,
        cell=cell,
        where=str(file.path),
        format_name=NAME,
        hints=hints,
        live=None if arrays["mask"] is None else arrays["mask"] == 0,
        sigma=_root(arrays["errors_squared"]),
        weight=arrays["num_events"],
        notes=notes,
    )


def _root(variance: Any) -> Any:
    """Square roots, NaN of what is negative; in place, for these arrays are large."""
    if variance is None or variance.dtype.kind != "f":
        return None if variance is None else np.sqrt(np.maximum(variance, 0))
    variance[~(variance >= 0)] = np.nan
    return np.sqrt(variance, out=variance)


def _axes(file: Hdf5, signal: Node) -> list[_Axis]:
    where = file.where(signal)
    names = file.said(signal, "axes").split(":")
    if names == [""]:
        raise InputError("has no attribute axes", where=where, expected="names of the axes, such as D2:D1:D0")
    if len(names) != len(signal.shape):
        raise InputError(f"its axes are {':'.join(names)}", where=where, expected=f"{len(signal.shape)} names")
    return [
        _axis(file, name, bins, len(names) - 1 - position)
        for position, (name, bins) in enumerate(zip(names, signal.shape, strict=True))
    ]


def _axis(file: Hdf5, name: str, bins: int, position: int) -> _Axis:
    node = file.need(f"MDHistoWorkspace/data/{name}", why="the edges of the bins of that axis")
    first, step = evenly_spaced(file.numbers(node), bins, file.where(node), edges=True)
    number = re.fullmatch(r"D(\d{1,2})", name)
    return _Axis(
        number=int(number[1]) if number else position,
        title=file.said(node, "long_name") or name,
        frame=file.said(node, "frame"),
        first=first,
        step=step,
        bins=bins,
    )


def _check_frame(file: Hdf5, axes: list[_Axis], hints: Hints) -> None:
    for axis in axes:
        if axis.is_energy and axis.bins > 1:
            raise InputError(
                f"has {axis.bins} bins along {axis.title}",
                where=f"{file.path}:/{_SIGNAL}",
                expected="one bin of energy",
                remedy="integrate over the elastic line in Mantid",
            )
    if hints.frame:
        return
    frames = {axis.frame for axis in axes if axis.frame and not axis.is_energy}
    node = file.find("MDHistoWorkspace/coordinate_system")
    system = int(file.numbers(node, 1).item()) if node is not None and not frames else 3
    frames |= {_FRAME_NUMBERS.get(system, "none in particular")} if not frames else set()
    if frames != {"HKL"}:
        raise InputError(
            f"its axes are in the frame {', '.join(sorted(frames))}",
            where=str(file.path),
            expected="HKL",
            remedy="bin it in HKL in Mantid; or, if its axes count hkl all the same, say --frame hkl; "
            "or --frame q for 1/Å in the frame of the sample",
        )


def _grid(
    file: Hdf5, axes: list[_Axis], hints: Hints, cell: Cell | None, notes: list[str]
) -> tuple[FloatArray, FloatArray]:
    if hints.frame in ("q", "s"):
        in_sample = _directions_in_sample_frame(file, cell) / (2 * np.pi if hints.frame == "q" else 1.0)
        of_unit = dict(enumerate(in_sample))
    else:
        of_unit = _directions_of_axes(file, axes, notes)
    origin = sum((axis.first * of_unit[axis.number] for axis in axes), np.zeros(3))
    steps = np.array([axis.step * of_unit[axis.number] for axis in axes])
    if len(axes) == 2:
        notes.append("it has two axes; the third coordinate is taken for 0")
        steps = np.vstack([steps, np.zeros(3)])
    return origin, steps


def _directions_of_axes(file: Hdf5, axes: list[_Axis], notes: list[str]) -> dict[int, FloatArray]:
    """hkl of one unit along each D*j*: by the matrix, or else by the axis's name, or else h, k, l in this order."""
    node = _of_experiment(file, "logs/W_MATRIX/value")
    matrix = None if node is None else file.numbers(node, 9).reshape(3, 3)
    found = {}
    for axis in axes:
        named = direction_of(axis.title)
        by_matrix = None if matrix is None or axis.number > 2 else matrix[:, axis.number]
        if by_matrix is not None and named is not None and not np.allclose(by_matrix, named, atol=1e-4):
            notes.append(f"W_MATRIX disagrees with the name of the axis {axis.title}; the matrix is used")
        if by_matrix is None and named is None:
            notes.append(f"nothing says where the axis {axis.title} points; it is taken for {'hkl'[axis.number % 3]}")
        chosen = by_matrix if by_matrix is not None else named
        found[axis.number] = np.eye(3)[axis.number % 3] if chosen is None else chosen
    return found


def _directions_in_sample_frame(file: Hdf5, cell: Cell | None) -> FloatArray:
    """hkl of the unit vectors of the sample's frame, in 1/Å without the 2π: rows of the inverse of UB, transposed."""
    node = _of_experiment(file, "sample/oriented_lattice/orientation_matrix")
    if node is None:
        if cell is None:
            raise InputError("has neither orientation_matrix nor cell", where=str(file.path), expected="--cell")
        return np.asarray(cell.vectors.T)
    try:
        return np.asarray(np.linalg.inv(file.numbers(node, 9).reshape(3, 3)).T, np.float64)
    except np.linalg.LinAlgError as error:
        raise InputError("is singular", where=file.where(node), expected="the matrix UB") from error


def _cell(file: Hdf5, notes: list[str]) -> Cell | None:
    lattice = _of_experiment(file, "sample/oriented_lattice")
    names = [f"unit_cell_{name}" for name in ("a", "b", "c", "alpha", "beta", "gamma")]
    if lattice is None or not set(names) <= set(file.names(lattice)):
        missing = "sample/oriented_lattice" if lattice is None else "unit_cell_a … unit_cell_gamma"
        notes.append(f"there is no cell: {missing} is missing; give --cell for what needs lengths")
        return None
    constants = np.concatenate([file.numbers(file.need(name, lattice), 1) for name in names])
    cell = cell_of(constants, file.where(lattice))
    matrix = file.find("orientation_matrix", lattice)
    if matrix is not None:
        ub = file.numbers(matrix, 9).reshape(3, 3)
        of_cell = cell.reciprocal @ cell.reciprocal.T / (2 * np.pi) ** 2
        if not np.allclose(ub.T @ ub, of_cell, atol=0.01 * of_cell.max()):
            notes.append(
                f"orientation_matrix disagrees with the constants of the cell ({constants_text(cell)}), which are used"
            )
    return cell


def _of_experiment(file: Hdf5, path: str) -> Node | None:
    group = file.need("MDHistoWorkspace")
    for name in sorted(name for name in file.names(group) if re.fullmatch(r"experiment\d+", name)):
        node = file.find(f"{name}/{path}", group)
        if node is not None:
            return node
    return None


def _array(file: Hdf5, name: str, axes: list[_Axis]) -> Any:
    """One of the arrays, without its axis of energy; None if it is not there, or all zero where that says nothing."""
    node = file.need(_SIGNAL) if name == "signal" else file.find(f"MDHistoWorkspace/data/{name}")
    if node is None:
        return None
    values = file.array(node)
    shape = tuple(axis.bins for axis in axes)
    if values.shape != shape:
        raise InputError(f"has shape {values.shape}", where=file.where(node), expected=f"{shape}, that of signal")
    if name == "num_events" and not (np.isfinite(values).all() and values.any()):
        return None
    return values.reshape([axis.bins for axis in axes if not axis.is_energy])
