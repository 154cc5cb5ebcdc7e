"""Draw sections of reciprocal space in their true shape, with axes in r.l.u., on a square-root scale."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsfu.colours import INTENSITY, MISSING
from dsfu.files import check_picture, replacing
from dsfu.model.measured.data.axes import Axis
from dsfu.model.measured.data.sections import VoxelSection
from dsfu.simulate.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TOP_PERCENTILE: Final = 99.5
_INCHES: Final = 3.4
"""Longest side of a section on paper."""
_WIDEST: Final = 10.5
"""All sections of a row together."""
_ACROSS: Final = 3


def write_sections(path: Path, sections: Sequence[VoxelSection], title: str = "") -> None:
    """Draw sections beside one another, all at one scale and in common colours; what was not measured is grey."""
    check_picture(path)
    if not sections:
        raise ValueError("sections: none; expected one or more")
    figure = _figure(sections, title)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=160, format=path.suffix[1:].lower())


def _figure(sections: Sequence[VoxelSection], title: str) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    rows = [sections[start : start + _ACROSS] for start in range(0, len(sections), _ACROSS)]
    sizes = np.array([np.ptp(_outline(section), axis=0) for section in sections])
    widths = [float(sizes[column::_ACROSS, 0].max()) for column in range(len(rows[0]))]
    heights = [float(sizes[_ACROSS * row : _ACROSS * (row + 1), 1].max()) for row in range(len(rows))]
    inches = min(_INCHES / float(sizes.max()), _WIDEST / sum(widths))
    figure = Figure(
        figsize=(sum(widths) * inches + 0.7 * len(widths) + 1.0, sum(heights) * inches + 0.9 * len(heights) + 0.2),
        layout="constrained",
    )
    FigureCanvasAgg(figure)
    top = _top(sections)
    norm = PowerNorm(0.5, 0.0, top, clip=True)
    grid = figure.add_gridspec(len(rows), len(widths), width_ratios=widths, height_ratios=heights)
    panels = [figure.add_subplot(grid[divmod(number, _ACROSS)]) for number in range(len(sections))]
    unit = 1 / inches
    images = [_draw(panel, section, norm, unit) for panel, section in zip(panels, sections, strict=True)]
    bar = figure.colorbar(images[0], ax=panels, shrink=0.8, aspect=30, pad=0.02, extend="max")
    bar.set_ticks([tick for tick in MaxNLocator(6).tick_values(0, top) if tick <= 0.97 * top])
    bar.set_label("intensity, square-root scale", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_linewidth(0.5)
    figure.suptitle(title, fontsize=9)
    return figure


def _top(sections: Sequence[VoxelSection]) -> float:
    """Where the colours end: a few bright pixels must not darken everything."""
    live = np.concatenate([section.intensity[section.live] for section in sections])
    top = float(np.percentile(live, _TOP_PERCENTILE)) if live.size else 1.0
    top = top if top > 0 else float(live.max(initial=0.0))
    return top if top > 0 else 1.0


def _outline(section: VoxelSection) -> FloatArray:
    """Corners in two dimensions, beginning at the first voxel, along x first."""
    rows, columns = section.intensity.shape
    corners = [[-0.5, -0.5], [columns - 0.5, -0.5], [columns - 0.5, rows - 0.5], [-0.5, rows - 0.5]]
    return np.array(corners) @ np.stack([section.step_x, section.step_y])


def _draw(panel: "Axes", section: VoxelSection, norm: Any, unit: float) -> Any:
    """Draw a section; ``unit`` is what an inch on paper is in its own units."""
    from matplotlib import colormaps
    from matplotlib.transforms import Affine2D

    rows, columns = section.intensity.shape
    matrix = np.eye(3)
    matrix[:2, 0], matrix[:2, 1] = section.step_x, section.step_y
    image = panel.imshow(
        np.ma.array(np.maximum(section.intensity, 0), mask=~section.live),
        origin="lower",
        extent=(-0.5, columns - 0.5, -0.5, rows - 0.5),
        cmap=colormaps[INTENSITY].with_extremes(bad=MISSING),
        norm=norm,
        interpolation="nearest",
        transform=Affine2D(matrix) + panel.transData,
    )
    _frame(panel, section, unit)
    return image


def _frame(panel: "Axes", section: VoxelSection, unit: float) -> None:
    """Outline, ticks and labels along two edges of the parallelogram."""
    outline = _outline(section)
    low, high = outline.min(axis=0), outline.max(axis=0)
    panel.set_xlim(low[0], high[0])
    panel.set_ylim(low[1], high[1])
    panel.set_aspect("equal")
    panel.set_axis_off()
    panel.fill(*outline.T, fill=False, edgecolor="black", linewidth=0.7, clip_on=False)
    panel.set_title(section.across, fontsize=9, pad=5)
    origin, x_end, _, y_end = outline
    along_x, along_y = x_end - origin, y_end - origin
    _ticks(panel, section.x, origin, along_x, _outward(along_x, along_y) * unit)
    _ticks(panel, section.y, origin, along_y, _outward(along_y, along_x) * unit)
    _title(panel, section.label_x, origin, along_x, _outward(along_x, along_y) * 0.32 * unit)
    _title(panel, section.label_y, origin, along_y, _outward(along_y, along_x) * 0.40 * unit)


def _outward(edge: FloatArray, inward: FloatArray) -> FloatArray:
    """Unit vector across an edge, away from the side of ``inward``."""
    across: FloatArray = np.array([edge[1], -edge[0]]) / float(np.hypot(*edge))
    return -across if float(across @ inward) > 0 else across


def _ticks(panel: "Axes", axis: Axis, start: FloatArray, edge: FloatArray, outward: FloatArray) -> None:
    """Ticks at round numbers; ``outward`` is an inch long."""
    from matplotlib.ticker import MaxNLocator

    half = axis.step / 2
    first, last = float(axis.values[0]) - half, float(axis.values[-1]) + half
    low, high = sorted((first, last))
    sideways = abs(outward[0]) > abs(outward[1])
    style: dict[str, Any] = {
        "fontsize": 7,
        "clip_on": False,
        "ha": ("right" if outward[0] < 0 else "left") if sideways else "center",
        "va": "center" if sideways else ("top" if outward[1] < 0 else "bottom"),
    }
    inches = float(np.hypot(*edge) / np.hypot(*outward))
    for location in MaxNLocator(nbins=8 if inches > 2 else 4, steps=[1, 2, 5, 10]).tick_values(first, last):
        if low - 1e-9 <= location <= high + 1e-9:
            point = start + edge * (location - first) / (last - first)
            panel.plot(*np.stack([point, point + 0.05 * outward]).T, color="black", linewidth=0.6, clip_on=False)
            place = point + 0.08 * outward
            panel.text(place[0], place[1], f"{location:g}".replace("-", "−"), **style)


def _title(panel: "Axes", text: str, start: FloatArray, edge: FloatArray, outward: FloatArray) -> None:
    angle = float(np.degrees(np.arctan2(edge[1], edge[0])))
    angle = angle - 180 if angle > 120 else angle + 180 if angle <= -60 else angle
    place = start + edge / 2 + outward
    style: dict[str, Any] = {"fontsize": 8, "fontstyle": "italic", "ha": "center", "va": "center", "clip_on": False}
    panel.text(place[0], place[1], text, rotation=angle, **style)
