"""Figures for a paper: one or two columns wide, text that stays text, named bars, true shapes."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dsfu.errors import InputError
from dsfu.files import check_picture, replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTHS: Final = {1: 3.35, 2: 6.93}
"""Inches of one and two columns: 85 and 176 mm, as the journals of the IUCr have them."""

MEASURED, FITTED, LEFT_OVER = "#1d2125", "#d1622b", "#3f72af"
"""Colours of curves: what was measured, what was fitted to it, and their difference."""

_ROOM: Final = 0.3
"""Share of a bar below a panel that a number needs."""

_STYLE: Final[dict[Any, Any]] = {
    "font.size": 7,
    "axes.linewidth": 0.5,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2,
    "ytick.major.size": 2,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "axes.labelpad": 1.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}


def check_figure(path: Path | None) -> None:
    """Refuse formats that cannot be drawn, and places that cannot be written to, before the work is done."""
    if path is None:
        return
    where = f"--figure {path}"
    check_picture(path, "--figure")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}", where=where, remedy="make it, or write elsewhere")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"the folder {path.parent} cannot be written to", where=where, remedy="write elsewhere")


def write_paper_figure(path: Path, draw: Callable[[], "Figure"]) -> None:
    """Write what ``draw`` makes in the format of the suffix; it is there whole or not at all."""
    check_figure(path)
    with paper_style(), replacing(path) as temporary:
        draw().savefig(temporary, format=path.suffix[1:].lower(), dpi=600)


@contextmanager
def paper_style() -> Iterator[None]:
    """Sizes of text and lines for a figure as it is printed."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        yield


def empty_figure(columns: int, height_inches: float) -> "Figure":
    """A figure of one or two columns to draw into."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTHS[columns], height_inches), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.04)  # type: ignore[union-attr, call-arg]
    FigureCanvasAgg(figure)
    return figure


def letter(axes: Any, number: int) -> None:
    """(a), (b) … above a panel, on the left."""
    axes.set_title(f"({'abcdefgh'[number]})", loc="left", fontsize=7, pad=3)


def map_panel(axes: Any, number: int, x_label: str, y_label: str, *, outer: bool = True) -> None:
    """Set up a panel that is a map: its letter, true shape, grey where nothing was measured, names of the axes.

    ``outer`` says that it stands on the left: the others of a row share its vertical axis.
    """
    from dsfu.colours import MISSING  # with numpy, which is not loaded to show a command's help

    axes.set_facecolor(MISSING)
    axes.set_aspect("equal")
    letter(axes, number)
    axes.set_xlabel(x_label)
    if outer:
        axes.set_ylabel(y_label)
    else:
        axes.set_yticklabels([])


def curve_panel(axes: Any, number: int | None, x_label: str, y_label: str) -> None:
    """Set up a panel that has a curve; without a letter where it is the only one."""
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    if number is not None:
        letter(axes, number)


def named_bar(axes: Any, image: Any, label: str, *, extend: str = "neither") -> None:
    """A bar below a panel with the name of what its colours mean and few numbers."""
    bar = axes.figure.colorbar(image, ax=axes, location="bottom", pad=0.03, aspect=18, extend=extend)
    bar.set_label(label, fontsize=7, labelpad=1)
    bar.ax.tick_params(labelsize=5.5, length=1.5, pad=1)
    bar.set_ticks(_apart(image.norm))
    bar.outline.set_linewidth(0.4)


def _apart(scale: Any) -> list[float]:
    """Round numbers on a scale of colours, so far apart on it that their digits do not touch; zero if it is there."""
    from matplotlib.ticker import MaxNLocator

    low, high = float(scale.vmin), float(scale.vmax)
    values = [each for each in MaxNLocator(nbins=5).tick_values(low, high) if low <= each <= high]
    kept: list[float] = []
    for value in sorted(values, key=lambda each: (each != 0, -abs(each))):
        if all(abs(float(scale(value)) - float(scale(other))) > _ROOM for other in kept):
            kept.append(value)
    return sorted(kept)


def draw_fit(axes: Any, x: Any, measured: Any, fitted: Any) -> None:
    """What was measured as points, a fit, and below both their difference around its zero line."""
    difference = measured - fitted
    low, high = min(measured.min(), fitted.min()), max(measured.max(), fitted.max())
    shift = low - difference.max() - 0.06 * (high - low)
    axes.plot(x, measured, ".", markersize=1.6, markeredgewidth=0, color=MEASURED, label="measured", rasterized=True)
    axes.plot(x, fitted, linewidth=0.7, color=FITTED, label="fit")
    axes.axhline(shift, color="#9aa3ab", linewidth=0.4)
    axes.plot(x, difference + shift, linewidth=0.5, color=LEFT_OVER, label="difference")
    axes.set_xlim(float(x[0]), float(x[-1]))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper right", handlelength=1.6, markerscale=4)
