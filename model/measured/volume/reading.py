"""What an analysis wrote into factors.h5, read back: the refined order, and I_FF as it was observed."""

import json
from pathlib import Path
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.order.records import refinements_of
from dsfu.model.measured.order.result import SroRefinement
from dsfu.model.measured.readers.hdf5 import Hdf5, format_of
from dsfu.model.measured.volume.files import FORMAT
from dsfu.simulate.lattice import Cell

_LEAST_SRO: Final = 0.05
"""Share of the largest I_SRO below which I_D says too little of I_FF."""


def is_volume_factors(path: Path) -> bool:
    """Whether `dsfu-model analyse` wrote it."""
    return format_of(path) == FORMAT


def read_volume_order(path: Path) -> SroRefinement:
    """α as they were refined."""
    with Hdf5(path) as file:
        text = file.text(file.need("volume/analyse/order"))
    return refinements_of(text, str(path))[0]


def read_volume_verdict(path: Path) -> tuple[str, str]:
    """The verdict and its sentence."""
    with Hdf5(path) as file:
        told = json.loads(file.text(file.need("volume/analyse/verdict")))
    return str(told.get("verdict", "")), str(told.get("sentence", ""))


def observed_form_factor(path: Path) -> Reconstruction:
    """(I − background) / I_SRO where I_SRO is not weak, with its standard uncertainty: what structures are fitted to.

    I_FF as it was fitted is smooth because of its prior, and its errors are not those of single voxels.
    """
    with Hdf5(path) as file:
        names = ("observed", "background", "sro", "difference", "form_factor")
        observed, background, sro, difference, form_factor = (
            np.asarray(file.need(f"volume/{name}/{name}")[()], np.float64) for name in names
        )
        axes = [np.asarray(file.need(f"volume/observed/{axis}")[()], np.float64) for axis in "hkl"]
        cell = Cell(*np.asarray(file.need("volume/unit_cell")[()], np.float64).tolist())
        gain = float(np.asarray(file.need("volume/analyse/gain")[()]))
    live = np.isfinite(difference) & (sro > _LEAST_SRO * sro.max())
    if not live.any():
        raise InputError("no voxel tells of I_FF", where=str(path), remedy="analyse data with more diffuse scattering")
    divisor = np.where(live, sro, 1.0)
    model = np.maximum(form_factor * sro + background, 0.5 * gain)
    steps = np.diag([axis[1] - axis[0] if len(axis) > 1 else 1.0 for axis in axes])
    return Reconstruction(
        intensity=np.where(live, (observed - background) / divisor, 0.0),
        live=live,
        origin=np.array([axis[0] for axis in axes]),
        steps=steps,
        cell=cell,
        sigma=np.where(live, np.sqrt(gain * model) / divisor, 0.0),
        source=str(path),
        format="factors of dsfu-model analyse",
    )
