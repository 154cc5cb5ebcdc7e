"""A page served to this machine alone, and to whoever knows its token."""

import hmac
import secrets
import socket
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs

from dsfu.errors import InputError

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
    _guard(server._tornado, token)
    return server, f"http://{HOST}:{chosen}/view?token={token}"


_FRAME: Final = """{% extends base %}
{% block preamble %}
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
{% endblock %}
{% block contents %}{{ embed(roots.page) }}{% endblock %}
"""
"""As wide as the screen, on phones too; no icon is asked for."""


def _framed(shown: Any) -> Any:
    import panel

    framed = panel.Template(_FRAME)
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


def _guard(application: Any, token: str) -> None:
    """Let an application answer whoever has shown the token, and refuse everyone else, websockets too."""
    from tornado import web

    cookie = f"dsfu-view-{secrets.token_hex(4)}"  # browsers share cookies between ports of a host
    answer = application.find_handler

    def is_right(given: str) -> bool:
        return hmac.compare_digest(given.encode(), token.encode())

    class Door(web.RequestHandler):
        """Exchanges the token for a cookie, or refuses."""

        def prepare(self) -> None:
            self.set_header("Referrer-Policy", "no-referrer")
            if self.request.method == "GET" and is_right(self.get_query_argument("token", "")):
                self.set_cookie(cookie, token, httponly=True, samesite="Strict")
                self.redirect("/" + self.request.path.lstrip("/"))
            else:
                self.set_status(403)
                self.finish("This page is open to who started it: use the address that dsfu-model view has told.\n")

    def find_handler(request: Any, **more: Any) -> Any:
        shown = request.cookies.get(cookie)
        if shown is not None and is_right(shown.value) and "token" not in parse_qs(request.query):
            return answer(request, **more)
        return application.get_handler_delegate(request, Door)

    application.find_handler = find_handler
