"""The report of an analysed crystal: verdict, α, pictures, background and what was left out, on one page of HTML."""

from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from dsfu.files import replacing
from dsfu.model.measured.factorise.pictures import as_address
from dsfu.model.measured.factorise.report_style import REPORT_STYLE
from dsfu.model.measured.order.result import SroRefinement
from dsfu.model.measured.order.tables import with_uncertainty
from dsfu.model.measured.volume.pictures import curves_figure, sections_figure
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.model.measured.volume.verdict import VolumeCheck, VolumeVerdict
from dsfu.pages.frame import Table, document, section, table_html

_SHOWN: Final = 60
_STATES: Final = {"agrees": "good", "contradicts": "bad", "not judged": "open"}


def write_volume_report(
    path: Path, solution: VolumeSolution, verdict: VolumeVerdict, refinement: SroRefinement
) -> None:
    """Write the page; it is there whole or not at all."""
    name = Path(solution.reconstruction.source).name or "a reconstruction"
    title = f"Disorder of {name}"
    made = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, dsfu {version('dsfu')}"
    lengths = [shell.length_angstrom for shell in refinement.shells]
    curves = curves_figure(solution, np.array(lengths), refinement.values, refinement.uncertainties)
    parts = [
        f'<header><h1>{escape(title)}</h1><div class="where">all voxels fitted at once · {escape(made)}</div></header>',
        _verdict(verdict),
        section(_alpha(refinement)),
        _figure("Sections", as_address(sections_figure(solution)), _CAPTION),
        _figure("Order and background", as_address(curves), "Bars are standard uncertainties."),
        section(_numbers(solution)),
    ]
    with replacing(path) as temporary:
        temporary.write_text(document(title, parts, REPORT_STYLE), encoding="utf-8")


_CAPTION: Final = (
    "In true angles, on square-root scales, the difference on a linear one. Grey was not measured, or left out of the "
    "difference beside Bragg peaks. Model, form factor and order are continued into gaps."
)


def _figure(title: str, address: str, caption: str) -> str:
    return (
        f'<section><h2>{escape(title)}</h2><figure class="factored"><img alt="{escape(title)}" src="{address}">'
        f"<figcaption>{escape(caption)}</figcaption></figure></section>"
    )


def _verdict(verdict: VolumeVerdict) -> str:
    rows = [
        [_state(each), each.name, f"{each.ratio:.2f}", f"{each.limit:g}", _share(each), each.meaning]
        for each in verdict.checks
    ]
    heads = ["", "check", ">ratio", ">limit", ">of the diffuse", "if it fails"]
    checks = table_html(Table(title="", heads=heads, rows=rows))
    words = f"<b>{escape(verdict.judgement.capitalize())}.</b>{escape(verdict.sentence)}"
    state = _STATES[verdict.judgement]
    return f'<section><div class="verdict {state}">{words}</div><div class="checks">{checks}</div></section>'


def _state(check: VolumeCheck) -> str:
    return "holds" if check.passed else "FAILS"


def _share(check: VolumeCheck) -> str:
    return "–" if check.least_amplitude == 0 else f"{100 * check.amplitude:.2f} %"


def _alpha(refinement: SroRefinement) -> Table:
    rows = [
        [
            " ".join(map(str, shell.vector)),
            f"{shell.length_angstrom:.3f}",
            str(shell.multiplicity),
            with_uncertainty(shell.alpha, shell.uncertainty) + (" Σ" if shell.together_with else ""),
        ]
        for shell in refinement.shells[:_SHOWN]
    ]
    more = len(refinement.shells) - len(rows)
    notes = list(refinement.notes)
    if more > 0:
        notes.append(f"{more} further shells are in sro.json.")
    if any(shell.together_with for shell in refinement.shells):
        notes.append("Σ: a sum over vectors that cannot be told apart; sro.json lists them.")
    title = f"Warren–Cowley parameters, Laue class {refinement.symmetry}"
    return Table(title=title, heads=["u v w", ">length (Å)", ">number", ">α"], rows=rows, note=" ".join(notes))


def _numbers(solution: VolumeSolution) -> Table:
    fit = solution.fit
    coefficients, alphas, columns = fit.sizes
    peaks = solution.peaks
    left_out = int(solution.masked.sum())
    share = 100 * left_out / max(int(solution.voxels.live.sum()), 1)
    found = "none found" if peaks is None else f"at {peaks.strong.sum()} of {peaks.seen.sum()} lattice points"
    size = " × ".join(map(str, solution.voxels.shape))
    rows = [
        [
            "voxels",
            f"{size}, {100 * solution.voxels.live.mean():.1f} % measured",
        ],
        ["χ² per voxel", f"{solution.chi_square:.3f}"],
        ["misfit", f"{100 * solution.misfit:.2f} % of what was observed"],
        ["variance / intensity", f"{solution.voxels.gain:.4g} (from the data's own scatter, or stated uncertainties)"],
        ["fitted", f"{coefficients} coefficients of I_FF, {alphas} α, {columns} of background and tails"],
        ["width of the Patterson function", f"{fit.prior.width[0]:.3f} cells, by evidence"],
        ["Bragg peaks", found],
        ["left out beside lattice points", f"{left_out} voxels, {share:.1f} %"],
        ["time", f"{solution.seconds:.0f} s"],
    ]
    return Table(title="The fit", heads=["", ""], rows=rows)
