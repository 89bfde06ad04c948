"""The REST API: send a study, ask for a result; measures for Prometheus. By token alone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field

from hemocast.errors import HemocastError
from hemocast.report.words import RESEARCH_NOTICE
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.people.audit import Act, Kind
from hemocast.serve.hospital.people.roles import Scope
from hemocast.serve.hospital.people.tokens import Token
from hemocast.serve.hospital.people.worklist import Row
from hemocast.serve.hospital.store.arrivals import Arrivals, Outcome
from hemocast.serve.hospital.web.desk import desk_of, need_token, person_of
from hemocast.serve.hospital.web.health import health_of, measures
from hemocast.serve.hospital.web.uploads import Taken, kept_or_told, receive, take
from hemocast.version import VERSION

STUDIES_PATH = "/api/v1/studies"
router = APIRouter()

ResultsToken = Annotated[Token, Depends(need_token(Scope.RESULTS))]
StudiesToken = Annotated[Token, Depends(need_token(Scope.STUDIES))]
MetricsToken = Annotated[Token, Depends(need_token(Scope.METRICS))]


class TakenOut(BaseModel):
    """What became of the images that were sent."""

    stored: int = Field(description="images that are here now and durable")
    known: int = Field(description="images that were here already")
    differs: int = Field(description="other images with a known UID: the first one stays")
    refused: dict[str, int] = Field(description="images that were not taken, by code")


class ScanOut(BaseModel):
    """What was found in one scan."""

    scan: str = Field(description="pseudonym of the scan")
    code: str = Field(description="of a refusal; empty where there is a probability")
    probability: float | None = Field(description="of hemorrhagic transformation, 0 to 1")
    model: str = Field(description="hash of the model")


class StudyOut(BaseModel):
    """Where a study stands, and what was found in its last revision."""

    study_uid: str
    accession: str
    arrived: datetime
    state: str = Field(description="received, settled, read, predicted, delivered, refused, failed")
    revision: int
    images: int
    code: str = Field(description="why it was refused or failed")
    message: str
    scans: list[ScanOut]


class StudiesOut(BaseModel):
    """The studies that were asked for."""

    notice: str = RESEARCH_NOTICE
    studies: list[StudyOut]


@router.post(
    STUDIES_PATH,
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/zip": {"schema": {"type": "string", "format": "binary"}},
                "application/dicom": {"schema": {"type": "string", "format": "binary"}},
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "additionalProperties": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                        },
                    }
                },
            },
        }
    },
)
async def send_study(token: StudiesToken, request: Request) -> TakenOut:
    """Send images of a study: a zip, one image, or a form with a file each."""
    desk = desk_of(request)
    inbox = Inbox(desk.root, Arrivals(desk.database))
    try:
        with kept_or_told():
            await run_in_threadpool(inbox.check_room)
            with desk.root.receiving() as folder:
                await receive(request, folder)
                sender = f"rest:{token.account.name}"
                taken = await run_in_threadpool(take, desk, inbox, folder, sender)
    except HemocastError as error:
        raise HTTPException(422, str(error)) from error
    detail = f"{sum(taken.outcomes.values())} images"
    act = Act(Kind.IMAGES, person_of(token, request), taken.studies, detail)
    await run_in_threadpool(desk.audit.record, act)
    return _taken(taken)


def _taken(taken: Taken) -> TakenOut:
    counts = {outcome.value: taken.outcomes.get(outcome, 0) for outcome in Outcome}
    return TakenOut(**counts, refused=taken.refused)


@router.get("/api/v1/results")
def results(
    token: ResultsToken,
    request: Request,
    study_uid: Annotated[str, Query(max_length=64, pattern=r"^[0-9.]*$")] = "",
    accession: Annotated[str, Query(max_length=16)] = "",
) -> StudiesOut:
    """Ask what became of studies, by study UID or by accession number."""
    desk = desk_of(request)
    if bool(study_uid) == bool(accession):
        raise HTTPException(422, "Ask by study_uid or by accession.")
    found: tuple[Row, ...]
    if accession:
        found = desk.worklist.page(accession=accession, size=100).rows
    else:
        one = desk.worklist.by_uid(study_uid)
        found = () if one is None else (one,)
    by = person_of(token, request)
    seen = tuple(row.study for row in found)
    desk.audit.record(Act(Kind.RESULT, by, seen, "study_uid" if study_uid else "accession"))
    if not found:
        raise HTTPException(404, "There is no such study.")
    return StudiesOut(studies=[_study(row) for row in found])


def _study(row: Row) -> StudyOut:
    scans = [
        ScanOut(scan=one.scan, code=one.code, probability=one.probability, model=one.model)
        for one in row.results
    ]
    return StudyOut(
        study_uid=row.study_uid,
        accession=row.accession,
        arrived=row.arrived,
        state=row.state,
        revision=row.revision,
        images=row.images,
        code=row.code,
        message=row.message,
        scans=scans,
    )


@router.get("/api/v1/metrics")
def metrics(_token: MetricsToken, request: Request) -> Response:
    """Give measures as Prometheus reads them; nothing in them identifies anybody."""
    text = measures(health_of(desk_of(request)))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/api/v1/openapi.json", include_in_schema=False)
def openapi(_token: ResultsToken) -> dict[str, Any]:
    """Give this description of the API."""
    described: dict[str, Any] = get_openapi(
        title="Hemocast", version=VERSION, summary=RESEARCH_NOTICE, routes=router.routes
    )
    bearer = {"type": "http", "scheme": "bearer"}
    described.setdefault("components", {})["securitySchemes"] = {"token": bearer}
    described["security"] = [{"token": []}]
    return described
