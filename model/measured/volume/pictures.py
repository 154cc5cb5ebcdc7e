"""Sections through a volume and its factors, as a picture."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsfu.colours import DIFFERENCE, INTENSITY, MISSING, difference_end
from dsfu.model.measured.volume.files import factors_on_grid
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.simulate.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE: Final[dict[Any, Any]] = {"font.size": 7.5, "axes.titlesize": 8.5, "axes.linewidth": 0.6}
_MOST: Final = 3


def sections_figure(solution: VolumeSolution) -> "Figure":
    """Observed, model, difference, I_FF and I_SRO on sections through the middle, in true angles."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = grids_of(solution)
    observed = columns["observed"]
    normals = normals_of(solution)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(11.2, 2.35 * len(normals) + 0.2), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(len(normals), len(columns), squeeze=False)
        for row, normal in enumerate(normals):
            index = int(np.abs(solution.voxels.axes[normal]).argmin())
            x, y, names = corners_of(solution, normal)
            for panel, (title, grid) in zip(panels[row], columns.items(), strict=True):
                values = np.take(grid, index, axis=normal)
                panel.set_facecolor(MISSING)
                panel.pcolormesh(x, y, values, rasterized=True, **colours_of(title, values, observed))
                panel.set_aspect("equal")
                panel.set_xticks([])
                panel.set_yticks([])
                panel.set_title(title if row == 0 else "")
            at = solution.voxels.axes[normal][index]
            panels[row][0].set_ylabel(f"{names}, {'hkl'[normal]} = {at:.3g}")
    return figure


def grids_of(solution: VolumeSolution) -> dict[str, FloatArray]:
    """What is shown, by its title."""
    grids = factors_on_grid(solution)
    observed = np.where(solution.voxels.live, solution.voxels.counts * solution.voxels.gain, np.nan)
    model = grids["form_factor"] * grids["sro"] + grids["background"]
    return {
        "observed": observed,
        "model": model,
        "observed − model": np.where(solution.masked, np.nan, observed - model),
        "$I_\\mathrm{FF}$": grids["form_factor"],
        "$I_\\mathrm{SRO}$": grids["sro"],
    }


def normals_of(solution: VolumeSolution) -> list[int]:
    """Axes across which there are sections, the last first."""
    shape = solution.voxels.shape
    return [axis for axis in (2, 1, 0) if all(n > 1 for i, n in enumerate(shape) if i != axis)][:_MOST]


def colours_of(title: str, values: FloatArray, observed: FloatArray) -> dict[str, Any]:
    """The colour map and its ends."""
    from matplotlib.colors import PowerNorm

    finite = values[np.isfinite(values)]
    if "−" in title:
        top = difference_end(finite)
        return {"cmap": DIFFERENCE, "vmin": -top, "vmax": top}
    source = observed[np.isfinite(observed)] if title in ("observed", "model") else finite
    top = float(np.quantile(source, 0.985)) if source.size else 1.0
    return {"cmap": INTENSITY, "norm": PowerNorm(0.5, 0.0, top if top > 0 else 1.0, clip=True)}


def corners_of(solution: VolumeSolution, normal: int) -> tuple[FloatArray, FloatArray, str]:
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
