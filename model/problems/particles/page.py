"""The report of `solve-particle`: one page of HTML with the fit, the particle from three sides, and a table."""

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np

from dsfu.model.problems.particles.output import fit_curve, name_of, positions_in_angstrom
from dsfu.model.problems.particles.ranking import diameter_of
from dsfu.model.problems.particles.second_opinion import SecondOpinion
from dsfu.model.problems.particles.solving import Candidate, ParticleSolution
from dsfu.model.problems.particles.verdict import ParticleVerdict, tied
from dsfu.pages.frame import Table, document, section
from dsfu.simulate.arrays import FloatArray

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 860, 380, 46, 30
_MOST_POINTS: Final = 900
_SIDE: Final = 260
_STYLE: Final = """
.fit polyline { stroke-width: 1.6; } .fit .data { stroke: var(--ink); stroke-width: 1.1; opacity: .75; }
.fit .residual { stroke: var(--dead); stroke-width: 1.1; }
.sides { display: grid; grid-template-columns: repeat(3, 1fr); gap: 12px; max-width: 860px; }
.sides circle { stroke: var(--page); stroke-width: .35; fill: var(--blue); }
@media (max-width: 560px) { .sides { gap: 4px; } .fit svg text { font-size: 24px; } }
"""


def page_of(
    name: str,
    solution: ParticleSolution,
    candidates: Sequence[Candidate],
    verdict: ParticleVerdict,
    opinion: SecondOpinion | None,
) -> str:
    """The whole page."""
    best = candidates[0]
    limits = solution.limits
    tiles = [
        (name_of(best), "best particle"),
        (str(best.atoms), "atoms"),
        (f"{diameter_of(best.family, best.atoms, best.refined.bond):.1f} Å", "diameter of as large a sphere"),
        (f"{best.refined.bond:.3f} Å", "b"),
        (f"{best.refined.b_iso:.2f} Å²", "B"),
        (f"{best.refined.rw:.3f}", "R_w without slow waves"),
    ]
    parts = [
        f"<header><h1>{escape(verdict.words)}</h1><p class=where>{escape(name)}</p>",
        "".join(f"<p>{escape(reason)}</p>" for reason in verdict.reasons),
        "<div class=tiles>"
        + "".join(f"<div class=tile><b>{escape(a)}</b><span>{escape(b)}</span></div>" for a, b in tiles),
        "</div></header>",
        "<section><h2>Fit</h2><figure class=fit>" + _chart(solution, best) + "</figure>",
        '<div class=legend><span><i class="line" style="border-color:var(--ink)"></i>data without slow waves</span>',
        '<span><i class="line line1"></i>fit</span>',
        '<span><i class="line" style="border-color:var(--dead)"></i>difference, shifted down</span></div>',
        f"<p class=soft>r from {limits.r_min:g} to {limits.r_max:g} Å, Q_max {limits.q_max:.2f} Å⁻¹, q_damp "
        f"{limits.q_damp:g} Å⁻¹. Waves with Q below {limits.q_slow:g} Å⁻¹ "
        "are taken out of data and fits.</p></section>",
        "<section><h2>The particle from three sides</h2><div class=sides>" + _sides(best) + "</div></section>",
        section(_table(candidates, tied(solution))),
        _second(opinion, best),
    ]
    if solution.notes:
        parts.append(
            "<section><h2>Notes</h2>" + "".join(f"<p>{escape(note)}</p>" for note in solution.notes) + "</section>"
        )
    return document(f"{name}: particle", parts, _STYLE)


def _second(opinion: SecondOpinion | None, best: Candidate) -> str:
    """What the network says, and where it disagrees."""
    words = "The network that ships reads G from 2 to 30 Å: these data are shorter."
    against = []
    if opinion:
        words, against = opinion.words(), opinion.against(best)
    lines = "".join(f"<p>It disagrees on {escape(each)}.</p>" for each in against)
    return (
        f"<section><h2>A network beside it</h2><p>{escape(words)}</p>{lines}<p class=soft>Not used for the list or the "
        "verdict. Intervals are of 90 % on simulated particles; it was never trained on measured data.</p></section>"
    )


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
    if len(alike) > 1:
        note += f" =: the data do not tell these {len(alike)} apart."
    return Table(title="Candidates", heads=heads, rows=rows, note=note)


def _chart(solution: ParticleSolution, best: Candidate) -> str:
    space = solution.space
    step = max(1, len(space.r) // _MOST_POINTS)
    r, g, fit = space.r[::step], space.curve[::step], fit_curve(solution, best)[::step]
    top, low = float(max(g.max(), fit.max())), float(min(g.min(), fit.min()))
    residual = g - fit
    shift = low - residual.max() - 0.05 * (top - low)
    bottom = float((residual + shift).min())

    def line(values: FloatArray, style: str) -> str:
        x = _LEFT + (r - r[0]) / (r[-1] - r[0]) * (_WIDTH - _LEFT - 8)
        y = 8 + (top - values) / (top - bottom) * (_HEIGHT - _BOTTOM - 12)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        return f'<polyline class="{style}" points="{points}"/>'

    ticks = ""
    for value in np.arange(np.ceil(r[0] / 5) * 5, r[-1] + 1e-6, 5):
        x = _LEFT + (value - r[0]) / (r[-1] - r[0]) * (_WIDTH - _LEFT - 8)
        ticks += f'<path class=grid d="M{x:.1f} 8V{_HEIGHT - _BOTTOM}"/>'
        ticks += f'<text x="{x:.1f}" y="{_HEIGHT - 12}" text-anchor="middle">{value:g}</text>'
    zero = 8 + top / (top - bottom) * (_HEIGHT - _BOTTOM - 12)
    ticks += f'<path class=grid d="M{_LEFT} {zero:.1f}H{_WIDTH - 8}"/>'
    ticks += f'<text x="{_LEFT - 6}" y="{zero + 4:.1f}" text-anchor="end">0</text>'
    ticks += f'<text x="{_WIDTH - 8}" y="{_HEIGHT - 1}" text-anchor="end">r / Å</text><text x="2" y="16">G</text>'
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="data, fit and difference">{ticks}'
        f"{line(g, 'data')}{line(fit, 'line1')}{line(residual + shift, 'residual')}</svg>"
    )


def _sides(best: Candidate) -> str:
    positions = positions_in_angstrom(best)
    axes = np.linalg.svd(positions - positions.mean(axis=0), full_matrices=False)[2]
    turned = positions @ axes.T
    reach = float(np.abs(turned).max()) + 1.6
    return "".join(
        f"<figure>{_view(turned[:, list(order)], reach, best.refined.bond)}<figcaption>{words}</figcaption></figure>"
        for order, words in (
            ((0, 1, 2), "along its shortest axis"),
            ((0, 2, 1), "along the middle one"),
            ((1, 2, 0), "along the longest"),
        )
    )


def _view(positions: FloatArray, reach: float, bond: float) -> str:
    """Spheres from above: nearer ones are drawn later, and stronger."""
    order = np.argsort(positions[:, 2])
    scale = _SIDE / 2 / reach
    depth = (positions[:, 2] - positions[:, 2].min()) / max(float(np.ptp(positions[:, 2])), 1e-9)
    circles = "".join(
        f'<circle cx="{_SIDE / 2 + x * scale:.1f}" cy="{_SIDE / 2 - y * scale:.1f}" r="{bond / 2 * scale:.1f}" '
        f'style="fill:color-mix(in srgb, var(--blue) {35 + 65 * d:.0f}%, var(--page))"/>'
        for (x, y), d in zip(positions[order, :2], depth[order], strict=True)
    )
    return f'<svg viewBox="0 0 {_SIDE} {_SIDE}" role="img">{circles}</svg>'
