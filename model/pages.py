"""What the pages of HTML have in common that commands write: one file each, nothing is loaded from elsewhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from dsfu.model.page_style import STYLE

_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What browsers let a page do: show itself."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Heads that begin with ">" are those of numbers, to be set to the right."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def document(title: str, parts: Iterable[str], style: str = "") -> str:
    """The whole page; ``style`` is added to what all pages have."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n"
        f"<body>\n<main>\n{''.join(parts)}\n</main>\n</body>\n</html>\n"
    )


def section(table: Table) -> str:
    """A table with its title and its note."""
    note = f"<p class=soft>{symbols(table.note)}</p>" if table.note else ""
    return f"<section><h2>{symbols(table.title)}</h2>{table_html(table)}{note}</section>"


def table_html(table: Table) -> str:
    """A table alone."""
    styles = [" class=number" if head.startswith(">") else "" for head in table.heads]
    heads = "".join(
        f'<th scope="col"{style}>{symbols(head.removeprefix(">"))}</th>'
        for head, style in zip(table.heads, styles, strict=True)
    )
    rows = "".join(
        "<tr>" + "".join(f"<td{style}>{symbols(cell)}</td>" for cell, style in zip(row, styles, strict=True)) + "</tr>"
        for row in table.rows
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def symbols(words: str) -> str:
    """As HTML, with the subscripts of physical quantities."""
    text = escape(words)
    for name in ("SRO", "FF", "D"):
        text = text.replace(f"I_{name}", f"<i>I</i><sub>{name}</sub>")
    return text
