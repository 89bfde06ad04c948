"""One file -> what its header says, without its pixels, whatever state the file is in."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

from hemocast.dicom.header.enhanced import frames
from hemocast.dicom.header.fields import Fields, words
from hemocast.dicom.header.image import CT_CLASSES, DEFLATED, Image, Pixels
from hemocast.dicom.refusals import is_denied
from hemocast.dicom.words.terms import spelled
from hemocast.volume import SIMULATED

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
_HEAD_BYTES = 16384  # no real file's meta header is longer


class NotADicomFile(Exception):
    """The file is something else; for this room's own use."""


class MediaDirectory(NotADicomFile):
    """The file is a medium's DICOMDIR; for this room's own use."""


class DamagedHeader(Exception):
    """The file claims to be DICOM but its header cannot be read; for this room's own use."""


def read_images(path: Path) -> list[Image]:
    """Read a file's header; a multi-frame CT gives one `Image` per frame.

    Raises
    ------
    NotADicomFile
        It is something else, or (`MediaDirectory`) only a directory of other files.
    DamagedHeader
        It claims to be DICOM, and its header cannot be read.
    OSError
        The system does not let the file be read.
    """
    with path.open("rb") as file:
        head = _sniff(file)
        header = Fields.walk(head)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                header = header or Fields.parse(file)
                if header.sop_class == MEDIA_DIRECTORY:
                    raise MediaDirectory
                return _images(header, path, file)
            except (NotADicomFile, DamagedHeader):
                raise
            # The parser raises whatever its code trips over in a hostile file.
            except Exception as error:
                if is_denied(error):
                    raise
                raise DamagedHeader(type(error).__name__) from error


def _sniff(file: BinaryIO) -> bytes:
    """Read the first bytes, and tell from them whether this is DICOM that is safe to parse."""
    head = file.read(_HEAD_BYTES)
    if head[128:132] != b"DICM":
        # Files from before part 10 of the standard begin with group 2 or 8.
        if head[:2] not in (b"\x02\x00", b"\x08\x00", b"\x00\x08") or len(head) < 132:
            raise NotADicomFile
        return head
    group_length = int.from_bytes(head[140:144], "little")
    if head[132:136] == b"\x02\x00\x00\x00" and group_length > _HEAD_BYTES - 144:
        raise DamagedHeader("meta header too long")
    return head


def _images(header: Fields, path: Path, file: BinaryIO) -> list[Image]:
    """One Image, or one per frame."""
    text = header.text
    sop_class = text("sop_class") or header.sop_class
    if not text("study_uid") and not text("series_uid") and not sop_class:
        raise NotADicomFile
    age = text("age").upper()
    image = Image(
        patient=text("patient_id") or f"{text('patient_name')}\x1f{text('birth_date')}",
        age=int(age[:3]) if re.fullmatch(r"\d{3}Y", age) else None,
        sex=text("sex").upper() if text("sex").upper() in ("M", "F", "O") else "",
        simulated=text("image_comments").upper().startswith(SIMULATED),
        study_uid=text("study_uid"),
        series_uid=text("series_uid"),
        sop_uid=text("sop_uid"),
        frame_uid=text("frame_uid"),
        sop_class=sop_class,
        modality=text("modality").upper(),
        image_type=words(text("image_type")),
        texts=tuple(spelled(header.words(n)) for n in ("study_description", "protocol")),
        series_text=spelled(header.words("series_description")),
        body_part=spelled(header.words("body_part")),
        kernel=text("kernel").upper(),
        contrast=spelled(header.words("contrast_agent"))
        or ("AGENT" if header.raw("contrast_sequence") else ""),
        manufacturer=text("manufacturer"),
        model=text("model"),
        kvp=header.number("kvp"),
        acquired=_acquired(text),
        series_number=header.integer("series_number"),
        acquisition_number=header.integer("acquisition_number"),
        instance_number=header.integer("instance_number"),
        position=header.numbers("position", 3),
        orientation=header.numbers("orientation", 6),
        spacing=header.numbers("spacing", 2),
        thickness=header.number("thickness"),
        tilt=header.number("tilt"),
        pixels=_pixels(header, path, file),
    )
    pixels = image.pixels
    if sop_class in CT_CLASSES and pixels.offset is None and pixels.syntax != DEFLATED:
        raise DamagedHeader("ends before its pixel data")
    if header.raw("frame_groups") is not None:
        return frames(image, header.dataset or Fields.parse(file).dataset)
    return [image]


def _acquired(text: Callable[[str], str]) -> str:
    """When the image was acquired, ``YYYYMMDDHHMMSS`` as far as the header says it."""
    if text("acquisition_datetime"):
        return text("acquisition_datetime")[:14]
    for moment in ("acquisition", "content", "series", "study"):
        date, time = text(f"{moment}_date"), text(f"{moment}_time")
        if date:
            return (date.replace(".", "") + time.replace(":", ""))[:14]
    return ""


def _pixels(header: Fields, path: Path, file: BinaryIO) -> Pixels:
    """Find the pixel data, where the parser stopped."""
    little, syntax = header.little, header.syntax
    if not syntax:
        syntax = "1.2.840.10008.1.2" if header.implicit else "1.2.840.10008.1.2.1"
        syntax = syntax if little else "1.2.840.10008.1.2.2"
    offset, length, there = None, None, syntax == DEFLATED
    if syntax != DEFLATED:
        file.seek(header.end)
        tag = file.read(8 if header.implicit else 12)
        order: Literal["little", "big"] = "little" if little else "big"
        if len(tag) >= 8 and int.from_bytes(tag[:2], order) == 0x7FE0:
            size = int.from_bytes(tag[-4:], order)
            offset, length = file.tell(), None if size == 0xFFFFFFFF else size
            there = length is None or path.stat().st_size >= offset + length
    short = header.short
    padding = tuple(v for v in (short("padding"), short("padding_limit")) if v is not None)
    return Pixels(
        path=path,
        offset=offset,
        length=length,
        frame=0,
        n_frames=header.integer("n_frames") or 1,
        rows=short("rows") or 0,
        columns=short("columns") or 0,
        samples=short("samples") or 1,
        bits_allocated=short("bits_allocated") or 0,
        bits_stored=short("bits_stored") or short("bits_allocated") or 0,
        signed=short("signed") == 1,
        little_endian=little,
        syntax=syntax,
        slope=header.number("slope"),
        intercept=header.number("intercept"),
        rescale_type=header.text("rescale_type").upper(),
        photometric=header.text("photometric").upper(),
        padding=padding,
        lossy=header.text("lossy") == "01",
        complete=there,
    )
