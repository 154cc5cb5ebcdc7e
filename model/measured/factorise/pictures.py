"""A plane and its factors as a picture, in true shape and on square-root scales."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsfu.colours import DIFFERENCE, INTENSITY, MISSING, UNCERTAINTY, difference_end, intensity_end
from dsfu.model.measured.data.reconstruction import RealArray
from dsfu.model.measured.factorise.factors import PlaneFactors
from dsfu.model.measured.factorise.pictures_axes import draw_axes, edges, oblique_axes
from dsfu.pages.pictures import figure_address
from dsfu.simulate.arrays import BoolArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FROM_DATA, UNDETERMINED, NOT_MEASURED = "#27566b", "#e3a857", MISSING

_INCHES: Final = 2.65
_DPI: Final = 170
"""Quantile of a picture at which its colours end."""

_STYLE: Final[dict[Any, Any]] = {
    "font.size": 7.5,
    "axes.titlesize": 8.5,
    "axes.linewidth": 0.6,
    "hatch.linewidth": 0.45,
    "hatch.color": "#ffffffb0",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}


def plane_figure(plane: PlaneFactors) -> "Figure":
    """Observed, model, difference and where the form factor is known; below both factors, and their uncertainties."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    panels = list(_panels(plane))
    across = 4 if len(panels) > 6 else 3
    with mpl.rc_context(_STYLE):
        close = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0.01, hspace=0.01)
        figure = Figure(figsize=(_INCHES * across, 2 * _INCHES * 0.93), layout=close)
        FigureCanvasAgg(figure)
        oblique = oblique_axes(plane.plane, plane.cell)
        for number, panel in enumerate(panels):
            if panel is None:
                continue
            title, draw, lines = panel
            axes = figure.add_subplot(2, across, number + 1)
            axes.set_title(title, pad=4)
            axes.set_facecolor(MISSING)
            draw(axes)
            draw_axes(axes, plane, oblique, lines, (True, number % across == 0))
    return figure


def as_address(figure: "Figure") -> str:
    """A figure as the address of an image that holds the image."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        return figure_address(figure, _DPI)


def _panels(plane: PlaneFactors) -> Iterator[tuple[str, Any, str] | None]:
    """Title, what draws it, and the colour of the lattice's lines; None is a gap."""
    top = intensity_end(plane.measured.intensity, plane.live)
    everywhere = np.ones_like(plane.live)
    yield "observed", lambda axes: _intensity(axes, plane, plane.measured.intensity, plane.live, top), "white"
    yield "model", lambda axes: _intensity(axes, plane, plane.model, everywhere, top), "white"
    yield "observed − model", lambda axes: _difference(axes, plane), "black"
    if plane.sigma_form_factor is None or plane.sigma_sro is None:
        yield "$I_{FF}$, form factor", lambda axes: _form_factor(axes, plane), "white"
        yield "$I_{SRO}$, short-range order", lambda axes: _sro(axes, plane), "white"
        yield from _ground_panel(plane)
        return
    yield from _ground_panel(plane)
    yield "$I_{FF}$, form factor", lambda axes: _form_factor(axes, plane), "white"
    yield "uncertainty of $I_{FF}$", lambda axes: _uncertainty(axes, plane, plane.sigma_form_factor), "white"
    yield "$I_{SRO}$, short-range order", lambda axes: _sro(axes, plane), "white"
    yield "uncertainty of $I_{SRO}$", lambda axes: _uncertainty(axes, plane, plane.sigma_sro), "white"


def _ground_panel(plane: PlaneFactors) -> Iterator[tuple[str, Any, str] | None]:
    """A network's answers rest on nothing that could be drawn."""
    shown = plane.from_data.any()
    yield ("what $I_{FF}$ rests on", lambda axes: _ground(axes, plane), "white") if shown else None


def _image(axes: "Axes", plane: PlaneFactors, values: Any, where: BoolArray, **options: Any) -> Any:
    extent = (*edges(plane.plane), *edges(plane.plane))
    return axes.imshow(
        np.ma.array(values, mask=~where), origin="lower", extent=extent, interpolation="nearest", **options
    )


def _bar(axes: "Axes", image: Any) -> None:
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.86, pad=0.02, aspect=22)
    bar.ax.tick_params(labelsize=6, pad=1.5, length=2)
    bar.ax.yaxis.get_offset_text().set_fontsize(6)
    bar.outline.set_linewidth(0.5)


def _intensity(axes: "Axes", plane: PlaneFactors, values: RealArray, where: BoolArray, top: float) -> None:
    from matplotlib.colors import PowerNorm

    _bar(axes, _image(axes, plane, np.maximum(values, 0), where, cmap=INTENSITY, norm=PowerNorm(0.5, 0, top)))


def _difference(axes: "Axes", plane: PlaneFactors) -> None:
    top = difference_end(plane.difference[plane.live])
    _bar(axes, _image(axes, plane, plane.difference, plane.live, cmap=DIFFERENCE, vmin=-top, vmax=top))


def _form_factor(axes: "Axes", plane: PlaneFactors) -> None:
    known = plane.from_data if plane.from_data.any() else np.ones_like(plane.from_data)
    _intensity(axes, plane, plane.form_factor, np.ones_like(plane.live), intensity_end(plane.form_factor, known))
    if plane.from_data.any() and not plane.from_data.all():
        guess = np.where(plane.from_data, 0.0, 1.0)
        x = plane.plane.offsets
        axes.contourf(x, x, guess, levels=[0.5, 1.5], colors="none", hatches=["//////"])
        axes.contour(x, x, guess, levels=[0.5], colors="white", linewidths=0.5)


def _sro(axes: "Axes", plane: PlaneFactors) -> None:
    everywhere = np.ones_like(plane.live)
    _intensity(axes, plane, plane.sro, everywhere, float(max(plane.sro.max(), 1e-12)))


def _uncertainty(axes: "Axes", plane: PlaneFactors, sigma: RealArray) -> None:
    from matplotlib.colors import PowerNorm

    finite = np.isfinite(sigma)
    norm = PowerNorm(0.5, 0, intensity_end(sigma, finite))
    _bar(axes, _image(axes, plane, sigma, finite, cmap=UNCERTAINTY, norm=norm))


def _ground(axes: "Axes", plane: PlaneFactors) -> None:
    """Data, data that say nothing of it for want of order, or no data."""
    from matplotlib.colors import ListedColormap

    kind = np.where(plane.from_data, 0, np.where(plane.live, 1, 2))
    colours = ListedColormap([FROM_DATA, UNDETERMINED, NOT_MEASURED])
    _image(axes, plane, kind, np.ones_like(plane.live), cmap=colours, vmin=-0.5, vmax=2.5)
