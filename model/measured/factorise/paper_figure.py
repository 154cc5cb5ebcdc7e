"""A plane and its factors as a figure for a paper, one or two columns wide, in true shape, with named bars."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.colours import DIFFERENCE, INTENSITY, difference_end, intensity_end
from dsfu.model.measured.factorise.factors import PlaneFactors
from dsfu.model.measured.factorise.pictures_axes import edges
from dsfu.paper import WIDTHS, empty_figure, map_panel, named_bar, paper_style, write_paper_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_figure(path: Path, plane: PlaneFactors, columns: int = 2) -> None:
    """Write the figure of one plane in the format of the suffix."""
    write_paper_figure(path, lambda: paper_figure(plane, columns))


def paper_figure(plane: PlaneFactors, columns: int = 2) -> "Figure":
    """I_D as observed, both factors, and what they leave; beside one another, or two by two in one column.

    Colours of intensities follow the square root; those of the difference end where 99.8 % of its pixels are inside, so
    that it is not saturated. Observed and difference are grey where nothing was measured.
    """
    across = 4 if columns == 2 else 2
    side = WIDTHS[columns] / across
    with paper_style():
        figure = empty_figure(columns, side * 1.36 * (4 // across) + 0.1)
        panels = figure.subplots(4 // across, across, squeeze=False).ravel()
        everywhere = np.ones_like(plane.live)
        unit = plane.measured.unit
        draws: tuple[Callable[[Any], None], ...] = (
            lambda axes: _intensity(axes, plane, plane.measured.intensity, plane.live, "$I_\\mathrm{D}$, observed"),
            lambda axes: _intensity(axes, plane, plane.form_factor, everywhere, "$I_\\mathrm{FF}$"),
            lambda axes: _intensity(axes, plane, plane.sro, everywhere, "$I_\\mathrm{SRO}$"),
            lambda axes: _difference(axes, plane),
        )
        for number, (axes, draw) in enumerate(zip(panels, draws, strict=True)):
            draw(axes)
            map_panel(axes, number, f"$Q_x$ ({unit})", f"$Q_y$ ({unit})", outer=number % across == 0)
    return figure


def _intensity(axes: Any, plane: PlaneFactors, values: Any, where: Any, label: str) -> None:
    from matplotlib.colors import PowerNorm

    top = intensity_end(np.asarray(values), where)
    image = _draw(axes, plane, np.maximum(values, 0), where, cmap=INTENSITY, norm=PowerNorm(0.5, 0, top))
    named_bar(axes, image, label, extend="max")


def _difference(axes: Any, plane: PlaneFactors) -> None:
    top = difference_end(plane.difference[plane.live])
    image = _draw(axes, plane, plane.difference, plane.live, cmap=DIFFERENCE, vmin=-top, vmax=top)
    named_bar(axes, image, "observed − model", extend="both")


def _draw(axes: Any, plane: PlaneFactors, values: Any, where: Any, **options: Any) -> Any:
    extent = (*edges(plane.plane), *edges(plane.plane))
    shown = np.ma.array(values, mask=~where)
    return axes.imshow(shown, origin="lower", extent=extent, interpolation="nearest", **options)
