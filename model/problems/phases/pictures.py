"""The map of a phased crystal, seen along the axes of the cell."""

from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.colours import DENSITY
from dsfu.model.problems.phases.solve import PhasedCrystal
from dsfu.paper import empty_figure, letter, named_bar, paper_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def projection_figure(crystal: PhasedCrystal, axis: int) -> "Figure":
    """The largest density along one axis, for a page."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4), layout="constrained")
    FigureCanvasAgg(figure)
    draw_projection(figure.add_subplot(), crystal, axis)
    return figure


def projections_figure(crystal: PhasedCrystal) -> "Figure":
    """The largest density along each axis as a figure for a paper, two columns wide, one scale for all three."""
    top = float(crystal.density.max())
    with paper_style():
        figure = empty_figure(2, 2.9)
        for axis, axes in enumerate(figure.subplots(1, 3)):
            drawn = draw_projection(axes, crystal, axis)
            drawn.set_clim(0.0, top)
            letter(axes, axis)
            named_bar(axes, drawn, f"largest density along {'abc'[axis]}")
    return figure


def draw_projection(axes: Any, crystal: PhasedCrystal, axis: int) -> Any:
    """The largest density along one axis in true angles, one cell; what is drawn is returned."""
    first, second = (i for i in range(3) if i != axis)
    lengths, angle = crystal.data.cell, np.radians(crystal.data.cell[3 + axis])
    projected = np.clip(crystal.density, 0, None).max(axis=axis)
    u, v = (np.linspace(0, 1, n + 1) for n in projected.shape)
    x = u[:, None] * lengths[first] + v[None, :] * lengths[second] * np.cos(angle)
    y = np.broadcast_to(v[None, :] * lengths[second] * np.sin(angle), x.shape)
    drawn = axes.pcolormesh(x, y, projected, cmap=DENSITY, vmin=0.0, rasterized=True)
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)
    upright = "abc"[second] if abs(np.cos(angle)) < 1e-3 else f"{'abc'[second]} sin {'αβγ'[axis]}"
    axes.set_xlabel(f"{'abc'[first]} (Å)")
    axes.set_ylabel(f"{upright} (Å)")
    return drawn
