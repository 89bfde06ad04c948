"""Every file goes to pydicom through here: what it inflates and steps through is bounded."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset
    from pydicom.tag import BaseTag

MOST_INFLATED = 2**28
"""Bytes. A deflated file that grows past this is a bomb: 500 slices of 512 x 512 are as much."""
MOST_ELEMENTS = 2**15
"""Of a file, outside sequences. Real headers have hundreds; a bomb of zeros reads as millions."""

_PIXEL_DATA = (0x7FE00008, 0x7FE00009, 0x7FE00010)  # float, double, and the usual kind


class _BoundedZlib:
    """The two names of `zlib` that pydicom's reader uses.

    The reader inflates all that follows the meta header in one go, wherever a hostile file makes
    that header end: only the call itself is a safe place for a bound.
    """

    MAX_WBITS = zlib.MAX_WBITS

    @staticmethod
    def decompress(data: bytes, wbits: int) -> bytes:
        machine = zlib.decompressobj(wbits)
        content = machine.decompress(data, MOST_INFLATED)
        if machine.unconsumed_tail:
            raise zlib.error("inflates too far")
        if not machine.eof:
            raise zlib.error("ends early")
        return content


class _Stop:
    """Tells pydicom where to stop: before the pixel data or behind them, and in no case late."""

    def __init__(self, *, with_pixels: bool) -> None:
        self._with_pixels = with_pixels
        self._seen = 0
        self._had_pixels = False

    def __call__(self, tag: BaseTag, vr: str | None, length: int) -> bool:
        self._seen += 1
        if self._seen > MOST_ELEMENTS:
            raise ValueError("more elements than any header has")
        if self._had_pixels or tag > _PIXEL_DATA[-1]:
            return True
        self._had_pixels = tag in _PIXEL_DATA
        return self._had_pixels and not self._with_pixels


def read_dataset(
    file: Path | BinaryIO,
    *,
    with_pixels: bool = True,
    force: bool = False,
    tags: list[int] | None = None,
) -> FileDataset:
    """Do as `pydicom.dcmread` does, within bounds; what lies behind the pixel data is not read.

    Parameters
    ----------
    file : Path or binary file
        An open file stays open, at the element that it stopped at.
    with_pixels : bool
        Read the pixel data, too.
    force : bool
        Read what has no preamble.
    tags : list of int, optional
        Keep these elements alone.

    Raises
    ------
    zlib.error
        A deflated file grows beyond `MOST_INFLATED` bytes, or is damaged.
    ValueError
        It has more than `MOST_ELEMENTS` elements.
    """
    from pydicom import filereader
    from pydicom.tag import Tag

    if isinstance(file, Path):
        with file.open("rb") as opened:
            return read_dataset(opened, with_pixels=with_pixels, force=force, tags=tags)
    reader: Any = filereader
    reader.zlib = _BoundedZlib
    return filereader.read_partial(
        file,
        stop_when=_Stop(with_pixels=with_pixels),
        force=force,
        specific_tags=None if tags is None else [Tag(tag) for tag in tags],
    )
