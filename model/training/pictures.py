"""Panels of some samples as one picture, a row for each sample: input, answer, truth, or whatever a problem shows."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsfu.panels import Curve, Image, Panel, Points, VolumePanel
from dsfu.simulate.arrays import Float32Array

_PANEL_INCHES: Final = 13 / 7
_ROW_INCHES: Final = 1.85


def draw_panels(rows: Sequence[Sequence[Panel]], path: Path, title: str) -> Float32Array:
    """Draw the panels of some samples, a row each, into a file; return the picture (y, x, rgb), 0 to 1."""
    figure = _figure(rows, title)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    drawn = np.asarray(figure.canvas.buffer_rgba(), np.float32)
    return np.asarray(drawn[..., :3] / np.float32(255))


def panels_png(rows: Sequence[Sequence[Panel]]) -> bytes:
    """The same as a file of PNG."""
    stream = io.BytesIO()
    _figure(rows, "").savefig(stream, format="png")
    return stream.getvalue()


def _figure(rows: Sequence[Sequence[Panel]], title: str) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across = max(len(row) for row in rows)
    size = (max(across, 2) * _PANEL_INCHES, 0.55 + _ROW_INCHES * len(rows))
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), across, squeeze=False)
    for row_of_axes, row in zip(axes, rows, strict=True):
        for axis in row_of_axes[len(row) :]:
            axis.set_axis_off()
        for axis, panel in zip(row_of_axes, row, strict=False):
            draw_panel(axis, panel)
    for axis, panel in zip(axes[0], rows[0], strict=False):
        axis.set_title(panel.title, fontsize=10)
    if title:
        figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    return figure


def draw_panel(axis: Any, panel: Panel) -> None:
    """Draw one panel into axes of matplotlib, without its title."""
    _DRAWN[type(panel)](axis, panel)


def _image(axis: Any, panel: Image) -> None:
    highest = float(np.nanmax(np.abs(panel.values), initial=0.0)) or 1.0
    axis.imshow(
        panel.values,
        origin="lower",
        interpolation="nearest",
        cmap="RdBu_r" if panel.signed else "viridis",
        vmin=-highest if panel.low is None and panel.signed else panel.low,
        vmax=highest if panel.high is None and panel.signed else panel.high,
    )
    axis.set_axis_off()


def _curve(axis: Any, panel: Curve) -> None:
    for name, values in panel.lines.items():
        axis.plot(panel.x, values, linewidth=1.0, label=name)
    axis.set_xlabel(panel.x_label, fontsize=8)
    axis.set_ylabel(panel.y_label, fontsize=8)
    axis.tick_params(labelsize=7)
    if len(panel.lines) > 1:
        axis.legend(fontsize=7)


def _points(axis: Any, panel: Points) -> None:
    """Seen along z, the nearest on top."""
    for name, positions in panel.points.items():
        nearest_last = positions[np.argsort(positions[:, 2], kind="stable")]
        axis.scatter(nearest_last[:, 0], nearest_last[:, 1], s=8, label=name)
    axis.set_aspect("equal")
    axis.tick_params(labelsize=7)
    if len(panel.points) > 1:
        axis.legend(fontsize=7)


def _volume(axis: Any, panel: VolumePanel) -> None:
    """The largest values along z."""
    along = np.abs(panel.values).max(-1) if panel.signed else panel.values.max(-1)
    _image(axis, Image(title=panel.title, values=along.T))


_DRAWN: Final[Mapping[type, Callable[[Any, Any], None]]] = {
    Image: _image,
    Curve: _curve,
    Points: _points,
    VolumePanel: _volume,
}
