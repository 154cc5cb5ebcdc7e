"""The report of a factorisation: one page of HTML for the logbook; nothing is loaded from elsewhere."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dsfu.files import write_text
from dsfu.model.measured.factorise.factors import AGREES, CrystalFactors, PlaneFactors, Verdict
from dsfu.model.measured.factorise.pictures import (
    FROM_DATA,
    NOT_MEASURED,
    UNDETERMINED,
    as_address,
    plane_figure,
)
from dsfu.model.measured.factorise.report_tables import (
    about_table,
    alpha_table,
    history_table,
    numbers_table,
    short_name,
)
from dsfu.pages.frame import Table, made_now, render

_HOW: Final = {
    "solver": "by the solver, from the lattice and the data alone",
    "network": "by a network, without the lattice",
    "hybrid": "by the solver; in dead zones a network's guess counts as one more measurement",
}


def write_report(path: str | Path, factors: CrystalFactors, now: datetime | None = None) -> None:
    """Write the page; it is there whole or not at all.

    Parameters
    ----------
    now
        The date that it bears; that of today if not given.
    """
    write_text(path, report_of(factors, now or datetime.now(UTC)))


def report_of(factors: CrystalFactors, now: datetime) -> str:
    """The page as text."""
    made = made_now(now)
    tables = (alpha_table(factors), history_table(factors), about_table(factors, made))
    return render(
        "dsfu.model.measured.factorise/factorisation.html",
        title=f"Factorisation of {_what(factors)}",
        where=f"{_HOW[factors.method]} · {made}",
        colours={"from_data": FROM_DATA, "undetermined": UNDETERMINED, "not_measured": NOT_MEASURED},
        verdict=_verdict(factors.verdict),
        checks=_checks(factors.verdict) if factors.verdict.checks else None,
        numbers=numbers_table(factors),
        planes=[_plane(plane, factors) for plane in factors.planes],
        method=factors.method,
        tables=[table for table in tables if table is not None],
    )


def _what(factors: CrystalFactors) -> str:
    names = ", ".join(short_name(plane) for plane in factors.planes)
    sources = {Path(plane.measured.source).name for plane in factors.planes if plane.measured.source}
    return f"{names} of {', '.join(sorted(sources))}" if sources else names


def _verdict(verdict: Verdict) -> dict[str, Any]:
    """State, sentence, what it means, and what speaks against the data."""
    if not verdict.checks:
        return _told("open", "Whether the data suit the method was not checked.")
    if verdict.judgement == "not judged":
        return _told("open", verdict.sentence)
    if verdict.passed:
        return _told(
            "good",
            AGREES,
            "No check speaks against the two factors below. That does not prove the model: disorder of another kind "
            "can be too weak to show.",
        )
    return _told(
        "bad",
        "Do not rely on these factors: the data break the assumptions of the method.",
        "It assumes two species that share one site and no displacements. Against this speaks:",
        [check.meaning for check in verdict.checks if not check.passed],
    )


def _told(state: str, sentence: str, words: str = "", reasons: list[str] | None = None) -> dict[str, Any]:
    return {"state": state, "sentence": sentence, "words": words, "reasons": reasons or []}


def _checks(verdict: Verdict) -> Table:
    rows = [
        [
            "holds" if check.passed else "FAILS",
            check.name,
            f"{check.value:.4f}",
            f"{check.limit:g}",
            check.meaning,
        ]
        for check in verdict.checks
    ]
    return Table(title="", heads=["", "check", ">found", ">limit", "if it fails"], rows=rows)


def _plane(plane: PlaneFactors, factors: CrystalFactors) -> dict[str, str]:
    name = short_name(plane)
    guessed = "continued, with a network's guess" if factors.method == "hybrid" else "continued by the prior"
    return {
        "heading": name.capitalize() if name.startswith("the ") else f"Plane {name}",
        "address": as_address(plane_figure(plane)),
        "alt": f"{name}: observed, model, difference, form factor and short-range order",
        "guessed": "" if plane.from_data.all() else guessed,
    }
