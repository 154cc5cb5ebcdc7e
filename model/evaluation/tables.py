"""Numbers and tables of an evaluation as text: for a terminal, and as Markdown."""

import textwrap
from collections.abc import Sequence
from math import isfinite

from dsfu.pages.frame import Table


def shown_ranks(count: int) -> dict[str, int]:
    """Of so many samples in the order of their errors, the places of those that are shown, by name."""
    last = count - 1
    return {"best": 0, "median": last // 2, "90th percentile": round(0.9 * last), "worst": last}


def number(value: float) -> str:
    """Three digits; a dash where there is none."""
    if not isfinite(value):
        return "–"
    return f"{value:.3g}" if value == 0 or abs(value) >= 1e-4 else f"{value:.1e}"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def as_text(table: Table) -> str:
    """For a terminal: columns side by side, as narrow as what is in them, with headings of several lines."""
    cells = [max((len(row[column]) for row in table.rows), default=0) for column in range(len(table.heads))]
    heads = [_in_lines(head.removeprefix(">"), width) for head, width in zip(table.heads, cells, strict=True)]
    tall = max(map(len, heads))
    heads = [[""] * (tall - len(head)) + head for head in heads]
    rows = [*(list(row) for row in zip(*heads, strict=True)), *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.heads))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if head.startswith(">") else cell.ljust(width)
            for cell, width, head in zip(row, widths, table.heads, strict=True)
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([table.title, *(f"  {line(row)}" for row in rows)])


def _in_lines(head: str, width: int) -> list[str]:
    """A heading as narrow as its column, or as its longest word."""
    return textwrap.wrap(head, max(width, *map(len, head.split())), break_on_hyphens=False) if head else [""]


def as_markdown(table: Table) -> str:
    """A section with a table."""
    lines = [f"## {table.title}", "", _markdown_row([head.removeprefix(">") for head in table.heads])]
    lines.append("|" + "|".join("---:" if head.startswith(">") else "---" for head in table.heads) + "|")
    lines += [_markdown_row(row) for row in table.rows]
    lines += ["", table.note, ""] if table.note else [""]
    return "\n".join(lines)


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
