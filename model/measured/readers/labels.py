"""What the axes of a file say: which direction of hkl, where the first voxel lies, and how long a step is."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from typing import Any, Final

import numpy as np

from dsfu.errors import InputError
from dsfu.simulate.arrays import FloatArray

AXES_TAKEN: Final = "h, k and l beside the array are taken for the centres of its voxels; look at a picture"

_EVEN: Final = 2e-3
"""How much a step may differ from the mean one, as a share of it; axes stored as float32 are not exact."""

_COMPONENT: Final = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)?(?:/(\d+(?:\.\d*)?))?\*?([hkl]?)(?:/(\d+(?:\.\d*)?))?")


def direction_of(label: str) -> FloatArray | None:
    """The hkl by which one unit along an axis advances, from its name; None if it is not an axis of hkl.

    Understood are ``H``, ``Qh``, ``h-axis``, ``k (r.l.u.)`` and the like, ``[H,-H,0]``, ``[0,0,2L]``, ``[0.5K,K,0]``.
    """
    text = "".join(label.lower().split())
    bracket = re.search(r"\[([^\]]*)\]", text)
    if bracket is not None:
        return _direction_in_brackets(bracket[1])
    plain = re.sub(r"[(\[].*", "", text).removesuffix("axis").removeprefix("q").strip("_-.*")
    return np.eye(3)["hkl".index(plain)] if plain in ("h", "k", "l") else None


def _direction_in_brackets(text: str) -> FloatArray | None:
    parts = text.split(",")
    matches = [_COMPONENT.fullmatch(part) for part in parts]
    if len(parts) != 3 or None in matches or len(set(re.findall("[hkl]", text))) != 1:
        return None
    vector = np.array([_component(match) for match in matches if match is not None])
    return vector if np.isfinite(vector).all() and vector.any() else None


def _component(match: re.Match[str]) -> float:
    sign, number, divisor, letter, later_divisor = match.groups()
    if not letter:
        return 0.0 if number is not None and float(number) == 0 else np.nan
    below = float(divisor or later_divisor or 1)
    return (-1.0 if sign == "-" else 1.0) * float(number or 1) / below if below else np.nan


def evenly_spaced(values: FloatArray, count: int, where: str, *, edges: bool | None = None) -> tuple[float, float]:
    """Centre of the first voxel and step of an axis given by the centres of its voxels or by their edges.

    ``edges`` says which; None lets the number of values decide. The step of a single voxel is its width, or 1 if that
    is not known.
    """
    wanted = {True: (count + 1,), False: (count,), None: (count, count + 1)}[edges]
    if values.size not in wanted:
        kinds = " or ".join(f"{n} ({'edges' if n == count + 1 else 'centres'} of voxels)" for n in wanted)
        raise InputError(f"has {values.size} values", where=where, expected=kinds)
    if not np.isfinite(values).all():
        raise InputError("has values that are not finite", where=where, expected="numbers that grow in even steps")
    is_edges = values.size == count + 1
    if values.size == 1:
        return float(values[0]), 1.0
    # From the ends, since the steps between may be rounded each.
    step = (float(values[-1]) - float(values[0])) / (values.size - 1)
    uneven = np.abs(np.diff(values) - step).max()
    if step == 0 or not uneven <= _EVEN * abs(step) + 1e-12:
        what = "stays the same" if step == 0 else f"is not evenly spaced: steps from {np.diff(values).min():.6g} to "
        what += "" if step == 0 else f"{np.diff(values).max():.6g}"
        raise InputError(what, where=where, expected="numbers that grow or fall in even steps")
    return float(values[0]) + (step / 2 if is_edges else 0.0), step


def why_no_grid(beside: Mapping[str, Any], shape: tuple[int, ...]) -> str:
    """That nothing says where voxels lie; in which order arrays h, k and l beside them would fit, if they do."""
    none = "nothing says where its voxels lie in reciprocal space"
    counts = {name.lower(): getattr(each, "shape", None) for name, each in beside.items()}
    if len(counts) != 3:
        return none
    lengths = [(count,) for count in shape]
    fitting = ["".join(order) for order in permutations("hkl") if [counts[name] for name in order] == lengths]
    return f"{none}: h, k and l beside the array fit it with --axes {' or '.join(fitting)}" if fitting else none


def grid_by_centres(
    beside: Mapping[str, Any],
    shape: tuple[int, ...],
    order: Sequence[int],
    values: Callable[[str], tuple[FloatArray, str]],
) -> tuple[FloatArray, FloatArray] | None:
    """Origin and steps by arrays called h, k and l, each as long as its axis; None if there are none such.

    Of a plane the third index is one number.

    Parameters
    ----------
    beside
        Those of the names h, k and l that are there, in capitals or not; shapes are looked at before anything is read.
    order
        The index (0 h, 1 k, 2 l) that runs along each array axis.
    values
        Numbers of one of them, and where it stands.
    """
    named = {name.lower(): name for name in beside}
    if len(named) != 3:
        return None
    fixed = [i for i in order if len(shape) == 2 and getattr(beside[named["hkl"[i]]], "size", None) == 1]
    order = [index for index in order if index not in fixed]
    names = [named["hkl"[index]] for index in order]
    if len(names) != len(shape):
        return None
    if any(getattr(beside[name], "shape", None) != (count,) for name, count in zip(names, shape, strict=True)):
        return None
    origin, steps = np.zeros(3), np.zeros((3, 3))
    for axis, (name, index) in enumerate(zip(names, order, strict=True)):
        numbers, where = values(name)
        origin[index], steps[axis, index] = evenly_spaced(numbers, shape[axis], where, edges=False)
    for index in fixed:
        origin[index] = values(named["hkl"[index]])[0].item()
    return origin, steps
