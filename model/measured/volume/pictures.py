"""Sections through a volume and its factors, and the curve of the background, as pictures for the report."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsfu.model.measured.volume.files import factors_on_grid
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.simulate.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DEAD: Final = "#b8b8b8"
_STYLE: Final[dict[Any, Any]] = {"font.size": 7.5, "axes.titlesize": 8.5, "axes.linewidth": 0.6}
_MOST: Final = 3


def sections_figure(solution: VolumeSolution) -> "Figure":
    """Observed, model, difference, I_FF and I_SRO on sections through the middle, in true angles."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    grids = factors_on_grid(solution)
    gain = solution.voxels.gain
    observed = np.where(solution.voxels.live, solution.voxels.counts * gain, np.nan)
    model = grids["form_factor"] * grids["sro"] + grids["background"]
    difference = np.where(solution.masked, np.nan, observed - model)
    columns = {
        "observed": observed,
        "model": model,
        "observed − model": difference,
        "$I_\\mathrm{FF}$": grids["form_factor"],
        "$I_\\mathrm{SRO}$": grids["sro"],
    }
    normals = [axis for axis in (2, 1, 0) if all(n > 1 for i, n in enumerate(observed.shape) if i != axis)][:_MOST]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(11.2, 2.35 * len(normals) + 0.2), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(len(normals), len(columns), squeeze=False)
        for row, normal in enumerate(normals):
            index = int(np.abs(solution.voxels.axes[normal]).argmin())
            x, y, names = _corners(solution, normal)
            for panel, (title, grid) in zip(panels[row], columns.items(), strict=True):
                values = np.take(grid, index, axis=normal)
                panel.set_facecolor(_DEAD)
                panel.pcolormesh(x, y, values, rasterized=True, **_colours(title, values, observed))
                panel.set_aspect("equal")
                panel.set_xticks([])
                panel.set_yticks([])
                panel.set_title(title if row == 0 else "")
            at = solution.voxels.axes[normal][index]
            panels[row][0].set_ylabel(f"{names}, {'hkl'[normal]} = {at:.3g}")
    return figure


def _colours(title: str, values: FloatArray, observed: FloatArray) -> dict[str, Any]:
    from matplotlib.colors import PowerNorm

    finite = values[np.isfinite(values)]
    if "−" in title:
        top = float(np.quantile(np.abs(finite), 0.99)) if finite.size else 1.0
        return {"cmap": "RdBu_r", "vmin": -top or -1.0, "vmax": top or 1.0}
    source = observed[np.isfinite(observed)] if title in ("observed", "model") else finite
    top = float(np.quantile(source, 0.985)) if source.size else 1.0
    return {"cmap": "inferno", "norm": PowerNorm(0.5, 0.0, top if top > 0 else 1.0, clip=True)}


def _corners(solution: VolumeSolution, normal: int) -> tuple[FloatArray, FloatArray, str]:
    """Cartesian corners of the voxels of a section, 1/Å."""
    first, second = (i for i in range(3) if i != normal)
    axes = solution.voxels.axes
    reciprocal = solution.voxels.cell.reciprocal
    along = reciprocal[first] / np.linalg.norm(reciprocal[first])
    up = reciprocal[second] - (reciprocal[second] @ along) * along
    up /= np.linalg.norm(up)
    h, k = np.meshgrid(_edges(axes[first]), _edges(axes[second]), indexing="ij")
    x = h * (reciprocal[first] @ along) + k * (reciprocal[second] @ along)
    return x, k * (reciprocal[second] @ up), f"{'hkl'[first]} to the right, {'hkl'[second]} up"


def _edges(axis: FloatArray) -> FloatArray:
    step = axis[1] - axis[0]
    return np.append(axis - step / 2, axis[-1] + step / 2)


def curves_figure(solution: VolumeSolution, lengths: FloatArray, values: FloatArray, errors: FloatArray) -> "Figure":
    """α over distance, and the background over |Q| beside what was measured."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(8.6, 2.7), layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        left.axhline(0, color="#888888", linewidth=0.6)
        left.errorbar(lengths, values, errors, fmt="o", markersize=2.5, elinewidth=0.8, color="#3f72af")
        left.set_xlabel("length of the lattice vector (Å)")
        left.set_ylabel("α")
        columns, gain = solution.fit.columns, solution.voxels.gain
        q = columns.q_inv_angstrom
        curve = columns.curve(solution.fit.parts()[2]) * gain
        spread = columns.curve_uncertainty(solution.column_covariance) * gain
        voxels = solution.fit.voxels
        live = voxels.live
        number = np.clip(((voxels.lengths()[live] - q[0]) / (q[-1] - q[0]) * 40).astype(int), 0, 39)
        mean = np.bincount(number, voxels.counts[live], 40) / np.maximum(np.bincount(number, minlength=40), 1) * gain
        right.plot(q[0] + (np.arange(40) + 0.5) / 40 * (q[-1] - q[0]), mean, color="#d1622b", label="measured, mean")
        right.plot(q, curve, color="#3f72af", label="background found")
        right.fill_between(q, curve - spread, curve + spread, color="#3f72af", alpha=0.25, linewidth=0)
        right.set_ylim(bottom=0)
        right.set_xlabel("|Q| (1/Å)")
        right.set_ylabel("intensity")
        right.legend(frameon=False)
        for axes in (left, right):
            axes.spines[["top", "right"]].set_visible(False)
    return figure
