"""Factors in files: NXdata HDF5 that gives everything back and opens in NeXpy, and .npz for everybody else.

One NXentry per plane. The group ``observed`` is the plane as `dsfu.model.measured.readers.plane_files` writes it;
beside it stand ``form_factor``, ``sro``, ``model`` and ``difference``, each an NXdata with its uncertainty where there
is one. What belongs to the crystal is in the NXprocess ``factorise``.
"""

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from dsfu.errors import InputError
from dsfu.files import replacing
from dsfu.model.measured.data.new_hdf5 import new_hdf5
from dsfu.model.measured.factorise.factors import METHODS, Check, CrystalFactors, PlaneFactors, Verdict
from dsfu.model.measured.readers.hdf5 import Hdf5, Node
from dsfu.model.measured.readers.plane_files import (
    history_of,
    history_text,
    make_group,
    read_entry,
    write_array,
    write_entry,
)
from dsfu.simulate.arrays import Float32Array

FORMAT: Final = "dsfu factors 1"
"""The attribute ``dsfu_format`` of such files."""

_UNITS: Final = {
    "form_factor": "unit of the data",
    "sro": "1",
    "model": "unit of the data",
    "difference": "unit of the data",
}
_OF_CRYSTAL: Final = ("alpha_vectors", "alpha", "alpha_sines", "alpha_covariance", "axis_scales")
_TITLES: Final = {
    "form_factor": "I_FF, molecular form factor",
    "sro": "I_SRO, short-range order",
    "model": "I_FF · I_SRO + background",
    "difference": "observed − model",
}


def write_factors(path: str | Path, factors: CrystalFactors) -> None:
    """Write factors to one file; it is there whole or not at all."""
    with new_hdf5(path) as file:
        digits = max(3, len(str(len(factors.planes))))
        names = [f"plane_{number:0{digits}d}" for number in range(1, len(factors.planes) + 1)]
        file.attrs.update({"NX_class": "NXroot", "dsfu_format": FORMAT, "default": names[0]})
        for name, plane in zip(names, factors.planes, strict=True):
            _write_plane(make_group(file, name, "NXentry"), plane)
        _write_crystal(make_group(file, "factorise", "NXprocess"), factors)


def read_factors(path: str | Path) -> CrystalFactors:
    """What `write_factors` wrote."""
    with Hdf5(path) as file:
        found = file.said(file.root, "dsfu_format")
        if found != FORMAT:
            raise InputError(
                f"its format is {found!r}" if found else "it is not a file of factors",
                where=str(file.path),
                expected=f"a file that dsfu-model factorise wrote ({FORMAT})",
                remedy="dsfu-model factorise FILE -o factors.h5 makes one",
            )
        names = [name for name in sorted(file.names(file.root)) if name.startswith("plane_")]
        if not names:
            raise InputError("holds no plane", where=str(path))
        return _read_crystal(file, file.need("factorise"), tuple(_read_plane(file, file.need(name)) for name in names))


def write_npz(path: str | Path, factors: CrystalFactors) -> None:
    """The same numbers as plain arrays: ``intensity_1``, ``form_factor_1`` … for each plane, and what is common."""
    arrays: dict[str, Any] = {"method": factors.method, "passed": factors.verdict.passed}
    for number, plane in enumerate(factors.planes, start=1):
        of_plane = {
            "intensity": plane.measured.intensity,
            "live": plane.live,
            "form_factor": plane.form_factor,
            "sro": plane.sro,
            "sigma_form_factor": plane.sigma_form_factor,
            "sigma_sro": plane.sigma_sro,
            "from_data": plane.from_data,
            "background": plane.background,
            "centre": plane.plane.centre,
            "axis_x": plane.plane.axis_x,
            "axis_y": plane.plane.axis_y,
            "q_max": plane.plane.q_max,
            "cell": None if plane.cell is None else np.array(plane.cell.constants),
        }
        arrays |= {f"{name}_{number}": values for name, values in of_plane.items() if values is not None}
    for name in _OF_CRYSTAL:
        if getattr(factors, name) is not None:
            arrays[name] = getattr(factors, name)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _write_plane(entry: Node, plane: PlaneFactors) -> None:
    write_entry(entry, plane.measured)
    entry.move("data", "observed")
    entry.attrs["default"] = "form_factor"
    for name in _UNITS:
        _write_factor(entry, name, plane)
    write_array(entry["form_factor"], "from_data", plane.from_data.astype(np.uint8))
    entry["background"], entry["misfit"] = plane.background, plane.misfit
    entry["data"] = h5py.SoftLink("observed")


def _write_factor(entry: Node, name: str, plane: PlaneFactors) -> None:
    group = make_group(entry, name, "NXdata")
    group.attrs.update({"signal": name, "axes": ["Qy", "Qx"], "Qy_indices": 0, "Qx_indices": 1})
    group["title"] = f"{_TITLES[name]} of {plane.name}"
    for axis in ("Qy", "Qx"):
        group[axis] = entry[f"observed/{axis}"]
    write_array(group, name, np.asarray(getattr(plane, name), np.float32))
    group[name].attrs.update({"units": _UNITS[name], "long_name": _TITLES[name]})
    sigma = getattr(plane, f"sigma_{name}", None)
    if sigma is not None:
        write_array(group, f"{name}_errors", np.asarray(sigma, np.float32))


def _write_crystal(group: Node, factors: CrystalFactors) -> None:
    group["program"], group["version"] = "dsfu-model factorise", version("dsfu")
    group["method"] = factors.method
    group["settings"] = json.dumps(factors.settings, default=str)
    group["verdict"] = json.dumps([asdict(check) for check in factors.verdict.checks])
    group["verdict_sentence"] = factors.verdict.sentence
    group["verdict_too_little"] = factors.verdict.too_little
    group["history"] = history_text(factors.history)
    for name in _OF_CRYSTAL:
        values = getattr(factors, name)
        if values is not None:
            write_array(group, name, values)


def _read_plane(file: Hdf5, entry: Node) -> PlaneFactors:
    measured = read_entry(file, entry)

    def optional(path: str) -> Float32Array | None:
        found = file.find(path, entry)
        return None if found is None else file.array(found).astype(np.float32)

    try:
        return PlaneFactors(
            measured=measured,
            form_factor=file.array(file.need("form_factor/form_factor", entry)).astype(np.float32),
            sro=file.array(file.need("sro/sro", entry)).astype(np.float32),
            background=file.numbers(file.need("background", entry), 1).item(),
            sigma_form_factor=optional("form_factor/form_factor_errors"),
            sigma_sro=optional("sro/sro_errors"),
            from_data=file.array(file.need("form_factor/from_data", entry)).astype(np.bool_),
            misfit=file.numbers(file.need("misfit", entry), 1).item(),
        )
    except ValueError as error:
        raise InputError(str(error), where=file.where(entry), remedy="the file seems damaged") from error


def _read_crystal(file: Hdf5, group: Node, planes: tuple[PlaneFactors, ...]) -> CrystalFactors:
    method = file.text(file.need("method", group))
    chosen = next((each for each in METHODS if each == method), None)
    if chosen is None:
        raise InputError(f"method = {method!r}", where=file.where(group), expected=f"one of {', '.join(METHODS)}")

    def optional(name: str, dtype: type[Any]) -> Any:
        found = file.find(name, group)
        return None if found is None else file.array(found).astype(dtype)

    where = file.where(group)
    try:
        checks = tuple(Check(**each) for each in json.loads(file.text(file.need("verdict", group))))
        settings = dict(json.loads(file.text(file.need("settings", group))))
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError("its verdict or settings are not what was written", where=where) from error
    return CrystalFactors(
        planes=planes,
        method=chosen,
        verdict=Verdict(checks=checks, tells=chosen != "network", too_little=_too_little(file, group)),
        alpha_vectors=optional("alpha_vectors", np.int64),
        alpha=optional("alpha", np.float64),
        alpha_sines=optional("alpha_sines", np.float64),
        alpha_covariance=optional("alpha_covariance", np.float64),
        axis_scales=optional("axis_scales", np.float64),
        settings=settings,
        history=history_of(file.text(file.need("history", group)), where),
    )


def _too_little(file: Hdf5, group: Node) -> str:
    """Files from before 27 November 2026 do not have it."""
    found = file.find("verdict_too_little", group)
    return "" if found is None else file.text(found)
