"""Who may enter the reading room, and what every answer of the server carries."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict, deque
from threading import Lock

from fastapi import HTTPException, Request, Response
from fastapi.responses import JSONResponse

from hemocast.readers.store.answers import PersonalLink, Store
from hemocast.report.page import content_policy

MOST_BYTES = 1024 * 1024
"""Of an answer: `MOST_REGIONS` of 300 points each are below it."""

HEADER = "x-hemocast-reading"
"""A page of another site cannot send it without being asked first, and is then refused."""

_SITTING_SECONDS = 12 * 3600
_WRONG_LINKS = 10
_WRONG_SECONDS = 60.0
_MOST_CLIENTS = 1000
_OWN = ("script-src", "style-src", "img-src", "connect-src")
_POLICY = content_policy({**dict.fromkeys(_OWN, "'self'"), "frame-ancestors": "'none'"})
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


def harden(response: Response) -> Response:
    """Add the headers that every response carries."""
    for name, value in _HEADERS.items():
        response.headers[name] = value
    for name in ("etag", "last-modified"):
        if name in response.headers:
            del response.headers[name]
    return response


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


class SignIn:
    """Turns a personal link into a cookie, and a cookie into a reader.

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
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def admit(self, token: str, client: str) -> PersonalLink:
        """Give the link of a token; after ten wrong ones in a minute, none."""
        with self._lock:
            wrong = self._wrong.setdefault(client, deque(maxlen=_WRONG_LINKS))
            self._wrong.move_to_end(client)
            while len(self._wrong) > _MOST_CLIENTS:
                self._wrong.popitem(last=False)
            now = time.monotonic()
            if len(wrong) == _WRONG_LINKS and now - wrong[0] < _WRONG_SECONDS:
                raise HTTPException(429, "Too many attempts. Wait a minute.")
            link = self._store.link_of(token) if len(token) <= 100 else None
            if link is None:
                wrong.append(now)
                raise HTTPException(404, "Not Found")
        return link

    def give_cookie(self, response: Response, link: PersonalLink) -> None:
        """Set the cookie of a sitting."""
        text = f"{link.number}.{int(time.time()) + _SITTING_SECONDS}"
        response.set_cookie(
            self._cookie,
            f"{text}.{self._store.sign('cookie:' + text)}",
            max_age=_SITTING_SECONDS,
            httponly=True,
            samesite="strict",
            secure=self._secure,
        )

    def link_of(self, request: Request) -> PersonalLink | None:
        """Tell by whose link a request's cookie was given, if it still holds."""
        text, _, signature = request.cookies.get(self._cookie, "").rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._store.sign(f"cookie:{text}").encode()):
            return None
        number, until = map(int, text.split("."))
        return self._store.current_link(number) if until >= time.time() else None

    def need_link(self, request: Request) -> PersonalLink:
        """Tell by whose link a request's cookie was given, or refuse the request."""
        link = self.link_of(request)
        if link is None:
            raise HTTPException(401, "Open your personal link again.")
        return link
