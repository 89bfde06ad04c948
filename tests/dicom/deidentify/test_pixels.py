"""Codestreams lose their comments and tails, and no pixel."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames

from hemocast.dicom.deidentify.pixels import clean_pixels, may_show_text
from hemocast.dicom.files.write import encode
from hemocast.dicom.header.images import read_images
from hemocast.errors import MalformedFile, UnsupportedSyntax

SECRET = b"Zquimby 1931"
SYNTAXES = {
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
    "RLE": "1.2.840.10008.1.2.5",
}


@pytest.fixture
def image(write: Any, scan: Any, tmp_path: Any) -> Any:
    """Return a function that writes one slice under a syntax and parses it."""

    def _image(syntax: str, change: Any = None, frames: int = 1) -> tuple[Any, Any]:
        path = write(scan(size=32, pixel=6.0, heights=(0.0, 5.0)), tmp_path)[0]
        ds = pydicom.dcmread(path)
        ds.NumberOfFrames = frames
        ds.PixelData = ds.PixelData * frames
        ds = pydicom.dcmread(io.BytesIO(encode(ds, syntax)))
        if change:
            streams = [change(s) for s in generate_frames(ds.PixelData, number_of_frames=frames)]
            ds.PixelData = encapsulate(streams)
            ds["PixelData"].is_undefined_length = True
        ds.save_as(path)
        return pydicom.dcmread(path), read_images(path)[0]

    return _image


def with_comment(stream: bytes) -> bytes:
    """Put a comment behind the start of a codestream, and a tail at its end."""
    if stream[:2] == b"\xff\xd8":
        comments = b"".join(
            marker + (2 + len(SECRET)).to_bytes(2, "big") + SECRET
            for marker in (b"\xff\xfe", b"\xff\xe1")
        )
        return stream[:2] + comments + stream[2:] + SECRET
    if stream[:2] == b"\xff\x4f":
        at = stream.index(b"\xff\x52")  # behind SIZ
        comment = b"\xff\x64" + (4 + len(SECRET)).to_bytes(2, "big") + b"\0\1" + SECRET
        return stream[:at] + comment + stream[at:] + SECRET
    return stream[:52] + SECRET + stream[64:] + SECRET


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("name", SYNTAXES)
def test_comments_and_tails_go_and_pixels_stay(name: str, frames: int, image: Any) -> None:
    ds, facts = image(SYNTAXES[name], with_comment, frames)
    assert ds.PixelData.count(SECRET) >= 2 * frames
    before = ds.pixel_array.copy()
    data, encapsulated = clean_pixels(ds, facts)
    assert encapsulated
    assert SECRET not in data
    ds.PixelData = data
    assert np.array_equal(ds.pixel_array, before)


@pytest.mark.parametrize("name", SYNTAXES)
def test_a_stream_that_cannot_be_followed_is_refused(name: str, image: Any) -> None:
    rng = np.random.default_rng(7)
    for _ in range(40):
        cut = rng.random()

        def damage(stream: bytes, cut: float = cut) -> bytes:
            return stream[: int(len(stream) * cut)] + SECRET

        ds, facts = image(SYNTAXES[name], damage)
        with pytest.raises(MalformedFile):
            clean_pixels(ds, facts)


def test_native_pixels_end_where_the_image_ends(image: Any) -> None:
    ds, facts = image("1.2.840.10008.1.2.1")
    pixels = ds.PixelData
    ds.PixelData = pixels + SECRET
    assert clean_pixels(ds, facts) == (pixels, False)
    ds.PixelData = pixels[:-2]
    with pytest.raises(MalformedFile):
        clean_pixels(ds, facts)


def test_a_compression_not_looked_into_is_refused(image: Any) -> None:
    ds, facts = image("1.2.840.10008.1.2.1")
    pixels = dataclasses.replace(facts.pixels, syntax="1.2.840.10008.1.2.4.100")
    with pytest.raises(UnsupportedSyntax):
        clean_pixels(ds, dataclasses.replace(facts, pixels=pixels))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, None),
        ({"BurnedInAnnotation": "NO"}, None),
        ({"BurnedInAnnotation": "YES"}, "HC305"),
        ({"BurnedInAnnotation": "MAYBE"}, "HC305"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "HC305"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "Modality": "MR"}, "HC103"),
        ({"Modality": "OT"}, "HC103"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "HC305"),
        ({"ImageType": ["DERIVED", "PRIMARY", "DOSE_INFO"]}, "HC305"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "HC305"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"], "BurnedInAnnotation": "NO"}, None),
        ({"SeriesDescription": "Scout"}, "HC305"),
        ({"ConversionType": "WSD"}, "HC305"),
        ({"SamplesPerPixel": 3}, "HC305"),
        ({"BitsAllocated": 8}, "HC305"),
    ],
)
def test_pictures_that_may_show_text_are_refused(
    fields: dict[str, Any], code: str | None, image: Any, tmp_path: Any
) -> None:
    ds, _ = image("1.2.840.10008.1.2.1")
    for keyword, value in fields.items():
        setattr(ds, keyword, value)
    ds.save_as(tmp_path / "changed")
    refusal = may_show_text(read_images(tmp_path / "changed")[0], ds)
    assert (refusal and refusal.code) == code


def test_an_overlay_inside_the_pixels_is_refused(image: Any) -> None:
    ds, facts = image("1.2.840.10008.1.2.1")
    ds.add_new(0x60000010, "US", 32)
    ds.add_new(0x60000102, "US", 12)
    refusal = may_show_text(facts, ds)
    assert refusal is not None
    assert refusal.code == "HC305"
