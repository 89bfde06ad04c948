"""Ways to damage a DICOM file: each takes its bytes and a generator, and gives other bytes."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable

from fuzz_bases import SYNTAXES
from numpy.random import Generator

HOSTILE = (0, 1, 2, 7, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0,
           0xFFFFFFFE, 0xFFFFFFFF)  # fmt: skip
HOSTILE_TEXT = ("", "nan", "inf", "-1e308", "1e-308", "0", "-1", "4294967296", "9" * 60, "1\\2",
                "\0", "a\\b\\c", "1e5\\1e5", "0\\0\\0\\0\\0\\0", "5" * 5000)  # fmt: skip
PIXEL_TAG = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")


def _pixels_at(data: bytes) -> int:
    found = [at for tag in PIXEL_TAG if (at := data.rfind(tag)) > 0]
    return max(found, default=len(data) // 2)


def _flip(data: bytes, rng: Generator, low: int, high: int) -> bytes:
    out = bytearray(data)
    if high <= low:
        return data
    for _ in range(int(2 ** rng.uniform(0, 6))):
        at = int(rng.integers(low, high))
        out[at] = rng.choice((0, 0xFF, 0x7F, 0x80, out[at] ^ (1 << rng.integers(8)),
                              rng.integers(256)))  # fmt: skip
    return bytes(out)


def flip_header(data: bytes, rng: Generator) -> bytes:
    """Change bytes before the pixels."""
    return _flip(data, rng, 128, _pixels_at(data))


def flip_pixels(data: bytes, rng: Generator) -> bytes:
    """Change bytes from the pixel data's tag on."""
    return _flip(data, rng, _pixels_at(data), len(data))


def flip_stream(data: bytes, rng: Generator) -> bytes:
    """Change bytes in the first 120 of the pixel data, where codestreams keep their headers."""
    start = _pixels_at(data)
    return _flip(data, rng, start, min(len(data), start + 120))


def cut(data: bytes, rng: Generator) -> bytes:
    """End the file early."""
    return data[: int(rng.integers(0, len(data)))]


def grow(data: bytes, rng: Generator) -> bytes:
    """Remove, repeat or insert a stretch."""
    a, b = sorted(rng.integers(0, len(data), 2))
    kind = rng.integers(3)
    if kind == 0:
        return data[:a] + data[b:]
    if kind == 1:
        return data[:b] + data[a:]
    return data[:a] + rng.bytes(int(rng.integers(1, 300))) + data[a:]


def length_field(data: bytes, rng: Generator) -> bytes:
    """Put a hostile length into an element, an item, or anywhere."""
    out = bytearray(data)
    places = [at for at in range(132, min(_pixels_at(data) + 300, len(data) - 12))
              if data[at : at + 2].isalpha() or data[at : at + 2] == b"\xfe\xff"]  # fmt: skip
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.choice(places)) if places else int(rng.integers(0, len(data) - 12))
        value = int(rng.choice(HOSTILE))
        if rng.random() < 0.5:
            struct.pack_into("<H", out, at + 2, value & 0xFFFF)
        else:
            struct.pack_into("<I", out, at + 4, value)
    return bytes(out)


def syntax(data: bytes, rng: Generator) -> bytes:
    """Claim another transfer syntax."""
    uid = rng.choice([*SYNTAXES.values(), "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.50",
                      "1.2.840.10008.1.2.4.51", "1.2.3", ""])  # fmt: skip
    return _edited(data, lambda ds: setattr(ds.file_meta, "TransferSyntaxUID", uid))


def field(data: bytes, rng: Generator) -> bytes:
    """Give fields of the geometry and the pixels hostile values."""
    shorts = ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "SamplesPerPixel",
              "PixelRepresentation", "PixelPaddingValue")  # fmt: skip
    texts = ("NumberOfFrames", "RescaleSlope", "RescaleIntercept", "ImagePositionPatient",
             "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "InstanceNumber",
             "AcquisitionNumber", "PatientAge", "ImageType", "AcquisitionDate",
             "AcquisitionTime")  # fmt: skip

    def edit(dataset) -> None:
        from pydicom import config
        from pydicom.datadict import dictionary_VR, tag_for_keyword
        from pydicom.dataelem import RawDataElement
        from pydicom.tag import Tag

        config.settings.reading_validation_mode = config.IGNORE
        for _ in range(int(rng.integers(1, 4))):
            explicit = not dataset.original_encoding[0]
            little = dataset.original_encoding[1]
            if rng.random() < 0.5:
                name, value = str(rng.choice(shorts)), int(rng.choice(HOSTILE)) & 0xFFFF
                if rng.random() < 0.5:
                    value = int(rng.choice((8, 12, 16, 32, 64, 47, 49, 96, 4095, 4096, 4097)))
                raw = struct.pack("<H" if little else ">H", value)
            else:
                name = str(rng.choice(texts))
                raw = str(rng.choice(HOSTILE_TEXT)).encode()
                raw += b" " * (len(raw) % 2)
            tag = Tag(tag_for_keyword(name))
            vr = dictionary_VR(tag)[:2] if explicit else None
            dataset[tag] = RawDataElement(tag, vr, len(raw), raw, 0, not explicit, bool(little))

    return _edited(data, edit)


def _edited(data: bytes, edit: Callable) -> bytes:
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = io.BytesIO()
        try:
            dataset = dcmread(io.BytesIO(data), force=True)
            edit(dataset)
            dataset.save_as(out)
        except Exception:  # damaged already, beyond what the editor takes
            return data[:-1]
    return out.getvalue()


def nest(data: bytes, rng: Generator) -> bytes:
    """Put sequences within sequences in front of the pixels, thousands deep or wide."""
    deep = int(2 ** rng.uniform(1, 13))
    length = rng.choice([0xFFFFFFFF, 0xFFFFFFFF, 0x7FFFFFFF, 8])
    tag = b"\x08\x00\x40\x11" if rng.random() < 0.5 else b"\x00\x52\x30\x92"
    kind = b"SQ" if rng.random() < 0.7 else b"UN"
    one = tag + kind + b"\0\0" + struct.pack("<I", length)
    one += b"\xfe\xff\x00\xe0" + struct.pack("<I", rng.choice([0xFFFFFFFF, length]))
    if rng.random() < 0.3:
        one += b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    at = _pixels_at(data)
    return data[:at] + one * deep + data[at:]


def codestream(data: bytes, rng: Generator) -> bytes:
    """Make a compressed stream claim huge images, many tiles, components or resolutions."""
    out = bytearray(data)
    start = _pixels_at(data)
    marks = {b"\xff\x51": range(6, 42), b"\xff\x52": range(4, 16), b"\xff\xf7": range(4, 14),
             b"\xff\xc3": range(4, 14), b"\xff\xda": range(2, 12)}  # fmt: skip
    places = [(at, offsets) for mark, offsets in marks.items()
              if (at := data.find(mark, start)) > 0]  # fmt: skip
    if not places:
        return flip_stream(data, rng)
    for _ in range(int(rng.integers(1, 4))):
        at, offsets = places[rng.integers(len(places))]
        where = at + int(rng.choice(list(offsets)))
        if data[at + 1] == 0x51 and rng.random() < 0.7:
            # Whole fields of SIZ: image, offset and tile sizes are 32 bits each.
            where = at + 6 + 4 * int(rng.integers(8))
            struct.pack_into(">I", out, where, int(rng.choice((*HOSTILE, 48, 64, 4096, 65535))))
        elif rng.random() < 0.5 and where + 2 <= len(out):
            struct.pack_into(">H", out, where, int(rng.choice(HOSTILE)) & 0xFFFF)
        elif where < len(out):
            out[where] = int(rng.choice((0, 1, 2, 8, 16, 32, 33, 0x7F, 0x80, 0xFF)))
    return bytes(out)


def fragments(data: bytes, rng: Generator) -> bytes:
    """Damage the items that hold compressed frames: lengths, offsets, number, order."""
    start = _pixels_at(data)
    items = []
    at = data.find(b"\xfe\xff\x00\xe0", start)
    while at > 0 and len(items) < 100:
        items.append(at)
        at = data.find(b"\xfe\xff\x00\xe0", at + 4)
    if not items:
        return grow(data, rng)
    kind = rng.integers(4)
    at = int(rng.choice(items))
    if kind == 0:
        return data[: at + 4] + struct.pack("<I", int(rng.choice(HOSTILE))) + data[at + 8 :]
    if kind == 1:  # an offset table of its own
        n = int(2 ** rng.uniform(0, 12))
        table = rng.choice(HOSTILE, n).astype("<u4").tobytes()
        head = items[0]
        return data[: head + 4] + struct.pack("<I", len(table)) + table + data[head + 8 :]
    if kind == 2:  # many empty items
        empty = b"\xfe\xff\x00\xe0\0\0\0\0" * int(2 ** rng.uniform(0, 14))
        return data[:at] + empty + data[at:]
    return data[:at] + data[at : at + int(rng.integers(8, 200))] + data[at:]


def noise(data: bytes, rng: Generator) -> bytes:
    """Keep the meta header and replace the rest by noise."""
    keep = int(rng.integers(132, 600))
    return data[:keep] + rng.bytes(int(rng.integers(10, 5000)))


MUTATIONS: tuple[Callable[[bytes, Generator], bytes], ...] = (
    flip_header, flip_pixels, flip_stream, cut, grow, length_field, syntax, field, nest,
    codestream, fragments, noise, flip_stream, codestream, field,
)  # fmt: skip


def mutate(data: bytes, rng: Generator) -> bytes:
    """Damage a file in one way, sometimes in two."""
    for _ in range(1 + (rng.random() < 0.2)):
        if len(data) > 700:
            data = MUTATIONS[rng.integers(len(MUTATIONS))](data, rng)
    return data
