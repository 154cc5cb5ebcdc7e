"""The door of a page that is served: only who shows its token comes in."""

import hmac
import secrets
from typing import Any
from urllib.parse import parse_qs


def guard(application: Any, token: str, *, name: str, refusal: str) -> None:
    """Let a tornado application answer whoever has shown the token, and refuse everyone else, websockets too.

    Parameters
    ----------
    name
        Of the cookie for which the token is exchanged; something of its own is added.
    refusal
        Told to whoever is refused.
    """
    from tornado import web

    cookie = f"{name}-{secrets.token_hex(4)}"  # browsers share cookies between ports of a host
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
                self.finish(refusal)

    def find_handler(request: Any, **more: Any) -> Any:
        shown = request.cookies.get(cookie)
        if shown is not None and is_right(shown.value) and "token" not in parse_qs(request.query):
            return answer(request, **more)
        return application.get_handler_delegate(request, Door)

    application.find_handler = find_handler
