"""The header fields this room reads, straight from their bytes."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from hemocast.dicom.header.inflate import read_dataset
from hemocast.dicom.words.script import in_script

if TYPE_CHECKING:
    from pydicom import Dataset

TAGS = {
    "character_set": 0x00080005,
    "image_type": 0x00080008, "sop_class": 0x00080016, "sop_uid": 0x00080018,
    "study_date": 0x00080020, "series_date": 0x00080021, "acquisition_date": 0x00080022,
    "content_date": 0x00080023, "acquisition_datetime": 0x0008002A, "study_time": 0x00080030,
    "series_time": 0x00080031, "acquisition_time": 0x00080032, "content_time": 0x00080033,
    "modality": 0x00080060, "manufacturer": 0x00080070, "study_description": 0x00081030,
    "series_description": 0x0008103E, "model": 0x00081090, "patient_name": 0x00100010,
    "patient_id": 0x00100020, "birth_date": 0x00100030, "sex": 0x00100040, "age": 0x00101010,
    "contrast_agent": 0x00180010,
    "contrast_sequence": 0x00180012, "body_part": 0x00180015, "thickness": 0x00180050,
    "kvp": 0x00180060, "protocol": 0x00181030, "kernel": 0x00181210,
    "study_uid": 0x0020000D, "series_uid": 0x0020000E, "series_number": 0x00200011,
    "acquisition_number": 0x00200012, "instance_number": 0x00200013,
    "frame_uid": 0x00200052, "tilt": 0x00181120,
    "position": 0x00200032, "orientation": 0x00200037, "samples": 0x00280002,
    "photometric": 0x00280004, "n_frames": 0x00280008, "rows": 0x00280010,
    "columns": 0x00280011, "spacing": 0x00280030, "bits_allocated": 0x00280100,
    "bits_stored": 0x00280101, "signed": 0x00280103, "padding": 0x00280120,
    "padding_limit": 0x00280121, "intercept": 0x00281052, "slope": 0x00281053,
    "rescale_type": 0x00281054, "lossy": 0x00282110, "shared_groups": 0x52009229,
    "frame_groups": 0x52009230, "image_comments": 0x00204000,
}  # fmt: skip


_WANTED = frozenset(TAGS.values())
_META = {"sop_class": 0x00020002, "syntax": 0x00020010}
_EXPLICIT_LITTLE = b"1.2.840.10008.1.2.1"
_ENCAPSULATED = (b"1.2.840.10008.1.2.4.", b"1.2.840.10008.1.2.5")
_LONG = frozenset((
    b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV",
))  # fmt: skip
_SHORT = frozenset((
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN",
    b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
))  # fmt: skip
_PIXELS = 0x7FE00008
_ELEMENT = struct.Struct("<HH2sH")


@dataclass(frozen=True)
class Fields:
    """Values of a header straight from their bytes: quick, and nothing in them can raise.

    Parameters
    ----------
    values : mapping of int to bytes or other
        By tag; bytes as in the file, or what the parser has converted already.
    little, implicit : bool
        Encoding of the dataset.
    syntax, sop_class : str
        From the file's meta header; empty when it has none.
    end : int
        Where in the file the pixel data's tag should be.
    dataset : pydicom.Dataset or None
        The whole header, where it was parsed by pydicom.
    """

    values: Mapping[int, Any]
    little: bool
    implicit: bool
    syntax: str
    sop_class: str
    end: int
    dataset: Dataset | None = None

    @classmethod
    def parse(cls, file: BinaryIO) -> Fields:
        """Parse a header by pydicom, up to the pixel data, in whatever encoding."""
        file.seek(0)
        dataset = read_dataset(file, with_pixels=False, force=True, tags=list(TAGS.values()))
        implicit, little = dataset.original_encoding
        elements = {tag: dataset.get_item(tag) for tag in _WANTED}
        return cls(
            {tag: e.value for tag, e in elements.items() if e is not None},
            little=little is not False,
            implicit=bool(implicit),
            syntax=str(getattr(dataset.file_meta, "TransferSyntaxUID", "")),
            sop_class=str(getattr(dataset.file_meta, "MediaStorageSOPClassUID", "")),
            end=file.tell(),
            dataset=dataset,
        )

    @classmethod
    def walk(cls, head: bytes) -> Fields | None:
        """Step through the plainest of headers, several times as fast as a full parser.

        Explicit VR, little endian, with its meta header, without sequences of undefined length, and
        within `head`; anything else is left to `parse`.

        Parameters
        ----------
        head : bytes
            The file's beginning.
        """
        start = 144 + int.from_bytes(head[140:144], "little")
        if head[128:140] != b"DICM\x02\x00\x00\x00UL\x04\x00":
            return None
        meta, _ = _step(head, 144, frozenset(_META.values()), start)
        syntax = meta.get(_META["syntax"], b"").rstrip(b"\0 ")
        # Encapsulated pixels come after a header in the same encoding.
        if syntax != _EXPLICIT_LITTLE and not syntax.startswith(_ENCAPSULATED):
            return None
        values, end = _step(head, start, _WANTED, len(head))
        if head[end : end + 2] != b"\xe0\x7f":
            return None
        sop_class = meta.get(_META["sop_class"], b"").rstrip(b"\0 ")
        return cls(values, True, False, syntax.decode("latin-1"), sop_class.decode("latin-1"), end)

    def raw(self, name: str) -> Any:
        """Bytes of a field, or a value that the parser has converted already."""
        return self.values.get(TAGS[name])

    def text(self, name: str) -> str:
        """Text of a field, its values joined by backslashes; empty when it is not there."""
        value = self.raw(name)
        if isinstance(value, bytes):
            try:
                value = value.decode("utf-8")
            except UnicodeDecodeError:
                value = value.decode("latin-1")
        elif isinstance(value, Iterable) and not isinstance(value, str):
            value = "\\".join(str(part) for part in value)
        return "" if value is None else str(value).strip(" \0\r\n\t")

    def words(self, name: str) -> str:
        """Text of a description in its own script, as `text` otherwise.

        For what identifies a patient `text` is asked: its names must not depend on how well a
        character set is known.
        """
        value = self.raw(name)
        plain = not isinstance(value, bytes) or (value.isascii() and b"\x1b" not in value)
        if plain:
            return self.text(name)
        return in_script(value, self.text("character_set")).strip(" \0\r\n\t")

    def numbers(self, name: str, count: int) -> tuple[float, ...] | None:
        """Exactly `count` finite numbers, or nothing."""
        return floats(self.text(name).split("\\"), count)

    def number(self, name: str) -> float | None:
        """One finite number, or nothing."""
        found = self.numbers(name, 1)
        return found[0] if found else None

    def integer(self, name: str) -> int | None:
        """One whole number of 32 bits, or nothing."""
        found = self.number(name)
        return int(found) if found is not None and abs(found) < 2**31 else None

    def short(self, name: str) -> int | None:
        """Read a 16-bit value, as if it had no sign."""
        value = self.raw(name)
        if isinstance(value, int):
            return value & 0xFFFF
        if not isinstance(value, bytes) or not value:
            return None
        return int.from_bytes(value[:2], "little" if self.little else "big")


def _step(head: bytes, at: int, wanted: frozenset[int], stop: int) -> tuple[dict[int, bytes], int]:
    """Step over explicit little-endian elements; returns the wanted ones, and where it stopped.

    It stops at pixel data, at `stop`, and at anything unusual.
    """
    found: dict[int, bytes] = {}
    last = -1
    stop = min(stop, len(head) - 12)
    while at < stop:
        group, element, vr, length = _ELEMENT.unpack_from(head, at)
        tag = group << 16 | element
        if tag >= _PIXELS or tag <= last:
            break
        value = at + 8
        if vr in _LONG:
            length, value = int.from_bytes(head[at + 8 : at + 12], "little"), at + 12
        elif vr not in _SHORT:
            break
        if value + length > stop:
            break
        if tag in wanted:
            found[tag] = head[value : value + length]
        last, at = tag, value + length
    return found, at


def floats(parts: Any, count: int) -> tuple[float, ...] | None:
    """Turn `count` texts or numbers into finite floats, or nothing."""
    try:
        values = tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        return None
    return values if len(values) == count and all(map(math.isfinite, values)) else None


def words(text: str) -> tuple[str, ...]:
    """Split a text of several values into stripped, upper-case words."""
    return tuple(part.strip().upper() for part in text.split("\\") if part.strip())
