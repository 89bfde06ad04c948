"""Stands before everything: refuses what is foreign or too large, hardens every answer."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable

from fastapi import HTTPException, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hemocast.errors import HemocastError
from hemocast.faults import internal_error
from hemocast.serve.reading.guard import HEADERS

_LOG = logging.getLogger(__name__)
API = "/api/"
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
REPORT_POLICY = (
    # The page names the hashes of its own style and script; without an origin of its own it can
    # reach nothing of ours, whatever it holds.
    "sandbox allow-scripts; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = HEADERS | {
    # With "no-referrer" browsers would say of our own forms that they come from nowhere.
    "Referrer-Policy": "same-origin",
}


class Guard:
    """The outermost layer of the service's web application.

    Parameters
    ----------
    app : ASGIApp
    origin : str
        Where people reach us.
    most_bytes : callable
        Of a path, the largest body that it takes.
    """

    def __init__(self, app: ASGIApp, origin: str, most_bytes: Callable[[str], int]) -> None:
        self._app = app
        self._origin = origin
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_at, status = time.monotonic(), 0

        async def hardened(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _harden(MutableHeaders(scope=message))
            await send(message)

        most = self._most_bytes(scope["path"])
        answer = _foreign(Request(scope), self._origin, most) or self._app
        try:
            await answer(scope, _limited(receive, most), hardened)
        except Exception as error:
            known = error if isinstance(error, HemocastError) else internal_error(error)
            _LOG.error("%s", known)
            if status:
                raise
            await _said("It could not be done. Try again.", 503)(scope, receive, hardened)
        finally:
            _note(scope, status, time.monotonic() - began_at)


def _limited(receive: Receive, most: int) -> Receive:
    came = 0

    async def limited() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise HTTPException(413, "It is too large.")
        return message

    return limited


def _harden(headers: MutableHeaders) -> None:
    headers.update(_HEADERS)
    if "content-security-policy" not in headers:
        headers["Content-Security-Policy"] = _POLICY
        headers["X-Frame-Options"] = "DENY"


def _foreign(request: Request, origin: str, most: int) -> Response | None:
    """Refuse what can only come from another site's page, or says itself that it is too large."""
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or int(length) > most:
        return _said("It is too large.", 413)
    if request.method in {"GET", "HEAD"} or request.url.path.startswith(API):
        return None  # the API knows no cookies: another site's page has nothing to use
    site = request.headers.get("sec-fetch-site", "same-origin")
    if request.headers.get("origin") != origin or site != "same-origin":
        return _said("Not from the service's own page.", 403)
    return None


def _said(text: str, status: int) -> Response:
    return PlainTextResponse(text, status)


def _note(scope: Scope, status: int, seconds: float) -> None:
    """Log a request as JSON: its route, never its path or query, which may identify a patient."""
    route = getattr(scope.get("route"), "path", "")
    told = {"method": scope["method"], "route": route, "status": status}
    _LOG.info("%s", json.dumps(told | {"ms": round(1000 * seconds)}))
