"""Atoms and densities in three dimensions."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsfu.errors import InputError

ATOMS: Final = (".xyz", ".extxyz", ".cif")
MAPS: Final = (".ccp4", ".map", ".mrc")

MOST_POINTS: Final = 36
"""Points of a map along each axis that a browser turns smoothly; chosen by trial."""

MOST_ATOMS: Final = 20_000

BOND: Final = 1.15
"""Atoms nearer than the sum of their covalent radii times this are drawn as bonded."""

MOST_BONDS: Final = 2.5
"""Bonds an atom beyond which none are drawn and atoms are larger: it is a packing of metal atoms."""


CLEAR: Final = "rgba(0,0,0,0)"
"""Behind figures, so that they stand on the page's own colour, light or dark."""

_FROM: Final = {"eye": {"x": 1.5, "y": 1.5, "z": 1.1}}
"""From where a thing is seen first: far enough that the whole of its cell is in the picture."""


def is_spatial(path: Path) -> bool:
    return path.suffix.lower() in (*ATOMS, *MAPS)


def space_page(paths: Sequence[Path], said: str = "") -> Callable[[], Any]:
    """Structures and maps, one at a time, below what is ``said`` of them.

    They are read when the page is made, so that bad files are told at once.
    """
    figures = {path.name: _figure(path) for path in paths}
    return lambda: _page(figures, said)


def _page(figures: dict[str, Any], said: str) -> Any:
    import panel

    chosen = panel.widgets.Select(label="File", options=list(figures), width=300)
    shown = panel.pane.Plotly(
        figures[chosen.value],
        config={"responsive": True, "displaylogo": False},
        sizing_mode="stretch_width",
        styles={"height": "min(560px, 100vw)"},
    )
    chosen.param.watch(lambda _: setattr(shown, "object", figures[chosen.value]), "value")
    words = "Drag to turn, scroll to come nearer; the name of an atom is under the pointer."
    verdict = [panel.pane.Markdown(said, sizing_mode="stretch_width")] if said else []
    return panel.Column(*verdict, panel.pane.Markdown(words), chosen, shown, sizing_mode="stretch_width")


def _figure(path: Path) -> Any:
    return in_space(_map(path) if path.suffix.lower() in MAPS else _atoms(path))


def in_space(traces: Sequence[Any]) -> Any:
    """Things in three dimensions, to be turned, with the same scale along each axis."""
    import plotly.graph_objects as go

    plain = {"visible": False}
    drawn = go.Figure(list(traces))
    drawn.update_layout(
        scene={"aspectmode": "data", "xaxis": plain, "yaxis": plain, "zaxis": plain, "camera": _FROM},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        paper_bgcolor=CLEAR,
    )
    return drawn


def _atoms(path: Path) -> list[Any]:
    import plotly.graph_objects as go
    from ase.data import covalent_radii
    from ase.data.colors import jmol_colors
    from ase.io import read

    try:
        atoms: Any = read(path)
    except Exception as error:  # ase raises whatever its parsers stumble over
        why = str(error) or "none were found"
        raise InputError(
            f"cannot be read as atoms: {why}", where=str(path), expected="CIF or XYZ with atoms"
        ) from error
    if not 0 < len(atoms) <= MOST_ATOMS:
        raise InputError(f"has {len(atoms)} atoms", where=str(path), expected=f"1 to {MOST_ATOMS}")
    places, numbers = atoms.positions, atoms.numbers
    names = [f"{symbol}{i}" for i, symbol in enumerate(atoms.get_chemical_symbols(), start=1)]
    bonded = _bonded(places, covalent_radii[numbers])
    is_metal = len(bonded) > MOST_BONDS * len(atoms)
    balls = go.Scatter3d(
        x=places[:, 0],
        y=places[:, 1],
        z=places[:, 2],
        mode="markers",
        text=names,
        hovertemplate="%{text}<br>%{x:.3f} %{y:.3f} %{z:.3f} Å<extra></extra>",
        marker={
            "size": (26 if is_metal else 14) * covalent_radii[numbers] ** 0.5,
            "color": ["#{:02x}{:02x}{:02x}".format(*(int(255 * c) for c in jmol_colors[n])) for n in numbers],
            "line": {"color": "#444444", "width": 1},
            "opacity": 1.0,
        },
    )
    bonds = [] if is_metal else [_lines([(places[i], places[j]) for i, j in bonded], "#888888", 4)]
    return [balls, *bonds, *edges(np.asarray(atoms.cell[:]))]


def _bonded(places: Any, radii: Any) -> Any:
    """Pairs of atoms that are near enough."""
    from scipy.spatial import cKDTree

    near = cKDTree(places).query_pairs(2 * BOND * float(radii.max()), output_type="ndarray")
    length = np.linalg.norm(places[near[:, 0]] - places[near[:, 1]], axis=1)
    return near[length < BOND * (radii[near[:, 0]] + radii[near[:, 1]])]


def edges(cell: Any) -> list[Any]:
    """The twelve edges of a cell, if there is one."""
    if abs(np.linalg.det(cell)) < 1e-6:
        return []
    corners = [np.array([i, j, k]) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    ends = [(a @ cell, b @ cell) for n, a in enumerate(corners) for b in corners[n + 1 :] if np.abs(a - b).sum() == 1]
    return [_lines(ends, "#aaaaaa", 1)]


def _lines(ends: Sequence[tuple[Any, Any]], colour: str, width: int) -> Any:
    import plotly.graph_objects as go

    gap = np.full(3, np.nan)
    points = np.array([point for a, b in ends for point in (a, b, gap)]) if ends else np.empty((0, 3))
    look = {"color": colour, "width": width}
    return go.Scatter3d(x=points[:, 0], y=points[:, 1], z=points[:, 2], mode="lines", line=look, hoverinfo="skip")


def _map(path: Path) -> list[Any]:
    import gemmi

    try:
        read = gemmi.read_ccp4_map(str(path), setup=True)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"cannot be read as a map ({error})", where=str(path), expected="a CCP4 map") from error
    return surfaces(np.array(read.grid, copy=True), np.array(read.grid.unit_cell.orth.mat.tolist()).T)


def surfaces(values: Any, vectors: Any) -> list[Any]:
    """Surfaces of equal density at three heights, in a cell whose edges are the rows of ``vectors``.

    What a face of the cell cuts is closed there.
    """
    import plotly.graph_objects as go

    steps = [max(1, -(-count // MOST_POINTS)) for count in values.shape]
    few = np.pad(values[:: steps[0], :: steps[1], :: steps[2]], (0, 1), mode="wrap")  # far faces repeat near ones
    fractions = [np.append(np.arange(0, n, step) / n, 1.0) for n, step in zip(values.shape, steps, strict=True)]
    points = np.stack(np.meshgrid(*fractions, indexing="ij"), -1).reshape(-1, 3) @ vectors
    top, spread = float(few.max()), float(few.std())
    low = min(float(few.mean()) + 2 * spread, 0.9 * top)
    high = 0.8 * top if 0.8 * top > low else top
    surface = go.Isosurface(
        x=points[:, 0],
        y=points[:, 1],
        z=points[:, 2],
        value=few.ravel(),
        isomin=low,
        isomax=high,
        cmin=low - 0.4 * (high - low),  # the lowest surface is not black, which dark pages would hide
        cmax=high,
        surface_count=3,
        opacity=0.5,
        colorscale="Magma",
        colorbar={"thickness": 10, "len": 0.6, "title": {"text": "density", "side": "right"}},
        hovertemplate="%{value:.3g}<extra></extra>",
    )
    return [surface, *edges(vectors)]
