"""The way in by the hospital's provider of sign-ins, and back out of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from hemocast.errors import HemocastError, NotAdmitted
from hemocast.serve.hospital.people.openid import BACK, LASTS_S
from hemocast.serve.hospital.people.sessions import TooMany
from hemocast.serve.hospital.web.desk import Desk, address_from, desk_of, let_in
from hemocast.serve.hospital.web.render import page

if TYPE_CHECKING:
    from hemocast.serve.hospital.people.openid.sign_in import SignIn

router = APIRouter(default_response_class=HTMLResponse)
_LOG = logging.getLogger(__name__)


@router.get("/login/provider")
def go(request: Request) -> Response:
    """Send a browser to the provider."""
    desk = desk_of(request)
    try:
        begun = _sign_in(desk).begin()
    except HemocastError as error:
        return _failed(desk, error)
    response = RedirectResponse(begun.address, 303)
    # Lax: it must come along when the provider sends the browser back.
    response.set_cookie(
        desk.begun_cookie,
        begun.cookie,
        max_age=LASTS_S,
        httponly=True,
        samesite="lax",
        secure=desk.address.secure,
        path="/",
    )
    return response


@router.get(BACK)
def back(request: Request, state: str = "", code: str = "") -> Response:
    """Begin a session of whom the provider let in; where it leads then is not for a link to say."""
    desk = desk_of(request)
    sign_in = _sign_in(desk)
    cookie = request.cookies.get(desk.begun_cookie, "")
    try:
        session = desk.sessions.admit(
            lambda: sign_in.finish(cookie, state, code), address_from(request)
        )
    except TooMany:
        response = log_in_page(desk, 429, failed="often")
    except HemocastError as error:
        response = _failed(desk, error)
    else:
        # A page, and no redirect: the strict cookie goes with what our own page asks for alone.
        response = page("logged_in.html", desk.language, visitor=None)
        let_in(response, desk, session)
    response.delete_cookie(desk.begun_cookie, secure=desk.address.secure, httponly=True)
    return response


def _sign_in(desk: Desk) -> SignIn:
    if desk.sign_in is None:
        raise HTTPException(404, "There is no provider of sign-ins.")
    return desk.sign_in


def _failed(desk: Desk, error: HemocastError) -> Response:
    _LOG.warning("%s", error)
    if isinstance(error, NotAdmitted):
        return log_in_page(desk, 403, failed="denied", code=error.code)
    return log_in_page(desk, 503, failed="away", code=error.code)


def log_in_page(desk: Desk, status: int = 200, *, failed: str = "", code: str = "") -> Response:
    """Show both ways in, and why the last attempt failed."""
    return page(
        "login.html", desk.language, status, failed=failed, code=code, visitor=None,
        provider=desk.sign_in,
    )  # fmt: skip


def way_out(desk: Desk) -> str:
    """Give the provider's address where a session there is ended; "" where it tells none."""
    try:
        return desk.sign_in.farewell() if desk.sign_in is not None else ""
    except HemocastError as error:
        _LOG.warning("%s", error)
        return ""
