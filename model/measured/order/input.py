"""What ``refine-sro`` reads: I_SRO on planes, and the parameters of the solver where there are any."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile, is_zipfile

import numpy as np

from dsfu.errors import InputError, near_miss
from dsfu.model.measured.order.planes import SroPlane
from dsfu.model.measured.order.result import WARNED
from dsfu.model.measured.readers.hdf5 import is_hdf5
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

if TYPE_CHECKING:
    from dsfu.model.measured.factorise.factors import CrystalFactors, PlaneFactors

_REQUIRED: Final = ("sro", "q_max", "axis_x", "axis_y", "centre", "cell")
_SMALLEST_DIVISOR: Final = 1e-3
"""Of I_FF, relative to its maximum; where it is weaker than a few per cent nothing is used anyway."""

_OPTIONAL: Final = ("form_factor", "live", "sigma", "weight")


@dataclass(frozen=True, kw_only=True, eq=False)
class SroInput:
    """Planes of one crystal.

    Attributes
    ----------
    planes
        I_SRO on each.
    own_scales
        Whether each plane was scaled by itself.
    clipped
        Whether I_SRO was set to zero where it came out negative.
    vectors, alpha, covariance
        What a solver found, (n, 3), (n,), (n, n); None where it did not.
    warning
        What the verdict on the factors says against them; empty if nothing.
    """

    planes: tuple[SroPlane, ...]
    own_scales: bool = False
    clipped: bool = False
    vectors: IntArray | None = None
    alpha: FloatArray | None = None
    covariance: FloatArray | None = None
    warning: str = ""


def read_sro(path: Path) -> SroInput:
    """Read a file with I_SRO, found out by its content."""
    if not path.is_file():
        raise InputError("there is no such file", where=str(path))
    if is_zipfile(path):
        return _read_npz(path)
    if is_hdf5(path):
        from dsfu.model.measured.factorise.files import read_factors

        return sro_of_factors(read_factors(path), str(path))
    raise InputError(
        "this is not a file with I_SRO",
        where=str(path),
        expected=f"the output of dsfu-model factorise, or an .npz with {', '.join(_REQUIRED)} (and if there are: "
        f"{', '.join(_OPTIONAL)})",
    )


def sro_of_factors(factors: "CrystalFactors", where: str = "") -> SroInput:
    """I_SRO on the planes of factors, and what the solver found."""
    planes = []
    from_network = factors.method == "network"
    for each in factors.planes:
        if each.cell is None:
            raise InputError(
                "its cell is unknown, so there is no lattice to refine on",
                where=f"{where}, {each.name}" if where else each.name,
                remedy="factorise it again with --cell a,b,c,alpha,beta,gamma",
            )
        planes.append(_of_network(each, each.cell) if from_network else _quotient(each, each.cell))
    return SroInput(
        planes=tuple(planes),
        own_scales=from_network and len(planes) > 1,
        vectors=factors.alpha_vectors,
        alpha=factors.alpha,
        covariance=factors.alpha_covariance,
        warning="" if factors.verdict.passed else f"{WARNED} {factors.verdict.sentence}",
    )


def _of_network(found: "PlaneFactors", cell: Cell) -> SroPlane:
    return SroPlane(
        sro=found.sro,
        live=found.live,
        plane=found.plane,
        cell=cell,
        form_factor=found.form_factor,
        sigma=found.sigma_sro,
        name=found.name,
    )


def _quotient(found: "PlaneFactors", cell: Cell) -> SroPlane:
    """I_D / I_FF. The solver's own I_SRO is a series already: its residuals say nothing of the measurement."""
    floor = _SMALLEST_DIVISOR * float(found.form_factor.max())
    return SroPlane(
        sro=(found.measured.intensity - found.background) / np.maximum(found.form_factor, floor),
        live=found.live & found.from_data,
        plane=found.plane,
        cell=cell,
        form_factor=found.form_factor,
        name=found.name,
    )


def _read_npz(path: Path) -> SroInput:
    """One plane (y, x), or several (plane, y, x) with a row of each geometry for every plane."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in (*_REQUIRED, *_OPTIONAL) if name in file.files}
            names = file.files
    except (ValueError, OSError, BadZipFile, EOFError, MemoryError) as error:
        raise InputError(f"it cannot be read: {error}", where=str(path), expected="plain arrays of numbers") from None
    for name in _REQUIRED:
        if name not in arrays:
            near = near_miss(name, names)
            raise InputError(
                f'it has no "{name}"' + (f'; is "{near}" meant?' if near else ""),
                where=str(path),
                expected=f"arrays {', '.join(_REQUIRED)}; it has {', '.join(names) or 'none'}",
            )
    for name, values in arrays.items():
        if values.dtype.kind not in "fiub":
            raise InputError(f'"{name}" is of type {values.dtype}', where=str(path), expected="real numbers")
    return SroInput(planes=tuple(_planes(path, arrays)))


def _planes(path: Path, arrays: dict[str, Any]) -> list[SroPlane]:
    sro = arrays["sro"]
    stack = sro if sro.ndim == 3 else sro[None]
    if stack.ndim != 3 or stack.shape[1] != stack.shape[2] or 0 in stack.shape:
        raise InputError(
            f'"sro" has the shape {sro.shape}', where=str(path), expected="(pixels, pixels) or (planes, pixels, pixels)"
        )
    found = []
    for number in range(len(stack)):
        one = {name: _of_plane(path, name, values, number, stack.shape) for name, values in arrays.items()}
        try:
            plane = Plane(one["centre"], one["axis_x"], one["axis_y"], float(one["q_max"]), stack.shape[1])
            cell = Cell(*(float(each) for each in one["cell"]))
        except (ValueError, TypeError) as error:
            raise InputError(str(error), where=str(path)) from None
        finite = np.isfinite(one["sro"])
        live = one["live"].astype(np.bool_) & finite if "live" in one else finite
        if not live.any():
            raise InputError(f"no pixel of plane {number + 1} is live and finite", where=str(path))
        optional = {name: one[name].astype(np.float64) for name in _OPTIONAL[:1] + _OPTIONAL[2:] if name in one}
        found.append(
            SroPlane(
                sro=np.where(live, one["sro"], 0.0),
                live=live,
                plane=plane,
                cell=cell,
                name=path.stem if len(stack) == 1 else f"plane {number + 1}",
                **optional,
            )
        )
    return found


_SHAPES: Final = {"q_max": (), "axis_x": (3,), "axis_y": (3,), "centre": (3,), "cell": (6,)}


def _of_plane(path: Path, name: str, values: Any, number: int, stack: tuple[int, ...]) -> Any:
    """What of an array belongs to one plane; a geometry that is given once holds for all."""
    wanted = _SHAPES.get(name, stack[1:])
    if values.shape == wanted:
        return values
    if values.shape == (stack[0], *wanted):
        return values[number]
    raise InputError(
        f'"{name}" has the shape {values.shape}', where=str(path), expected=f"{wanted}, or {(stack[0], *wanted)}"
    )
