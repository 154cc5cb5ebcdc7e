"""A picture of every species: as balls and sticks in their cells, seen along b and along c."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from ase.data import covalent_radii
from ase.data.colors import jmol_colors

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.shapes import GROUPS, Group
from dsfu.simulate.species import Species

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS: Final = 8
"""Species in a row."""

_BALL = 0.55
"""Radius of a ball relative to the atom's covalent radius."""

_STICK = 0.12
"""Half the width of a stick, in Å."""

_BOND = 1.18
"""Two atoms are joined if they are nearer than this times the sum of their covalent radii."""

_UNBOUND = 1.755
"""Atoms with a larger covalent radius, in Å, get no sticks: calcium (1.76 Å) is an ion among twelve neighbours."""

_TILE_WIDTH, _TILE_HEIGHT, _VIEW_HEIGHT, _GAP, _HEADING = 2.2, 1.4, 1.0, 0.12, 0.45
"""Sizes on the sheet, all in the same arbitrary unit: a species' tile, its pictures, what separates them, a title."""


_LATTICES = (*(group.lattice for group in GROUPS[:4]), "cubic or tetragonal")
"""What the lattices are called in the titles; the lattice of group 4 is given as tetragonal, which includes cubic."""


@dataclass
class _Drawing:
    """Polygons and circles in the order in which they are painted."""

    shapes: list[Any] = field(default_factory=list)
    colours: list[FloatArray] = field(default_factory=list)
    line_widths: list[float] = field(default_factory=list)

    def add(self, shape: Any, colour: FloatArray, line_width: float = 0.4) -> None:
        self.shapes.append(shape)
        self.colours.append(colour)
        self.line_widths.append(line_width)


def draw_species_sheet(species: Mapping[str, Species], columns: int = COLUMNS) -> "Figure":
    """Return a figure of all species, group by group, each seen along b (left) and along c (right).

    The view along b has a to the right, that along c has b upwards; the outline is the species' cell. All species of a
    group are drawn to one scale. Validation species are named in italics. Needs matplotlib, of the pipeline's extra.
    """
    from matplotlib.figure import Figure

    by_group = [[one for one in species.values() if one.group == group.number] for group in GROUPS]
    rows = [-(-len(members) // columns) for members in by_group]
    height = sum(n * _TILE_HEIGHT + _HEADING for n in rows if n)
    figure = Figure(figsize=(1.25 * columns * _TILE_WIDTH, 1.25 * height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0.0, columns * _TILE_WIDTH), ylim=(-height, 0.0), aspect="equal")
    axes.set_axis_off()
    top = 0.0
    for group, members, n in zip(GROUPS, by_group, rows, strict=True):
        if members:
            _draw_group(axes, group, members, top, columns)
            top -= n * _TILE_HEIGHT + _HEADING
    return figure


def _draw_group(axes: "Axes", group: Group, members: Sequence[Species], top: float, columns: int) -> None:
    from matplotlib.collections import PatchCollection

    title = f"Group {group.number}: {group.shape}, {_LATTICES[group.number]}"
    axes.text(0.1, top - 0.6 * _HEADING, title, fontsize=17, fontweight="bold", va="center")
    spans = np.array([[_span(one, along_b) for along_b in (True, False)] for one in members])
    widths, heights = spans[:, :, 0], spans[:, :, 1]
    scale = min((_TILE_WIDTH - 3 * _GAP) / widths.sum(axis=1).max(), _VIEW_HEIGHT / heights.max())
    drawing = _Drawing()
    for number, (one, (wide_b, wide_c)) in enumerate(zip(members, scale * widths, strict=True)):
        middle_x = (number % columns + 0.5) * _TILE_WIDTH
        middle_y = top - _HEADING - (number // columns) * _TILE_HEIGHT - 0.5 * _VIEW_HEIGHT
        left = middle_x - (wide_b + _GAP + wide_c) / 2
        for along_b, x in ((True, left + wide_b / 2), (False, left + wide_b + _GAP + wide_c / 2)):
            _draw_view(drawing, one, along_b=along_b, centre=np.array([x, middle_y]), scale=scale)
        _caption(axes, one, middle_x, middle_y - 0.5 * _VIEW_HEIGHT - 0.04)
    colours = [tuple(colour) for colour in drawing.colours]
    painted = PatchCollection(drawing.shapes, facecolors=colours, linewidths=drawing.line_widths, edgecolors="0.25")
    axes.add_collection(painted)


def _caption(axes: "Axes", one: Species, x: float, y: float) -> None:
    a, b, c = one.cell_lengths
    lengths = f"{a:.2f} Å" if a == b == c else f"{a:.2f}, {b:.2f}, {c:.2f} Å"
    style = "italic" if one.split == "validation" else "normal"
    axes.text(x, y, one.name.replace("_", " "), fontsize=11, style=style, ha="center", va="top")
    axes.text(x, y - 0.13, lengths, fontsize=8, color="0.4", ha="center", va="top")


def _seen(positions: FloatArray, along_b: bool) -> FloatArray:
    """Positions as (right, up, towards the viewer): looking along −b with a to the right, or along −c with b up."""
    x, y, z = positions.T
    return np.stack([x, -z, y] if along_b else [x, y, z], axis=-1)


def _outline(one: Species, along_b: bool) -> FloatArray:
    """Corners of the face of the cell that the viewer sees, about the origin."""
    a, b, c = one.cell.vectors
    first, second = (a, c) if along_b else (np.array([a[0], 0.0, 0.0]), b)
    corners = np.array([-first - second, first - second, first + second, -first + second]) / 2
    return _seen(corners, along_b)[:, :2]


def _span(one: Species, along_b: bool) -> FloatArray:
    """Width and height in Å of what is drawn of a species, were it all as far from the origin as its farthest part."""
    balls = (
        np.abs(_seen(one.atoms.positions, along_b)[:, :2]) + _BALL * covalent_radii[one.atoms.numbers][:, np.newaxis]
    )
    return np.asarray(2 * np.vstack([np.abs(_outline(one, along_b)), balls]).max(axis=0), dtype=np.float64)


def _draw_view(drawing: _Drawing, one: Species, *, along_b: bool, centre: FloatArray, scale: float) -> None:
    from matplotlib.patches import Circle, Polygon

    def on_sheet(points: FloatArray) -> FloatArray:
        return centre + scale * points

    drawing.add(Polygon(on_sheet(_outline(one, along_b))), np.array([0.96, 0.96, 0.94, 1.0]))
    seen = _seen(one.atoms.positions, along_b)
    colours = jmol_colors[one.atoms.numbers]
    radii = _BALL * covalent_radii[one.atoms.numbers]
    painted: list[tuple[float, Any, FloatArray, float]] = []
    for i, j in _bonds(one):
        middle = (seen[i] + seen[j]) / 2
        for end in (i, j):
            start = _surface_point(seen[end], middle, radii[end])
            stick = Polygon(on_sheet(_stick(start[:2], middle[:2])))
            painted.append((float(start[2] + middle[2]) / 2, stick, _dimmed(colours[end], 0.9), 0.4))
    for position, radius, colour in zip(seen, radii, colours, strict=True):
        for step, (offset, size, shade) in enumerate(_shaded_ball(float(radius), colour)):
            circle = Circle(tuple(on_sheet(position[:2] + offset)), scale * size)
            # The lights of a ball are painted right after it, without an outline of their own.
            painted.append((float(position[2]) + 1e-4 * step, circle, shade, 0.0 if step else 0.4))
    for _, shape, colour, line_width in sorted(painted, key=lambda item: item[0]):
        drawing.add(shape, colour, line_width)


def _surface_point(centre: FloatArray, towards: FloatArray, radius: float) -> FloatArray:
    """Where a stick leaves a ball: a little inside its surface, so that no gap shows."""
    direction = towards - centre
    return np.asarray(centre + 0.9 * radius * direction / np.linalg.norm(direction), dtype=np.float64)


def _bonds(one: Species) -> list[tuple[int, int]]:
    positions, radii = one.atoms.positions, covalent_radii[one.atoms.numbers]
    distances = np.linalg.norm(positions[:, np.newaxis] - positions[np.newaxis], axis=-1)
    joined = np.triu(distances < _BOND * (radii[:, np.newaxis] + radii[np.newaxis]), k=1)
    joined &= np.maximum(radii[:, np.newaxis], radii[np.newaxis]) < _UNBOUND
    return [(int(i), int(j)) for i, j in np.argwhere(joined)]


def _stick(start: FloatArray, end: FloatArray) -> FloatArray:
    """Corners of a stick between two points of the picture."""
    along = end - start
    length = float(np.linalg.norm(along))
    across = np.array([-along[1], along[0]]) * (_STICK / length if length > 1e-9 else 0.0)
    return np.array([start - across, end - across, end + across, start + across])


def _shaded_ball(radius: float, colour: FloatArray) -> list[tuple[FloatArray, float, FloatArray]]:
    """Circles (offset, radius, colour) that look like a ball lit from the upper left."""
    upper_left = np.array([-0.28, 0.28]) * radius
    disc = (np.zeros(2), radius, _dimmed(colour, 0.82))
    body = (0.35 * upper_left, 0.78 * radius, np.append(colour, 1.0))
    highlight = (upper_left, 0.3 * radius, np.append(0.35 * colour + 0.65, 1.0))
    return [disc, body, highlight]


def _dimmed(colour: FloatArray, factor: float) -> FloatArray:
    return np.append(factor * colour, 1.0)
