"""The reading room: one local web page where a reader reads the scans of a study, blinded.

What leaves the server: pixels, the reader's own answers, progress, and in the aided arm the model's
result. Never a pseudonym, a label, clinical data or another reader's answer. Cases are addressed
by a keyed hash of reader, arm and order, so that an address tells nothing, and a case's second
reading has another one than its first.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException as StarletteError
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from hemocast.readers.study.folder import Study
from hemocast.readers.study.images import HEAT_SIZE, Pixels
from hemocast.serve.reading.address import Address
from hemocast.serve.reading.answers import AnswerIn, EnterIn
from hemocast.serve.reading.connections import server_config
from hemocast.serve.reading.guard import Guard, SignIn, Sitting
from hemocast.serve.reading.room import Room

_SWITCH_S = 0.0005
STATIC = Path(__file__).parent / "static"


def _signed_in(request: Request) -> Sitting:
    sign_in: SignIn = request.app.state.sign_in
    return sign_in.need_sitting(request)


async def _reader(sitting: Annotated[Sitting, Depends(_signed_in)]) -> str:
    return sitting.link.reader_id


Reader = Annotated[str, Depends(_reader)]


def reading_app(study: Study, address: Address) -> FastAPI:
    """Make the web application of one study.

    Parameters
    ----------
    study : Study
    address : Address
        Where readers reach it: requests for another host are refused.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, title="Hemocast reading room")
    sign_in = SignIn(study.store, secure=address.secure)
    app.state.sign_in = sign_in
    _add_errors(app)
    _add_pages(app, sign_in)
    _add_cases(app, Room(study))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[address.host], www_redirect=False)
    app.add_middleware(Guard, origin=address.origin)
    return app


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(StarletteError)
    async def _http(_request: Request, error: StarletteError) -> Response:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _bad(_request: Request, error: RequestValidationError) -> Response:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}"[:200] for e in error.errors()]
        return JSONResponse({"error": "The answer is not valid.", "faults": faults[:10]}, 422)


def _add_pages(app: FastAPI, sign_in: SignIn) -> None:
    # Programs that look what is behind a link (previews, scanners) fetch it: that uses nothing.
    @app.get("/r/{token}")
    def door(token: str) -> Response:
        return FileResponse(STATIC / "enter.html")

    @app.post("/r/{token}")
    def enter(token: str, given: EnterIn) -> Response:
        sitting = sign_in.exchange(token, stay=given.stay)
        response = RedirectResponse("/", 303)
        sign_in.give_cookie(response, sitting)
        return response

    @app.get("/")
    def index(request: Request) -> Response:
        if sign_in.sitting(request):
            return FileResponse(STATIC / "index.html")
        return FileResponse(STATIC / "closed.html", 401)


def _add_cases(app: FastAPI, room: Room) -> None:
    @app.get("/api/state")
    def state(
        sitting: Annotated[Sitting, Depends(_signed_in)], request: Request, response: Response
    ) -> dict[str, Any]:
        request.app.state.sign_in.give_cookie(response, sitting)
        return room.state(sitting.link.reader_id)

    @app.get("/api/case/{key}")
    def case(key: str, reader: Reader) -> dict[str, Any]:
        return room.case(reader, key)

    @app.get("/api/case/{key}/frames")
    def frames(key: str, reader: Reader) -> Response:
        return _pixels(room.frames(reader, key))

    @app.get("/api/case/{key}/series")
    def series(key: str, reader: Reader) -> Response:
        return _pixels(room.series(reader, key))

    @app.get("/api/case/{key}/heat")
    def heat(key: str, reader: Reader) -> Response:
        shades, top = room.heat(reader, key)
        shape = (len(shades) // HEAT_SIZE**2, HEAT_SIZE, HEAT_SIZE)
        return _binary(shades, {"X-Shape": _list(shape), "X-Top": f"{top:g}"})

    @app.post("/api/case/{key}/answer")
    def answer(key: str, given: AnswerIn, reader: Reader) -> dict[str, Any]:
        return room.keep(reader, key, given)


def _pixels(pixels: Pixels) -> Response:
    spacing = [float(f"{mm:.5g}") for mm in pixels.spacing_mm]
    headers = {"X-Shape": _list(pixels.shape), "X-Spacing": _list(spacing)}
    if pixels.frame_slices:
        headers["X-Frame-Slices"] = _list(pixels.frame_slices)
    if pixels.zipped:
        headers["Content-Encoding"] = "gzip"
    return _binary(pixels.content, headers)


def _list(numbers: Sequence[float]) -> str:
    return ",".join(map(str, numbers))


def _binary(content: bytes, headers: dict[str, str]) -> Response:
    return Response(content, media_type="application/octet-stream", headers=headers)


def run_reading_room(study: Study, address: Address, listening: socket.socket) -> None:
    """Serve a study until stopped. Addresses hold the links' tokens: none is logged.

    Parameters
    ----------
    study : Study
    address : Address
        Where readers reach it.
    listening : socket
        As `address.listen` gives it.
    """
    # Forty threads wait for the database; the one that talks to the network gets its turn sooner.
    sys.setswitchinterval(_SWITCH_S)
    config = server_config(reading_app(study, address))
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])
