"""The report of a phased crystal: one page, nothing is loaded from elsewhere."""

import base64
import io
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsfu.model.problems.phases.solve import PhasedCrystal
from dsfu.pages.frame import Table, document, section

_STYLE: Final = """
.verdict { border-left: 4px solid var(--line); padding: 10px 16px; margin: 22px 0 6px; }
.verdict b { display: block; font-size: 18px; }
.verdict.solved { border-color: #2c8a4b; } .verdict.doubtful { border-color: #c98a12; }
.verdict.not { border-color: var(--orange); }
.projections { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); gap: 18px; }
.projections img { width: 100%; display: block; }
"""

_WORDS: Final = {
    "solved": "Solved.",
    "doubtful": "Doubtful: check this structure before you rely on it.",
    "not solved": "Not solved.",
}


def report_of(crystal: PhasedCrystal, peaks: list[dict[str, Any]], now: datetime | None = None) -> str:
    """The page as text."""
    title = f"Phases of {Path(crystal.source).name}"
    made = f"{now or datetime.now(UTC):%Y-%m-%d %H:%M} UTC, dsfu {version('dsfu')}"
    verdict = crystal.verdict
    reasons = " ".join(verdict.reasons)
    parts = [
        f'<header><h1>{escape(title)}</h1><div class="where">{escape(made)}</div></header>',
        f'<div class="verdict {verdict.outcome.split()[0]}"><b>{_WORDS[verdict.outcome]}</b>{escape(reasons)}</div>',
        section(_numbers(crystal)),
        _projections(crystal),
        section(_peaks(crystal, peaks)),
        section(_groups(crystal)),
    ]
    return document(title, parts, _STYLE)


def _numbers(crystal: PhasedCrystal) -> Table:
    data = crystal.data
    stated = f" (the file says {crystal.stated})" if crystal.stated else ""
    a, b, c, alpha, beta, gamma = data.cell
    rows = [
        ["space group", f"{crystal.candidate.name}, number {crystal.candidate.group.number}{stated}"],
        ["cell", f"{a:g} {b:g} {c:g} Å, {alpha:g} {beta:g} {gamma:g}°"],
        ["Laue class, lattice", f"{data.laue.name}, {data.laue.centring}"],
        ["R of equivalents", f"{data.laue.r_int:.3f}" if np.isfinite(data.laue.r_int) else "each measured once"],
        ["unique reflections", f"{len(data.hkl)}, d ≥ {data.d_min:.3f} Å, {100 * data.completeness:.0f} % complete"],
        ["R", f"{crystal.r:.3f}, " + ("of atoms" if crystal.model else "of the positive peaks of the map")],
        ["correlation with symmetry images", f"{crystal.symmetry:.2f}, before averaging"],
        ["time", f"{crystal.seconds:.1f} s"],
        *(["noticed", note] for note in crystal.notes),
    ]
    return Table(title="In numbers", heads=["", ""], rows=rows)


def _peaks(crystal: PhasedCrystal, peaks: list[dict[str, Any]]) -> Table:
    atoms = crystal.model is not None
    heads = ["", ">x", ">y", ">z", ">electrons" if atoms else ">height", ">U / Å²"]
    rows = [
        [
            p["label"],
            f"{p['x']:.4f}",
            f"{p['y']:.4f}",
            f"{p['z']:.4f}",
            f"{p['height']:.2f}",
            f"{p.get('u_iso', 0):.3f}",
        ]
        for p in peaks[:200]
    ]
    if crystal.named:
        note = "Elements were given by the formula, the heaviest to the highest peaks. Hydrogen is not sought."
    elif atoms:
        note = "Without a formula electrons are relative to carbon's as the commonest atom. Hydrogen is not sought."
    else:
        note = "Maxima of the map; at this resolution they need not be atoms."
    return Table(title="Atoms" if atoms else "Peaks", heads=heads, rows=rows, note=note)


def _groups(crystal: PhasedCrystal) -> Table:
    rows = [
        [f.candidate.name, f"{f.mean:.2f}", f"{f.worst:.2f}", str(len(f.candidate.turns)), str(f.candidate.absent)]
        for f in crystal.alternatives
    ]
    return Table(
        title="Space groups that were compared",
        heads=["", ">mean correlation", ">worst operator", ">operators", ">absences explained"],
        rows=rows,
        note="Correlation of the map, solved without symmetry, with its images. The group with most operators whose "
        "worst is above 0.7 is taken, unless a subgroup fits much better.",
    )


def _projections(crystal: PhasedCrystal) -> str:
    import matplotlib as mpl

    mpl.use("Agg", force=False)
    from matplotlib.figure import Figure

    figures = []
    for axis, name in enumerate("abc"):
        others = [i for i in range(3) if i != axis]
        lengths = [crystal.data.cell[i] for i in others]
        angle = np.radians(crystal.data.cell[3 + axis])
        projected = np.clip(crystal.density, 0, None).max(axis=axis)
        u, v = (np.linspace(0, 1, n + 1) for n in projected.shape)
        x = u[:, None] * lengths[0] + v[None, :] * lengths[1] * np.cos(angle)
        y = np.broadcast_to(v[None, :] * lengths[1] * np.sin(angle), x.shape)
        figure = Figure(figsize=(4, 4), layout="constrained")
        axes = figure.add_subplot()
        axes.pcolormesh(x, y, projected, cmap="magma", rasterized=True)
        axes.set_aspect("equal")
        axes.set_xlabel(f"{'abc'[others[0]]} / Å")
        axes.set_ylabel(f"{'abc'[others[1]]} sin / Å" if abs(np.cos(angle)) > 1e-3 else f"{'abc'[others[1]]} / Å")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110)
        address = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
        figures.append(
            f'<figure><img alt="The map seen along {name}" src="{address}">'
            f"<figcaption>along {name}</figcaption></figure>"
        )
    return (
        f'<section><h2>The map</h2><div class="projections">{"".join(figures)}</div>'
        "<p class=soft>The largest density along each axis, in true angles, one cell.</p></section>"
    )
