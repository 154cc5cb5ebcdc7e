"""A section through an analysed volume as a figure for a paper: observed, both factors, and what is left."""

from typing import TYPE_CHECKING

import numpy as np

from dsfu.model.measured.volume.pictures import colours_of, corners_of, grids_of, normals_of
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.paper import WIDTHS, empty_figure, map_panel, named_bar, paper_style
from dsfu.simulate.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = {
    "observed": ("$I$, observed", "max"),
    "$I_\\mathrm{FF}$": ("$I_\\mathrm{FF}$", "max"),
    "$I_\\mathrm{SRO}$": ("$I_\\mathrm{SRO}$", "max"),
    "observed − model": ("observed − model", "both"),
}


def section_figure(solution: VolumeSolution) -> "Figure":
    """The section through the middle, normal to c* where the volume has one; two columns, true angles, 1/Å."""
    grids = grids_of(solution)
    normal = normals_of(solution)[0]
    first = next(i for i in range(3) if i != normal)
    index = int(np.abs(solution.voxels.axes[normal]).argmin())
    x, y, _ = corners_of(solution, normal)
    with paper_style():
        figure = empty_figure(2, _height(x, y))
        for number, (axes, (title, (label, extend))) in enumerate(
            zip(figure.subplots(1, len(_PANELS)), _PANELS.items(), strict=True)
        ):
            values = np.take(grids[title], index, axis=normal)
            image = axes.pcolormesh(x, y, values, rasterized=True, **colours_of(title, values, grids["observed"]))
            along, across = (f"{way} {'abc'[first]}* (1/Å)" for way in ("along", "normal to"))
            map_panel(axes, number, along, across, outer=number == 0)
            named_bar(axes, image, label, extend=extend)
        at = solution.voxels.axes[normal][index]
        figure.suptitle(f"{_layer(normal, at)} layer", fontsize=7, x=0.99, ha="right")
    return figure


def _height(x: FloatArray, y: FloatArray) -> float:
    """Of a row of panels in true shape, with bars and labels."""
    return float(WIDTHS[2] / len(_PANELS) * 0.86 * np.ptp(y) / np.ptp(x) + 0.95)


def _layer(normal: int, at: float) -> str:
    return "".join(f"{at:.3g}".replace("-", "−") if i == normal else "hkl"[i] for i in range(3))
