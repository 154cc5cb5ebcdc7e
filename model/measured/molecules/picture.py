"""A refinement against I_FF as a picture: observed, calculated, difference, and the misfit against torsion angles."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dsfu.colours import DIFFERENCE, INTENSITY, MISSING, difference_end
from dsfu.files import replacing
from dsfu.model.measured.molecules.model import FormFactorModel
from dsfu.model.measured.molecules.refine import Refinement
from dsfu.model.measured.molecules.report import value_with_uncertainty

_MOST_PLANES: Final = 4
_BRIGHTEST: Final = 99.9
"""Percentile of what was observed that is the top of the scale: single hot pixels do not darken the rest."""


def write_picture(path: str | Path, refinement: Refinement) -> None:
    """Write the picture, in the format that the suffix says."""
    planes = min(len(refinement.model.observations), _MOST_PLANES)
    scans = len(refinement.scans)
    figure = Figure(figsize=(10.5, 3.3 * planes + (2.9 if scans else 0)), layout="constrained")
    FigureCanvasAgg(figure)
    heights = [1.0] * planes + ([0.8] if scans else [])
    rows = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for number in range(planes):
        _draw_plane(rows[number], refinement, number)
    if scans:
        _draw_scans(rows[-1], refinement)
    with replacing(path) as temporary:
        figure.savefig(temporary, format=Path(path).suffix[1:] or "png", dpi=160)


def _draw_plane(row: Any, refinement: Refinement, number: int) -> None:
    model = refinement.model
    observation = model.observations[number]
    observed = np.where(observation.live, observation.form_factor, np.nan)
    calculated = refinement.calculated[number]
    top = float(np.nanpercentile(observed, _BRIGHTEST))
    difference = observed - calculated
    span = difference_end(difference)
    brightness = PowerNorm(0.5, 0, top, clip=True)
    axes = row.subplots(1, 3)
    images = [
        _show(axes[0], observed, model, number, INTENSITY, brightness),
        _show(axes[1], calculated, model, number, INTENSITY, brightness),
        _show(axes[2], difference, model, number, DIFFERENCE, Normalize(-span, span)),
    ]
    name = f", {observation.name}" if observation.name else ""
    axes[0].set_title(f"observed{name}", fontsize=9)
    axes[1].set_title(f"calculated, MSE {refinement.mse:.2g}", fontsize=9)
    axes[2].set_title("observed − calculated", fontsize=9)
    axes[0].set_ylabel("$Q_y$ (1/Å)")
    bar = row.colorbar(images[1], ax=axes[:2].tolist(), shrink=0.85, pad=0.01, label="$I_{FF}$ (square-root scale)")
    bar.set_ticks(MaxNLocator(5).tick_values(0, top)[:-1])
    row.colorbar(images[2], ax=axes[2], shrink=0.85, pad=0.02)


def _show(axes: Any, values: Any, model: FormFactorModel, number: int, colours: str, scale: Normalize) -> Any:
    offsets, half = model.observations[number].plane.offsets, model.observations[number].plane.step / 2
    extent = (offsets[0] - half, offsets[-1] + half) * 2
    axes.set_facecolor(MISSING)
    axes.set_xlabel("$Q_x$ (1/Å)")
    axes.tick_params(labelsize=8)
    return axes.imshow(values, origin="lower", extent=extent, cmap=colours, norm=scale, interpolation="nearest")


def _draw_scans(row: Any, refinement: Refinement) -> None:
    for number, axes in enumerate(row.subplots(1, len(refinement.scans), squeeze=False)[0]):
        draw_scan(axes, refinement, number)
        axes.set_xlabel(f"{refinement.scans[number].torsion} (degrees)")
        axes.set_ylabel("MSE" if number == 0 else "")
        axes.legend(fontsize=8, frameon=False)


def draw_scan(axes: Any, refinement: Refinement, number: int) -> None:
    """The misfit against one torsion angle, where it was refined to, and where the file has it."""
    scan, place = refinement.scans[number], refinement.model.layout.where("torsions").start + number
    value, error = refinement.fit.values[place], refinement.fit.uncertainties[place]
    axes.plot(scan.angles, scan.mse, "-", color="#3b528b", marker="o", markersize=2.5, linewidth=1)
    if error > 0:
        axes.axvline(value, color="#b5367a", linewidth=1, label=f"refined: {value_with_uncertainty(value, error)}°")
        axes.axhline(refinement.mse, color="#b5367a", linewidth=0.8, linestyle=":", label="MSE of the refinement")
    axes.axvline(0, color="0.6", linewidth=0.8, linestyle="--", label="as in the file")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
