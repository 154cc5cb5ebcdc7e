"""The report of `solve-particle`: one page of HTML with the fit, the particle from three sides, and a table."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from dsfu.model.problems.particles.intervals import interval_words, intervals_of
from dsfu.model.problems.particles.output import fit_curve, name_of, positions_in_angstrom
from dsfu.model.problems.particles.ranking import diameter_of
from dsfu.model.problems.particles.second_opinion import SecondOpinion
from dsfu.model.problems.particles.solving import Candidate, ParticleSolution
from dsfu.model.problems.particles.verdict import ParticleVerdict, tied
from dsfu.pages.charts import fit_chart
from dsfu.pages.frame import Table, made_now, render
from dsfu.pages.svg import Svg, SvgShape
from dsfu.simulate.arrays import FloatArray

_SIDE: Final = 260
SIDES: Final = (
    ((0, 1, 2), "along its shortest axis"),
    ((0, 2, 1), "along the middle one"),
    ((1, 2, 0), "along the longest"),
)
"""Which axes of inertia lie to the right, up and towards the reader."""


def page_of(
    name: str,
    solution: ParticleSolution,
    candidates: Sequence[Candidate],
    verdict: ParticleVerdict,
    opinion: SecondOpinion | None,
) -> str:
    """The whole page."""
    best, limits = candidates[0], solution.limits
    curve = fit_chart(
        solution.space.r, solution.space.curve, fit_curve(solution, best), x_label="r (Å)", y_label="G (Å⁻²)"
    )
    return render(
        "dsfu.model.problems.particles/particle.html",
        title=f"{name}: particle",
        where=made_now(),
        state="good" if verdict.accepted else "bad",
        words=f"{verdict.words[:1].upper()}{verdict.words[1:]}.",
        sentence=_sentence(best, verdict),
        reasons=verdict.reasons,
        tiles=_tiles(best),
        chart=curve,
        limits=f"r from {limits.r_min:g} to {limits.r_max:g} Å, Q_max {limits.q_max:.2f} Å⁻¹, q_damp "
        f"{limits.q_damp:g} Å⁻¹. Waves with Q below {limits.q_slow:g} Å⁻¹ are taken out of data and fits.",
        sides=_sides(best),
        likely=interval_words(intervals_of(solution)),
        candidates=_table(candidates, tied(solution)),
        second=_second(opinion, best),
        notes=solution.notes,
    )


def _sentence(best: Candidate, verdict: ParticleVerdict) -> str:
    """What the words of the verdict rest on."""
    left = f"{name_of(best)} leaves R_w = {best.refined.rw:.3f}"
    if not verdict.accepted:
        return f"The best candidate, {left}; it is not to be believed, because:"
    if verdict.reasons:
        return f"The best candidate, {left}."
    return f"{left}, and no other lattice of the list is as likely."


def _tiles(best: Candidate) -> list[tuple[str, str]]:
    return [
        (name_of(best), "best particle"),
        (str(best.atoms), "atoms"),
        (f"{diameter_of(best.family, best.atoms, best.refined.bond):.1f} Å", "diameter of as large a sphere"),
        (f"{best.refined.bond:.3f} Å", "b"),
        (f"{best.refined.b_iso:.2f} Å²", "B"),
        (f"{best.refined.rw:.3f}", "R_w without slow waves"),
        *([(f"{best.c_over_a:.3f}", "c/a")] if best.c_over_a else []),
    ]


def _second(opinion: SecondOpinion | None, best: Candidate) -> dict[str, Any]:
    """What the network says, and where it disagrees."""
    if opinion is None:
        return {"words": "The network that ships reads G from 2 to 30 Å: these data are shorter.", "against": []}
    return {"words": opinion.words(), "against": opinion.against(best)}


def _table(candidates: Sequence[Candidate], alike: Sequence[Candidate]) -> Table:
    heads = ["Particle", ">Atoms", ">Diameter Å", ">b Å", ">B Å²", ">B of bonds", ">Strain %", ">R_w", ">Score"]
    rows = [
        [
            ("= " if len(alike) > 1 and each in alike else "") + name_of(each),
            str(each.atoms),
            f"{diameter_of(each.family, each.atoms, each.refined.bond):.1f}",
            f"{each.refined.bond:.4f}",
            f"{each.refined.b_iso:.2f}",
            f"{each.refined.b_bonds:.2f}",
            f"{each.refined.strain * 100:.1f}",
            f"{each.refined.rw:.4f}",
            f"{each.score:.3f}",
        ]
        for each in candidates
    ]
    note = "In the order of the score: ln(R_w), and what is unlikely beforehand. The best of every family is shown."
    note += " Where noise is all that the best ones leave, the likeliest of a family comes first."
    if len(alike) > 1:
        note += f" =: the data do not tell these {len(alike)} apart."
    return Table(title="Candidates", heads=heads, rows=rows, note=note)


def turned(best: Candidate) -> FloatArray:
    """Atoms (n, 3) in Å, along the axes of inertia, the longest first."""
    positions = positions_in_angstrom(best)
    centred = positions - positions.mean(axis=0)
    along: FloatArray = centred @ np.linalg.svd(centred, full_matrices=False)[2].T
    return along


def _sides(best: Candidate) -> list[dict[str, Any]]:
    atoms = turned(best)
    reach = float(np.abs(atoms).max()) + 1.6
    return [
        {"drawn": _view(atoms[:, list(order)], reach, best.refined.bond, words), "words": words}
        for order, words in SIDES
    ]


def _view(positions: FloatArray, reach: float, bond: float, words: str) -> Svg:
    """Spheres from above: nearer ones are drawn later, and stronger."""
    order = np.argsort(positions[:, 2])
    scale = _SIDE / 2 / reach
    depth = (positions[:, 2] - positions[:, 2].min()) / max(float(np.ptp(positions[:, 2])), 1e-9)
    spheres = [
        SvgShape(
            "circle",
            {
                "class": "atom",
                "cx": f"{_SIDE / 2 + x * scale:.1f}",
                "cy": f"{_SIDE / 2 - y * scale:.1f}",
                "r": f"{bond / 2 * scale:.1f}",
                "style": f"fill:color-mix(in srgb, var(--blue) {35 + 65 * near:.0f}%, var(--page))",
            },
        )
        for (x, y), near in zip(positions[order, :2], depth[order], strict=True)
    ]
    return Svg(width=_SIDE, height=_SIDE, description=f"the particle seen {words}", shapes=spheres)
