"""The reading room: one local web page where a reader reads the scans of a study, blinded.

What leaves the server: pixels, the reader's own answers, progress, and in the aided arm the model's
result. Never a pseudonym, a label, clinical data or another reader's answer. Cases are addressed
by a keyed hash of reader, arm and order, so that an address tells nothing, and a case's second
reading has another one than its first.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException as StarletteError
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from hemocast.errors import StoreError
from hemocast.readers.store.answers import Seat
from hemocast.readers.study.folder import Study
from hemocast.readers.study.images import HEAT_SIZE, Pixels
from hemocast.serve.reading.answers import AnswerIn
from hemocast.serve.reading.guard import Doorkeeper, harden, origin_of, refuse_foreign
from hemocast.serve.reading.room import Room

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"


def _seat(request: Request) -> Seat:
    door: Doorkeeper = request.app.state.door
    return door.need_seat(request)


Reader = Annotated[Seat, Depends(_seat)]


def reading_app(study: Study, address: str) -> FastAPI:
    """Make the web application of one study.

    Parameters
    ----------
    study : Study
    address : str
        Where readers reach it, ``http://127.0.0.1:8765``: requests for another host are refused.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, title="Hemocast reading room")
    door = Doorkeeper(study.store, study.design.name, secure=address.startswith("https:"))
    app.state.door = door
    room = Room(study)
    _add_errors(app)
    _add_pages(app, door)
    _add_cases(app, room)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    host = urlsplit(address).hostname or "127.0.0.1"
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[host], www_redirect=False)
    app.middleware("http")(_hardened(origin_of(address)))
    return app


def _hardened(
    address: str,
) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    async def guard(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        refusal = refuse_foreign(request, address)
        return harden(refusal or await call_next(request))

    return guard


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(StarletteError)
    async def _http(_request: Request, error: StarletteError) -> Response:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _bad(_request: Request, error: RequestValidationError) -> Response:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}"[:200] for e in error.errors()]
        return JSONResponse({"error": "The answer is not valid.", "faults": faults[:10]}, 422)

    @app.exception_handler(StoreError)
    async def _store(_request: Request, _error: StoreError) -> Response:
        log.error("an answer could not be kept")
        return JSONResponse({"error": "The answer could not be kept."}, 503)


def _add_pages(app: FastAPI, door: Doorkeeper) -> None:
    @app.get("/r/{token}")
    def enter(token: str, request: Request) -> Response:
        seat = door.admit(token, request.client.host if request.client else "")
        response = FileResponse(STATIC / "enter.html")
        door.give_cookie(response, seat)
        return response

    @app.get("/")
    def index(request: Request) -> Response:
        page = "index.html" if door.seat_of(request) else "closed.html"
        return FileResponse(STATIC / page, 200 if page == "index.html" else 401)


def _add_cases(app: FastAPI, room: Room) -> None:
    @app.get("/api/state")
    def state(seat: Reader, request: Request, response: Response) -> dict[str, Any]:
        request.app.state.door.give_cookie(response, seat)  # who goes on reading stays signed in
        return room.state(seat.reader_id)

    @app.get("/api/case/{key}")
    def case(key: str, seat: Reader) -> dict[str, Any]:
        return room.case(seat.reader_id, key)

    @app.get("/api/case/{key}/frames")
    def frames(key: str, seat: Reader) -> Response:
        return _pixels(room.frames(seat.reader_id, key))

    @app.get("/api/case/{key}/series")
    def series(key: str, seat: Reader) -> Response:
        return _pixels(room.series(seat.reader_id, key))

    @app.get("/api/case/{key}/heat")
    def heat(key: str, seat: Reader) -> Response:
        levels, top = room.heat(seat.reader_id, key)
        shape = f"{len(levels) // HEAT_SIZE**2},{HEAT_SIZE},{HEAT_SIZE}"
        headers = {"X-Shape": shape, "X-Top": f"{top:.2f}"}
        return Response(levels, media_type="application/octet-stream", headers=headers)

    @app.post("/api/case/{key}/answer")
    def answer(key: str, given: AnswerIn, seat: Reader) -> dict[str, Any]:
        return room.keep(seat.reader_id, key, given)


def _pixels(pixels: Pixels) -> Response:
    headers = {
        "X-Shape": ",".join(map(str, pixels.shape)),
        "X-Spacing": ",".join(f"{mm:.5g}" for mm in pixels.spacing_mm),
    }
    if pixels.levels:
        headers["X-Levels"] = ",".join(map(str, pixels.levels))
    if pixels.zipped:
        headers["Content-Encoding"] = "gzip"
    return Response(pixels.content, media_type="application/octet-stream", headers=headers)


def run_reading_room(study: Study, address: str, host: str, port: int) -> None:
    """Serve a study until stopped. Addresses hold the links' tokens: none is logged."""
    import uvicorn

    uvicorn.run(
        reading_app(study, address),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
    )
