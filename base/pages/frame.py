"""What all pages have in common that commands write: one file each, nothing is loaded from elsewhere.

Pages follow light and dark screens and print on white paper; their looks are in ``templates/page.css``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True, kw_only=True)
class Table:
    """Heads that begin with ">" are those of numbers, to be set to the right. All are text."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class _Head:
    """The head of a column, as the template wants it."""

    html: str
    number: bool

    def __bool__(self) -> bool:
        return bool(self.html)


def document(title: str, parts: Iterable[str], style: str = "") -> str:
    """The whole page, from parts that are HTML; ``style`` is added to what all pages have."""
    return _templates().get_template("page.html").render(title=title, content="\n".join(parts), style=style)


def headed(title: str, header: str, sections: Sequence[tuple[str, str]], style: str = "") -> str:
    """A page with a header and sections of (heading, HTML); those without content are left out."""
    parts = [
        f'<section aria-labelledby="part{number}"><h2 id="part{number}">{escape(heading)}</h2>\n{content}</section>'
        for number, (heading, content) in enumerate(sections)
        if content
    ]
    return document(title, [f"<header>{header}</header>", *parts], style)


def section(table: Table) -> str:
    """A table with its title and its note."""
    note = f"<p class=soft>{symbols(table.note)}</p>" if table.note else ""
    return f"<section><h2>{symbols(table.title)}</h2>{table_html(table)}{note}</section>"


def table_html(table: Table) -> str:
    """A table of text alone."""
    return grid([symbols(head) for head in table.heads], [[symbols(cell) for cell in row] for row in table.rows])


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]], *, total: bool = False) -> str:
    """A table of cells that are HTML already. The last row can be a total. No head is drawn if all are empty."""
    for row in rows:
        if len(row) != len(heads):
            raise ValueError(f"a row of {len(row)} cells below {len(heads)} heads")
    of_columns = [_Head(head.removeprefix(">").removeprefix("&gt;"), head.startswith((">", "&gt;"))) for head in heads]
    return _templates(escaping=False).get_template("table.html").render(heads=of_columns, rows=rows, total=total)


def tiles(values: Sequence[tuple[str, str]]) -> str:
    """Large numbers with what they mean; both are text."""
    each = (f'<div class="tile"><b>{escape(value)}</b><span>{escape(words)}</span></div>' for value, words in values)
    return f'<div class="tiles">{"".join(each)}</div>'


def symbols(words: str) -> str:
    """Text as HTML, with the subscripts of physical quantities."""
    text = escape(words)
    for name in ("SRO", "FF", "D"):
        text = text.replace(f"I_{name}", f"<i>I</i><sub>{name}</sub>")
    return text


@cache
def _templates(*, escaping: bool = True) -> "jinja2.Environment":
    import jinja2  # late, so that commands that write no page do not wait for it

    loader = jinja2.PackageLoader("dsfu.pages")
    return jinja2.Environment(loader=loader, autoescape=escaping, undefined=jinja2.StrictUndefined)
