"""A name hidden above the pixels' bits goes, and no CT number changes."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from hemocast import dicom
from hemocast.dicom.deidentify.bits import check_compressed_bits, clean_bits
from hemocast.dicom.deidentify.file import clean_file
from hemocast.dicom.deidentify.header import Keyed
from hemocast.dicom.files.write import encode
from hemocast.dicom.header.images import read_images
from hemocast.errors import BurnedIn, MalformedFile

NAME = np.unpackbits(np.frombuffer(b"Zquimby^Aurelia 1931", np.uint8))
NATIVE = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"]
COMPRESSED = ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"]


def keyed() -> Keyed:
    from datetime import timedelta

    return Keyed(b"k" * 32, lambda _: "sub-0123456789ab", lambda _: timedelta(40000))


def hidden(words: np.ndarray, bits: tuple[int, ...]) -> np.ndarray:
    """Write the name into upper bits, one bit of it a pixel, in turn over `bits`."""
    out = words.copy().ravel()
    for at, bit in enumerate(NAME):
        place = np.uint16(1 << bits[at % len(bits)])
        out[at] = (out[at] | place) if bit else (out[at] & ~place)
    return out.reshape(words.shape)


@pytest.fixture
def file(write: Any, scan: Any, tmp_path: Path) -> Callable[..., tuple[Path, np.ndarray]]:
    """Return a function that writes one slice with a name in bits, and gives its true words."""

    def _file(bits: tuple[int, ...], syntax: str, signed: bool = False) -> tuple[Path, np.ndarray]:
        path = write(scan(size=64, pixel=3.0, heights=(0.0, 5.0), brain=True), tmp_path / "in")[0]
        ds = pydicom.dcmread(path)
        true = ds.pixel_array.astype(np.int16)
        if signed:
            true, ds.RescaleIntercept = true - 1024, "0"
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, 11, int(signed)
        words = hidden(true.view(np.uint16), bits) if bits else true.view(np.uint16)
        ds.PixelData = words.astype("<u2").tobytes()
        if syntax in COMPRESSED:  # a writer that packs whole words
            ds.BitsStored, ds.HighBit = 16, 15
        ds = pydicom.dcmread(io.BytesIO(encode(ds, syntax)))
        ds.BitsStored, ds.HighBit = 12, 11
        ds.save_as(path)
        return path, true

    return _file


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [(15,), (12, 13, 14, 15)])
@pytest.mark.parametrize("syntax", NATIVE)
def test_a_name_above_the_pixels_goes_and_no_ct_number_changes(
    syntax: str, bits: tuple[int, ...], signed: bool, file: Any, tmp_path: Path
) -> None:
    path, true = file(bits, syntax, signed)
    _, content = clean_file(path, "p", keyed())
    clean = pydicom.dcmread(io.BytesIO(content))
    kind = ">u2" if syntax == NATIVE[1] else "<u2"
    words = np.frombuffer(clean.PixelData, kind).reshape(true.shape)
    assert np.array_equal(words.astype(np.uint16).view(np.int16), true)


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_a_compressed_image_with_a_name_is_refused(syntax: str, file: Any) -> None:
    path, _ = file((12, 13, 14, 15), syntax)
    with pytest.raises(BurnedIn, match="uncompressed"):
        clean_file(path, "p", keyed())
    clean, true = file((), syntax)
    _, content = clean_file(clean, "p", keyed())
    assert np.array_equal(pydicom.dcmread(io.BytesIO(content)).pixel_array, true)


def test_pixels_that_leave_their_lower_bits_free_are_refused(file: Any) -> None:
    path, _ = file((), NATIVE[0])
    ds = pydicom.dcmread(path)
    ds.HighBit = 15
    ds.save_as(path)
    with pytest.raises(BurnedIn, match="lower bits"):
        clean_file(path, "p", keyed())


def layout(file: Any, **changes: Any) -> Any:
    path, true = file((), NATIVE[0])
    pixels = dataclasses.replace(read_images(path)[0].pixels, **changes)
    return pixels, true.view(np.uint16)


def test_a_carried_sign_and_padding_stay(file: Any) -> None:
    pixels, words = layout(file, padding=(63536, 63536))
    words = words.copy()
    words[:4] = 63536
    assert clean_bits(pixels, words) is words
    words[5, :] = 0x8000 | words[5, :]
    clean = clean_bits(pixels, words)
    assert (clean[:4] == 63536).all()
    assert (clean[4:] < 4096).all()
    carried = (words[6:].view(np.int16) - 1024).view(np.uint16)
    signed = dataclasses.replace(pixels, signed=True, intercept=0.0, padding=())
    assert clean_bits(signed, carried) is carried


def test_a_header_that_counts_too_few_bits_is_refused(file: Any) -> None:
    pixels, words = layout(file, signed=True, intercept=0.0)
    words = (words.view(np.int16) - 1024).view(np.uint16).copy()
    words[30, 30:40] = 2300  # a bone that 12 bits with a sign cannot hold
    with pytest.raises(BurnedIn):
        clean_bits(pixels, words)


@pytest.mark.parametrize("bits", [-1, 0, 17, 65535])
def test_impossible_widths_are_refused(bits: int, file: Any) -> None:
    pixels, words = layout(file, bits_stored=bits)
    with pytest.raises(MalformedFile):
        clean_bits(pixels, words)


def test_a_stream_that_cannot_be_decoded_is_refused_unless_it_holds_no_such_bits(file: Any) -> None:
    pixels, _ = layout(file, syntax=COMPRESSED[1])
    with pytest.raises(MalformedFile):
        check_compressed_bits(pixels, b"\xff\xd8")
    # JPEG in 12 bits, which nothing decodes.
    check_compressed_bits(dataclasses.replace(pixels, syntax="1.2.840.10008.1.2.4.51"), b"")


def test_a_series_with_a_hidden_name_reads_as_the_one_without(
    write: Any, scan: Any, tmp_path: Path
) -> None:
    from hemocast.dicom.deidentify.export import deidentify

    for name, bits in (("plain", ()), ("planted", (12, 13, 14, 15))):
        for path in write(scan(size=64, pixel=3.5, brain=True), tmp_path / name):
            ds = pydicom.dcmread(path)
            ds.BitsStored, ds.HighBit = 12, 11
            words = np.frombuffer(ds.PixelData, "<u2")
            ds.PixelData = (hidden(words, bits) if bits else words).tobytes()
            ds.save_as(path)
        report = deidentify([tmp_path / name], tmp_path / f"{name}-out", keyed())
        assert not report.left_behind
    before, after = (dicom.read(tmp_path / f"{n}-out") for n in ("plain", "planted"))
    assert np.array_equal(before.hu, after.hu)
