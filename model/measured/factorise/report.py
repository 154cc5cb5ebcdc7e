"""The report of a factorisation: one page of HTML for the logbook; nothing is loaded from elsewhere."""

from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

from dsfu.files import replacing
from dsfu.model.measured.factorise.factors import CrystalFactors, PlaneFactors, Verdict
from dsfu.model.measured.factorise.pictures import as_address, plane_figure
from dsfu.model.measured.factorise.report_style import REPORT_STYLE
from dsfu.model.measured.factorise.report_tables import (
    about_table,
    alpha_table,
    history_table,
    numbers_table,
    short_name,
)
from dsfu.pages.frame import Table, document, section, symbols, table_html


def write_report(path: str | Path, factors: CrystalFactors, now: datetime | None = None) -> None:
    """Write the page; it is there whole or not at all.

    Parameters
    ----------
    now
        The date that it bears; that of today if not given.
    """
    with replacing(path) as temporary:
        temporary.write_text(report_of(factors, now or datetime.now(UTC)), encoding="utf-8")


def report_of(factors: CrystalFactors, now: datetime) -> str:
    """The page as text."""
    title = f"Factorisation of {_what(factors)}"
    made = f"{now:%Y-%m-%d %H:%M} UTC, dsfu {version('dsfu')}"
    alpha = alpha_table(factors)
    parts = [
        _header(title, factors, made),
        _verdict(factors),
        section(numbers_table(factors)),
        *(_plane(plane, factors) for plane in factors.planes),
        section(alpha) if alpha else "",
        section(history_table(factors)),
        section(about_table(factors, made)),
    ]
    return document(title, parts, REPORT_STYLE)


def _what(factors: CrystalFactors) -> str:
    names = ", ".join(short_name(plane) for plane in factors.planes)
    sources = {Path(plane.measured.source).name for plane in factors.planes if plane.measured.source}
    return f"{names} of {', '.join(sorted(sources))}" if sources else names


def _header(title: str, factors: CrystalFactors, made: str) -> str:
    how = {
        "solver": "by the solver, from the lattice and the data alone",
        "network": "by a network, without the lattice",
        "hybrid": "by the solver; in dead zones a network's guess counts as one more measurement",
    }[factors.method]
    return f'<header><h1>{escape(title)}</h1><div class="where">{escape(how)} · {escape(made)}</div></header>'


def _verdict(factors: CrystalFactors) -> str:
    verdict = factors.verdict
    if not verdict.checks:
        return '<div class="verdict open"><b>Whether the data suit the method was not checked.</b></div>'
    if verdict.judgement == "not judged":
        state, words = "open", f"<b>{escape(verdict.sentence)}</b>"
    else:
        state, words = ("good", _good_words()) if verdict.passed else ("bad", _bad_words(verdict))
    checks = table_html(_checks(verdict))
    return f'<section><div class="verdict {state}">{words}</div><div class="checks">{checks}</div></section>'


def _good_words() -> str:
    return (
        "<b>The data agree with binary substitutional disorder on one site.</b>"
        "No check speaks against the two factors below. That does not prove the model: disorder of another kind can be "
        "too weak to show."
    )


def _bad_words(verdict: Verdict) -> str:
    reasons = "".join(f"<li>{symbols(check.meaning)}</li>" for check in verdict.checks if not check.passed)
    return (
        "<b>Do not rely on these factors: the data break the assumptions of the method.</b>"
        f"It assumes two species that share one site and no displacements. Against this speaks:<ul>{reasons}</ul>"
    )


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


def _plane(plane: PlaneFactors, factors: CrystalFactors) -> str:
    name = short_name(plane)
    heading = name.capitalize() if name.startswith("the ") else f"Plane {name}"
    address = as_address(plane_figure(plane))
    alt = f"{name}: observed, model, difference, form factor and short-range order"
    return (
        f"<section><h2>{escape(heading)}</h2>"
        f'<figure class="factored"><img alt="{escape(alt)}" src="{address}">'
        f"<figcaption>{_caption(plane, factors)}</figcaption></figure></section>"
    )


def _caption(plane: PlaneFactors, factors: CrystalFactors) -> str:
    words = (
        "In true angles; thin lines are those of round indices. Intensities are in the data's unit and on square-root "
        "scales, as is I_SRO; the difference is on a linear one. "
    )
    parts = [symbols(words), '<i class="swatch dead"></i>not measured']
    if factors.method == "network":
        parts.append("; everything else is the network's answer.")
        return "".join(parts)
    parts.append(symbols(' (in the last of the maps: no ground but a guess). "What I_FF rests on": '))
    parts.append('<i class="swatch data"></i>data, <i class="swatch weak"></i>')
    parts.append(symbols("measured, but I_SRO is near zero there and hides I_FF. "))
    guessed = "continued, with a network's guess" if factors.method == "hybrid" else "continued by the prior"
    if not plane.from_data.all():
        parts.append(symbols(f"Hatched: I_FF is {guessed}."))
    return "".join(parts)
