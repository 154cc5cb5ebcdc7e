"""Pictures of difference pair distribution functions: the sections through the origin."""

from typing import TYPE_CHECKING, Final

import numpy as np

from dsfu.colours import DIFFERENCE
from dsfu.errors import InputError
from dsfu.model.measured.deltapdf.compute import DeltaPdf
from dsfu.model.measured.deltapdf.files import in_order
from dsfu.paper import WIDTHS, empty_figure, letter, named_bar, paper_style
from dsfu.simulate.arrays import Float32Array, FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

_NAMES: Final = "uvw"
_SHORTEST_VECTOR: Final = 0.5
"""Share of the shortest edge of the cell around the origin that does not count for the range of colours."""


def draw_sections(pdf: DeltaPdf, title: str = "", *, extent_angstrom: float = 25.0) -> "Figure":
    """The sections through the origin normal to w, v and u, as far as the grid has them, with true angles, in Å."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    values, steps = in_order(pdf)
    if pdf.cell is None:
        raise InputError("the cell is not known", expected="--cell a,b,c,alpha,beta,gamma")
    sections = [axis for axis in (2, 1, 0) if all(values.shape[i] > 1 for i in range(3) if i != axis)]
    limit = _limit(values, steps, pdf.cell.vectors)
    with mpl.rc_context({"font.size": 8, "axes.linewidth": 0.6}):
        figure = Figure(figsize=(2.6 * max(len(sections), 1.35) + 0.6, 3.0), layout="constrained")
        if title:
            figure.suptitle(title, fontsize=8.5)
        panels = figure.subplots(1, len(sections), squeeze=False)[0]
        for axes, fixed in zip(panels, sections, strict=True):
            mesh = _draw(axes, values, steps, pdf.cell.vectors, fixed, limit, extent_angstrom)
        figure.colorbar(mesh, ax=panels, shrink=0.8, pad=0.02, aspect=26, label="ΔPDF", extend="both")
    return figure


def sections_figure(pdf: DeltaPdf, extent_angstrom: float = 25.0) -> "Figure":
    """The same as a figure for a paper: three sections over two columns, one in one column, under one named bar."""
    values, steps = in_order(pdf)
    if pdf.cell is None:
        raise InputError("the cell is not known", expected="--cell a,b,c,alpha,beta,gamma")
    sections = [axis for axis in (2, 1, 0) if all(values.shape[i] > 1 for i in range(3) if i != axis)]
    limit = _limit(values, steps, pdf.cell.vectors)
    columns = 1 if len(sections) == 1 else 2
    with paper_style():
        figure = empty_figure(columns, WIDTHS[columns] / len(sections) + 0.55)
        panels = figure.subplots(1, len(sections), squeeze=False)[0]
        for number, (axes, fixed) in enumerate(zip(panels, sections, strict=True)):
            mesh = _draw(axes, values, steps, pdf.cell.vectors, fixed, limit, extent_angstrom)
            name = axes.get_title()
            axes.set_title("")
            letter(axes, number)
            named_bar(axes, mesh, f"3D-ΔPDF, section {name}", extend="both")
    return figure


def _limit(values: Float32Array, steps: FloatArray, vectors: FloatArray) -> float:
    """Colours end at nearly the largest magnitude away from the origin."""
    ranges = [np.arange(n) - n // 2 for n in values.shape]
    shortest = _SHORTEST_VECTOR * float(np.linalg.norm(vectors, axis=1).min())
    largest = 0.0
    for fixed in range(3):
        first, second = (i for i in range(3) if i != fixed)
        section = np.take(values, values.shape[fixed] // 2, axis=fixed)
        places = (ranges[first] * steps[first])[:, None, None] * vectors[first] + (ranges[second] * steps[second])[
            None, :, None
        ] * vectors[second]
        away = np.linalg.norm(places, axis=-1) > shortest
        if away.any():
            largest = max(largest, float(np.percentile(np.abs(section[away]), 99.9)))
    return largest or 1.0


def _draw(
    axes: "Axes",
    values: Float32Array,
    steps: FloatArray,
    vectors: FloatArray,
    fixed: int,
    limit: float,
    extent: float,
) -> "QuadMesh":
    first, second = (i for i in range(3) if i != fixed)
    section = np.take(values, values.shape[fixed] // 2, axis=fixed)
    frame = _frame(vectors[first], vectors[second])
    area = abs(float(np.linalg.det(frame)))
    starts, stops = [], []
    for axis, other in ((first, frame[1]), (second, frame[0])):
        n = values.shape[axis]
        furthest = np.sqrt(2) * extent * float(np.linalg.norm(other)) / area  # in cells, to the corners of the square
        reach = min(n // 2, int(np.ceil(furthest / steps[axis])))
        starts.append(n // 2 - reach)
        stops.append(min(n, n // 2 + reach + 1))
    shown = section[starts[0] : stops[0], starts[1] : stops[1]]
    edges = [
        (np.arange(start, stop + 1) - values.shape[axis] // 2 - 0.5) * steps[axis]
        for start, stop, axis in zip(starts, stops, (first, second), strict=True)
    ]
    corners = np.stack(np.meshgrid(*edges, indexing="ij"), axis=-1) @ frame
    mesh = axes.pcolormesh(
        corners[..., 0], corners[..., 1], shown, cmap=DIFFERENCE, vmin=-limit, vmax=limit, rasterized=True
    )
    reach_x, reach_y = (min(extent, float(corners[..., i].max())) for i in (0, 1))
    axes.set(aspect="equal", xlim=(-reach_x, reach_x), ylim=(-reach_y, reach_y))
    axes.set_title("".join("0" if i == fixed else _NAMES[i] for i in range(3)), fontsize=8, style="italic")
    axes.set_xlabel(f"along {'abc'[first]} (Å)")
    is_oblique = abs(frame[1, 0]) > 1e-6
    axes.set_ylabel(f"{'normal to ' + 'abc'[first] if is_oblique else 'along ' + 'abc'[second]} (Å)")
    axes.tick_params(labelsize=7)
    return mesh


def _frame(first: FloatArray, second: FloatArray) -> FloatArray:
    """Two edges of the cell in the plane of the paper, (2, 2), the first to the right."""
    along = first / np.linalg.norm(first)
    rest = second - (second @ along) * along
    return np.array([[np.linalg.norm(first), 0.0], [second @ along, np.linalg.norm(rest)]])
