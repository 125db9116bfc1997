"""Access to the page: only from this machine, with the token."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

HOST = "127.0.0.1"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def require_token(token: str) -> Any:
    """Return the middleware that checks every request: the token in the address, or the cookie that it leaves.

    A request must also name this machine, and a socket must be opened by this page: a page of another site in the same
    browser gets nothing, whatever address its name points to.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        name, _, port = host.partition(":")
        origin = request.headers.get("Origin")
        if name not in (HOST, "localhost") or (origin is not None and origin != f"http://{host}"):
            return web.Response(status=403, text="emfem view answers its own page only.\n")
        cookie = f"emfem_{port}"
        shown, stored = request.query.get("secret", ""), request.cookies.get(cookie, "")
        if not (_same(shown, token) or _same(stored, token)):
            return web.Response(status=403, text="Open the whole address that emfem view printed: it holds a token.\n")
        if request.path == "/" or (request.path == "/index.html" and not shown):  # the script needs it, after F5 too
            response: web.StreamResponse = web.HTTPFound(f"/index.html?secret={token}")
        else:
            response = await handler(request)
        if not response.prepared:
            response.headers["Referrer-Policy"] = "no-referrer"
            if _same(shown, token):
                response.set_cookie(cookie, token, httponly=True, samesite="Strict", path="/")
        return response

    return check


def _same(shown: str, token: str) -> bool:
    """Compare two texts in a time that does not depend on where they differ."""
    return secrets.compare_digest(shown.encode(), token.encode())
