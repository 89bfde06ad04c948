"""The pages for people: log-in, worklist, cases, outcomes, the audit log, the service's health."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from hemocast.dataset.tables.schema import GRADES
from hemocast.errors import HemocastError
from hemocast.serve.hospital.people.audit import Act, Kind
from hemocast.serve.hospital.people.outcomes import BLEEDS, read_outcome
from hemocast.serve.hospital.people.sessions import TooMany
from hemocast.serve.hospital.people.worklist import Found, Row
from hemocast.serve.hospital.store.jobs import State
from hemocast.serve.hospital.web.desk import (
    Admin,
    Desk,
    Engineer,
    Reader,
    Sender,
    Visitor,
    address_from,
    desk_of,
    let_in,
    visitor_of,
)
from hemocast.serve.hospital.web.guard import REPORT_POLICY
from hemocast.serve.hospital.web.health import health_of
from hemocast.serve.hospital.web.openid import log_in_page, way_out
from hemocast.serve.hospital.web.render import page, style

router = APIRouter(default_response_class=HTMLResponse)
_SCAN = re.compile(r"[A-Za-z0-9_-]{1,120}")
_Words = Annotated[str, Form(max_length=2048)]


@router.get("/static/hospital.css")
def css() -> Response:
    """Give the style of all pages; it is the same for everybody."""
    return Response(style(), media_type="text/css")


@router.get("/alive")
def alive() -> Response:
    """Say that the process answers, and nothing else: for load balancers."""
    return Response(status_code=204)


@router.get("/login")
def login_page(request: Request) -> Response:
    """Show the form, or the worklist to who is logged in."""
    if visitor_of(request) is not None:
        return RedirectResponse("/", 303)
    return log_in_page(desk_of(request))


@router.post("/login")
def login(request: Request, name: _Words = "", password: _Words = "") -> Response:
    """Begin a session."""
    desk = desk_of(request)
    try:
        session = desk.sessions.log_in(name.strip().lower(), password, address_from(request))
    except TooMany:
        return log_in_page(desk, 429, failed="often")
    if session is None:
        return log_in_page(desk, 401, failed="wrong")
    response = RedirectResponse("/", 303)
    let_in(response, desk, session)
    return response


@router.post("/logout")
def logout(visitor: Sender, request: Request) -> Response:
    """End the session."""
    desk = desk_of(request)
    desk.sessions.log_out(visitor.session, visitor.by.address)
    response: Response = RedirectResponse("/login", 303)
    if not visitor.session.account.local:
        farewell = way_out(desk)
        response = page("logged_out.html", desk.language, visitor=None, farewell=farewell)
    response.delete_cookie(desk.cookie, secure=desk.address.secure, httponly=True)
    return response


@router.get("/")
def worklist(visitor: Reader, request: Request, number: int = 1, state: str = "") -> Response:
    """Show a page of the worklist."""
    desk = desk_of(request)
    wanted = State(state) if state in list(State) else None
    found = desk.worklist.page(min(number, 1_000_000), state=wanted)
    return _worklist(desk, visitor, found, detail=f"state {wanted}" if wanted else "all")


@router.post("/find")
def find(
    visitor: Sender, request: Request, accession: Annotated[str, Form(max_length=16)] = ""
) -> Response:
    """Show the studies with an accession number; it stands in no address, and so in no log."""
    desk = desk_of(request)
    found = desk.worklist.page(accession=accession.strip())
    return _worklist(desk, visitor, found, detail="accession", sought=accession.strip())


def _worklist(
    desk: Desk, visitor: Visitor, found: Found, *, detail: str, sought: str = ""
) -> Response:
    seen = tuple(row.study for row in found.rows)
    desk.audit.record(Act(Kind.WORKLIST, visitor.by, seen, detail))
    return page(
        "worklist.html", desk.language, visitor=visitor, found=found, sought=sought,
        state=detail.removeprefix("state ") if detail.startswith("state ") else "",
        states=list(State),
    )  # fmt: skip


@router.get("/case/{study}")
def case(study: int, visitor: Reader, request: Request) -> Response:
    """Show a study."""
    desk, row = desk_of(request), _study(request, study)
    desk.audit.record(Act(Kind.CASE, visitor.by, (study,)))
    return _case(desk, visitor, row)


def _case(desk: Desk, visitor: Visitor, row: Row, status: int = 200, fault: str = "") -> Response:
    return page(
        "case.html", desk.language, status, visitor=visitor, row=row, fault=fault,
        history=desk.outcomes.history(row.study), grades=BLEEDS,
        pages={one.scan for one in row.results if _report(desk, row, one.scan).is_file()},
    )  # fmt: skip


@router.get("/case/{study}/report/{scan}")
def report(study: int, scan: str, visitor: Reader, request: Request) -> Response:
    """Give a scan's page as it was made, apart from everything else by its own policy."""
    desk, row = desk_of(request), _study(request, study)
    path = _report(desk, row, scan)
    if scan not in {one.scan for one in row.results} or not path.is_file():
        raise HTTPException(404, "There is no such page.")
    desk.audit.record(Act(Kind.CASE, visitor.by, (study,), "report"))
    headers = {"Content-Security-Policy": REPORT_POLICY}
    return FileResponse(path, media_type="text/html; charset=utf-8", headers=headers)


def _report(desk: Desk, row: Row, scan: str) -> Path:
    folder = desk.root.result(row.name, row.revision)
    return folder / (scan if _SCAN.fullmatch(scan) else "-") / "report.html"


def _study(request: Request, study: int) -> Row:
    row = desk_of(request).worklist.get(study) if 0 < study < 2**31 else None
    if row is None:
        raise HTTPException(404, "There is no such study.")
    return row


@router.post("/case/{study}/outcome")
def enter(
    study: int,
    visitor: Sender,
    request: Request,
    blood: _Words = "",
    grade: _Words = "",
    seen_on: _Words = "",
) -> Response:
    """Keep what a follow-up showed."""
    desk, row = desk_of(request), _study(request, study)
    try:
        desk.outcomes.add({study: read_outcome(blood, grade, seen_on)}, visitor.by)
    except HemocastError as error:
        return _case(desk, visitor, row, 422, fault=str(error))
    return RedirectResponse(f"/case/{study}", 303)


@router.get("/outcomes")
def outcomes_page(visitor: Reader, request: Request) -> Response:
    """Show the form for a table of outcomes."""
    return page(
        "outcomes.html", desk_of(request).language, visitor=visitor, kept=None, fault="",
        grades=GRADES,
    )  # fmt: skip


@router.post("/outcomes")
def take_outcomes(visitor: Sender, request: Request, table: UploadFile) -> Response:
    """Keep the outcomes of a table: all rows, or none."""
    desk = desk_of(request)
    fault, kept = "", None
    with TemporaryDirectory(dir=desk.root.work) as folder:
        path = Path(folder) / "outcomes.csv"
        path.write_bytes(table.file.read())
        try:
            kept = desk.outcomes.import_table(path, visitor.by)
        except HemocastError as error:
            fault = str(error)
    return page(
        "outcomes.html", desk.language, 422 if fault else 200, visitor=visitor, kept=kept,
        fault=fault, grades=GRADES,
    )  # fmt: skip


@router.get("/audit")
def audit(visitor: Admin, request: Request, before: int = 2**31 - 1) -> Response:
    """Show the audit log, the latest first."""
    desk = desk_of(request)
    entries = desk.audit.entries(before=max(1, min(before, 2**31 - 1)))
    desk.audit.record(Act(Kind.AUDIT, visitor.by))
    return page("audit.html", desk.language, visitor=visitor, entries=entries)


@router.get("/health")
def health(visitor: Engineer, request: Request) -> Response:
    """Show how the service does."""
    desk = desk_of(request)
    return page(
        "health.html", desk.language, visitor=visitor, health=health_of(desk),
        accounts=desk.accounts.all(),
    )  # fmt: skip
