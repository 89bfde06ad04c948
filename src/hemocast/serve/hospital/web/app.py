"""The web application of the hospital's service.

Whoever is not logged in reaches the log-in page, its style and `/alive`, and nothing else. Programs
come with a token, which opens the REST API alone; the API knows no cookies.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException as StarletteError
from starlette.middleware.trustedhost import TrustedHostMiddleware

from hemocast.serve.hospital.people.audit import Act, Kind, Person
from hemocast.serve.hospital.people.export import AuditExport
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.web import openid, pages, rest, stow
from hemocast.serve.hospital.web.desk import Desk, NotLoggedIn, visitor_of
from hemocast.serve.hospital.web.guard import API, Guard
from hemocast.serve.hospital.web.render import page
from hemocast.serve.reading.address import listen
from hemocast.serve.reading.connections import server_config

_FORM_BYTES = 64 * 1024
_TABLE_BYTES = 5 * 1024 * 1024
_WHOLE_UPLOAD_S = 600.0
_STOP_S = 10.0


def hospital_app(desk: Desk) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    desk : Desk
        What it works with.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, title="Hemocast")
    app.state.desk = desk
    app.include_router(pages.router)
    app.include_router(openid.router)
    app.include_router(rest.router)
    app.include_router(stow.router)
    _add_errors(app, desk)
    upload_bytes = desk.settings.upload_mb * 10**6
    most = {"/outcomes": _TABLE_BYTES, rest.STUDIES_PATH: upload_bytes}

    def most_bytes(path: str) -> int:
        if path.startswith(stow.STOW_PATH):
            return upload_bytes
        return most.get(path, _FORM_BYTES)

    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[desk.address.host], www_redirect=False)
    app.add_middleware(Guard, origin=desk.address.origin, most_bytes=most_bytes)
    return app


def _add_errors(app: FastAPI, desk: Desk) -> None:
    @app.exception_handler(NotLoggedIn)
    def _log_in(request: Request, _error: NotLoggedIn) -> Response:
        if request.method in {"GET", "HEAD"}:
            return RedirectResponse("/login", 303)
        return page("refused.html", desk.language, 401, visitor=None, code=401)

    @app.exception_handler(StarletteError)
    def _refused(request: Request, error: StarletteError) -> Response:
        if request.url.path.startswith(API):
            return JSONResponse({"error": error.detail}, error.status_code, error.headers)
        return _page(request, error.status_code)

    @app.exception_handler(RequestValidationError)
    def _bad(request: Request, error: RequestValidationError) -> Response:
        if request.url.path.startswith(API):
            # Names and kinds of faults: a value may identify a patient.
            faults = [f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in error.errors()]
            return JSONResponse({"error": "It is not valid.", "faults": faults[:10]}, 422)
        return _page(request, 422)

    def _page(request: Request, code: int) -> Response:
        visitor = visitor_of(request)
        return page("refused.html", desk.language, code, visitor=visitor, code=code)


@contextmanager
def serving(desk: Desk, listening: socket.socket) -> Iterator[None]:
    """Serve the pages in a thread, until the block ends.

    Parameters
    ----------
    desk : Desk
        What they work with.
    listening : socket
        As `hemocast.serve.reading.address.listen` gives it.
    """
    server = uvicorn.Server(server_config(hospital_app(desk), whole_s=_WHOLE_UPLOAD_S))
    # Signals are the service's own business.
    thread = Thread(target=server.run, args=([listening],), name="hemocast-web", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_STOP_S)


@contextmanager
def open_pages(office: Office) -> Iterator[str]:
    """Serve the pages of a service, and send its audit log to the collector.

    Parameters
    ----------
    office : Office
        As `hemocast.serve.hospital.service.opened` gives it.

    Yields
    ------
    str
        Where people reach the pages.

    Raises
    ------
    InUse, UsageError
        The settings' port is taken, or nobody could reach the address.
    """
    settings = office.settings
    desk = Desk.of(
        office.root, office.database, settings.web, settings.analysis.lang, settings.sign_in
    )
    service = Person(f"service:{settings.node.ae_title}")
    export = AuditExport(office.database, desk.audit, settings.collector, settings.node.ae_title)
    listening = listen(settings.web.host, settings.web.port)
    with listening, export.running(), serving(desk, listening):
        desk.audit.record(Act(Kind.START, service))
        try:
            yield desk.address.origin
        finally:
            desk.audit.record(Act(Kind.STOP, service))
