"""A plane and its factors as a figure for a paper, one or two columns wide, in true shape, with named bars."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsfu.colours import DIFFERENCE, INTENSITY, MISSING, difference_end
from dsfu.errors import InputError
from dsfu.files import replacing
from dsfu.model.measured.factorise.factors import PlaneFactors
from dsfu.model.measured.factorise.pictures_axes import edges

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTHS: Final = {1: 3.35, 2: 6.93}
"""Inches of one and two columns: 85 and 176 mm, as the journals of the IUCr have them."""

FORMATS: Final = (".pdf", ".svg", ".png")
_BRIGHTEST: Final = 0.998
_STYLE: Final[dict[Any, Any]] = {
    "font.size": 7,
    "axes.linewidth": 0.5,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}


def check_figure(path: Path) -> None:
    """Refuse formats that cannot be drawn, before the work is done."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"suffix {path.suffix!r}", where=f"--figure {path}", expected=" or ".join(FORMATS))


def write_figure(path: Path, plane: PlaneFactors, columns: int = 2) -> None:
    """Write the figure of one plane in the format of the suffix."""
    import matplotlib as mpl

    check_figure(path)
    with mpl.rc_context(_STYLE), replacing(path) as temporary:
        paper_figure(plane, columns).savefig(temporary, format=path.suffix[1:].lower(), dpi=600)


def paper_figure(plane: PlaneFactors, columns: int = 2) -> "Figure":
    """I_D as observed, both factors, and what they leave; beside one another, or two by two in one column.

    Colours of intensities follow the square root; those of the difference end where 99.8 % of its pixels are inside, so
    that it is not saturated. Observed and difference are grey where nothing was measured.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across = 4 if columns == 2 else 2
    side = WIDTHS[columns] / across
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTHS[columns], side * 1.36 * (4 // across)), layout="constrained")
        figure.get_layout_engine().set(h_pad=0.06)  # type: ignore[union-attr, call-arg]
        FigureCanvasAgg(figure)
        panels = figure.subplots(4 // across, across, squeeze=False).ravel()
        everywhere = np.ones_like(plane.live)
        unit = "1/Å" if plane.cell else "voxels"
        draws: tuple[Callable[[Any], None], ...] = (
            lambda axes: _intensity(axes, plane, plane.measured.intensity, plane.live, "$I_\\mathrm{D}$, observed"),
            lambda axes: _intensity(axes, plane, plane.form_factor, everywhere, "$I_\\mathrm{FF}$"),
            lambda axes: _intensity(axes, plane, plane.sro, everywhere, "$I_\\mathrm{SRO}$"),
            lambda axes: _difference(axes, plane),
        )
        for number, (axes, draw) in enumerate(zip(panels, draws, strict=True)):
            draw(axes)
            axes.set_facecolor(MISSING)
            axes.set_aspect("equal")
            axes.set_title(f"({'abcd'[number]})", loc="left", fontsize=7, pad=3)
            axes.set_xlabel(f"$Q_x$ ({unit})", labelpad=1)
            axes.tick_params(labelsize=6, length=2, pad=1.5)
            if number % across == 0:
                axes.set_ylabel(f"$Q_y$ ({unit})", labelpad=1)
            else:
                axes.set_yticklabels([])
    return figure


def _intensity(axes: Any, plane: PlaneFactors, values: Any, where: Any, label: str) -> None:
    from matplotlib.colors import PowerNorm

    top = _top(np.asarray(values), where)
    _draw(axes, plane, np.maximum(values, 0), where, label, cmap=INTENSITY, norm=PowerNorm(0.5, 0, top))


def _difference(axes: Any, plane: PlaneFactors) -> None:
    top = difference_end(plane.difference[plane.live])
    _draw(axes, plane, plane.difference, plane.live, "observed − model", cmap=DIFFERENCE, vmin=-top, vmax=top)


def _draw(axes: Any, plane: PlaneFactors, values: Any, where: Any, label: str, **options: Any) -> None:
    image = axes.imshow(
        np.ma.array(values, mask=~where),
        origin="lower",
        extent=(*edges(plane.plane), *edges(plane.plane)),
        interpolation="nearest",
        **options,
    )
    bar = axes.figure.colorbar(
        image, ax=axes, location="bottom", pad=0.03, aspect=18, extend="both" if "vmin" in options else "max"
    )
    bar.set_label(label, fontsize=7, labelpad=1)
    bar.ax.tick_params(labelsize=5.5, length=1.5, pad=1)
    bar.locator = _few()
    bar.update_ticks()
    bar.outline.set_linewidth(0.4)


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=4, min_n_ticks=2)


def _top(values: Any, where: Any) -> float:
    top = float(np.quantile(values[where], _BRIGHTEST)) if where.any() else 0.0
    return top if top > 0 else max(float(values.max(initial=0.0)), 1e-12)
