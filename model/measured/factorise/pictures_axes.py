"""Axes in reciprocal-lattice units for planes that are drawn in true angles: oblique lines where h, k or l is whole."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dsfu.model.measured.data.axes import Axis
from dsfu.model.measured.factorise.factors import PlaneFactors
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LARGEST: Final = 3
"""Largest index of the directions that are looked for."""

_ON_PLANE: Final = 1e-6
_TICKS: Final = 6
_TICK_LENGTH: Final = 0.022
"""Of the side of the picture."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Oblique:
    """Two directions in a plane along which people count.

    Attributes
    ----------
    labels
        Such as "h" and "k", or "[h, h, 0]" and "l".
    vectors
        (2, 2): row i is one unit of the i-th along x and y of the plane, in 1/Å. The first is along x.
    middle
        What both are in the middle of the plane.
    """

    labels: tuple[str, str]
    vectors: FloatArray
    middle: FloatArray


def oblique_axes(plane: Plane, cell: Cell | None) -> Oblique | None:
    """The directions with the simplest indices: the first along x. None where the plane has no such."""
    if cell is None:
        return None
    span = np.arange(-_LARGEST, _LARGEST + 1)
    indices = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3)
    indices = indices[indices.any(axis=1)]
    q = cell.q_of_hkl(indices)
    x, y = q @ plane.axis_x, q @ plane.axis_y
    length = np.linalg.norm(q, axis=1)
    on_plane = np.abs(q @ plane.normal) < _ON_PLANE * length
    along_x = on_plane & (np.abs(y) < _ON_PLANE * length) & (x > 0)
    upwards = on_plane & (y > _ON_PLANE * length)
    if not (along_x.any() and upwards.any()):
        return None
    # Of the vectors along x, and of those on the plane above it, those with the least indices.
    chosen = [_simplest(indices, where, y) for where in (along_x, upwards)]
    directions = np.array([each / np.abs(each).max() for each in chosen])
    vectors = cell.q_of_hkl(directions) @ np.stack([plane.axis_x, plane.axis_y], axis=1)
    first, second = (Axis(direction=each, values=np.zeros(1)).label for each in directions)
    middle = np.linalg.lstsq(directions.T, cell.hkl_of_q(plane.centre), rcond=None)[0]
    return Oblique(labels=(first, second), vectors=vectors, middle=middle)


def _simplest(indices: np.ndarray, where: np.ndarray, y: FloatArray) -> FloatArray:
    """Of the indices somewhere, those with the smallest sum, positive ones first."""
    found = np.flatnonzero(where)
    order = np.lexsort((y[found], -indices[found].sum(axis=1), np.abs(indices[found]).sum(axis=1)))
    return np.asarray(indices[found[order[0]]], np.float64)


def draw_axes(
    axes: "Axes", factors: PlaneFactors, oblique: Oblique | None, colour: str, labels: tuple[bool, bool]
) -> None:
    """Lines where the indices are round, numbers at the lower and left edge; 1/Å where there are no indices.

    Without a cell it is not even known what a pixel is in 1/Å, so there are no numbers at all.

    ``labels`` says whether the lower and the left edge get numbers.
    """
    low, high = edges(factors.plane)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")
    if factors.cell is None:
        axes.set_xticks([])
        axes.set_yticks([])
        return
    if oblique is None:
        axes.tick_params(labelbottom=labels[0], labelleft=labels[1])
        axes.set_xlabel(f"$Q_x$ ({factors.measured.unit})" if labels[0] else "", labelpad=1)
        axes.set_ylabel(f"$Q_y$ ({factors.measured.unit})" if labels[1] else "", labelpad=1)
        return
    axes.set_xticks([])
    axes.set_yticks([])
    for number in (0, 1):
        _draw_one(axes, oblique, number, (low, high), colour, labels[number])


def edges(plane: Plane) -> tuple[float, float]:
    """Outer edges of the first and the last pixel."""
    low = float(plane.offsets[0]) - plane.step / 2
    return low, low + 2 * plane.q_max


def _draw_one(
    axes: "Axes", oblique: Oblique, number: int, span: tuple[float, float], colour: str, labelled: bool
) -> None:
    """Lines on which one of the two is round, through the whole picture, with ticks along them and numbers."""
    low, high = span
    values = _round_values(oblique, number, span)
    starts, ends = line_ends(oblique, number, values, span)
    for value, start, end in zip(values, starts, ends, strict=True):
        axes.plot([start[0], end[0]], [start[1], end[1]], color=colour, linewidth=0.35, alpha=0.45)
        if not low <= start[number] <= high:
            continue
        tick = start - (end - start) * _TICK_LENGTH
        axes.plot([start[0], tick[0]], [start[1], tick[1]], color="black", linewidth=0.6, clip_on=False)
        if labelled:
            _write_number(axes, number, value, tick)
    name = f"{oblique.labels[number]} (r.l.u.)" if labelled else ""
    if number == 0:
        axes.set_xlabel(name, labelpad=13)
    else:
        axes.set_ylabel(name, labelpad=17)


def _write_number(axes: "Axes", number: int, value: float, place: FloatArray) -> None:
    """Below the lower edge or beside the left one."""
    axes.annotate(
        _text(value),
        (float(place[0]), float(place[1])),
        xytext=(0, -1) if number == 0 else (-1.5, 0),
        textcoords="offset points",
        annotation_clip=False,
        ha="center" if number == 0 else "right",
        va="top" if number == 0 else "center",
    )


def line_ends(
    oblique: Oblique, number: int, values: FloatArray, span: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Where lines on which one index has some values meet two opposite edges: (n, 2) each, x and y in 1/Å.

    Lines of the first index go from the lower edge to the upper, those of the second from the left to the right.
    """
    step, along = oblique.vectors[number], oblique.vectors[1 - number]
    crossing = 1 - number  # the coordinate that is the same on an edge: y for the first index
    points = (values - oblique.middle[number])[:, np.newaxis] * step
    ends = [points + ((edge - points[:, crossing]) / along[crossing])[:, np.newaxis] * along for edge in span]
    return ends[0], ends[1]


def _round_values(oblique: Oblique, number: int, span: tuple[float, float]) -> FloatArray:
    """Some six round numbers, and all the others on lines that cross the picture."""
    from matplotlib.ticker import MaxNLocator

    corners = np.array([(x, y) for x in span for y in span])
    inverse = np.linalg.inv(oblique.vectors)
    values = (corners @ inverse)[:, number] + oblique.middle[number]
    width = float(span[1] - span[0]) * abs(float(inverse[number, number]))  # along the edge with the numbers
    ticks = MaxNLocator(nbins=_TICKS, steps=[1, 2, 5, 10]).tick_values(0, width)
    step = float(ticks[1] - ticks[0])
    return np.arange(np.ceil(values.min() / step), np.floor(values.max() / step) + 1) * step


def _text(value: float) -> str:
    return f"{value:g}".replace("-", "−") if abs(value) > 1e-9 else "0"
