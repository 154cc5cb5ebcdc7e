"""A page served to this machine alone, and to whoever knows its token."""

import logging
import secrets
import socket
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from dsfu.door import guard
from dsfu.errors import InputError
from dsfu.pages.frame import render

HOST = "127.0.0.1"
"""The only address listened on. Login nodes are shared, so that alone is no protection: hence the token."""


def serve(page: Callable[[], Any], title: str, port: int = 0) -> tuple[Any, str]:
    """A server that has not started its loop yet, and the address with its token.

    Parameters
    ----------
    page
        Makes what is shown; called for every visitor.
    port
        0 for any that is free.
    """
    import panel

    logging.getLogger("bokeh.server.views.ws").setLevel(logging.ERROR)  # a page that was closed is no news
    panel.extension("plotly", sizing_mode=None, loading_indicator=False)
    chosen = _free_port(port)
    server: Any = panel.io.server.get_server(
        {"view": lambda: _framed(page())},
        port=chosen,
        address=HOST,
        websocket_origin=[f"{HOST}:{chosen}", f"localhost:{chosen}"],
        title=title,
        start=False,
        show=False,
        autoreload=False,
    )
    token = secrets.token_urlsafe(24)
    refusal = "This page is open to who started it: use the address that dsfu-model view has told.\n"
    guard(server._tornado, token, name="dsfu-view", refusal=refusal)
    return server, f"http://{HOST}:{chosen}/view?token={token}"


_FRAME: Final = """{% extends base %}
{% block preamble %}
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<style>
THEME
@media screen and (prefers-color-scheme: dark) {
  html, body { background: var(--page); }
  html {
    --bk-border-fill-color: var(--page); --bk-background-fill-color: var(--page); --bk-outline-line-color: #4a5158;
    --bk-text-color: var(--ink); --bk-axis-label-text-color: var(--ink); --bk-major-label-text-color: var(--soft);
    --bk-axis-line-color: var(--soft); --bk-major-tick-line-color: var(--soft);
    --bk-minor-tick-line-color: var(--soft); --bk-grid-line-color: var(--line);
  }
}
</style>
{% endblock %}
{% block contents %}{{ embed(roots.page) }}{% endblock %}
"""
"""As wide as the screen, on phones too; no icon is asked for. bokeh draws words and frames in ``--bk-…``.

THEME stands for the colours of pages."""


_DARK: Final = """@media screen and (prefers-color-scheme: dark) { :host {
  --panel-background-color: var(--page); --panel-on-background-color: var(--ink); --panel-surface-color: #2b3035;
  --panel-on-surface-color: var(--ink); --panel-border-color: #4a5158; --panel-secondary-color: #343a40;
}
select.bk-input { background-image: none; appearance: auto; color-scheme: dark; }
.js-plotly-plot .main-svg text { fill: var(--ink) !important; }
.js-plotly-plot .gridlayer path, .js-plotly-plot .zerolinelayer path { stroke: var(--line) !important; }
}"""
"""Widgets, words and the text of plotly's figures on dark screens."""


@cache
def _design() -> Any:
    """Panel's plain design, with the colours that the screen asks for."""
    from panel.theme import Native
    from panel.theme.base import Inherit
    from panel.viewable import Viewable

    return type("ScreenDesign", (Native,), {"modifiers": {Viewable: {"stylesheets": [Inherit, _DARK]}}})


def _framed(shown: Any) -> Any:
    import panel

    framed = panel.Template(_FRAME.replace("THEME", render("dsfu.pages/theme.css")), design=_design())
    framed.add_panel("page", shown)
    return framed


def _free_port(port: int) -> int:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise InputError(
                f"port {port} cannot be listened on ({error})", where="--port", remedy="leave it out for a free one"
            ) from error
        return int(tried.getsockname()[1])
