"""Checks of arguments at the public edge of the package. Each raises a ValueError that names the argument, its value,
and what was expected."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SHELL_CUTOFF


def finite_array(name: str, value: npt.ArrayLike, shape: Sequence[int | None]) -> FloatArray:
    """Return ``value`` as a C-contiguous float64 array, after checking shape (None: any length) and finiteness."""
    try:
        if np.iscomplexobj(value):  # numpy would drop the imaginary part with no more than a warning
            raise TypeError("complex numbers")
        array = np.ascontiguousarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} = {value!r}: expected an array of real numbers of shape {tuple(shape)}") from error
    fits = array.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, array.shape, strict=True))
    if not fits:
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise ValueError(f"{name} has shape {array.shape}: expected {wanted}")
    if not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}[{', '.join(map(str, index))}] = {array[index]}: expected finite numbers only")
    return array


def number_between(name: str, value: float, low: float, high: float, *, open_low: bool = False) -> float:
    """Return ``value`` as a float, after checking that it is finite and in [low, high] (or (low, high])."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} = {value!r}: expected a number") from error
    if not (low <= number <= high) or (open_low and number == low):
        bracket = "(" if open_low else "["
        raise ValueError(f"{name} = {number}: expected a number in {bracket}{low}, {high}]")
    return number


def check_some_axes(name: str, value: str) -> None:
    """Refuse what is not none, one or two letters of a, b, c."""
    if not set(value) < set("abc"):
        raise ValueError(f"{name} = {value!r}: expected one or two of a, b, c")


def warren_cowley_set(name: str, value: npt.ArrayLike) -> FloatArray:
    """Return a set of Warren–Cowley parameters as float64, after checking shape, origin and inversion symmetry."""
    alpha = finite_array(name, value, ALPHA_SHAPE)
    origin = alpha[SHELL_CUTOFF, SHELL_CUTOFF, SHELL_CUTOFF]
    if abs(origin - 1.0) > 1e-9:
        raise ValueError(f"{name}[5, 5, 5] = {origin}: expected 1, the parameter of the vector 0")
    difference = np.abs(alpha - alpha[::-1, ::-1, ::-1])
    if difference.max() > 1e-6:
        u, v, w = (int(i) - SHELL_CUTOFF for i in np.unravel_index(difference.argmax(), ALPHA_SHAPE))
        here, there = alpha[u + 5, v + 5, w + 5], alpha[5 - u, 5 - v, 5 - w]
        raise ValueError(
            f"{name} is {here:.6g} at ({u}, {v}, {w}) and {there:.6g} at ({-u}, {-v}, {-w}): "
            "expected alpha[-v] == alpha[v]"
        )
    # Callers read one of each ±v only: what rounding left between the two must not depend on which.
    return (alpha + alpha[::-1, ::-1, ::-1]) / 2 if difference.any() else alpha
