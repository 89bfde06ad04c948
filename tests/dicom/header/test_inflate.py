"""Deflated files that grow past every bound, however their meta header hides where it ends."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from hemocast.dicom import find_scans
from hemocast.dicom.header.images import DamagedHeader, read_images
from hemocast.dicom.header.inflate import MOST_INFLATED, read_dataset
from hemocast.errors import TruncatedFile

GROUP_LENGTH = 12  # bytes of the element (0002,0000)


@pytest.fixture
def deflated(scan, write, tmp_path) -> Path:
    return write(scan(heights=(0.0,), syntax="1.2.840.10008.1.2.1.99"), tmp_path)[0]


def _bomb() -> bytes:
    machine = zlib.compressobj(1, zlib.DEFLATED, -15)
    pieces = (MOST_INFLATED >> 24) + 4
    return b"".join(machine.compress(bytes(2**24)) for _ in range(pieces)) + machine.flush()


def _without_group_length(meta: bytes) -> bytes:
    return meta[:132] + meta[132 + GROUP_LENGTH :]


def _with_group_length(meta: bytes, length: int) -> bytes:
    return meta[:140] + struct.pack("<I", length) + meta[144:]


LIARS = {
    "an honest header": lambda meta: meta,
    "no group length": _without_group_length,
    "a group length of 0": lambda meta: _with_group_length(meta, 0),
    "a group length too short": lambda meta: _with_group_length(meta, 30),
    "a group length too long": lambda meta: _with_group_length(meta, 9000),
    "no preamble": lambda meta: _without_group_length(meta)[132:],
}


@pytest.mark.parametrize("kind", LIARS)
def test_a_deflated_bomb_is_never_inflated(kind: str, deflated: Path) -> None:
    import tracemalloc

    data = deflated.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    deflated.write_bytes(LIARS[kind](data[:start]) + _bomb())
    tracemalloc.start()
    try:
        with pytest.raises((DamagedHeader, TruncatedFile)):
            find_scans(deflated)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * MOST_INFLATED


def test_an_honest_deflated_file_is_read_whole(deflated: Path) -> None:
    assert read_images(deflated)[0].modality == "CT"
    assert read_dataset(deflated).pixel_array.ndim == 2


def test_a_cut_off_stream_is_no_whole_file(deflated: Path) -> None:
    data = deflated.read_bytes()
    deflated.write_bytes(data[: len(data) - 200])
    with pytest.raises((TruncatedFile, DamagedHeader)):
        find_scans(deflated)


@pytest.mark.parametrize("where", ["behind the pixels", "before them"])
def test_a_sea_of_empty_elements_is_not_stepped_through(deflated: Path, where: str) -> None:
    """570 kB that inflate to 130 MB of zeros were parsed as 16 million elements, for a minute."""
    import time

    data = deflated.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    content = zlib.decompress(data[start:], -15)
    zeros = bytes(130 * 2**20)
    at = len(content) if where == "behind the pixels" else content.index(b"\xe0\x7f\x10\x00")
    machine = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = b"".join(map(machine.compress, (content[:at], zeros, content[at:]))) + machine.flush()
    deflated.write_bytes(data[:start] + packed)
    begin = time.process_time()
    if where == "behind the pixels":
        assert read_dataset(deflated).pixel_array.ndim == 2
    else:
        with pytest.raises(DamagedHeader):
            read_images(deflated)
    assert time.process_time() - begin < 20  # a hang, not a speed: 1 s here
