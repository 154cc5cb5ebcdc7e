"""The page of `solve-density`: the fit of the first candidate, and the list of all."""

from typing import Final

import gemmi

from dsfu.model.problems.densities.fitting import Fit
from dsfu.model.problems.densities.solve import DensityAnswer
from dsfu.pages.charts import Chart, fit_chart
from dsfu.pages.frame import Table, made_now, render
from dsfu.simulate.densities.structure_types import StructureType

_STATES: Final = {"solved": "good", "uncertain": "doubtful", "not explained": "bad"}


def page(answer: DensityAnswer, title: str) -> str:
    """The page as text."""
    verdict = answer.verdict
    return render(
        "dsfu.model.problems.densities/density.html",
        title=title,
        where=made_now(),
        state=_STATES.get(verdict, "open"),
        verdict=f"{verdict[:1].upper()}{verdict[1:]}.",
        reason=f"{answer.reason[:1].upper()}{answer.reason[1:]}.",
        chart=_chart(answer.candidates[0]) if answer.candidates else None,
        candidates=_candidates(answer),
    )


def _candidates(answer: DensityAnswer) -> Table:
    rows = [
        [
            str(number),
            each.kind.prototype,
            space_group_name(each.kind),
            cell_words(each.kind),
            f"{each.r:.3f}",
            f"{each.excess:.3f}",
        ]
        for number, each in enumerate(answer.candidates, 1)
    ]
    return Table(
        title="Candidates",
        heads=(">", "Type", "Space group", ">Cell (Å, degrees)", ">R", ">Without noise"),
        rows=rows,
        note=f"{answer.tried} of {answer.possible} decorated structure types were tried. "
        "R = Σ|net − calculated| / Σ|net|; without noise: the root of weighted squares beyond it. "
        "Like elements on exchanged sites give like patterns; densities are of spherical atoms.",
    )


def _chart(found: Fit) -> Chart:
    x_label, y_label = "2θ (degrees)", "net intensity"
    return fit_chart(found.two_theta, found.net, found.calculated, x_label=x_label, y_label=y_label)


def cell_words(kind: StructureType) -> str:
    """Lengths and angles of the cell."""
    lengths = " ".join(f"{value:.4f}" for value in kind.cell[:3])
    return f"{lengths}; {' '.join(f'{value:.2f}' for value in kind.cell[3:])}"


def space_group_name(kind: StructureType) -> str:
    """Hermann-Mauguin symbol of the setting."""
    group = gemmi.find_spacegroup_by_ops(gemmi.symops_from_hall(kind.hall))
    return str(group.hm) if group else f"number {kind.number}"
