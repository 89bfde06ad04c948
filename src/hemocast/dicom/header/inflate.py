"""Every file goes to pydicom through here: what it inflates is bounded."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

MOST_INFLATED = 2**28
"""Bytes. A deflated file that grows past this is a bomb: 500 slices of 512 x 512 are as much."""


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


def read_dataset(file: Path | BinaryIO, **options: Any) -> FileDataset:
    """Do as `pydicom.dcmread` does, with bounded inflation.

    Raises
    ------
    zlib.error
        A deflated file grows beyond `MOST_INFLATED` bytes, or is damaged.
    """
    from pydicom import dcmread, filereader

    reader: Any = filereader
    reader.zlib = _BoundedZlib
    return dcmread(file, **options)
