"""Who may enter the reading room, and what every answer of the server carries."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections import deque
from dataclasses import dataclass

from fastapi import HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hemocast.errors import StoreError
from hemocast.readers.store.answers import PersonalLink, Store
from hemocast.report.page import content_policy

log = logging.getLogger(__name__)

MOST_BYTES = 1024 * 1024
"""Of an answer: `MOST_REGIONS` of 300 points each are below it."""

HEADER = "x-hemocast-reading"
"""A page of another site cannot send it without being asked first, and is then refused."""

_SITTING_SECONDS = 12 * 3600
_STAY_SECONDS = 60 * 86400
_WRONG_LINKS = 10
_WRONG_SECONDS = 60.0
_ASK = "Ask who leads the study for a new one."
_OWN = ("script-src", "style-src", "img-src", "connect-src")
_POLICY = content_policy({**dict.fromkeys(_OWN, "'self'"), "frame-ancestors": "'none'"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
"""Of every answer of a web application of ours."""
_HEADERS = HEADERS | {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class Guard:
    """Stands before everything: refuses what is foreign, and lets nothing out without headers.

    Parameters
    ----------
    app : ASGIApp
    origin : str
        Where readers reach us.
    """

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = False

        async def hardened(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                _harden(MutableHeaders(scope=message))
            await send(message)

        answer = refuse_foreign(Request(scope), self._origin) or self._app
        try:
            await answer(scope, receive, hardened)
        except Exception as error:
            if began:
                raise
            await told(error)(scope, receive, hardened)


def _harden(headers: MutableHeaders) -> None:
    headers.update(_HEADERS)
    for name in ("etag", "last-modified"):
        if name in headers:
            del headers[name]


def told(error: Exception) -> Response:
    """Say in a sentence that something failed here; the log has its kind and no more."""
    log.error("refused: %s", getattr(error, "code", type(error).__name__))
    if isinstance(error, StoreError):
        said = "The answers cannot be reached now: nothing was kept. Try again"
    else:
        said = "It could not be shown. Try again"
    return JSONResponse({"error": f"{said}, and tell who leads the study."}, 503)


def refuse_foreign(request: Request, origin: str) -> Response | None:
    """Refuse what can only come from another site's page, or is no answer of ours.

    Parameters
    ----------
    request : Request
    origin : str
        Where readers reach us.
    """
    if request.method in {"GET", "HEAD"}:
        return None
    sender = request.headers.get("origin", origin)
    site = request.headers.get("sec-fetch-site", "same-origin")
    if sender != origin or site != "same-origin" or HEADER not in request.headers:
        return JSONResponse({"error": "Not from the reading room's own page."}, 403)
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        return JSONResponse({"error": "An answer is JSON."}, 415)
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        return JSONResponse({"error": "An answer says how long it is."}, 411)
    if int(length) > MOST_BYTES:
        return JSONResponse({"error": "The answer is too large."}, 413)
    return None


@dataclass(frozen=True)
class Sitting:
    """A reader signed in.

    Parameters
    ----------
    link : PersonalLink
    until : int
        Unix time.
    """

    link: PersonalLink
    until: int


class SignIn:
    """Exchanges a personal link for a cookie, once, and tells the reader by the cookie.

    The cookie names the link's number, not the reader, and is signed by the study's store: it
    outlives a restart of the server and ends with a newer link.

    Parameters
    ----------
    store : Store
    secure : bool
        Served over TLS: the cookie then never travels without it.
    """

    def __init__(self, store: Store, *, secure: bool) -> None:
        self._store = store
        self._secure = secure
        # Two studies on one machine have two cookies.
        self._cookie = f"hemocast_{hashlib.sha256(store.study.encode()).hexdigest()[:8]}"
        self._wrong: deque[float] = deque(maxlen=_WRONG_LINKS)

    def exchange(self, token: str, *, stay: bool) -> Sitting:
        """Use a link: from now on it is worth nothing.

        A link cannot be guessed (256 bits). Who tries nevertheless is held back, and nobody else:
        all readers may come by one proxy, so a right link enters after any number of wrong ones.
        """
        link = self._store.link_of(token) if len(token) <= 100 else None
        if link is None:
            now = time.monotonic()
            many = len(self._wrong) == _WRONG_LINKS and now - self._wrong[0] < _WRONG_SECONDS
            self._wrong.append(now)
            raise HTTPException(429 if many else 404, f"This link is not valid. {_ASK}")
        if not self._store.use(link):
            raise HTTPException(410, f"This link was used already. {_ASK}")
        return Sitting(link, int(time.time()) + (_STAY_SECONDS if stay else _SITTING_SECONDS))

    def give_cookie(self, response: Response, sitting: Sitting) -> None:
        """Set the cookie of a sitting, who goes on reading stays signed in."""
        now = int(time.time())
        until = max(sitting.until, now + _SITTING_SECONDS)
        text = f"{sitting.link.number}.{until}"
        response.set_cookie(
            self._cookie,
            f"{text}.{self._store.sign('cookie:' + text)}",
            max_age=until - now,
            httponly=True,
            samesite="strict",
            secure=self._secure,
        )

    def sitting(self, request: Request) -> Sitting | None:
        """Tell by whose link a request's cookie was given, if it still holds."""
        text, _, signature = request.cookies.get(self._cookie, "").rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._store.sign(f"cookie:{text}").encode()):
            return None
        number, until = map(int, text.split("."))
        link = self._store.current_link(number) if until >= time.time() else None
        return Sitting(link, until) if link else None

    def need_sitting(self, request: Request) -> Sitting:
        """Tell by whose link a request's cookie was given, or refuse the request."""
        sitting = self.sitting(request)
        if sitting is None:
            raise HTTPException(
                401, "You are not signed in any more. Ask who leads the study for a new link."
            )
        return sitting
