"""Images of one place in reciprocal space, side by side: zoomed together, with the value under the pointer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.colours import MISSING

SIDE: Final = 350
"""Pixels; one fits on a phone, three on a desk. A single image is as wide as the page, up to `WIDEST`."""

WIDEST: Final = 640

TITLES: Final = {
    "form_factor": "I_FF",
    "sro": "I_SRO",
    "sigma_form_factor": "s.u. of I_FF",
    "sigma_sro": "s.u. of I_SRO",
    "from_data": "from data",
}
"""What stands above arrays of files; stores and evaluations name their images so themselves."""

_DEAD: Final = {"--bk-fill-color": "var(--dead)"}
"""What was not measured, as on pages. Pixels without a value are clear: this colour of the page is behind them."""

_READ_ON_BOTH: Final = "#7d868e"
"""Numbers beside a bar of colours, which do not follow the page: grey that can be read on white and on dark."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where images lie: the first pixel's centre, the last one's, and the names of x and y."""

    x: tuple[float, float]
    y: tuple[float, float]
    labels: tuple[str, str]
    aspect: float = 1.0
    """Length of a unit of y, relative to one of x."""


class Images:
    """A row of images with one zoom. `show` puts new values in."""

    def __init__(self, names: Sequence[str], signed: Sequence[str] = ()) -> None:
        from bokeh.models import ColumnDataSource, LinearColorMapper, Range1d

        self.names = list(names)
        self._signed = set(signed)
        self.x_range, self.y_range = Range1d(0, 1), Range1d(0, 1)
        empty: dict[str, Any] = {"image": [], "x": [], "y": [], "dw": [], "dh": []}
        self.sources = {name: ColumnDataSource(dict(empty)) for name in names}
        self._mappers = {
            name: LinearColorMapper(_palette(name in self._signed), nan_color="#00000000") for name in names
        }
        self.figures = {name: self._figure(name) for name in names}
        self._scene: Scene | None = None

    def _figure(self, name: str) -> Any:
        from bokeh.models import BoxAnnotation, ColorBar, HoverTool
        from bokeh.plotting import figure

        alone: dict[str, Any] = {"sizing_mode": "scale_width", "max_width": WIDEST, "aspect_ratio": 1.0}
        drawn = figure(
            **({"frame_width": SIDE - 110, "frame_height": SIDE - 110} if len(self.names) > 1 else alone),
            title=TITLES.get(name, name),
            x_range=self.x_range,
            y_range=self.y_range,
            tools="pan,wheel_zoom,box_zoom,reset,save",
            active_scroll="wheel_zoom",
            toolbar_location="above",
        )
        dead = {"fill_color": MISSING, "fill_alpha": 1.0, "line_color": None, "css_variables": _DEAD}
        drawn.add_layout(BoxAnnotation(level="underlay", **dead))
        shown = drawn.image(source=self.sources[name], color_mapper=self._mappers[name])
        tips = [("x, y", "$x{0.000}, $y{0.000}"), (TITLES.get(name, name), "@image{0.0000}")]
        drawn.add_tools(HoverTool(renderers=[shown], tooltips=tips))
        look: dict[str, Any] = {"background_fill_alpha": 0.0, "major_label_text_color": _READ_ON_BOTH}
        bar = ColorBar(color_mapper=self._mappers[name], width=8, padding=2, **look)
        drawn.add_layout(bar, "right")
        drawn.grid.visible = False
        drawn.toolbar.logo = None
        return drawn

    def show(self, scene: Scene, values: Mapping[str, npt.NDArray[Any]], brightest: float = 99.5) -> None:
        """Images (y, x) by name; ``brightest`` is the percentile that gets the brightest colour."""
        for name in self.names:
            image = np.asarray(values[name], np.float32)
            height, width = image.shape
            left, step_x = _edge(scene.x, width)
            low, step_y = _edge(scene.y, height)
            self.sources[name].data = {
                "image": [image],
                "x": [left],
                "y": [low],
                "dw": [step_x * width],
                "dh": [step_y * height],
            }
            self._mappers[name].low, self._mappers[name].high = _limits(image, brightest, name in self._signed)
        if scene != self._scene:
            self._move_to(scene, (height, width))

    def _move_to(self, scene: Scene, shape: tuple[int, int]) -> None:
        """Both axes as long as the larger one, so that lengths along them compare."""
        self._scene = scene
        (left, step_x), (low, step_y) = _edge(scene.x, shape[1]), _edge(scene.y, shape[0])
        wide, high = step_x * shape[1], step_y * shape[0] * scene.aspect
        half = max(wide, high) / 2
        middle_x, middle_y = left + wide / 2, low + step_y * shape[0] / 2
        self.x_range.update(start=middle_x - half, end=middle_x + half)
        self.y_range.update(start=middle_y - half / scene.aspect, end=middle_y + half / scene.aspect)
        for each in (self.x_range, self.y_range):
            each.update(reset_start=each.start, reset_end=each.end)
        for drawn in self.figures.values():
            drawn.xaxis.axis_label, drawn.yaxis.axis_label = scene.labels

    @property
    def row(self) -> Any:
        """All of them, broken into lines where the page is narrow."""
        import panel

        if len(self.figures) == 1:
            (only,) = self.figures.values()
            return panel.pane.Bokeh(only, sizing_mode="scale_width", max_width=WIDEST)
        return panel.FlexBox(*(panel.pane.Bokeh(each) for each in self.figures.values()))


def _edge(ends: tuple[float, float], count: int) -> tuple[float, float]:
    """Where the first pixel begins, and how wide pixels are."""
    step = (ends[1] - ends[0]) / (count - 1) if count > 1 else 1.0
    return ends[0] - step / 2, step


def _limits(image: npt.NDArray[np.float32], brightest: float, signed: bool) -> tuple[float, float]:
    finite = image[np.isfinite(image)]
    if not finite.size:
        return 0.0, 1.0
    if signed:
        top = float(np.percentile(np.abs(finite), brightest)) or 1.0
        return -top, top
    low, high = np.percentile(finite, (0.5, brightest))
    return float(low), float(high) if high > low else float(low) + 1.0


def _palette(signed: bool) -> Sequence[str]:
    from bokeh.palettes import Inferno256, RdBu11, interp_palette

    found: Sequence[str] = interp_palette(RdBu11, 255) if signed else Inferno256
    return found
