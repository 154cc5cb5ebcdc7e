"""Volumes: layers through h, k and l, with Bragg holes drawn as their radius is moved."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.model.view.images import Images, Scene

if TYPE_CHECKING:
    import xarray

    from dsfu.model.front_door.reconstructions import Volume

SIGNED: Final = ("difference",)

FACTORS: Final = ("observed", "model", "difference", "form_factor", "sro", "background")


def volume_page(volume: "Volume") -> Callable[[], Any]:
    """A reconstruction."""
    dataset = volume.to_xarray()
    return lambda: _page(dataset, ("intensity",), repr(volume).strip("<>"), "hkl" if volume.data.indexed else "")


def analysis_page(path: Path) -> Callable[[], Any]:
    """What `dsfu-model analyse` wrote: observed, model, difference and both factors on the same layer."""
    import xarray

    from dsfu.model.measured.readers.hdf5 import Hdf5
    from dsfu.model.measured.volume.reading import read_volume_verdict

    with Hdf5(path) as file:
        stored = [name for name in FACTORS if name != "model"]
        arrays = {name: np.asarray(file.need(f"volume/{name}/{name}")[()], np.float32) for name in stored}
        axes = {axis: np.asarray(file.need(f"volume/observed/{axis}")[()], np.float64) for axis in "hkl"}
    arrays["model"] = arrays["form_factor"] * arrays["sro"] + arrays["background"]
    dataset = xarray.Dataset({name: (("h", "k", "l"), arrays[name]) for name in FACTORS}, axes)
    sentence = read_volume_verdict(path)[1]
    return lambda: _page(dataset, FACTORS, sentence, "hkl")


def _page(dataset: "xarray.Dataset", names: tuple[str, ...], said: str, bragg: str) -> Any:
    import panel

    layers = Layers(dataset, names, has_bragg=bool(bragg) and set(dataset.dims) == set("hkl"))
    return panel.Column(panel.pane.Markdown(said), layers.controls, layers.images.row, sizing_mode="stretch_width")


class Layers:
    """Layers of arrays over three axes, the same of each. Widgets move through them."""

    def __init__(self, dataset: "xarray.Dataset", names: tuple[str, ...], *, has_bragg: bool) -> None:
        import panel

        self._dataset = dataset
        self.images = Images(names, [name for name in names if name in SIGNED])
        self._axes = [str(dim) for dim in dataset[names[0]].dims]
        thick = [axis for axis in self._axes if dataset.sizes[axis] > 1]
        first = next((axis for axis in reversed(self._axes) if axis not in thick), self._axes[-1])
        across = {f"along {axis}": axis for axis in self._axes}
        self.axis = panel.widgets.Select(label="Through the volume", options=across, value=first, width=150)
        self.layer = panel.widgets.DiscreteSlider(options=[0], width=300)
        self.radius = panel.widgets.FloatSlider(
            label="Bragg radius (r.l.u.)", start=0.0, end=0.5, step=0.01, value=0.0, width=300, visible=has_bragg
        )
        self.masked = panel.widgets.Checkbox(label="leave the holes out", value=False, visible=has_bragg)
        self.brightest = panel.widgets.FloatSlider(
            label="Brightest (percentile)", start=80.0, end=100.0, step=0.1, value=95.0, width=300
        )
        self.said = panel.pane.Markdown("")
        self._rings: Any = self._holes() if has_bragg else None
        self.axis.param.watch(lambda _: self._turn(), "value")
        for each in (self.layer, self.radius, self.masked, self.brightest):
            each.param.watch(lambda _: self._draw(), "value")
        self._turn()

    @property
    def controls(self) -> Any:
        import panel

        return panel.FlexBox(self.axis, self.layer, self.radius, self.masked, self.brightest, self.said)

    def _holes(self) -> Any:
        from bokeh.models import ColumnDataSource

        source = ColumnDataSource({"x": [], "y": [], "size": []})
        for drawn in self.images.figures.values():
            drawn.ellipse("x", "y", width="size", height="size", source=source, fill_alpha=0, line_color="#35c9c9")
        return source

    def _turn(self) -> None:
        """Go through the volume along another axis; begin at its middle."""
        values = self._dataset[self.axis.value].values
        self.layer.param.update(
            name=f"{self.axis.value}",
            options={place_words(value, values): number for number, value in enumerate(values)},
        )
        middle = int(np.argmin(np.abs(values)))
        if self.layer.value == middle:
            self._draw()
        else:
            self.layer.value = middle

    def _draw(self) -> None:
        through, number = self.axis.value, int(self.layer.value)
        x, y = (axis for axis in self._axes if axis != through)
        layer = self._dataset.isel({through: number}).transpose(y, x)
        distance = _to_lattice_point(layer, (y, x)) if self._rings is not None else None
        values: Mapping[str, npt.NDArray[Any]] = {name: layer[name].values for name in self.images.names}
        live = ~np.isnan(values[self.images.names[0]])
        if distance is not None and self.masked.value:
            outside = distance > self.radius.value
            values = {name: np.where(outside, image, np.nan) for name, image in values.items()}
            live &= outside
        ends = {axis: (float(layer[axis][0]), float(layer[axis][-1])) for axis in (x, y)}
        unit = " (r.l.u.)" if self._rings is not None else ""
        scene = Scene(x=ends[x], y=ends[y], labels=(x + unit, y + unit))
        self.images.show(scene, values, self.brightest.value)
        if self._rings is not None:
            self._draw_holes(ends[x], ends[y], float(layer[through]))
        self.said.object = f"{100 * live.mean():.1f} % of this layer were measured"

    def _draw_holes(self, x: tuple[float, float], y: tuple[float, float], at: float) -> None:
        """Sections of the holes with this layer."""
        left = self.radius.value**2 - (at - round(at)) ** 2
        points = [
            (i, j)
            for i in range(int(np.ceil(x[0])), int(x[1]) + 1)
            for j in range(int(np.ceil(y[0])), int(y[1]) + 1)
            if left > 0
        ]
        size = 2 * np.sqrt(max(left, 0.0))
        self._rings.data = {
            "x": [i for i, _ in points],
            "y": [j for _, j in points],
            "size": [size] * len(points),
        }


def place_words(value: float, values: npt.NDArray[Any]) -> str:
    """A place along an axis; what is nothing beside its steps is 0."""
    step = float(np.ptp(values)) / max(len(values) - 1, 1)
    return f"{0.0 if abs(value) < 1e-6 * step else value:.4g}"


def _to_lattice_point(layer: "xarray.Dataset", axes: tuple[str, str]) -> npt.NDArray[Any]:
    """Distance of every pixel (y, x) from the nearest lattice point, in reciprocal lattice units."""
    away = {axis: np.asarray(layer[axis].values - np.round(layer[axis].values)) for axis in "hkl"}
    (other,) = set("hkl") - set(axes)
    found: npt.NDArray[Any] = np.sqrt(away[axes[0]][:, None] ** 2 + away[axes[1]][None, :] ** 2 + away[other] ** 2)
    return found
