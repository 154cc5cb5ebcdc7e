"""Prepared planes as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsfu.colours import INTENSITY, MISSING
from dsfu.model.measured.data.plane import MeasuredPlane

_ACROSS: Final = 3
_INCHES: Final = 4.0


def write_picture(planes: Sequence[MeasuredPlane], path: Path) -> None:
    """Write planes beside each other, on a square-root scale in true shape; dead pixels are grey.

    The colours of each plane go up to its 99.5 % quantile, so that a few bright pixels do not darken it. Dots are the
    lattice points of the plane where that is a layer with whole numbers.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across = min(_ACROSS, len(planes))
    down = -(-len(planes) // across)
    figure = Figure(figsize=(across * _INCHES + 0.5, down * _INCHES), layout="constrained")
    FigureCanvasAgg(figure)
    for number, plane in enumerate(planes):
        axes = figure.add_subplot(down, across, number + 1)
        image = _draw(axes, plane)
        bar = figure.colorbar(image, ax=axes, shrink=0.8, pad=0.02)
        bar.ax.tick_params(labelsize=7)
    figure.savefig(path, dpi=150)


def _draw(axes: Any, plane: MeasuredPlane) -> Any:
    from matplotlib.colors import PowerNorm

    live = plane.intensity[plane.live]
    top = float(np.quantile(live, 0.995)) if live.size else 1.0
    low = float(plane.plane.offsets[0]) - plane.plane.step / 2
    high = low + 2 * plane.plane.q_max
    axes.set_facecolor(MISSING)
    image = axes.imshow(
        np.ma.array(np.maximum(plane.intensity, 0), mask=~plane.live),
        origin="lower",
        extent=(low, high, low, high),
        cmap=INTENSITY,
        norm=PowerNorm(0.5, 0, top if top > 0 else 1.0),
        interpolation="nearest",
    )
    _draw_lattice(axes, plane)
    axes.set_title(plane.name.partition(" of ")[0], fontsize=10)
    axes.set_xlabel(f"Q$_x$ ({plane.unit})", fontsize=8)
    axes.set_ylabel(f"Q$_y$ ({plane.unit})", fontsize=8)
    axes.tick_params(labelsize=7)
    return image


def _draw_lattice(axes: Any, plane: MeasuredPlane) -> None:
    """Dots where hkl are whole numbers."""
    if plane.cell is None:
        return
    hkl = plane.hkl.reshape(-1, 3)
    spans = [np.arange(np.ceil(low), np.floor(high) + 1) for low, high in zip(hkl.min(0), hkl.max(0), strict=True)]
    if np.prod([len(span) for span in spans]) > 1e6:
        return
    points = np.stack(np.meshgrid(*spans, indexing="ij"), -1).reshape(-1, 3)
    q = plane.cell.q_of_hkl(points) - plane.plane.centre
    x, y = q @ plane.plane.axis_x, q @ plane.plane.axis_y
    shown = (np.abs(q @ plane.plane.normal) < 1e-6) & (np.maximum(np.abs(x), np.abs(y)) < plane.plane.q_max)
    if np.count_nonzero(shown) <= 1500:
        axes.set_autoscale_on(False)
        axes.plot(x[shown], y[shown], ".", color="white", markersize=1.5, alpha=0.7)
