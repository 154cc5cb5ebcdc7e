"""Panels as pictures, whatever they are of: a row for each sample."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsfu.panels import Curve, Image, Panel, Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Sample = tuple[str, Sequence[Panel]]
"""What a sample is called, and what is shown of it."""

_SIDE: Final = 2.4
"""Inches of a panel."""

_MISSING: Final = "#b9c0c7"


def figure_of(samples: Sequence[Sample]) -> "Figure":
    """A figure with a row for each sample."""
    from matplotlib.figure import Figure

    columns = max([1, *(len(panels) for _, panels in samples)])
    rows = max(1, len(samples))
    figure = Figure(figsize=(_SIDE * columns + 0.4, (_SIDE + 0.35) * rows), facecolor="white", layout="constrained")
    for row, (name, panels) in enumerate(samples):
        for column, panel in enumerate(panels):
            place = (rows, columns, row * columns + column + 1)
            axes = (
                figure.add_subplot(*place, projection="3d") if isinstance(panel, Points) else figure.add_subplot(*place)
            )
            _draw(axes, panel)
            title = f"{name}: {panel.title}" if column == 0 else panel.title
            axes.set_title(title, fontsize=7, loc="left")
            axes.tick_params(labelsize=6)
    return figure


def save_figure(samples: Sequence[Sample], path: Path) -> None:
    """Write a figure of samples; the suffix says of which kind."""
    buffer = io.BytesIO()
    figure_of(samples).savefig(buffer, dpi=200, format=path.suffix.removeprefix(".") or "png")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())


def data_url(sample: Sample) -> str:
    """A figure of one sample, inside a page."""
    buffer = io.BytesIO()
    figure_of([sample]).savefig(buffer, dpi=110, format="png")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _draw(axes: "Axes", panel: Panel) -> None:
    if isinstance(panel, Image):
        _draw_image(axes, panel.values, panel.low, panel.high, signed=panel.signed)
    elif isinstance(panel, Curve):
        for name, values in panel.lines.items():
            axes.plot(panel.x, values, linewidth=1, label=name)
        axes.set_xlabel(panel.x_label, fontsize=7)
        axes.set_ylabel(panel.y_label, fontsize=7)
        if len(panel.lines) > 1:
            axes.legend(fontsize=6)
    elif isinstance(panel, Points):
        space: Any = axes
        for name, points in panel.points.items():
            space.scatter(*np.asarray(points).T, s=6, label=name)
        if len(panel.points) > 1:
            space.legend(fontsize=6)
    else:  # a volume: its largest values along the last axis
        _draw_image(axes, np.asarray(panel.values).max(axis=-1).T, None, None, signed=panel.signed)


def _draw_image(axes: "Axes", values: Any, low: float | None, high: float | None, *, signed: bool) -> None:
    from matplotlib import colormaps

    colours = colormaps["RdBu_r" if signed else "inferno"].with_extremes(bad=_MISSING)
    if signed:
        high = float(np.nanmax(np.abs(values))) if high is None else high
        low = -high if low is None else low
    axes.imshow(values, origin="lower", cmap=colours, vmin=low, vmax=high, interpolation="nearest")
