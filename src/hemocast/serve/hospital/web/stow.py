"""STOW-RS: images come as other programs send them, each told as stored or failed (PS3.18 10.5)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from hemocast.dicom.header.inflate import read_dataset
from hemocast.errors import HemocastError, NoCT, NoSpace, NotWritable, StoreError
from hemocast.files import writing
from hemocast.serve.hospital.inbox import Inbox, is_uid
from hemocast.serve.hospital.people.audit import Act, Kind
from hemocast.serve.hospital.people.tokens import Token
from hemocast.serve.hospital.store.arrivals import Arrivals, Outcome
from hemocast.serve.hospital.web.desk import desk_of, person_of
from hemocast.serve.hospital.web.rest import StudiesToken
from hemocast.serve.hospital.web.uploads import kept_or_told, numbers_of

if TYPE_CHECKING:
    from pydicom import Dataset

STOW_PATH = "/api/dicom-web/studies"
router = APIRouter()

_MOST_PARTS = 5000
_DICOM = b"application/dicom"
_KIND = "application/dicom+json"
_TAGS = {"sop_class": 0x00080016, "sop_uid": 0x00080018, "study_uid": 0x0020000D}
_CANNOT_UNDERSTAND, _DOES_NOT_MATCH = 0xC000, 0xA900
_CLASS_NOT_SUPPORTED, _DUPLICATE = 0x0122, 0x0111


@dataclass(frozen=True, repr=False)
class _Sent:
    """What became of one image: a reason where it failed, 0 where it is here and durable."""

    sop_class: str
    sop_uid: str
    study_uid: str
    reason: int = 0


class _Parts:
    """Writes the parts of a body to files, as they come."""

    def __init__(self, folder: Path, boundary: bytes) -> None:
        self._folder = folder
        self._file: BinaryIO | None = None
        self._name = self._value = b""
        self._kind = b""
        self._number = 0
        self.ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._field,
                "on_header_value": self._add_value,
                "on_header_end": self._header,
                "on_headers_finished": self._open,
                "on_part_data": self._write,
                "on_part_end": self.close,
                "on_end": self._end,
            },
        )

    def write(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._parser.write(piece)

    def _begin(self) -> None:
        self._kind = b""
        self._number += 1
        if self._number > _MOST_PARTS:
            raise HTTPException(413, f"Send at most {_MOST_PARTS} images at once.")

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header(self) -> None:
        if self._name.lower() == b"content-type":
            self._kind = parse_options_header(self._value)[0]
        self._name = self._value = b""

    def _open(self) -> None:
        if self._kind != _DICOM:
            raise HTTPException(415, "Send parts of application/dicom.")
        with writing():
            self._file = (self._folder / f"{self._number:05d}").open("wb")

    def _write(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            with writing():
                self._file.write(memoryview(data)[start:end])

    def _end(self) -> None:
        self.ended = True

    def close(self) -> None:
        """Close the file of the last part."""
        if self._file is not None:
            self._file.close()
        self._file = None


@router.post(STOW_PATH, include_in_schema=False)
async def store(token: StudiesToken, request: Request) -> Response:
    """Take images of any studies."""
    return await _store(token, request, None)


@router.post(f"{STOW_PATH}/{{study_uid}}", include_in_schema=False)
async def store_in(
    token: StudiesToken,
    request: Request,
    study_uid: Annotated[str, InPath(max_length=64, pattern=r"^[0-9.]+$")],
) -> Response:
    """Take images of one study."""
    return await _store(token, request, study_uid)


async def _store(token: Token, request: Request, study_uid: str | None) -> Response:
    desk = desk_of(request)
    inbox = Inbox(desk.root, Arrivals(desk.database))
    with kept_or_told():
        await run_in_threadpool(inbox.check_room)
        with desk.root.receiving() as folder:
            await _receive(request, folder)
            sender = f"stow:{token.account.name}"
            sent = await run_in_threadpool(_take, inbox, folder, sender, study_uid)
    taken = [one for one in sent if not one.reason]
    studies = await run_in_threadpool(numbers_of, desk, {one.study_uid for one in taken})
    act = Act(Kind.IMAGES, person_of(token, request), studies, f"{len(taken)} images")
    await run_in_threadpool(desk.audit.record, act)
    status = 200 if len(taken) == len(sent) else 202 if taken else 409
    return JSONResponse(_answer(sent).to_json_dict(), status, media_type=_KIND)


async def _receive(request: Request, folder: Path) -> None:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/related" or options.get(b"type", _DICOM) != _DICOM or not boundary:
        raise HTTPException(415, 'Send multipart/related; type="application/dicom"; boundary=...')
    try:
        parts = _Parts(folder, boundary)
        try:
            async for piece in request.stream():
                parts.write(piece)
        finally:
            parts.close()
    except FormParserError as error:
        raise HTTPException(400, "The body is no multipart message.") from error
    if not parts.ended or not any(folder.iterdir()):
        raise HTTPException(400, "The body ends before its last part, or holds none.")


def _take(inbox: Inbox, folder: Path, sender: str, study_uid: str | None) -> list[_Sent]:
    return [_take_one(inbox, path, sender, study_uid) for path in sorted(folder.iterdir())]


def _take_one(inbox: Inbox, path: Path, sender: str, study_uid: str | None) -> _Sent:
    names = _names(path)
    if study_uid is not None and names["study_uid"] != study_uid:
        return _Sent(**names, reason=_DOES_NOT_MATCH)
    try:
        outcome = inbox.take(path, sender)
    except (NoSpace, NotWritable, StoreError):
        raise
    except NoCT:
        return _Sent(**names, reason=_CLASS_NOT_SUPPORTED)
    except HemocastError:
        return _Sent(**names, reason=_CANNOT_UNDERSTAND)
    return _Sent(**names, reason=_DUPLICATE if outcome is Outcome.DIFFERS else 0)


def _names(path: Path) -> dict[str, str]:
    # What cannot be read is refused by the inbox.
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = read_dataset(path, with_pixels=False, tags=list(_TAGS.values()))
        found = {name: str(dataset[tag].value) for name, tag in _TAGS.items()}
        if all(is_uid(one) for one in found.values()):
            return found
    return dict.fromkeys(_TAGS, "")


def _answer(sent: Iterable[_Sent]) -> Dataset:
    """Make the response (PS3.18 annex I); what names no object is among the other failures."""
    from pydicom import Dataset

    answer = Dataset()
    lists: dict[str, list[Dataset]] = {}
    for one in sent:
        item: Any = Dataset()
        if one.sop_uid:
            item.ReferencedSOPClassUID = one.sop_class
            item.ReferencedSOPInstanceUID = one.sop_uid
        if one.reason:
            item.FailureReason = one.reason
        failed = "FailedSOPSequence" if one.sop_uid else "OtherFailuresSequence"
        lists.setdefault(failed if one.reason else "ReferencedSOPSequence", []).append(item)
    for name, items in lists.items():
        setattr(answer, name, items)
    return answer
