"""Pixel data without what else lies in them; pictures that may show text are refused.

The values of the pixels never change. What goes is what no decoder looks at: bits above BitsStored,
bytes beyond the last pixel, comments and application data in a JPEG codestream, and bytes after its
end.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from hemocast.dicom.deidentify.bits import check_compressed_bits, clean_bits
from hemocast.dicom.header.image import CT_CLASSES, Image, Pixels
from hemocast.dicom.pixels.decode import NATIVE
from hemocast.dicom.refusals import malformed
from hemocast.errors import BurnedIn, HemocastError, NoCT, UnsupportedSyntax

if TYPE_CHECKING:
    from pydicom import Dataset

RLE = "1.2.840.10008.1.2.5"
_JPEG = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70))
_JPEG_LS = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (80, 81))
_JPEG_2000 = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203))
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_PICTURE = re.compile(
    r"LOCALI[SZ]ER|SCOUT|TOPOGRAM|SURVIEW|SCANOGRAM|SCREEN|DOSE|SUMMARY|REPORT|PROJECTION|\bVRT?\b|\b3D\b"
)


def may_show_text(image: Image, dataset: Dataset) -> HemocastError | None:
    """Say why a file may not leave: it is no CT image, or text may be drawn into its pixels.

    Parameters
    ----------
    image : Image
        What the header says.
    dataset : pydicom.Dataset
        The whole header.
    """
    kind = " ".join(image.image_type)
    burned = str(dataset.get("BurnedInAnnotation", "")).strip().upper()
    if image.sop_class.startswith(_SECONDARY_CAPTURE):
        return _burned_in("The image is a secondary capture")
    if image.sop_class not in CT_CLASSES or image.modality != "CT":
        return NoCT("The file is not a CT image", "CT images", "Export the CT alone")
    if burned not in ("", "NO"):
        return _burned_in("The header says that text is burned into the image")
    if _PICTURE.search(f"{kind} {image.series_text}"):
        return _burned_in("The image is a localizer, rendering or screen, which often show text")
    if image.image_type[1:2] == ("SECONDARY",) and burned != "NO":
        return _burned_in("The image was made from others and may show text")
    if image.pixels.samples != 1 or image.pixels.bits_allocated != 16:
        return _burned_in("The image is a picture and not CT numbers")
    if dataset.get("ConversionType"):
        return _burned_in("The image was captured from a screen or film")
    if _overlay_in_pixels(dataset):
        return _burned_in("An overlay is drawn into the unused bits of the pixels")
    return None


def _burned_in(seen: str) -> BurnedIn:
    return BurnedIn(
        seen,
        "CT images without text in their pixels",
        "Leave it out, or clean it with a tool that edits pixels",
    )


def _overlay_in_pixels(dataset: Dataset) -> bool:
    """Tell whether an overlay of the old kind shares the pixels' words (PS3.5 8.1.2, retired)."""
    for group in range(0x6000, 0x6020, 2):
        if (group, 0x0010) not in dataset:
            continue
        place, data = dataset.get((group, 0x0102)), dataset.get((group, 0x3000))
        if data is None or (place is not None and place.value not in (0, None, "")):
            return True
    return False


def clean_pixels(dataset: Dataset, image: Image) -> tuple[bytes, bool]:
    """Give the pixel data without bytes that are not pixels.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Holds PixelData as in the file.
    image : Image
        Its layout.

    Returns
    -------
    bytes
        To be written under the same transfer syntax.
    bool
        They are encapsulated.

    Raises
    ------
    BurnedIn
        Bits that belong to no pixel are in use, and cannot be taken out; see `clean_bits`.
    MalformedFile
        The pixel data are not what the header says.
    UnsupportedSyntax
        A compression whose streams are not understood, so that nothing is known of what they hold.
    """
    from pydicom.encaps import generate_frames

    p = image.pixels
    data = dataset.PixelData
    if not isinstance(data, bytes) or p.rows < 1 or p.columns < 1 or p.n_frames < 1:
        raise malformed("Pixel data are not what their header says")
    if dataset.get("HighBit") not in (None, p.bits_stored - 1):
        raise _burned_in("The pixels do not fill the lower bits, where an overlay may lie")
    if p.syntax in NATIVE:
        size = p.rows * p.columns * p.n_frames * 2
        if len(data) < size:
            raise malformed("Pixel data are not what their header says")
        return _without_unused_bits(data[:size], p), False
    if p.syntax not in (*_JPEG, *_JPEG_LS, *_JPEG_2000, RLE):
        raise UnsupportedSyntax(
            "The images are compressed in a way that Hemocast does not look into",
            "uncompressed, RLE, JPEG, JPEG-LS or JPEG 2000 images",
            "Ask the archive to send them uncompressed (Explicit VR Little Endian)",
        )
    try:
        clean = _encapsulated(data, p.syntax, p.rows * p.columns, p.n_frames)
    except (ValueError, IndexError, OverflowError):
        raise malformed("Pixel data are not what their header says") from None
    for frame in generate_frames(clean, number_of_frames=p.n_frames):
        check_compressed_bits(p, frame)
    return clean, True


def _without_unused_bits(data: bytes, p: Pixels) -> bytes:
    kind = np.dtype("<u2" if p.little_endian else ">u2")
    frames = np.frombuffer(data, kind).astype(np.uint16).reshape(p.n_frames, p.rows, p.columns)
    return b"".join(clean_bits(p, frame).astype(kind).tobytes() for frame in frames)


def _encapsulated(data: bytes, syntax: str, size: int, n_frames: int) -> bytes:
    """Clean every frame's codestream in place: no length and no offset changes."""
    from pydicom.encaps import (
        generate_fragmented_frames,
        itemize_fragment,
        parse_basic_offsets,
    )

    has_offsets = bool(parse_basic_offsets(data))
    out, offsets = bytearray(), []
    frames = list(generate_fragmented_frames(data, number_of_frames=n_frames))
    if len(frames) != n_frames:
        raise ValueError
    for fragments in frames:
        stream = bytearray(b"".join(fragments))
        _clean_stream(stream, syntax, size)
        offsets.append(len(out))
        at = 0
        for fragment in fragments:
            out += itemize_fragment(bytes(stream[at : at + len(fragment)]))
            at += len(fragment)
    table = b"".join(offset.to_bytes(4, "little") for offset in offsets) if has_offsets else b""
    return itemize_fragment(table) + bytes(out)


def _clean_stream(stream: bytearray, syntax: str, size: int) -> None:
    if syntax == RLE:
        _clean_rle(stream, size)
    elif syntax in _JPEG_2000:
        _clean_jpeg_2000(stream)
    else:
        _clean_jpeg(stream, syntax in _JPEG_LS)


def _blank(stream: bytearray, start: int, stop: int) -> None:
    if not 0 <= start <= stop <= len(stream):
        raise ValueError
    stream[start:stop] = bytes(stop - start)


def _length(stream: bytearray, at: int, size: int = 2) -> int:
    if at + size > len(stream):
        raise ValueError
    return int.from_bytes(stream[at : at + size], "big")


def _clean_jpeg(stream: bytearray, ls: bool) -> None:
    """Blank COM and APPn segments and what follows the end (ISO 10918-1 B, ISO 14495-1 C)."""
    if stream[:2] != b"\xff\xd8":
        raise ValueError
    at = 2
    while True:
        if stream[at] != 0xFF:
            raise ValueError
        marker = stream[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker == 0xD9:
            _blank(stream, at + 2, len(stream))
            return
        else:
            length = _length(stream, at + 2)
            if marker == 0xFE or 0xE0 <= marker <= 0xEF:
                _blank(stream, at + 4, at + 2 + length)
            at += 2 + max(length, 2)
            if marker == 0xDA:
                at = _after_scan(stream, at, ls)


def _after_scan(stream: bytearray, at: int, ls: bool) -> int:
    """Find the marker that ends entropy-coded data."""
    while True:
        at = stream.index(b"\xff", at)
        after = stream[at + 1]
        stuffed = after < 0x80 if ls else after == 0
        if not stuffed and after != 0xFF and not 0xD0 <= after <= 0xD7:
            return at
        at += 1 if after == 0xFF else 2


def _clean_jpeg_2000(stream: bytearray) -> None:
    """Blank COM segments and what follows the end (ISO 15444-1 A)."""
    if stream[:2] != b"\xff\x4f":
        raise ValueError
    at = _clean_headers(stream, 2, 0x90)
    while stream[at : at + 2] == b"\xff\x90":
        size = _length(stream, at + 6, 4)
        _clean_headers(stream, at + 12, 0x93)
        # A size of 0 means: up to the end of the codestream.
        stop = at + size if size else stream.rindex(b"\xff\xd9")
        if stop <= at:
            raise ValueError
        at = stop
    if stream[at : at + 2] != b"\xff\xd9":
        raise ValueError
    _blank(stream, at + 2, len(stream))


def _clean_headers(stream: bytearray, at: int, until: int) -> int:
    while stream[at + 1] != until:
        length = _length(stream, at + 2)
        if stream[at] != 0xFF or length < 2:
            raise ValueError
        if stream[at + 1] == 0x64:
            _blank(stream, at + 6, at + 2 + length)
        at += 2 + length
    return at


def _clean_rle(stream: bytearray, size: int) -> None:
    """Blank unused offsets and what follows each segment's last run (PS3.5 annex G)."""
    starts = [int.from_bytes(stream[i : i + 4], "little") for i in range(0, 64, 4)]
    count = starts[0]
    edges = [*starts[1 : count + 1], len(stream)]
    if not 1 <= count <= 15 or edges[0] != 64 or edges != sorted(edges):
        raise ValueError
    _blank(stream, 4 * (count + 1), 64)
    for start, stop in pairwise(edges):
        at, left = start, size
        while left > 0:
            control = stream[at]
            if control < 128:
                left -= control + 1
                at += control + 2
            elif control > 128:
                left -= 257 - control
                at += 2
            else:
                at += 1
        _blank(stream, at, stop)


def pixel_element(data: bytes, encapsulated: bool) -> Any:
    """Make the PixelData element of a clean file."""
    from pydicom.dataelem import DataElement

    element = DataElement(0x7FE00010, "OB" if encapsulated else "OW", data)
    element.is_undefined_length = encapsulated
    return element
