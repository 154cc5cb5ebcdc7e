"""Molecules against I_FF as a figure for a paper, two columns wide: a plane, and the misfit against torsion angles."""

from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.colours import DIFFERENCE, INTENSITY, difference_end, intensity_end
from dsfu.model.measured.molecules.picture import draw_scan
from dsfu.model.measured.molecules.refine import Refinement
from dsfu.paper import WIDTHS, curve_panel, empty_figure, map_panel, named_bar, paper_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def molecules_figure(refinement: Refinement) -> "Figure":
    """I_FF observed, calculated and what is left on the first plane; below, up to three scans of torsion angles."""
    scans = refinement.scans[:3]
    side = WIDTHS[2] / 3
    with paper_style():
        figure = empty_figure(2, 1.16 * side + (1.7 if scans else 0.0) + 0.1)
        rows: Any = figure.subfigures(2, 1, height_ratios=(1.16 * side, 1.7)) if scans else [figure]
        _draw_plane(rows[0].subplots(1, 3), refinement)
        if scans:
            for number, axes in enumerate(rows[1].subplots(1, len(scans), squeeze=False)[0]):
                draw_scan(axes, refinement, number)
                curve_panel(axes, 3 + number, f"{scans[number].torsion} (degrees)", "" if number else "MSE")
                axes.legend(loc="best")
    return figure


def _draw_plane(panels: Any, refinement: Refinement) -> None:
    from matplotlib.colors import PowerNorm

    observation, calculated = refinement.model.observations[0], refinement.calculated[0]
    observed = np.where(observation.live, observation.form_factor, np.nan)
    brightness = PowerNorm(0.5, 0, intensity_end(observed, observation.live))
    left = observed - calculated
    top = difference_end(left)
    offsets, half = observation.plane.offsets, observation.plane.step / 2
    extent = (offsets[0] - half, offsets[-1] + half) * 2
    shown: tuple[tuple[Any, str, str, dict[str, Any]], ...] = (
        (np.maximum(observed, 0), "$I_\\mathrm{FF}$, observed", "max", {"cmap": INTENSITY, "norm": brightness}),
        (calculated, "$I_\\mathrm{FF}$, calculated", "max", {"cmap": INTENSITY, "norm": brightness}),
        (left, "observed − calculated", "both", {"cmap": DIFFERENCE, "vmin": -top, "vmax": top}),
    )
    for number, (axes, (values, label, extend, colours)) in enumerate(zip(panels, shown, strict=True)):
        image = axes.imshow(values, origin="lower", extent=extent, interpolation="nearest", **colours)
        map_panel(axes, number, "$Q_x$ (1/Å)", "$Q_y$ (1/Å)", outer=number == 0)
        named_bar(axes, image, label, extend=extend)
