"""The map of a phased crystal, seen along the axes of the cell."""

from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.colours import DENSITY
from dsfu.model.problems.phases.solve import PhasedCrystal
from dsfu.paper import WIDTHS, empty_figure, letter, named_bar, paper_style
from dsfu.simulate.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FINER, _MOST_POINTS = 4, 200
_BESIDE, _BELOW = 1.15, 0.98
"""Inches of labels beside the three panels, and of labels and bars below."""


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
    sizes = np.array([np.ptp(_corners(crystal, axis, (1, 1)), axis=(1, 2)) for axis in range(3)])
    scale = (WIDTHS[2] - _BESIDE) / float(sizes[:, 0].sum())  # inches of an Å, the same in all three
    with paper_style():
        figure = empty_figure(2, scale * float(sizes[:, 1].max()) + _BELOW)
        for axis, axes in enumerate(figure.subplots(1, 3, width_ratios=sizes[:, 0].tolist())):
            drawn = draw_projection(axes, crystal, axis)
            letter(axes, axis)
            named_bar(axes, drawn, f"density, largest along ${'abc'[axis]}$")
    return figure


def draw_projection(axes: Any, crystal: PhasedCrystal, axis: int) -> Any:
    """The largest density along one axis in true angles, one cell; what is drawn is returned."""
    first, second = (i for i in range(3) if i != axis)
    density = _finer(crystal.density)
    projected = np.clip(density, 0, None).max(axis=axis)
    x, y = _corners(crystal, axis, projected.shape)
    drawn = axes.pcolormesh(x, y, projected, cmap=DENSITY, vmin=0.0, vmax=float(density.max()), rasterized=True)
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)
    is_right = abs(crystal.data.cell[3 + axis] - 90) < 0.05
    axes.set_xlabel(f"${'abc'[first]}$ (Å)")
    axes.set_ylabel(f"${'abc'[second]}$ (Å)" if is_right else f"${'abc'[second]}$ sin {'αβγ'[axis]} (Å)")
    return drawn


def _corners(crystal: PhasedCrystal, axis: int, shape: tuple[int, ...]) -> FloatArray:
    """Cartesian corners of the pixels of a projection, (2, n + 1, m + 1), in Å."""
    first, second = (i for i in range(3) if i != axis)
    lengths, angle = crystal.data.cell, np.radians(crystal.data.cell[3 + axis])
    u, v = np.meshgrid(*(np.linspace(0, 1, n + 1) for n in shape), indexing="ij")
    x = u * lengths[first] + v * lengths[second] * np.cos(angle)
    return np.stack([x, v * lengths[second] * np.sin(angle)])


def _finer(density: FloatArray) -> FloatArray:
    """The same map on a finer grid: a sum of the same waves, so that nothing is invented between the points."""
    from scipy.signal import resample

    times = min(_FINER, max(1, _MOST_POINTS // max(density.shape)))
    for axis in range(3):
        density = resample(density, times * density.shape[axis], axis=axis)
    return density
