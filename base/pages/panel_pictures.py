"""Panels as pictures, whatever they are of: a row for each sample, the same in reports, trainings and evaluations."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsfu.colours import DIFFERENCE, INTENSITY, MISSING, difference_end
from dsfu.panels import Curve, Image, Panel, Points, VolumePanel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Sample = tuple[str, Sequence[Panel]]
"""What a sample is called, and what is shown of it."""

_SIDE: Final = 2.4
"""Inches of a panel."""

_COLOURS: Final = ("#3f72af", "#d1622b", "#7a8c3a", "#8a5fa8", "#a8323e", "#3a9a96")


def figure_of(samples: Sequence[Sample], *, title: str = "", side: float = _SIDE, dpi: int = 100) -> "Figure":
    """A figure with a row for each sample, named in its first panel."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns, rows = max([1, *(len(panels) for _, panels in samples)]), max(1, len(samples))
    size = (side * max(columns, 2) + 0.4, (side + 0.35) * rows + (0.3 if title else 0.0))
    figure = Figure(figsize=size, dpi=dpi, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    for row, (name, panels) in enumerate(samples):
        for column, panel in enumerate(panels):
            kind = {"projection": "3d"} if isinstance(panel, Points) else {}
            axes = figure.add_subplot(rows, columns, row * columns + column + 1, **kind)
            draw_panel(axes, panel)
            words = f"{name}: {panel.title}" if column == 0 and name else panel.title
            axes.set_title(words, fontsize=7, loc="left")
            axes.tick_params(labelsize=6)
    if title:
        figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def draw_panel(axes: Any, panel: Panel) -> None:
    """Draw one panel into axes of matplotlib, without its title; `Points` need axes of three dimensions."""
    _DRAWN[type(panel)](axes, panel)


def _image(axes: Any, panel: Image) -> None:
    from matplotlib import colormaps

    low, high = panel.low, panel.high
    if panel.signed:
        high = difference_end(panel.values) if high is None else high
        low = -high if low is None else low
    colours = colormaps[DIFFERENCE if panel.signed else INTENSITY].with_extremes(bad=MISSING)
    values = np.asarray(panel.values, float)
    # A picture much longer than high is a strip (a pattern, a histogram): it fills its axes.
    aspect = "auto" if max(values.shape) > 6 * min(values.shape) else "equal"
    axes.imshow(values, origin="lower", cmap=colours, vmin=low, vmax=high, interpolation="nearest", aspect=aspect)


def _curve(axes: Any, panel: Curve) -> None:
    for number, (name, values) in enumerate(panel.lines.items()):
        axes.plot(panel.x, values, linewidth=1, label=name, color=_COLOURS[number % len(_COLOURS)])
    axes.set_xlabel(panel.x_label, fontsize=7)
    axes.set_ylabel(panel.y_label, fontsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    if len(panel.lines) > 1:
        axes.legend(fontsize=6, frameon=False)


def _points(axes: Any, panel: Points) -> None:
    for number, (name, points) in enumerate(panel.points.items()):
        axes.scatter(*np.asarray(points, float).T, s=6, label=name, color=_COLOURS[number % len(_COLOURS)])
    if panel.box is not None:
        for start, end in _edges(np.asarray(panel.box, float)):
            axes.plot(*np.array([start, end]).T, color=MISSING, linewidth=0.6)
    axes.set_aspect("equal")
    if len(panel.points) > 1:
        axes.legend(fontsize=6, frameon=False)


def _edges(box: Any) -> Any:
    """The twelve edges of a box, each as two points."""
    for along in range(3):
        others = [box[axis] for axis in range(3) if axis != along]
        for first in (0, 1):
            for second in (0, 1):
                start = first * others[0] + second * others[1]
                yield start, start + box[along]


def _volume(axes: Any, panel: VolumePanel) -> None:
    """Along z the largest values; of a difference those farthest from zero."""
    values = np.asarray(panel.values, float)
    if panel.signed:
        farthest = np.abs(values).argmax(axis=-1)[..., np.newaxis]
        seen = np.take_along_axis(values, farthest, axis=-1)[..., 0]
    else:
        seen = values.max(axis=-1)
    _image(axes, Image(title=panel.title, values=seen.T, signed=panel.signed))


_DRAWN: Final[Mapping[type, Callable[[Any, Any], None]]] = {
    Image: _image,
    Curve: _curve,
    Points: _points,
    VolumePanel: _volume,
}
