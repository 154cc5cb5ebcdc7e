"""The observed I_FF that structures are fitted to, and where it is read from."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsfu.model.errors import InputError, near_miss
from dsfu.model.readers.sizes import check_declared
from dsfu.simulate.contract import BoolArray, FloatArray
from dsfu.simulate.lattice import Cell
from dsfu.simulate.planes import Plane

_REQUIRED: Final = ("form_factor", "q_max", "axis_x", "axis_y", "centre")
_OPTIONAL: Final = ("live", "sigma", "cell", "name")


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservedFormFactor:
    """I_FF on one plane, indexed [y, x].

    Attributes
    ----------
    form_factor
        (pixels, pixels), in any unit, finite.
    live
        (pixels, pixels), True where it is to be fitted.
    plane
        Where in reciprocal space; its Cartesian frame is that of ``cell``.
    sigma
        Standard uncertainty, above 0 where live; None if unknown, and then every pixel counts the same.
    cell
        The lattice of the sites; None if unknown.
    """

    form_factor: FloatArray
    live: BoolArray
    plane: Plane
    sigma: FloatArray | None = None
    cell: Cell | None = None
    name: str = ""

    def __post_init__(self) -> None:
        shape = (self.plane.pixels, self.plane.pixels)
        for name in ("form_factor", "live", "sigma"):
            values = getattr(self, name)
            if values is not None and values.shape != shape:
                raise ValueError(f"{name}: shape {values.shape}; expected {shape}, the plane's pixels")
        if not np.isfinite(self.form_factor[self.live]).all():
            raise ValueError("form_factor: not finite where live")
        if self.sigma is not None and not (self.sigma[self.live] > 0).all():
            raise ValueError("sigma: not above 0 where live")


def observed_of(
    form_factor: Any, live: Any, plane: Plane, cell: Cell | None, sigma: Any = None, name: str = ""
) -> ObservedFormFactor:
    """Of arrays as they come: pixels without a value, or with no uncertainty above 0, are not live."""
    values = np.array(form_factor, np.float64)
    usable = np.isfinite(values)
    usable &= np.ones_like(usable) if live is None else np.asarray(live, np.bool_)
    errors = None if sigma is None else np.array(sigma, np.float64)
    if errors is not None:
        usable &= np.isfinite(errors) & (errors > 0)
    if not usable.any():
        raise InputError("no pixel is live", where=name, expected="a form factor that was observed somewhere")
    if values[usable].max() <= values[usable].min():
        raise InputError("the form factor is the same everywhere", where=name, expected="something to fit to")
    return ObservedFormFactor(
        form_factor=np.where(usable, values, 0.0), live=usable, plane=plane, sigma=errors, cell=cell, name=name
    )


def read_observed(path: str | Path) -> list[ObservedFormFactor]:
    """The observed I_FF of every plane in a file.

    `.npz` with the arrays form_factor (y, x), q_max, axis_x, axis_y, centre, and if known live, sigma (y, x),
    cell (a, b, c, α, β, γ), name.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError("is a folder" if path.is_dir() else "is not there", where=str(path), expected="a file")
    if not zipfile.is_zipfile(path):
        raise InputError(
            "is not a file of form factors",
            where=str(path),
            expected=".npz with " + ", ".join(_REQUIRED),
            remedy="write it as docs/refine-ff.md says",
        )
    return [_read_npz(path)]


def _read_npz(path: Path) -> ObservedFormFactor:
    arrays = _arrays(path)
    where = str(path)
    form_factor = arrays["form_factor"]
    if form_factor.ndim != 2 or form_factor.shape[0] != form_factor.shape[1]:
        raise InputError(f"form_factor has the shape {form_factor.shape}", where=where, expected="a square plane")
    try:
        plane = Plane(
            arrays["centre"], arrays["axis_x"], arrays["axis_y"], float(arrays["q_max"].item()), len(form_factor)
        )
        cell = Cell(*np.asarray(arrays["cell"], np.float64).reshape(6).tolist()) if "cell" in arrays else None
        name = str(arrays["name"]) if "name" in arrays else path.name
        return observed_of(form_factor, arrays.get("live"), plane, cell, arrays.get("sigma"), name)
    except (ValueError, TypeError) as error:
        raise InputError(str(error), where=where) from error


def _arrays(path: Path) -> dict[str, Any]:
    where = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                check_declared(member.file_size, f"{where}: {member.filename}", stored=member.compress_size)
        with np.load(path, allow_pickle=False) as stored:
            missing = [name for name in _REQUIRED if name not in stored]
            if missing:
                near = near_miss(missing[0], stored.files)
                raise InputError(
                    f"has no array {missing[0]}",
                    where=where,
                    expected=", ".join(_REQUIRED) + "; and if known " + ", ".join(_OPTIONAL),
                    remedy=f"is {near} meant?" if near else "",
                )
            found = {name: stored[name] for name in (*_REQUIRED, *_OPTIONAL) if name in stored}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot be read: {error}", where=where) from error
    for name, values in found.items():
        if name != "name" and (values.dtype.kind not in "fiub" or values.size == 0):
            raise InputError(
                f"{name} has the type {values.dtype}, shape {values.shape}", where=where, expected="real numbers"
            )
    return found
