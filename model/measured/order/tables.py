"""Refined parameters as tables: for the terminal, as CSV, JSON and CIF."""

import csv
import io
import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from math import floor, isfinite, log10
from typing import Any, Final

from dsfu.model.measured.order.result import Shell, SroRefinement, Vector
from dsfu.simulate.lattice import CELL_ITEMS

_STRONG_CORRELATION: Final = 0.5

UNDETERMINED: Final = "not determined"


def with_uncertainty(value: float, uncertainty: float, *, digits: int = 6) -> str:
    """ "0.123(4)": the uncertainty in units of the last digit, with two digits up to 19, otherwise one.

    Without an uncertainty (0, or not finite) the value has ``digits`` decimals.
    """
    if not isfinite(value):
        return str(value)
    if not (isfinite(uncertainty) and uncertainty > 0):
        return f"{value:.{digits}f}"
    exponent = floor(log10(uncertainty))
    decimals = 1 - exponent
    last_digits = round(uncertainty * 10.0**decimals)
    if last_digits > 19:
        decimals -= 1
        last_digits = round(uncertainty * 10.0**decimals)
    shown = max(decimals, 0)
    text = f"{round(value, decimals):.{shown}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return f"{text}({last_digits * 10 ** (shown - decimals)})"


def table_text(refinements: Sequence[SroRefinement], recommended: int | None = None) -> str:
    """A table by shell, one column of α for each refinement, with what has to be said below it.

    Its rows are the shells of the first; of what others have beyond them only the number is told.
    """
    by_vector: list[dict[Vector, Shell]] = [{shell.vector: shell for shell in each.shells} for each in refinements]
    shells = sorted(
        refinements[0].shells,
        key=lambda shell: (round(shell.length_angstrom, 6), -shell.vector[0], *shell.vector[1:]),
    )
    beyond = len({vector for found in by_vector for vector in found} - set(by_vector[0]))
    names = {"solver": "the solver", "volume": "all voxels"}
    titles = [f"α from {names.get(each.source, each.source)}" for each in refinements]
    if recommended is not None and len(titles) > 1:
        titles[recommended] += " (use this)"
    rows = [["u v w", "length (Å)", "number", *titles]]
    for shell in shells:
        here = [found.get(shell.vector) for found in by_vector]
        rows.append(
            [
                "".join(f"{each:3d}" for each in shell.vector),
                f"{shell.length_angstrom:.3f}",
                str(shell.multiplicity),
                *(_alpha_text(each) for each in here),
            ]
        )
    more = [f"{beyond} further shells are in the files (-o)"] if beyond else []
    return "\n".join([_aligned(rows), *more, *(_below(each) for each in refinements)]).rstrip()


def _alpha_text(shell: Shell | None) -> str:
    if shell is None:
        return "–"
    if not shell.determined:
        return UNDETERMINED
    return with_uncertainty(shell.alpha, shell.uncertainty) + (" Σ" if shell.together_with else "")


def _aligned(rows: list[list[str]]) -> str:
    """Columns to the right; values with an uncertainty at the decimal point."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    for number, column in enumerate(columns[3:], start=3):
        after = [len(text) - text.index(".") if "." in text else 0 for text in column[1:]]
        columns[number] = [column[0], *(t + " " * (max(after) - n) for t, n in zip(column[1:], after, strict=True))]
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in zip(*columns, strict=True)
    ]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def _below(refinement: SroRefinement) -> str:
    lines = [""]
    fit = refinement.fit
    if fit is not None:
        numbers = [f"R = {fit.r_value:.4f}", f"wR = {fit.weighted_r:.4f}"]
        if fit.goodness_of_fit is not None:
            numbers.append(f"goodness of fit {fit.goodness_of_fit:.2f}")
        scales = ", ".join(f"{scale:.5g}" for scale in dict.fromkeys(fit.scales))
        lines += [
            f"{', '.join(numbers)}; scale {scales}",
            f"{fit.pixels} pixels, as good as {fit.effective_pixels:.0f} independent ones; {fit.weak} left out as weak",
        ]
    if refinement.asymmetry is not None:
        lines.append(f"χ² of equivalent vectors over their number: {refinement.asymmetry:.2f} (solver)")
    if any(shell.together_with for shell in refinement.shells):
        lines.append("Σ: a sum over shells that cannot be told apart; the files list them")
    lines += [f"note: {each}" for each in refinement.notes]
    return "\n".join(lines)


def table_csv(refinements: Sequence[SroRefinement], recommended: int | None = None) -> str:
    """One line for each shell and source, with the one that is recommended, and what speaks against all of them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    numbers = ["length_angstrom", "multiplicity", "alpha", "uncertainty"]
    writer.writerow(["source", "u", "v", "w", *numbers, "together_with", "recommended", "warning"])
    for number, refinement in enumerate(refinements):
        use = "" if recommended is None else "yes" if number == recommended else "no"
        for shell in refinement.shells:
            others = "; ".join(f"{factor:.6g} * ({u} {v} {w})" for (u, v, w), factor in shell.together_with)
            values = [f"{shell.alpha:.8g}", f"{shell.uncertainty:.3g}"] if shell.determined else ["", ""]
            row = [f"{shell.length_angstrom:.5f}", shell.multiplicity, *values]
            writer.writerow([refinement.source, *shell.vector, *row, others, use, refinement.warning])
    return text.getvalue()


def as_json(refinements: Sequence[SroRefinement], recommended: int | None = None, verdict: str = "") -> str:
    """Everything, covariances included.

    Parameters
    ----------
    recommended
        Which of the refinements is marked as the one to use; none if not given.
    verdict
        On the data behind them, if there is one; else the warning among their notes.
    """
    records = [_record(each) for each in refinements]
    if recommended is not None:
        records = [{**each, "recommended": number == recommended} for number, each in enumerate(records)]
    told = ['"refinements": [' + ", ".join(map(_lined_up, records)) + "]"]
    verdict = verdict or next((each.warning for each in refinements if each.warning), "")
    told += [f'"verdict": {json.dumps(verdict, ensure_ascii=False)}'] if verdict else []
    return "{" + ",\n".join(told) + "}"


def _lined_up(record: dict[str, Any]) -> str:
    """JSON with a line for each key: indenting the numbers of a covariance would make files ten times as large."""
    lines = [f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in record.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def _record(refinement: SroRefinement) -> dict[str, Any]:
    fit = refinement.fit
    return {
        "source": refinement.source,
        "cell": list(refinement.cell.constants),
        "symmetry": refinement.symmetry,
        "shells": [
            {
                "vector": list(shell.vector),
                "length_angstrom": shell.length_angstrom,
                "multiplicity": shell.multiplicity,
                "alpha": shell.alpha if shell.determined else None,
                "uncertainty": shell.uncertainty if shell.determined else None,
                "together_with": [{"vector": list(v), "factor": factor} for v, factor in shell.together_with],
            }
            for shell in refinement.shells
        ],
        "covariance": _covariance(refinement),
        "fit": None if fit is None else {name: getattr(fit, name) for name in fit.__dataclass_fields__},
        "asymmetry": refinement.asymmetry,
        "notes": list(refinement.notes),
    }


def _covariance(refinement: SroRefinement) -> list[list[float | None]]:
    """Nothing where a parameter is not determined."""
    known = [shell.determined for shell in refinement.shells]
    return [
        [value if known[i] and known[j] and isfinite(value) else None for j, value in enumerate(row)]
        for i, row in enumerate(refinement.covariance.tolist())
    ]


def as_cif(refinements: Sequence[SroRefinement]) -> str:
    """A CIF with one data block for each refinement, names of its own under ``_dsfu_sro_``."""
    return "\n".join(_data_block(each) for each in refinements)


def _data_block(refinement: SroRefinement) -> str:
    cell, fit = refinement.cell, refinement.fit
    items = [("_audit_creation_method", _quoted(f"dsfu {_version()}"))]
    items += [(f"_cell_{name}", f"{value:.6g}") for name, value in zip(CELL_ITEMS, cell.constants, strict=True)]
    items += [
        ("_cell_volume", f"{cell.volume:.6g}"),
        ("_dsfu_sro_source", _quoted(refinement.source)),
        ("_dsfu_sro_symmetry", _quoted(refinement.symmetry)),
    ]
    if fit is not None:
        items += [
            ("_dsfu_sro_fit_pixels", str(fit.pixels)),
            ("_dsfu_sro_fit_pixels_effective", f"{fit.effective_pixels:.0f}"),
            ("_dsfu_sro_fit_r_factor", f"{fit.r_value:.6g}"),
            ("_dsfu_sro_fit_wr_factor", f"{fit.weighted_r:.6g}"),
            ("_dsfu_sro_fit_goodness", "?" if fit.goodness_of_fit is None else f"{fit.goodness_of_fit:.4g}"),
        ]
    lines = [f"data_sro_{refinement.source.lower()}", *(f"{name:<34} {value}" for name, value in items)]
    if refinement.notes:
        lines += ["_dsfu_sro_details", ";", *(_plain(note) for note in refinement.notes), ";"]
    return "\n".join(
        [*lines, *_shell_loop(refinement), *_together_loop(refinement), *_correlation_loop(refinement), ""]
    )


def _shell_loop(refinement: SroRefinement) -> list[str]:
    columns = ("id", "u", "v", "w", "length", "multiplicity", "alpha", "is_sum")
    rows = [
        f"{number} {u} {v} {w} {shell.length_angstrom:.5f} {shell.multiplicity} "
        f"{with_uncertainty(shell.alpha, shell.uncertainty) if shell.determined else '?'} "
        f"{'yes' if shell.together_with else 'no'}"
        for number, shell in enumerate(refinement.shells, start=1)
        for u, v, w in [shell.vector]
    ]
    return ["", "loop_", *(f"_dsfu_sro_shell_{name}" for name in columns), *rows]


def _together_loop(refinement: SroRefinement) -> list[str]:
    rows = [
        f"{number} {u} {v} {w} {factor:.6g}"
        for number, shell in enumerate(refinement.shells, start=1)
        for (u, v, w), factor in shell.together_with
    ]
    columns = ("shell_id", "u", "v", "w", "factor")
    return ["", "loop_", *(f"_dsfu_sro_together_{name}" for name in columns), *rows] if rows else []


def _correlation_loop(refinement: SroRefinement) -> list[str]:
    correlations = refinement.correlations
    rows = [
        f"{i + 1} {j + 1} {correlations[i, j]:.3f}"
        for i in range(len(correlations))
        for j in range(i)
        if abs(correlations[i, j]) >= _STRONG_CORRELATION
        and refinement.shells[i].determined
        and refinement.shells[j].determined
    ]
    columns = ("shell_id_1", "shell_id_2", "value")
    return ["", "loop_", *(f"_dsfu_sro_correlation_{name}" for name in columns), *rows] if rows else []


def _quoted(text: str) -> str:
    return f"'{_plain(text)}'"


def _plain(text: str) -> str:
    """Letters that CIF 1.1 knows."""
    for letter, name in {"α": r"\a", "χ²": "chi-squared", "Å": r"\%A", "Σ": "sum of", "–": "-", "…": "..."}.items():
        text = text.replace(letter, name)
    return text.encode("ascii", "replace").decode("ascii")


def _version() -> str:
    try:
        return version("dsfu")
    except PackageNotFoundError:
        return "unknown"
