"""Dask's dashboard, for those who know its token; and no other page of Dask's at all.

Dask serves pages without asking who looks: call stacks, logs, and a proxy to workers. On a login node anyone could. So
its own HTTP servers are closed, and the dashboard is served at the address that was asked for, if one was. Its address
carries a token, which a browser exchanges for a cookie.
"""

import secrets
import socket
from typing import Any, Final
from urllib.parse import urlsplit

from dsfu.door import guard
from dsfu.errors import InputError

CLOSED_AT_ONCE: Final = "127.0.0.1:0"
"""Where a scheduler may listen for browsers until `open_dashboard` is called: Dask insists on some place."""

_EVERYWHERE: Final = ("", "0.0.0.0", "::")


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of ``127.0.0.1:8787``; port 0 is any."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if port is None or parts.netloc != text or "@" in text:
        raise InputError(
            f"{text!r} is no address", where="--dashboard", expected="HOST:PORT such as 127.0.0.1:8787, or none"
        )
    return host, port


def open_dashboard(cluster: Any, address: str | None) -> str | None:
    """Close the pages that a cluster's scheduler serves to everyone, and open the dashboard behind a token.

    Parameters
    ----------
    cluster
        Of Dask, with its scheduler in this process.
    address
        ``HOST:PORT``; None: no dashboard. If the port is taken, it is another.

    Returns
    -------
    Where the dashboard is, with its token, if there is one.
    """

    async def within() -> str | None:
        close_pages(cluster.scheduler)
        return _serve(cluster.scheduler, *parse_address(address)) if address else None

    url: str | None = cluster.sync(within)
    return url


def close_pages(node: Any) -> None:
    """Close the HTTP server of a scheduler or worker."""
    node.http_server.stop()
    node.services.pop("dashboard", None)


def _serve(scheduler: Any, host: str, port: int) -> str | None:
    import dask
    from distributed.http.routing import RoutingApplication
    from distributed.http.utils import get_handlers
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    try:
        from distributed.dashboard import scheduler as dashboard
    except ImportError:  # without bokeh there is none
        return None
    token = secrets.token_urlsafe(24)
    routes = get_handlers(server=scheduler, modules=dask.config.get("distributed.scheduler.http.routes"))
    application = RoutingApplication(routes)
    refusal = "This page is open to who started the run: see the address that the run has told.\n"
    guard(application, token, name="dsfu-dashboard", refusal=refusal)
    server: Any = HTTPServer(application)
    try:
        sockets = bind_sockets(port, address=host or None)
    except OSError:
        sockets = bind_sockets(0, address=host or None)
    server.add_sockets(sockets)
    server.port = sockets[0].getsockname()[1]
    scheduler.http_application, scheduler.http_server = application, server
    scheduler.services["dashboard"] = server
    dashboard.connect(application, server, scheduler)
    shown = socket.gethostname() if host in _EVERYWHERE else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{server.port}/status?token={token}"
