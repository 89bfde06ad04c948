"""Studies that come over the web: to the disk piece by piece, then image by image to the inbox."""

from __future__ import annotations

import secrets
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException, Request
from sqlalchemy import select

from hemocast.dicom.files.archive import ArchiveLimits, open_path
from hemocast.dicom.header.inflate import read_dataset
from hemocast.errors import HemocastError, NoSpace, NotWritable, StoreError
from hemocast.files import writing
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.store.arrivals import Outcome
from hemocast.serve.hospital.store.tables import STUDIES
from hemocast.serve.hospital.web.desk import Desk

_MOST_FILES = 5000
_OUT_PER_IN = 10
_STUDY_UID = 0x0020000D


@dataclass(frozen=True)
class Taken:
    """What became of the images of an upload.

    Parameters
    ----------
    outcomes : dict of Outcome to int
    refused : dict of str to int
        By code.
    studies : tuple of int
        Numbers of the studies that images were taken of.
    """

    outcomes: dict[Outcome, int]
    refused: dict[str, int]
    studies: tuple[int, ...]


@contextmanager
def kept_or_told() -> Iterator[None]:
    """Say by HTTP that images cannot be kept: the disk is too full, or the database away."""
    try:
        yield
    except (NoSpace, NotWritable) as error:
        raise HTTPException(507, str(error)) from error
    except StoreError as error:
        raise HTTPException(503, str(error)) from error


async def receive(request: Request, folder: Path) -> None:
    """Write the body of a request to files: a zip or an image, or the parts of a form.

    Raises
    ------
    HTTPException
        It is neither.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind in {"application/zip", "application/dicom"}:
        with writing(), (folder / "0").open("wb") as file:
            async for piece in request.stream():
                file.write(piece)
        return
    if kind != "multipart/form-data":
        raise HTTPException(415, "Send application/zip, application/dicom or multipart/form-data.")
    async with request.form(max_files=_MOST_FILES, max_fields=10) as form:
        parts = [part for _, part in form.multi_items() if not isinstance(part, str)]
        if not parts:
            raise HTTPException(422, "The form holds no file.")
        for number, part in enumerate(parts):
            with writing(), (folder / str(number)).open("wb") as file:
                while piece := await part.read(2**20):
                    file.write(piece)


def take(desk: Desk, inbox: Inbox, folder: Path, sender: str) -> Taken:
    """Take what was received; a malformed image costs that image.

    Raises
    ------
    NoSpace, NotWritable, StoreError
        Nothing more can be kept: all has to be sent again.
    UnsafeArchive, UnsupportedSyntax, MalformedFile
        A zip is not taken.
    """
    outcomes: Counter[Outcome] = Counter()
    refused: Counter[str] = Counter()
    uids: set[str] = set()
    for path in sorted(folder.iterdir()):
        limits = ArchiveLimits(
            members=_MOST_FILES, total_bytes=_OUT_PER_IN * desk.settings.upload_mb * 10**6
        )
        with open_path(path, limits) as opened:
            for image in _files(opened):
                try:
                    uid = _study_uid(image)
                    outcomes[inbox.take(_here(image, folder), sender)] += 1
                except (NoSpace, NotWritable, StoreError):
                    raise
                except HemocastError as error:
                    refused[error.code] += 1
                else:
                    uids.add(uid)
    return Taken(dict(outcomes), dict(refused), numbers_of(desk, uids))


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())


def _here(image: Path, folder: Path) -> Path:
    """Give an image in the data root, from where it can be moved to its study."""
    if folder in image.parents:
        return image
    copied = folder / f"image-{secrets.token_hex(8)}"
    with writing():
        shutil.copyfile(image, copied)
    return copied


def _study_uid(image: Path) -> str:
    # What cannot be read is refused by the inbox, with its reason.
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = read_dataset(image, with_pixels=False, tags=[_STUDY_UID])
        return str(dataset[_STUDY_UID].value)
    return ""


def numbers_of(desk: Desk, uids: set[str]) -> tuple[int, ...]:
    """Give the numbers of studies by their UIDs."""
    wanted = select(STUDIES.c.id).where(STUDIES.c.study_uid.in_(sorted(uids)))
    with desk.database.reading() as connection:
        return tuple(connection.execute(wanted.order_by(STUDIES.c.id)).scalars())
