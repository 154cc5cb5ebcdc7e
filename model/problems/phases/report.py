"""The report of a phased crystal: one page, nothing is loaded from elsewhere."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsfu.model.problems.phases.pictures import projection_figure
from dsfu.model.problems.phases.solve import PhasedCrystal
from dsfu.model.problems.phases.twinning import mean_local_difference
from dsfu.pages.frame import Table, made_now, render
from dsfu.pages.pictures import figure_address

_WORDS: Final = {
    "solved": ("good", "Solved."),
    "doubtful": ("doubtful", "Doubtful: check this structure before you rely on it."),
    "not solved": ("bad", "Not solved."),
}

_EXPECTED_L: Final = "of light atoms without an inversion centre 0.50 (twin of equal parts 0.375), with one 0.64 (0.50)"


def report_of(crystal: PhasedCrystal, peaks: list[dict[str, Any]], now: datetime | None = None) -> str:
    """The page as text."""
    state, sentence = _WORDS[crystal.verdict.outcome]
    return render(
        "dsfu.model.problems.phases/phases.html",
        title=f"Phases of {Path(crystal.source).name}",
        where=made_now(now),
        state=state,
        sentence=sentence,
        reasons=" ".join(crystal.verdict.reasons),
        numbers=_numbers(crystal),
        projections=[
            {"address": figure_address(projection_figure(crystal, axis)), "name": "abc"[axis]} for axis in range(3)
        ],
        tables=[_peaks(crystal, peaks), _groups(crystal)],
    )


def _numbers(crystal: PhasedCrystal) -> Table:
    data = crystal.data
    stated = f" (the file says {crystal.stated})" if crystal.stated else ""
    a, b, c, alpha, beta, gamma = data.cell
    local = mean_local_difference(data)
    rows = [
        ["space group", f"{crystal.candidate.name}, number {crystal.candidate.group.number}{stated}"],
        ["cell", f"{a:g} {b:g} {c:g} Å, {alpha:g} {beta:g} {gamma:g}°"],
        ["Laue class, lattice", f"{data.laue.name}, {data.laue.centring}"],
        ["R of equivalents", f"{data.laue.r_int:.3f}" if np.isfinite(data.laue.r_int) else "each measured once"],
        ["unique reflections", f"{len(data.hkl)}, d ≥ {data.d_min:.3f} Å, {100 * data.completeness:.0f} % complete"],
        ["R", f"{crystal.r:.3f}, " + ("of atoms" if crystal.model else "of the positive peaks of the map")],
        *([["twin", f"{crystal.twin.text}, {100 * crystal.twin.fraction:.0f} %"]] if crystal.twin else []),
        *([["mean |L| of neighbours", f"{local:.3f}; {_EXPECTED_L}"]] if np.isfinite(local) else []),
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
