"""What an analysis writes beside its report: factors.h5, sro.json and verdict.json."""

import json
import math
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsfu.model.measured.data.new_hdf5 import new_hdf5
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.model.measured.volume.verdict import VolumeVerdict
from dsfu.model.measured.volume.voxels import unfold

FORMAT: Final = "dsfu volume factors 1"


def factors_on_grid(solution: VolumeSolution) -> dict[str, Any]:
    """I_FF, I_SRO, background with tails, in the data's unit, on all voxels with h, k and l along the axes."""
    fit = solution.fit
    form_factor, order, extra = (each.numpy() for each in fit.factors())
    gain = np.float32(solution.voxels.gain)
    shape = form_factor.shape
    found = {"form_factor": form_factor * gain, "sro": order, "background": np.broadcast_to(extra * gain, shape)}
    return {name: unfold(values) if fit.voxels.folded else values for name, values in found.items()}


def write_volume_factors(path: Path, solution: VolumeSolution, verdict: VolumeVerdict, order: str) -> None:
    """Factors as NXdata on the native voxels, and the order as sro.json has it."""
    grids = factors_on_grid(solution)
    observed = np.where(solution.voxels.live, solution.voxels.counts * np.float32(solution.voxels.gain), np.nan)
    used = solution.voxels.live & ~solution.masked
    model = grids["form_factor"] * grids["sro"] + grids["background"]
    arrays = {"form_factor": grids["form_factor"], "sro": grids["sro"], "background": grids["background"]}
    arrays |= {"observed": observed, "difference": np.where(used, observed - model, np.nan)}
    with new_hdf5(path) as file:
        file.attrs.update({"NX_class": "NXroot", "dsfu_format": FORMAT, "default": "volume"})
        entry = file.create_group("volume")
        entry.attrs.update({"NX_class": "NXentry", "default": "form_factor"})
        for name, values in arrays.items():
            group = entry.create_group(name)
            group.attrs.update({"NX_class": "NXdata", "signal": name, "axes": ["h", "k", "l"]})
            for axis, coordinates in zip("hkl", solution.voxels.axes, strict=True):
                group[axis] = coordinates
                group[axis].attrs["units"] = "reciprocal lattice units"
            group.create_dataset(
                name, data=values.astype(np.float32), compression="gzip", compression_opts=1, shuffle=True
            )
            group[name].attrs["units"] = "1" if name == "sro" else "unit of the data"
        entry["unit_cell"] = np.array(solution.voxels.cell.constants)
        process = entry.create_group("analyse")
        process.attrs["NX_class"] = "NXprocess"
        process["program"], process["version"] = "dsfu-model analyse", version("dsfu")
        process["gain"] = solution.voxels.gain
        process["order"] = order
        process["verdict"] = verdict_text(solution, verdict)


def verdict_record(solution: VolumeSolution, verdict: VolumeVerdict) -> dict[str, Any]:
    """The verdict, its checks, and how the fit went, for JSON."""
    columns = solution.fit.columns
    amplitudes = solution.fit.parts()[2]
    places = np.linspace(0, len(columns.q_inv_angstrom) - 1, 21).astype(int)
    curve = columns.curve(amplitudes) * solution.voxels.gain
    deviation = columns.curve_uncertainty(solution.column_covariance) * solution.voxels.gain
    prior, background = solution.fit.prior, solution.background
    return {
        "verdict": verdict.judgement,
        "sentence": verdict.sentence,
        "checks": [
            {
                "name": check.name,
                "passed": check.passed,
                "ratio": _number(check.ratio),
                "limit": check.limit,
                "share_of_diffuse": _number(check.amplitude),
                "meaning": check.meaning,
            }
            for check in verdict.checks
        ],
        "fit": {
            "voxels": int(solution.fit.voxels.live.sum()),
            "chi_square_per_voxel": _number(solution.chi_square),
            "misfit": _number(solution.misfit),
            "laue": solution.settings.laue,
            "cutoff": solution.cutoff,
            "cutoff_by_evidence": solution.settings.cutoff is None,
            "asymmetry": None if solution.asymmetry is None else _number(solution.asymmetry),
            "patterson_width_cells": list(prior.width),
            "patterson_strength": prior.amplitude,
            "scale_known": solution.scale_known,
            "bragg_peaks": 0 if solution.peaks is None else int(solution.peaks.strong.sum()),
            "left_out_beside_peaks": int(solution.masked.sum()),
            "stretch": None if solution.stretch is None else asdict(solution.stretch),
            "seconds": round(solution.seconds, 1),
        },
        "background": {
            "q_inv_angstrom": columns.q_inv_angstrom[places].tolist(),
            "intensity": curve[places].tolist(),
            "uncertainty": deviation[places].tolist(),
            **({} if background is None else {"beyond_first_knot": asdict(background)}),
        },
    }


def verdict_text(solution: VolumeSolution, verdict: VolumeVerdict) -> str:
    return json.dumps(verdict_record(solution, verdict), indent=1, ensure_ascii=False)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
