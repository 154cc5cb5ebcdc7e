"""Factors as files for Yell and Meerkat, which know only grids along h, k and l.

Each layer is resampled from its square grid in 1/Å by cubic interpolation onto one along its two indices, as fine as
the pixels, with whole indices on the grid, and one voxel thick. What lies outside the square is NaN.
"""

import re
from pathlib import Path
from typing import Final

import h5py
import numpy as np
from scipy.ndimage import map_coordinates

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import RealArray, Reconstruction, Step
from dsfu.model.measured.factorise.factors import CrystalFactors, PlaneFactors
from dsfu.model.measured.readers.writing import write_meerkat
from dsfu.simulate.arrays import FloatArray

WRITTEN: Final = ("form_factor", "sro", "model")
"""What becomes a file, for every plane."""

_CONSTANT: Final = 1e-6
"""Change of an index over a plane that counts as none."""


def write_yell_files(folder: str | Path, factors: CrystalFactors) -> list[Path]:
    """Write form factor, order and model of every layer; other planes are left out (`not_for_yell` says why).

    The files are named after the plane, such as ``hk1_form_factor.h5``. The folder is made if need be. A bad verdict is
    their attribute ``verdict``.
    """
    folder = Path(folder)
    _make(folder)
    written: list[Path] = []
    for plane in factors.planes:
        if not_for_yell(plane):
            continue
        stem = _unused(_file_name(plane.name), folder, written)
        for what in WRITTEN:
            path = folder / f"{stem}_{what}.h5"
            write_meerkat(path, on_indices(plane, what))
            if not factors.verdict.passed:
                with h5py.File(path, "r+") as file:
                    file.attrs["verdict"] = factors.verdict.sentence
            written.append(path)
    return written


def not_for_yell(plane: PlaneFactors) -> str:
    """Why a plane cannot be written, in words; nothing if it can."""
    if plane.cell is None:
        return "its cell is unknown"
    return "" if _fixed_index(plane) is not None else "none of h, k, l is the same everywhere on it"


def on_indices(plane: PlaneFactors, what: str) -> Reconstruction:
    """One of the arrays of a layer, on a grid along h, k and l."""
    reason = not_for_yell(plane)
    fixed = _fixed_index(plane)
    if plane.cell is None or fixed is None:
        raise ValueError(f"plane {plane.name}: {reason}; expected a layer")
    axes, step = _axes(plane, fixed)
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    rows, columns = _pixels(plane, hkl)
    inside = _within(rows, plane) & _within(columns, plane)
    values: RealArray = np.asarray(getattr(plane, what), np.float64)
    found = np.maximum(map_coordinates(values, [rows, columns], order=3, mode="nearest"), 0.0)
    done = Step(name="resample on h, k, l", parameters={"interpolation": "cubic", "steps": step.tolist()})
    return Reconstruction(
        intensity=np.where(inside, found, 0.0).astype(np.float32),
        live=inside,
        origin=np.array([values[0] for values in axes]),
        steps=np.diag(step),
        cell=plane.cell,
        source=f"{what} of {plane.name}",
        history=(*plane.measured.history, done),
    )


def _fixed_index(plane: PlaneFactors) -> int | None:
    """Which of h, k, l is constant on the plane."""
    assert plane.cell is not None
    along = plane.cell.hkl_of_q(np.stack([plane.plane.axis_x, plane.plane.axis_y]))
    change = np.abs(along).max(axis=0) * plane.plane.q_max
    return int(change.argmin()) if change.min() < _CONSTANT else None


def _axes(plane: PlaneFactors, fixed: int) -> tuple[list[FloatArray], FloatArray]:
    """Indices along each axis of the grid, and their steps."""
    assert plane.cell is not None
    offsets = plane.plane.offsets[[0, -1]]
    corners = plane.plane.centre + [x * plane.plane.axis_x + y * plane.plane.axis_y for x in offsets for y in offsets]
    hkl = plane.cell.hkl_of_q(corners)
    step = 1 / np.ceil(np.linalg.norm(plane.cell.reciprocal, axis=1) / plane.plane.step)
    step[fixed] = 1.0
    axes = [
        each * np.arange(np.ceil(low / each - _CONSTANT), np.floor(high / each + _CONSTANT) + 1)
        for each, low, high in zip(step, hkl.min(axis=0), hkl.max(axis=0), strict=True)
    ]
    axes[fixed] = np.round(hkl[:1, fixed], 9)
    return axes, step


def _pixels(plane: PlaneFactors, hkl: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Row and column, fractions, of points of the plane."""
    assert plane.cell is not None
    q = plane.cell.q_of_hkl(hkl) - plane.plane.centre
    first = plane.plane.offsets[0]
    return (q @ plane.plane.axis_y - first) / plane.plane.step, (q @ plane.plane.axis_x - first) / plane.plane.step


def _within(place: FloatArray, plane: PlaneFactors) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return (place >= -_CONSTANT) & (place <= plane.plane.pixels - 1 + _CONSTANT)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made: {error.strerror}", where=str(folder), expected="a folder") from error


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.+,-]+", "_", name.partition(" of ")[0]).strip("_") or "plane"


def _unused(stem: str, folder: Path, written: list[Path]) -> str:
    """Planes may have the same name; then they are numbered."""
    number, name = 1, stem
    while folder / f"{name}_{WRITTEN[0]}.h5" in written:
        number += 1
        name = f"{stem}_{number}"
    return name
