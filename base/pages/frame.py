"""Pages that commands write: one file each, made from templates that escape what they are given.

Nothing is loaded from elsewhere. Pages follow light and dark screens and print on white paper; their one style is
``templates/page.css``, with the colours of ``templates/theme.css``, their one script, the buttons of tables,
``templates/page.js``.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

_QUANTITIES: Final = re.compile(
    r"(?<![A-Za-z0-9_])(?P<symbol>I|Q|m|α|R|r|q|γ)_(?P<index>SRO|FF|D|max|min|damp|x|y|A|w|\d{3}|all)(?![A-Za-z0-9_])"
)
"""Physical quantities as they are written in texts, with the index that is set below."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Heads that begin with ">" are those of numbers, to be set to the right. Cells are text, or `Markup` that is safe.

    Attributes
    ----------
    total
        Whether the last row is the sum of the others.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    total: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.heads):
                raise ValueError(f"a row of {len(row)} cells below {len(self.heads)} heads")


def render(template: str, **values: Any) -> str:
    """A template as text.

    Parameters
    ----------
    template
        ``package/file``: the file lies in the package's folder ``templates``.
    values
        What the template shows. Texts are escaped; objects with ``__html__`` (charts, `Markup`) are taken as they are.
    """
    return _environment().get_template(template).render(**values)


def made_now(now: datetime | None = None) -> str:
    """When a page was made, and by which version."""
    return f"{now or datetime.now(UTC):%Y-%m-%d %H:%M} UTC, dsfu {version('dsfu')}"


def symbols(words: str) -> "Markup":
    """Text as HTML, with the indices of physical quantities set below them."""
    from markupsafe import Markup, escape

    if hasattr(words, "__html__"):
        return Markup(words)
    return Markup(_QUANTITIES.sub(r"<i>\g<symbol></i><sub>\g<index></sub>", str(escape(words))))


@cache
def _environment() -> "jinja2.Environment":
    import jinja2  # late, so that commands that write no page do not wait for it
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _template("dsfu.pages/page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.globals.update(script=Markup(script), script_hash=Markup(f"sha256-{digest}"))
    environment.filters["symbols"] = symbols
    return environment


def _template(name: str) -> str:
    package, _, file = name.rpartition("/")
    return (files(package) / "templates" / file).read_text(encoding="utf-8")
