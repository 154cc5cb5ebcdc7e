"""The report of an analysed crystal: verdict, α, pictures, background and what was left out, on one page of HTML."""

from pathlib import Path
from typing import Final

from dsfu.files import write_text
from dsfu.model.measured.order.result import SroRefinement
from dsfu.model.measured.order.tables import with_uncertainty
from dsfu.model.measured.volume.curves import alpha_chart, background_chart
from dsfu.model.measured.volume.pictures import sections_figure
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.model.measured.volume.verdict import VolumeCheck, VolumeVerdict
from dsfu.pages.frame import Table, made_now, render
from dsfu.pages.pictures import figure_address

_SHOWN: Final = 60
_STATES: Final = {"agrees": "good", "contradicts": "bad", "not judged": "open"}
_DPI: Final = 170


def write_volume_report(
    path: Path, solution: VolumeSolution, verdict: VolumeVerdict, refinement: SroRefinement
) -> None:
    """Write the page; it is there whole or not at all."""
    name = Path(solution.reconstruction.source).name or "a reconstruction"
    made = made_now()
    page = render(
        "dsfu.model.measured.volume/analysis.html",
        title=f"Disorder of {name}",
        where=f"all voxels fitted at once · {made}",
        verdict={"state": _STATES[verdict.judgement], "sentence": f"{verdict.judgement.capitalize()}."},
        words=verdict.sentence,
        checks=_checks(verdict),
        alpha=_alpha(refinement),
        sections=figure_address(sections_figure(solution), _DPI),
        alphas=alpha_chart(refinement),
        background=background_chart(solution),
        numbers=_numbers(solution),
    )
    write_text(path, page)


def _checks(verdict: VolumeVerdict) -> Table:
    rows = [
        [_state(each), each.name, f"{each.ratio:.2f}", f"{each.limit:g}", _share(each), each.meaning]
        for each in verdict.checks
    ]
    heads = ["", "check", ">ratio", ">limit", ">of the diffuse", "if it fails"]
    return Table(title="", heads=heads, rows=rows)


def _state(check: VolumeCheck) -> str:
    return "holds" if check.passed else "FAILS"


def _share(check: VolumeCheck) -> str:
    return "–" if check.least_amplitude == 0 else f"{round(100 * check.amplitude, 2) + 0.0:.2f} %".replace("-", "−")


def _alpha(refinement: SroRefinement) -> Table:
    rows = [
        [
            " ".join(map(str, shell.vector)).replace("-", "−"),
            f"{shell.length_angstrom:.3f}",
            str(shell.multiplicity),
            with_uncertainty(shell.alpha, shell.uncertainty).replace("-", "−") + (" Σ" if shell.together_with else ""),
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
    background = solution.background
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
        ["background", "none fitted" if background is None else background.sentence()],
        ["grid", "as given" if solution.stretch is None else solution.stretch.sentence()],
        ["Bragg peaks", found],
        ["left out beside lattice points", f"{left_out} voxels, {share:.1f} %"],
        ["time", f"{solution.seconds:.0f} s"],
    ]
    return Table(title="The fit", heads=["", ""], rows=rows)
