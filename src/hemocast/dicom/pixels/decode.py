"""Stored pixels of one frame -> CT numbers in HU."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemocast.dicom.geometry.regrid import AIR
from hemocast.dicom.header.image import DEFLATED, Pixels
from hemocast.dicom.header.inflate import read_dataset
from hemocast.dicom.pixels import encapsulated
from hemocast.dicom.pixels.decompress import Compressed
from hemocast.dicom.pixels.encapsulated import Stream
from hemocast.dicom.pixels.worker import WORKER
from hemocast.dicom.refusals import is_denied, malformed, reading, truncated, unreadable
from hemocast.errors import (
    HemocastError,
    NotHounsfield,
    TooLarge,
    UnsupportedSyntax,
)

MOST_PIXELS = 4096 * 4096
NATIVE = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", DEFLATED})
# One decoder for each: a second that tries what the first refused is one more to crash.
DECODERS = {
    "1.2.840.10008.1.2.5": ("pylibjpeg", None),  # RLE
    "1.2.840.10008.1.2.4.57": ("gdcm", Stream.JPEG_LOSSLESS),
    "1.2.840.10008.1.2.4.70": ("gdcm", Stream.JPEG_LOSSLESS),
    "1.2.840.10008.1.2.4.80": ("pyjpegls", Stream.JPEG_LS),
    "1.2.840.10008.1.2.4.81": ("pyjpegls", Stream.JPEG_LS),
    "1.2.840.10008.1.2.4.90": ("pylibjpeg", Stream.JPEG_2000),
    "1.2.840.10008.1.2.4.91": ("pylibjpeg", Stream.JPEG_2000),
    "1.2.840.10008.1.2.4.201": ("pylibjpeg", Stream.JPEG_2000),
    "1.2.840.10008.1.2.4.202": ("pylibjpeg", Stream.JPEG_2000),
    "1.2.840.10008.1.2.4.203": ("pylibjpeg", Stream.JPEG_2000),
}
# A sign read wrongly gives values beyond these; padding may lie as low as -3024.
IMPOSSIBLE_LOW, IMPOSSIBLE_HIGH = -4097.0, 40000.0
HEAD_HU = (-1100.0, 2500.0)
PADDING_BELOW = -200.0
_NO_LIMIT = np.float32(np.inf)


class Bits(Enum):
    """How a frame's 16 bits are understood."""

    AS_SAID = "as the header says"
    SIGNED = "with a sign, against the header"
    UNSIGNED = "without a sign, against the header"
    EXTENDED = "with the sign bit of a shorter word carried up"


def check(pixels: Pixels) -> None:
    """Refuse pixels that cannot become CT numbers, before any is read.

    Raises
    ------
    TooLarge
        More pixels than any CT image has.
    TruncatedFile
        The file ends before its pixel data do.
    NotHounsfield
        Colour, 8-bit, or a scale other than HU.
    UnsupportedSyntax
        A compression that is not decoded.
    MalformedFile
        Rows, columns and bytes contradict each other.
    """
    p = pixels
    if p.rows * p.columns > MOST_PIXELS:
        raise TooLarge(
            f"An image claims {p.rows} x {p.columns} pixels",
            f"at most {MOST_PIXELS} pixels",
            "Export the series again",
        )
    if not p.complete:
        raise truncated()
    if p.rows < 2 or p.columns < 2 or not 0 <= p.frame < p.n_frames:
        raise malformed("An image does not say how many rows, columns or frames it has")
    if p.syntax not in NATIVE and p.syntax not in DECODERS:
        raise UnsupportedSyntax(
            f"The images are compressed as {_name(p.syntax)}, which no free decoder reads",
            "uncompressed, RLE, JPEG lossless, JPEG-LS or JPEG 2000 images",
            "Ask the archive to send them uncompressed (Explicit VR Little Endian)",
        )
    if p.samples != 1 or p.bits_allocated != 16 or p.photometric not in ("MONOCHROME2", ""):
        raise _no_hu(
            f"The images hold {p.samples} sample(s) of {p.bits_allocated} bits per pixel, "
            "a picture and not CT numbers"
        )
    if p.slope is None or p.intercept is None or p.slope == 0.0:
        raise _no_hu("The images do not say how their values become HU")
    if p.rescale_type not in ("", "HU", "US", "HU_MOD"):
        raise _no_hu("The images hold another quantity than CT numbers")
    if not 1 <= p.bits_stored <= 16:
        raise malformed(f"An image claims {p.bits_stored} bits in 16")
    needed = (p.frame + 1) * p.rows * p.columns * 2
    if p.syntax in NATIVE and p.length is not None and p.length < needed:
        raise malformed("An image has fewer bytes than its rows and columns need")


def _name(syntax: str) -> str:
    """Say a transfer syntax's name; never text that only looks like one."""
    from pydicom.uid import UID

    known = UID(syntax)
    return known.name if known.is_valid and known.name != syntax else "something unknown"


def stored(pixels: Pixels, compressed: bytes | None = None) -> NDArray[Any]:
    """Read one frame's stored values as they lie in the file.

    Parameters
    ----------
    pixels : Pixels
        Passed by `check`.
    compressed : bytes, optional
        The frame's codestream, where it is not to be read from the file.

    Returns
    -------
    ndarray of 16-bit integers, shape (rows, columns)

    Raises
    ------
    TruncatedFile, MalformedFile
        The bytes are not what the header says.
    Unreadable
        The system does not let the file be read.
    """
    p = pixels
    if p.syntax in NATIVE and p.offset is not None:
        kind = f"{'<' if p.little_endian else '>'}{'i' if p.signed else 'u'}2"
        count = p.rows * p.columns
        # Not numpy's own reader: to that a failing disk looks like the end of the file.
        with reading(), p.path.open("rb", buffering=0) as file:
            file.seek(p.offset + p.frame * count * 2)
            content = file.read(count * 2)
        if len(content) != count * 2:
            raise truncated()
        return np.frombuffer(content, kind).reshape(p.rows, p.columns)
    try:
        array = _inflated(p) if p.syntax == DEFLATED else _decompressed(p, compressed)
    except (HemocastError, KeyboardInterrupt, SystemExit):
        raise
    # Decoders raise whatever their code trips over in a damaged stream; a panic in one written in
    # Rust is no Exception.
    except BaseException as error:
        if is_denied(error):
            raise unreadable([error]) from error
        raise malformed(
            f"An image of the series cannot be decompressed ({type(error).__name__})"
        ) from error
    if array.shape != (p.rows, p.columns) or array.dtype.kind not in "iu":
        raise malformed("A compressed image is not of the size its header says")
    return array


def _inflated(p: Pixels) -> NDArray[Any]:
    state = p.path.stat()
    array = _inflate(p.path, state.st_size, state.st_mtime_ns)
    return array if p.n_frames == 1 else array[p.frame]


@lru_cache(maxsize=1)
def _inflate(path: Path, size: int, changed: int) -> NDArray[Any]:
    """Inflate a whole file, once for all of its frames; a file written anew is read anew."""
    del size, changed
    array: NDArray[Any] = read_dataset(path).pixel_array
    return array


def _decompressed(p: Pixels, frame: bytes | None) -> NDArray[Any]:
    if frame is None:
        if p.offset is None:
            raise truncated()
        frame = encapsulated.frame_bytes(p.path, p.offset, p.frame, p.n_frames)
    plugin, kind = DECODERS[p.syntax]
    if kind is not None:
        encapsulated.check_stream(frame, p.rows, p.columns, kind)
    how = Compressed(p.syntax, plugin, p.rows, p.columns, p.bits_allocated, p.bits_stored, p.signed)
    # RLE is decoded in Rust, which keeps to its memory: it needs no process of its own.
    return how.decode(frame) if kind is None else WORKER.decode(how, frame)


def understand(pixels: Pixels, values: NDArray[Any]) -> Bits:
    """Decide from one frame whether the header is right about the sign of its values.

    Some writers store signed values and say unsigned, or the other way round, or leave the sign bit
    of a 12-bit word where it is. The header is believed unless its word is too short for a value,
    or a CT number comes out that cannot be; then that understanding is taken that puts most values
    where the CT numbers of a head lie.
    """
    p = pixels
    slope, intercept = float(p.slope or 1.0), float(p.intercept or 0.0)
    low, high = int(values.min()), int(values.max())
    short = p.signed and p.bits_stored < 16 and high >= 1 << (p.bits_stored - 1)
    ends = sorted((low * slope + intercept, high * slope + intercept))
    if not short and ends[0] >= IMPOSSIBLE_LOW and ends[1] <= IMPOSSIBLE_HIGH:
        return Bits.AS_SAID
    votes = {}
    for bits in Bits:
        words = _words(p, values, bits)
        hu = words * np.float32(slope) + np.float32(intercept)
        votes[bits] = np.count_nonzero((hu >= HEAD_HU[0]) & (hu <= HEAD_HU[1]))
    return max(Bits, key=lambda bits: votes[bits])  # the first of equals


def _words(p: Pixels, values: NDArray[Any], bits: Bits) -> NDArray[Any]:
    """Stored values with the sign they are understood to have."""
    if bits is Bits.SIGNED:
        return values.view(values.dtype.str.replace("u", "i"))
    if bits is Bits.UNSIGNED:
        return values.view(values.dtype.str.replace("i", "u"))
    if bits is Bits.EXTENDED:
        spare = 16 - p.bits_stored
        native = values.astype(np.uint16 if values.dtype.kind == "u" else np.int16, copy=False)
        return (native.view(np.int16) << spare) >> spare
    return values


def to_hu(pixels: Pixels, values: NDArray[Any], bits: Bits, out: NDArray[np.float32]) -> bool:
    """Rescale one frame's stored values to HU; padding and anything below air becomes air.

    Parameters
    ----------
    pixels : Pixels
        Slope, intercept, padding of this very frame.
    values : ndarray, shape (rows, columns)
        From `stored`.
    bits : Bits
        From `understand`.
    out : ndarray of float32, shape (rows, columns)
        Overwritten with HU.

    Returns
    -------
    bool
        False when the padding value stands for a CT number of tissue and was not believed.
    """
    words = _words(pixels, values, bits)
    slope, intercept = np.float32(pixels.slope), np.float32(pixels.intercept)
    if slope == 1.0:
        out[...] = words
    else:
        np.multiply(words, slope, out=out, casting="unsafe", dtype=np.float32)
    if intercept:
        out += intercept
    believed = True
    if pixels.padding:
        low, high = _padding(pixels, words.dtype.kind == "i")
        hu = sorted((low * float(slope) + float(intercept), high * float(slope) + float(intercept)))
        if hu[1] >= PADDING_BELOW and hu[0] <= IMPOSSIBLE_HIGH:
            believed = False
        elif hu[1] > float(AIR):
            out[_is_padding(pixels, words)] = AIR
    np.clip(out, AIR, _NO_LIMIT, out=out)  # three times as quick as np.maximum
    return believed


def _padding(p: Pixels, signed: bool) -> tuple[int, int]:
    """Range of stored values that are padding, with the pixels' own sign whatever its VR says."""
    ends = [v - 65536 if signed and v >= 32768 else v for v in p.padding]
    return min(ends), max(ends)


def _is_padding(p: Pixels, words: NDArray[Any]) -> NDArray[np.bool_]:
    low, high = _padding(p, words.dtype.kind == "i")
    mask: NDArray[np.bool_] = words == low if low == high else (words >= low) & (words <= high)
    return mask


def _no_hu(seen: str) -> NotHounsfield:
    return NotHounsfield(
        seen, "CT numbers in HU (air -1000, water 0)", "Give the original CT images"
    )
