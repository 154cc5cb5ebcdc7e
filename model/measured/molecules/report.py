"""What a refinement against I_FF found: for the terminal, as JSON, and its scans as CSV."""

import csv
import io
import json
from dataclasses import asdict
from importlib.metadata import version
from math import floor, isfinite, log10
from typing import Any, Final

import numpy as np

from dsfu.model.measured.molecules.refine import Refinement
from dsfu.model.measured.molecules.scan import Scan
from dsfu.model.measured.molecules.verdict import judge_molecules

_STRONG_CORRELATION: Final = 0.9
_FAR_APART: Final = 1.5
_OTHER_CELL: Final = 0.02


def value_with_uncertainty(value: float, uncertainty: float) -> str:
    """ "-11.2(3)": the uncertainty in units of the last digit, with two digits up to 19; "undetermined" if infinite."""
    if not isfinite(uncertainty):
        return "undetermined"
    if uncertainty <= 0:
        return f"{value:.6g}"
    decimals = 1 - floor(log10(uncertainty))
    if round(uncertainty * 10.0**decimals) > 19:
        decimals -= 1
    shown = max(decimals, 0)
    digits = round(uncertainty * 10.0**decimals) * 10 ** (shown - decimals)
    return f"{round(value, decimals):.{shown}f}({digits})"


def notes_of(refinement: Refinement) -> list[str]:
    """What the user should know before believing the numbers."""
    fit, layout, notes = refinement.fit, refinement.model.layout, []
    names = [parameter.name for parameter in layout.parameters]
    if not fit.converged:
        notes.append(f"not converged after {fit.iterations} iterations")
    unknown = [name for name, error in zip(names, fit.uncertainties, strict=True) if not isfinite(error)]
    if unknown:
        notes.append(f"the data do not determine {', '.join(unknown)}, alone or together")
    pairs = np.argwhere(np.triu(np.abs(fit.correlations) > _STRONG_CORRELATION, 1)).tolist()
    notes += [f"{names[i]} and {names[j]} are correlated: {fit.correlations[i, j]:.2f}" for i, j in pairs]
    if (fit.values[layout.where("scale")] <= 0).any():
        notes.append("a scale of 0: what was calculated has nothing in common with what was observed")
    if fit.values[layout.where("dw")][0] < -3 * fit.uncertainties[layout.where("dw")][0]:
        notes.append("D_w is negative: no crystal's is; the structures or the scale of the data are not right")
    return notes + _notes_on_structures(refinement)


def _notes_on_structures(refinement: Refinement) -> list[str]:
    first, second = refinement.model.geometry.structures
    notes = []
    apart = float(np.linalg.norm(first.centroid - second.centroid))
    if apart > _FAR_APART and len(first) and len(second):
        notes.append(f"the centroids of A and B are {apart:.1f} Å apart: do the two lie on one site (--site)?")
    lattice = refinement.model.observations[0].cell
    for name, structure in (("A", first), ("B", second)):
        if structure.cell is None or lattice is None:
            continue
        differ = np.abs(np.array(structure.cell.constants) / np.array(lattice.constants) - 1).max()
        if differ > _OTHER_CELL:
            notes.append(f"the cell of {name} is not that of the data: {structure.cell}, {lattice}")
    return notes


def text_of(refinement: Refinement) -> str:
    """A table for the terminal."""
    fit = refinement.fit
    rows = []
    for parameter, value, error in zip(refinement.model.layout.parameters, fit.values, fit.uncertainties, strict=True):
        if error == 0 and value == 0:
            continue
        held = "   held" if error == 0 else ""
        rows.append(f"  {parameter.name:<18}{value_with_uncertainty(value, error):>18}  {parameter.unit}{held}")
    for scan in refinement.scans:
        minima = ", ".join(f"{angle:g}° ({mse:.4g})" for angle, mse in scan.minima()[:4]) or "none inside the range"
        rows.append(f"  scan of {scan.torsion}: minima of the MSE at {minima}")
    rows += [
        f"  MSE  {refinement.start_mse:.4g} before, {refinement.mse:.4g} after (planes scaled to −1 … +1)",
        f"  wR   {refinement.start_weighted_residual:.4f} before, {refinement.weighted_residual:.4f} after",
    ]
    rows += [f"  note: {note}" for note in notes_of(refinement)]
    return "\n".join([*rows, judge_molecules(refinement).sentence])


def json_of(refinement: Refinement, made_from: dict[str, Any]) -> str:
    """Everything but the planes as JSON; ``made_from`` says from what."""
    fit = refinement.fit
    record = {
        "format": "dsfu refine-ff 1",
        "version": version("dsfu"),
        "from": made_from,
        "parameters": [
            {
                "name": parameter.name,
                "unit": parameter.unit,
                "value": value,
                "uncertainty": error if isfinite(error) and error > 0 else None,
                "text": value_with_uncertainty(value, error),
                "refined": bool(error > 0),
                "determined": bool(isfinite(error)),
            }
            for parameter, value, error in zip(
                refinement.model.layout.parameters, fit.values.tolist(), fit.uncertainties.tolist(), strict=True
            )
        ],
        "correlations": fit.correlations.round(4).tolist(),
        "converged": fit.converged,
        "iterations": fit.iterations,
        "robust": refinement.settings.robust,
        "goodness_of_fit": fit.goodness_of_fit,
        "mse": {"before": refinement.start_mse, "after": refinement.mse},
        "weighted_residual": {
            "before": refinement.start_weighted_residual,
            "after": refinement.weighted_residual,
        },
        "verdict": asdict(judge_molecules(refinement)),
        "scans": [{"torsion": scan.torsion, "best": scan.best, "minima": scan.minima()} for scan in refinement.scans],
        "notes": notes_of(refinement),
    }
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def csv_of(scan: Scan) -> str:
    """A scan as a table: angle, MSE, weighted residual, scale and D_w."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["angle_degree", "mse", "weighted_residual", "scale", "dw_angstrom2"])
    columns = (scan.angles, scan.mse, scan.weighted_residual, scan.scale, scan.dw)
    writer.writerows([f"{value:.8g}" for value in row] for row in zip(*columns, strict=True))
    return out.getvalue()
