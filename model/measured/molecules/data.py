"""The observed I_FF that structures are fitted to, and where it is read from."""

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsfu.errors import InputError, near_miss
from dsfu.model.measured.readers.sizes import check_declared
from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

if TYPE_CHECKING:
    from dsfu.model.measured.data.reconstruction import Reconstruction
    from dsfu.model.measured.factorise.factors import PlaneFactors

_PIXELS: Final = 96
_LEAST_COVERAGE: Final = 0.05
"""Planes of which less was measured are left out."""

_REQUIRED: Final = ("form_factor", "q_max", "axis_x", "axis_y", "centre")
_LEAST_SRO: Final = 0.02
"""Share of the largest I_SRO below which I_D says too little of I_FF."""

_NO_LESS_NOISE: Final = 1e-5
"""Standard deviation of the noise, relative to the brightest pixel, that is assumed of data without any."""

_OPTIONAL: Final = ("live", "from_data", "sigma", "sigma_form_factor", "cell", "name")


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

    What `dsfu-model analyse` writes: planes through (I − background) / I_SRO.

    What `dsfu-model factorise` writes: of the solver I_D / I_SRO, of a network I_FF itself, where measured. Or `.npz`
    with the arrays form_factor (y, x), q_max, axis_x, axis_y, centre, and if known live, sigma (y, x), cell (a, b, c,
    α, β, γ), name; several planes with _1, _2 … behind each name.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError("is a folder" if path.is_dir() else "is not there", where=str(path), expected="a file")
    if zipfile.is_zipfile(path):
        return _read_npz(path)
    from dsfu.model.measured.volume.reading import is_volume_factors

    return _of_volume(path) if is_volume_factors(path) else _read_factors(path)


def warning_of(path: Path) -> str:
    """What the verdict on the factors in a file says against them; empty if nothing."""
    if zipfile.is_zipfile(path):
        return ""
    from dsfu.model.measured.factorise.files import read_factors
    from dsfu.model.measured.volume.reading import is_volume_factors, read_volume_verdict

    if is_volume_factors(path):
        judgement, sentence = read_volume_verdict(path)
        return sentence if judgement == "contradicts" else ""
    verdict = read_factors(path).verdict
    return "" if verdict.passed else verdict.sentence


def _of_volume(path: Path) -> list[ObservedFormFactor]:
    """Planes through a volume that was analysed: all whole and half layers along each axis, of one scale."""
    from dsfu.model.measured.prepare.preparing import prepared_planes
    from dsfu.model.measured.volume.reading import observed_form_factor

    volume = observed_form_factor(path)
    planes = prepared_planes(volume, _sections_of(volume), pixels=_PIXELS)
    return [
        observed_of(each.intensity, each.live, each.plane, each.cell, each.sigma, each.name.partition(" of ")[0])
        for each in planes
        if each.coverage > _LEAST_COVERAGE
    ]


def _sections_of(volume: "Reconstruction") -> list[str]:
    names = []
    corners = np.stack([volume.origin, volume.origin + (np.array(volume.shape) - 1) * np.diag(volume.steps)])
    for axis, form in enumerate(("{}kl", "h{}l", "hk{}")):
        low, high = corners[:, axis]
        if volume.shape[axis] > 1 or (volume.shape[(axis + 1) % 3] > 1 and volume.shape[(axis + 2) % 3] > 1):
            indices = [n for n in (0.0, 0.5, 1.0, 1.5) if low - 1e-6 <= n <= high + 1e-6] or [float(low)]
            names += [form.format(f"{n:g}") for n in indices]
    return names


def _read_factors(path: Path) -> list[ObservedFormFactor]:
    from dsfu.model.measured.factorise.files import read_factors

    factors = read_factors(path)
    return [_estimate(each) if factors.method == "network" else quotient(each) for each in factors.planes]


def _estimate(found: "PlaneFactors") -> ObservedFormFactor:
    return observed_of(found.form_factor, found.live, found.plane, found.cell, found.sigma_form_factor, found.name)


def quotient(found: "PlaneFactors") -> ObservedFormFactor:
    """I_D / I_SRO. The solver's own I_FF is smooth because of its prior, and what that takes off it would go into the
    structures, by several of their standard uncertainties; the quotient has errors of its own at every pixel."""
    measured, sro = found.measured, found.sro.astype(np.float64)
    used = found.live & (sro > _LEAST_SRO * sro.max())
    observed = measured.intensity.astype(np.float64) - found.background
    floor = np.square(_NO_LESS_NOISE * np.abs(observed[used]).max(initial=0.0))
    divisor = np.where(used, sro, 1.0)
    sigma = np.sqrt(np.maximum(found.noise_variance, floor)) / divisor
    return observed_of(observed / divisor, used, found.plane, found.cell, sigma, found.name)


def _read_npz(path: Path) -> list[ObservedFormFactor]:
    where = str(path)
    arrays = _arrays(path)
    suffixes = [""] if "form_factor" in arrays else sorted(_suffixes(arrays), key=lambda suffix: int(suffix[1:]))
    if not suffixes:
        near = near_miss("form_factor", arrays)
        raise InputError(
            "has no array form_factor",
            where=where,
            expected=", ".join(_REQUIRED) + "; and if known " + ", ".join(_OPTIONAL),
            remedy=f"is {near} meant?" if near else "",
        )
    try:
        return [_of_arrays(arrays, suffix, path) for suffix in suffixes]
    except (ValueError, TypeError) as error:
        raise InputError(str(error), where=where) from error


def _suffixes(arrays: dict[str, Any]) -> list[str]:
    found = [re.fullmatch(r"form_factor(_\d{1,6})", name) for name in arrays]
    return [match[1] for match in found if match is not None]


def _of_arrays(arrays: dict[str, Any], suffix: str, path: Path) -> ObservedFormFactor:
    where = str(path)
    given = {name: arrays[name + suffix] for name in (*_REQUIRED, *_OPTIONAL) if name + suffix in arrays}
    missing = [name + suffix for name in _REQUIRED if name not in given]
    if missing:
        raise InputError(f"has no array {missing[0]}", where=where, expected=", ".join(_REQUIRED))
    for name, values in given.items():
        if name != "name" and (values.dtype.kind not in "fiub" or values.size == 0):
            what = f"{name}{suffix} has the type {values.dtype}, shape {values.shape}"
            raise InputError(what, where=where, expected="real numbers")
    form_factor = given["form_factor"]
    if form_factor.ndim != 2 or form_factor.shape[0] != form_factor.shape[1]:
        raise InputError(
            f"form_factor{suffix} has the shape {form_factor.shape}", where=where, expected="a square plane"
        )
    plane = Plane(given["centre"], given["axis_x"], given["axis_y"], float(given["q_max"].item()), len(form_factor))
    cell = Cell(*np.asarray(given["cell"], np.float64).reshape(6).tolist()) if "cell" in given else None
    live = given.get("from_data", given.get("live"))
    sigma = given.get("sigma", given.get("sigma_form_factor"))
    name = str(given.get("name", f"plane {suffix[1:]}" if suffix else path.stem))
    for what, values in (("live", live), ("sigma", sigma)):
        if values is not None and values.shape != form_factor.shape:
            raise InputError(
                f"{what}{suffix} has the shape {values.shape}", where=where, expected=f"{form_factor.shape}"
            )
    return observed_of(form_factor, live, plane, cell, sigma, name)


def _arrays(path: Path) -> dict[str, Any]:
    where = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                check_declared(member.file_size, f"{where}: {member.filename}", stored=member.compress_size)
        with np.load(path, allow_pickle=False) as stored:
            wanted = re.compile(rf"({'|'.join((*_REQUIRED, *_OPTIONAL))})(_\d{{1,6}})?")
            return {name: stored[name] for name in stored.files if wanted.fullmatch(name)}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise InputError(f"cannot be read: {error}", where=where) from error
