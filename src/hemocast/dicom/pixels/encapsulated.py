"""Compressed pixel data -> the bytes of one frame, checked before a decoder sees them."""

from __future__ import annotations

import re
import struct
from enum import Enum
from functools import lru_cache
from pathlib import Path

from hemocast.dicom.refusals import malformed, truncated

MOST_PIECES = 2**16  # 4,096 frames, each in more pieces than any writer makes
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
# Frame headers of JPEG and JPEG-LS (ITU-T T.81 table B.1, T.87 annex C); DHT, JPG, DAC are none.
_SOF = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}
_J2K_START = b"\xff\x4f\xff\x51"  # SOC, SIZ (ITU-T T.800 annex A)
_SOS, _EOI = 0xDA, 0xD9
_MARK = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_LS_MARK = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
_JP2_BOX = 4096  # where within a frame the codestream of a JP2 file begins at the latest
_MOST_TILES = 4096

Piece = tuple[int, int]


class Stream(Enum):
    """What a frame is compressed as; for JPEG the marker of its frame header."""

    JPEG_LOSSLESS = 0xC3
    JPEG_LS = 0xF7
    JPEG_2000 = 0x51


def frame_bytes(path: Path, offset: int, frame: int, n_frames: int) -> bytes:
    """Read one frame's compressed bytes, without reading the others'.

    Parameters
    ----------
    path : Path
        The file.
    offset : int
        Where its encapsulated pixel data begin.
    frame, n_frames : int
        Which frame, of how many.

    Raises
    ------
    TruncatedFile
        The file ends before the end mark of its pixel data; a decoder may not notice.
    MalformedFile
        The pixel data are not made of items, or not of so many frames.
    """
    state = path.stat()
    table, pieces = _pieces(path, offset, state.st_size, state.st_mtime_ns)
    with path.open("rb") as file:
        if n_frames == 1:
            chosen = pieces
        elif len(pieces) == n_frames:
            chosen = pieces[frame : frame + 1]
        else:
            chosen = _grouped(path, table, pieces, n_frames)[frame]
        data = []
        for start, size in chosen:
            file.seek(start)
            data.append(file.read(size))
    return b"".join(data)


@lru_cache(maxsize=8)
def _pieces(
    path: Path, offset: int, size: int, changed: int
) -> tuple[tuple[int, ...], tuple[Piece, ...]]:
    """Offset table, and place and size of every item after it; kept, for each frame asks anew."""
    del changed  # part of the key: a file written anew is read anew
    found: list[Piece] = []
    with path.open("rb") as file:
        at = offset
        while True:
            file.seek(at)
            head = file.read(8)
            if len(head) < 8:
                raise truncated()
            if head[:4] == _DELIMITER:
                break
            length = int.from_bytes(head[4:], "little")
            if head[:4] != _ITEM or len(found) > MOST_PIECES:
                raise malformed("Compressed pixel data are not made of items")
            if at + 8 + length > size:
                raise truncated()
            found.append((at + 8, length))
            at += 8 + length
        if len(found) < 2:
            raise malformed("Compressed pixel data hold no image")
        file.seek(found[0][0])
        table = file.read(min(found[0][1], 4 * MOST_PIECES))
    whole = len(table) // 4
    return struct.unpack(f"<{whole}I", table[: 4 * whole]), tuple(found[1:])


@lru_cache(maxsize=2)
def _grouped(
    path: Path, table: tuple[int, ...], pieces: tuple[Piece, ...], n_frames: int
) -> list[tuple[Piece, ...]]:
    """Put frames together that lie in several pieces: by the offset table, else by end marks."""
    if len(table) == n_frames:
        origin = pieces[0][0] - 8
        starts = {start - 8 - origin: index for index, (start, _) in enumerate(pieces)}
        firsts = [starts.get(entry, -1) for entry in table]
    else:
        firsts = [0]
        with path.open("rb") as file:
            for index, (start, size) in enumerate(pieces[:-1]):
                file.seek(max(start, start + size - 10))
                if b"\xff\xd9" in file.read(min(size, 10)):
                    firsts.append(index + 1)
    if len(firsts) != n_frames or firsts[0] != 0 or sorted(set(firsts)) != firsts:
        raise malformed("Compressed pixel data do not hold as many images as the header says")
    return [pieces[a:b] for a, b in zip(firsts, [*firsts[1:], len(pieces)], strict=True)]


def check_stream(frame: bytes, rows: int, columns: int, kind: Stream) -> None:
    """Refuse a stream that is not what its header says, or that a decoder would choke on.

    Decoders allocate what a stream claims before they find that its data are not there, and one of
    them ends the process at marker segments it does not expect.

    Parameters
    ----------
    frame : bytes
        From `frame_bytes`.
    rows, columns : int
        As the header has them.
    kind : Stream
        What the transfer syntax promises.

    Raises
    ------
    MalformedFile
        Another size or kind, several components, absurdly many tiles, or broken segments.
    """
    claim = _jpeg_2000(frame) if kind is Stream.JPEG_2000 else _jpeg(frame, kind)
    if claim != (rows, columns):
        raise malformed("A compressed image is not of the kind and size its header says")


def _jpeg_2000(frame: bytes) -> tuple[int, int] | None:
    """Rows and columns that a JPEG 2000 stream of one component claims."""
    at = frame.find(_J2K_START, 0, _JP2_BOX)
    if at < 0 or len(frame) < at + 42:
        return None
    x, y, x0, y0, tile_x, tile_y = struct.unpack_from(">6I", frame, at + 8)
    (components,) = struct.unpack_from(">H", frame, at + 40)
    if components != 1 or not tile_x or not tile_y:
        return None
    if (x // tile_x + 1) * (y // tile_y + 1) > _MOST_TILES:
        return None
    return y - y0, x - x0


def _jpeg(frame: bytes, kind: Stream) -> tuple[int, int] | None:
    """Rows and columns of a JPEG or JPEG-LS stream of one component in one scan."""
    if frame[:2] != b"\xff\xd8":
        return None
    at, size, component = 2, None, -1
    while at + 4 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        part = frame[at + 4 : at + 2 + int.from_bytes(frame[at + 2 : at + 4], "big")]
        at += 4 + len(part)
        if marker == kind.value and size is None and len(part) == 9 and part[5] == 1:
            size, component = struct.unpack_from(">HH", part, 1), part[6]
            if not 2 <= part[0] <= 16 or part[7] != 0x11:
                return None
        elif marker in _SOF or (marker == 0xC4 and not _huffman_tables(part)):
            return None
        elif marker == _SOS:
            known = len(part) == 6 and part[0] == 1 and part[1] == component
            scan_ok = kind is Stream.JPEG_LS or (1 <= part[3] <= 7 if len(part) > 3 else False)
            return size if known and scan_ok and _one_scan(frame, at, kind) else None
        elif not 0xC4 <= marker <= 0xFE or 0xD0 <= marker <= 0xD9 or not part:
            return None
    return None


def _huffman_tables(part: bytes) -> bool:
    """Whether a segment holds whole Huffman tables whose codes fit (ITU-T T.81 annex C)."""
    at = 0
    while at + 17 <= len(part):
        counts = part[at + 1 : at + 17]
        room = 1
        for count in counts:
            room = 2 * room - count
            if room < 0:
                return False
        values = part[at + 17 : at + 17 + sum(counts)]
        if len(values) < sum(counts) or part[at] & 0xEC or any(value > 16 for value in values):
            return False
        at += 17 + sum(counts)
    return bool(part) and at == len(part)


def _one_scan(frame: bytes, start: int, kind: Stream) -> bool:
    """Whether nothing but coded data and the end mark follow."""
    # In JPEG-LS a 0 bit, in JPEG a 0 byte follows each 0xFF of coded data.
    pattern = _LS_MARK if kind is Stream.JPEG_LS else _MARK
    found = pattern.search(frame, start)
    return found is not None and found[0][1] == _EOI
