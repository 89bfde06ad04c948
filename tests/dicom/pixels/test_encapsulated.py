"""Compressed pixel data: every frame is found, and nothing hostile reaches a decoder."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate

from hemocast.dicom.pixels.encapsulated import Stream, check_stream, frame_bytes
from hemocast.errors import MalformedFile, TruncatedFile

END = b"\xfe\xff\xdd\xe0\0\0\0\0"
FRAMES = [bytes([index]) * (20 + 10 * index) + b"\xff\xd9" for index in range(4)]


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(b"HEADER" + data)
    return path


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize("pieces", [1, 3])
def test_every_frame_is_found(has_table: bool, pieces: int, tmp_path: Path) -> None:
    data = encapsulate(FRAMES, fragments_per_frame=pieces, has_bot=has_table) + END
    path = put(tmp_path / "file", data)
    assert [frame_bytes(path, 6, index, 4) for index in range(4)] == FRAMES


def test_one_frame_may_lie_in_any_number_of_pieces(tmp_path: Path) -> None:
    data = encapsulate(FRAMES[:1], fragments_per_frame=5, has_bot=False) + END
    assert frame_bytes(put(tmp_path / "file", data), 6, 0, 1) == FRAMES[0]


@pytest.mark.parametrize("cut", [1, 8, 9, 30])
def test_an_end_that_is_missing_is_noticed(cut: int, tmp_path: Path) -> None:
    data = encapsulate(FRAMES) + END
    with pytest.raises(TruncatedFile):
        frame_bytes(put(tmp_path / "file", data[:-cut]), 6, 0, 4)


@pytest.mark.parametrize("n_frames", [2, 3, 5])
def test_another_number_of_frames_than_the_header_says(n_frames: int, tmp_path: Path) -> None:
    path = put(tmp_path / "file", encapsulate(FRAMES, fragments_per_frame=2, has_bot=False) + END)
    with pytest.raises(MalformedFile):
        frame_bytes(path, 6, 0, n_frames)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), n_frames=st.integers(1, 5))
def test_any_bytes_are_a_refusal(data: bytes, n_frames: int, tmp_path: Path) -> None:
    with pytest.raises((MalformedFile, TruncatedFile)):
        frame_bytes(put(tmp_path / "file", data), 6, 0, n_frames)


def jpeg_ls(rows: int, columns: int, components: int = 1) -> bytes:
    head = struct.pack(">BHHB", 16, rows, columns, components) + b"\x01\x11\x00"
    scan = b"\x01\x01\x00\x00\x00\x00"
    return (
        b"\xff\xd8\xff\xf7" + struct.pack(">H", len(head) + 2) + head
        + b"\xff\xda" + struct.pack(">H", len(scan) + 2) + scan + b"data\xff\xd9"
    )  # fmt: skip


def test_a_stream_must_be_of_the_size_and_kind_that_its_header_says() -> None:
    check_stream(jpeg_ls(4, 6), 4, 6, Stream.JPEG_LS)
    for frame, kind in (
        (jpeg_ls(65535, 65535), Stream.JPEG_LS),
        (jpeg_ls(4, 6, components=3), Stream.JPEG_LS),
        (jpeg_ls(4, 6), Stream.JPEG_LOSSLESS),
        (jpeg_ls(4, 6), Stream.JPEG_2000),
        (jpeg_ls(4, 6)[:-2], Stream.JPEG_LS),
    ):
        with pytest.raises(MalformedFile):
            check_stream(frame, 4, 6, kind)


@given(frame=st.binary(max_size=120), kind=st.sampled_from(Stream))
def test_any_stream_is_a_refusal(frame: bytes, kind: Stream) -> None:
    with pytest.raises(MalformedFile):
        check_stream(frame, 512, 512, kind)
