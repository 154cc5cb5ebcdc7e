"""The last step of every reader: from what a file gave to a `Reconstruction` that makes sense."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import RealArray, Reconstruction, Step
from dsfu.model.measured.readers.hints import Hints
from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.lattice import Cell

_LARGEST_INDEX: Final = 1e5
_SMALLEST_STEP: Final = 1e-7
_MANY_ZEROS: Final = 0.05
_MANY_LEAST: Final = 0.01
"""A share of voxels with the same negative number, the least of all, that no noise makes. Chosen, not calibrated."""


def as_real(values: npt.NDArray[Any]) -> RealArray:
    """Numbers as float32 where that holds them, otherwise as float64."""
    single = values.dtype.itemsize <= (4 if values.dtype.kind == "f" else 2)
    return np.asarray(values, np.float32 if single else np.float64)


def assemble(
    *,
    intensity: npt.NDArray[Any],
    grid: tuple[FloatArray, FloatArray] | None,
    cell: Cell | None,
    where: str,
    format_name: str,
    hints: Hints,
    live: BoolArray | None = None,
    sigma: npt.NDArray[Any] | None = None,
    weight: npt.NDArray[Any] | None = None,
    notes: Sequence[str] = (),
    history: Sequence[Step] = (),
) -> Reconstruction:
    """Check, fill in what hints say, and put together. ``grid`` is the file's own: origin, and steps as rows."""
    shape = intensity.shape
    if not 2 <= len(shape) <= 3 or 0 in shape or max(shape) < 2:
        raise InputError(f"has shape {shape}", where=where, expected="a volume or a plane: three or two axes of voxels")
    hinted = hints.grid(shape, where)
    if hints.frame in ("q", "s") and (hinted is not None or grid is None):
        raise InputError(
            "the frame is 1/Å, but nothing in the file counts 1/Å",
            where=where,
            expected="limits, origin and steps in hkl",
        )
    notes = [*notes, *_overridden(hinted is not None and grid is not None, hints.cell, cell)]
    origin, steps = hinted or grid or _counted(shape)
    indexed = (hinted or grid) is not None
    if not indexed and (hints.cell or cell) is not None:
        raise InputError(
            "has a cell, but nothing says where its voxels lie",
            where=where,
            expected="--limits, or --origin and --steps",
            remedy=next((note for note in notes if "--axes" in note), ""),
        )
    full = (*shape, 1)[:3]
    steps = _checked_grid(origin, steps, full, where)
    values = as_real(intensity).reshape(full)
    unmeasured = [0.0] if hints.zeros == "dead" else []
    for number in [*unmeasured, *([] if hints.missing is None else [hints.missing])]:
        there = values != values.dtype.type(number)
        live = there if live is None else live.reshape(full) & there
    live, more = _live(values, live, where)
    errors, still_more = _sigma(sigma, live, full, where)
    return Reconstruction(
        intensity=values,
        live=live,
        origin=origin,
        steps=steps,
        cell=hints.cell or cell,
        sigma=errors,
        weight=None if weight is None else as_real(_same_shape(weight, shape, "weights", where)).reshape(full),
        source=where,
        history=tuple(history),
        indexed=indexed,
        format=format_name,
        notes=(*notes, *more, *still_more),
    )


def _overridden(grid: bool, hinted: Cell | None, own: Cell | None) -> list[str]:
    notes = ["the grid that was given is used, not the file's own"] if grid else []
    if hinted is not None and own is not None and not np.allclose(hinted.constants, own.constants, rtol=1e-4):
        notes.append(f"the cell that was given is used, not the file's own ({constants_text(own)})")
    return notes


def constants_text(cell: Cell) -> str:
    """The six constants, short."""
    return " ".join(f"{number:.6g}" for number in cell.constants)


def _counted(shape: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    counts = (*shape, 1)[:3]
    return -np.array([count // 2 for count in counts], np.float64), np.eye(3)


def _checked_grid(origin: FloatArray, steps: FloatArray, shape: Sequence[int], where: str) -> FloatArray:
    """Steps that span space: a file may say 0 for an axis of one voxel, and then any direction will do."""
    steps = np.array(steps, np.float64)
    for axis, count in enumerate(shape):
        if count == 1 and not steps[axis].any():
            steps[axis] = _across(steps, axis)
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(steps, axis=1)
        reach = np.abs(origin) + np.abs(steps).T @ np.array(shape)
    if not (reach <= _LARGEST_INDEX).all():
        raise InputError(
            f"its voxels begin at hkl = {_numbers(origin)} and go on in steps of {_numbers(steps)}",
            where=where,
            expected=f"finite numbers, hkl within ±{_LARGEST_INDEX:g}",
        )
    if lengths.min() < _SMALLEST_STEP or abs(np.linalg.det(steps)) <= 1e-9 * lengths.prod():
        raise InputError(
            f"the steps of its axes are {_numbers(steps)}",
            where=where,
            expected="three directions that are not in one plane, none of them 0",
        )
    return steps


def _numbers(values: FloatArray) -> str:
    return " ".join(f"{value:.4g}" for value in values.reshape(-1))


def _across(steps: FloatArray, axis: int) -> FloatArray:
    """The index, as a unit step, that is most nearly across the other axes."""
    normal = np.cross(*(steps[other] for other in range(3) if other != axis))
    unit: FloatArray = np.eye(3)[int(np.abs(normal).argmax())]
    return unit


def _same_shape(values: npt.NDArray[Any], shape: Sequence[int], what: str, where: str) -> npt.NDArray[Any]:
    if values.shape != tuple(shape):
        raise InputError(
            f"its {what} have shape {values.shape}", where=where, expected=f"{tuple(shape)}, that of the intensity"
        )
    return values


def _live(values: RealArray, live: BoolArray | None, where: str) -> tuple[BoolArray, list[str]]:
    finite = np.isfinite(values)
    infinite = values.size - int(finite.sum()) - int(np.isnan(values).sum())
    if live is not None:
        finite &= _same_shape(live.reshape(values.shape), values.shape, "mask", where)
    if not finite.any():
        raise InputError("holds no measured voxel: all are NaN or masked", where=where, expected="intensities")
    if not (finite & (values != 0)).any():
        raise InputError("is zero everywhere", where=where, expected="intensities")
    zero = 1 - np.count_nonzero(values[finite]) / np.count_nonzero(finite)
    notes = [f"{infinite} infinite values are taken for unmeasured"] if infinite else []
    if zero > _MANY_ZEROS:
        notes.append(
            f"{100 * zero:.0f} % of what was measured is exactly 0; if that means unmeasured, say --zeros dead"
        )
    notes += _least_of_many(values[finite])
    return finite, notes


def _least_of_many(measured: RealArray) -> list[str]:
    """What stands for "not measured" in other programs' files: a negative number that is there many times."""
    least = float(measured.min())
    share = float(np.mean(measured == least)) if least < 0 else 0.0
    if share < _MANY_LEAST:
        return []
    return [
        f"{100 * share:.3g} % of the voxels are exactly {least:g}; if that means unmeasured, say --missing {least:g}"
    ]


def _sigma(
    sigma: npt.NDArray[Any] | None, live: BoolArray, shape: Sequence[int], where: str
) -> tuple[RealArray | None, list[str]]:
    """Uncertainties, if they are any good; voxels whose own is not a number are taken for unmeasured, in ``live``."""
    if sigma is None:
        return None, []
    values = as_real(sigma)
    if values.size != live.size:
        raise InputError(f"its sigma has shape {sigma.shape}", where=where, expected=f"{tuple(shape)}")
    values = values.reshape(shape)
    good = np.isfinite(values) & (values >= 0)
    if not (good & live & (values > 0)).any():
        return None, ["its uncertainties are all 0 or not finite, and are not used"]
    bad = int((live & ~good).sum())
    live &= good
    return values, [f"{bad} voxels without a finite uncertainty are taken for unmeasured"] if bad else []
