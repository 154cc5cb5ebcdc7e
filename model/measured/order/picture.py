"""Pictures of a refinement: I_SRO in one reciprocal cell, observed, calculated and their difference; α by distance."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from dsfu.colours import DIFFERENCE, INTENSITY, MISSING, UNCERTAINTY, difference_end
from dsfu.model.measured.order.planes import SroPlane, SroSettings
from dsfu.model.measured.order.projection import Projection, project
from dsfu.model.measured.order.result import Shell, SroRefinement
from dsfu.paper import named_bar
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.lattice import Cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure, SubFigure

MOST_ROWS: Final = 4
_COLOURS: Final = ("#1b4f8a", "#c8553d")
_MARKERS: Final = ("o", "D")
_SEEN: Final = 3.0
"""Standard uncertainties: of hundreds of α some exceed two by chance."""

_STYLE: Final[dict[Any, Any]] = {
    "font.size": 8,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}


def draw_refinement(
    planes: Sequence[SroPlane], settings: SroSettings, group: IntArray, refinements: Sequence[SroRefinement]
) -> "Figure":
    """Projections of at most four layers, and α of all refinements, of which the first is that of the planes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows = rows_of(planes, settings, group, refinements[0])[:MOST_ROWS]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 1.75 * len(rows) + 2.7), layout="constrained")
        heights = [1.75 * len(rows), 2.7] if rows else [1]
        parts = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
        if rows:
            _draw_cells(parts[0], rows, refinements[0].cell)
        draw_parameters(parts[-1].subplots(), refinements)
        return figure


Row = tuple[Projection, FloatArray, float]
"""The projection of a plane, what was calculated, and the scale of what was observed."""


def rows_of(planes: Sequence[SroPlane], settings: SroSettings, group: IntArray, refinement: SroRefinement) -> list[Row]:
    """All layers, projected into one cell, with what was calculated for them."""
    assert refinement.fit is not None
    rows = []
    for plane, scale in zip(planes, refinement.fit.scales, strict=True):
        found = project(plane, settings, group)
        if found is not None:
            rows.append((found, refinement.series_at(found.hkl), scale))
    return rows


def _draw_cells(figure: "SubFigure", rows: list[Row], cell: Cell) -> None:
    panels = figure.subplots(len(rows), 4, squeeze=False)
    for line, (found, calculated, scale) in zip(panels, rows, strict=True):
        observed = found.mean / scale
        corners = _corners(found, cell)
        top = float(np.nanmax([np.nanmax(observed), np.nanmax(calculated)]))
        largest = max(difference_end(observed - calculated), 1e-6 * top)
        _mesh(line[0], corners, observed, INTENSITY, 0.0, top)
        first = _mesh(line[1], corners, calculated, INTENSITY, 0.0, top)
        second = _mesh(line[2], corners, observed - calculated, DIFFERENCE, -largest, largest)
        widest = max(float(np.nanpercentile(found.spread, 99.5)) / scale, 1e-6 * top)
        third = _mesh(line[3], corners, found.spread / scale, UNCERTAINTY, 0.0, widest)
        for mesh, axes in ((first, list(line[:2])), (second, line[2]), (third, line[3])):
            bar = figure.colorbar(mesh, ax=axes, shrink=0.75, pad=0.02, aspect=22)
            bar.ax.tick_params(labelsize=6.5)
        titles = (f"{_layer_name(found)} observed", "calculated", "observed − calculated", "spread of the pixels")
        for axes, title in zip(line, titles, strict=True):
            axes.set_title(title, fontsize=8)
            _label_cell(axes, found, cell)


def draw_row(panels: Sequence[Any], row: Row, cell: Cell) -> None:
    """Observed, calculated and difference of a layer in one reciprocal cell, each with a bar that is named."""
    found, calculated, scale = row
    observed = found.mean / scale
    corners, top = _corners(found, cell), float(np.nanmax([np.nanmax(observed), np.nanmax(calculated)]))
    end = max(difference_end(observed - calculated), 1e-6 * top)
    layer = _layer_name(found)
    shown = (
        (observed, INTENSITY, 0.0, top, r"$I_\mathrm{SRO}$, " + f"{layer}, observed"),
        (calculated, INTENSITY, 0.0, top, r"$I_\mathrm{SRO}$, calculated"),
        (observed - calculated, DIFFERENCE, -end, end, "observed − calculated"),
    )
    for axes, (values, colours, low, high, label) in zip(panels, shown, strict=True):
        named_bar(axes, _mesh(axes, corners, values, colours, low, high), label)
        _label_cell(axes, found, cell)


def _mesh(axes: "Axes", corners: FloatArray, values: FloatArray, colours: str, low: float, high: float) -> "QuadMesh":
    axes.set_facecolor(MISSING)
    axes.set_aspect("equal")
    return axes.pcolormesh(corners[..., 0], corners[..., 1], values, cmap=colours, vmin=low, vmax=high, rasterized=True)


def _frame(found: Projection, cell: Cell) -> FloatArray:
    """The two reciprocal vectors of the layer in the plane of the paper, (2, 2), the first to the right."""
    first, second = (cell.reciprocal[i] for i in range(3) if i != found.fixed)
    along = first / np.linalg.norm(first)
    across = second - (second @ along) * along
    return np.array([[np.linalg.norm(first), 0.0], [second @ along, np.linalg.norm(across)]])


def _corners(found: Projection, cell: Cell) -> FloatArray:
    edges = np.linspace(0.0, 1.0, len(found.mean) + 1)
    grid = np.stack(np.meshgrid(edges, edges, indexing="ij"), axis=-1)
    return np.asarray(grid @ _frame(found, cell))


def _label_cell(axes: "Axes", found: Projection, cell: Cell) -> None:
    names = ["hkl"[i] for i in range(3) if i != found.fixed]
    frame = _frame(found, cell)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_facecolor("none")
    axes.set_xticks([])
    axes.set_yticks([])
    gap = 0.05 * np.linalg.norm(frame, axis=1).max()
    away = -frame[1] / np.linalg.norm(frame[1]) * gap
    left = -frame[0] / np.linalg.norm(frame[0]) * gap
    for share, text in ((0.0, "0"), (0.5, names[0]), (1.0, "1")):
        x, y = share * frame[0] + away
        axes.text(x, y, text, ha="center", va="top", fontsize=7, style=_style(text))
    for share, text in ((0.0, "0"), (0.5, names[1]), (1.0, "1")):
        x, y = share * frame[1] + left
        axes.text(x, y, text, ha="right", va="center", fontsize=7, style=_style(text))
    outline = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) @ frame
    axes.fill(*outline.T, color=MISSING, zorder=-1)
    axes.plot(*outline.T, color="black", linewidth=0.6)
    axes.margins(0.14)


def _style(text: str) -> Literal["italic", "normal"]:
    return "italic" if text.isalpha() else "normal"


def _layer_name(found: Projection) -> str:
    """ "hk1", "hk½" or "h 0.31 l"."""
    if abs(found.index - round(found.index)) < 1e-3:
        number = f"{round(found.index)}"
    else:
        number = "½" if abs(found.index - 0.5) < 1e-3 else f" {found.index:.2f} "
    return "".join(number if i == found.fixed else "hkl"[i] for i in range(3)).strip()


def draw_parameters(axes: "Axes", refinements: Sequence[SroRefinement]) -> None:
    """α of all shells over their distance."""
    shells = [shell for each in refinements for shell in each.shells]
    end = how_far(shells)
    shift = 0.004 * end if len(refinements) > 1 else 0.0
    axes.axhline(0.0, color="#888888", linewidth=0.6, zorder=0)
    for number, each in enumerate(refinements):
        lengths = np.array([shell.length_angstrom for shell in each.shells]) + (2 * number - 1) * shift
        name = "from the solver" if each.source == "solver" else r"from $I_\mathrm{SRO}$"
        axes.errorbar(
            lengths,
            each.values,
            each.uncertainties,
            fmt=_MARKERS[number % 2],
            color=_COLOURS[number % 2],
            markersize=3.2 if len(each.shells) < 60 else 1.8,
            elinewidth=0.8,
            capsize=1.5,
            label=name,
        )
    if len(refinements) > 1:
        axes.legend(frameon=False, loc="best")
    elif len(shells) <= 24:
        _name_the_largest(axes, refinements[0])
    axes.set_xlim(0.0, end)
    axes.set_xlabel("length of the lattice vector (Å)")
    axes.set_ylabel("α")
    axes.spines[["top", "right"]].set_visible(False)


def how_far(shells: Sequence[Shell]) -> float:
    """To which length α is seen, in Å: beyond the last that is a hundredth of the largest, and more than what is not
    known of it, there is only a line of zeros, or of bars around zero."""
    largest = max(abs(shell.alpha) for shell in shells)
    seen = [
        shell.length_angstrom
        for shell in shells
        if abs(shell.alpha) >= 0.01 * largest and not abs(shell.alpha) < _SEEN * shell.uncertainty
    ]
    return max([2.5 * min(shell.length_angstrom for shell in shells), *(1.05 * each for each in seen)])


def _name_the_largest(axes: "Axes", refinement: SroRefinement) -> None:
    """Names beside the strongest, as far as they have room."""
    taken: list[float] = []
    end = how_far(refinement.shells)
    for shell in sorted(refinement.shells, key=lambda shell: -abs(shell.alpha)):
        if any(abs(shell.length_angstrom - other) < 0.07 * end for other in taken):
            continue
        taken.append(shell.length_angstrom)
        up = shell.alpha > 0
        axes.annotate(
            " ".join(map(str, shell.vector)),
            (shell.length_angstrom, shell.alpha + (1 if up else -1) * shell.uncertainty),
            xytext=(0, 5 if up else -5),
            textcoords="offset points",
            ha="center",
            va="bottom" if up else "top",
            fontsize=6.5,
            color="#444444",
        )
    axes.margins(y=0.15)
