from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest

from hemocast.dicom.header.fields import TAGS, Fields
from hemocast.dicom.header.images import DamagedHeader, NotADicomFile, read_images


@pytest.mark.parametrize(
    "syntax",
    ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"],
)
def test_the_header_is_read_the_same_in_every_encoding(syntax, scan, write, tmp_path):
    path = write(scan(syntax=syntax, heights=(1.5,)).with_header(kernel="h30s"), tmp_path)[0]
    (image,) = read_images(path)
    assert image.patient_key == "PID-77"
    assert image.modality == "CT"
    assert image.kernel == "H30S"
    assert image.image_type == ("ORIGINAL", "PRIMARY", "AXIAL")
    assert image.position == (-106.5, -106.5, 1.5)
    assert image.orientation == (1, 0, 0, 0, 1, 0)
    pixels = image.pixels
    assert (pixels.rows, pixels.columns, pixels.bits_stored) == (72, 72, 12)
    assert (pixels.slope, pixels.intercept, pixels.complete) == (1.0, -1024.0, True)
    assert pixels.syntax == syntax
    assert pixels.offset is not None
    if syntax != "1.2.840.10008.1.2.5":
        start = pixels.offset
        assert path.read_bytes()[start:] == pydicom.dcmread(path).PixelData


def test_a_file_from_before_the_preamble_is_read(scan, write, tmp_path):
    path = write(scan(heights=(0.0,)), tmp_path)[0]
    dataset = pydicom.dcmread(path)
    bare = pydicom.Dataset(dict(dataset.items()))
    bare.save_as(tmp_path / "bare", implicit_vr=True, little_endian=True)
    (image,) = read_images(tmp_path / "bare")
    assert image.pixels.syntax == "1.2.840.10008.1.2"
    assert image.pixels.complete


@pytest.mark.parametrize(
    "content", [b"", b"text", b"x" * 4000, b"\x08\x00 looks like a group" + b"y" * 400]
)
def test_other_files_are_told_apart(content, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises((NotADicomFile, DamagedHeader)):
        read_images(path)


def test_nonsense_in_a_field_is_no_value(scan, write, edit, tmp_path):
    path = write(scan(heights=(0.0,)), tmp_path)[0]
    data = path.read_bytes()
    path.write_bytes(data.replace(b"-106.5\\-106.5\\", b"banana\\-106.5\\"))
    assert read_images(path)[0].position is None
    path.write_bytes(data.replace(b"-106.5\\-106.5\\", b"-1e999\\-106.5\\"))
    assert read_images(path)[0].position is None


def test_mutated_files_are_read_or_refused(scan, write, tmp_path):
    data = write(scan(heights=(0.0,)), tmp_path)[0].read_bytes()
    rng = np.random.default_rng(1)
    path = tmp_path / "mutant"
    refused = 0
    for _ in range(300):
        mutant = bytearray(data[: rng.integers(100, 1600)] if rng.random() < 0.3 else data)
        for at in rng.integers(0, min(len(mutant), 1500), rng.integers(1, 6)):
            mutant[at] = rng.integers(0, 256)
        path.write_bytes(bytes(mutant))
        try:
            read_images(path)
        except (NotADicomFile, DamagedHeader):
            refused += 1
    assert 0 < refused < 300


def test_the_quick_way_through_a_header_finds_what_the_parser_finds(ge_head, unpack):
    odd = Path(pydicom.data.__file__).parent / "test_files"
    paths = [*ge_head.rglob("*.dcm"), *unpack("phantom_tilt0_5mm").rglob("I*"), *odd.glob("*.dcm")]
    quick = 0
    for path in paths:
        with path.open("rb") as file:
            walked = Fields.walk(file.read(16384))
            if walked is None:
                continue
            parsed = Fields.parse(file)
        quick += 1
        assert walked.end == parsed.end
        assert (walked.syntax, walked.sop_class) == (parsed.syntax, parsed.sop_class)
        for name in set(TAGS) - {"contrast_sequence"}:
            assert walked.text(name) == parsed.text(name) or walked.short(name) is not None
            assert walked.short(name) == parsed.short(name) or walked.text(name)
    assert quick > 40


@pytest.mark.parametrize("named", ["GB18030", ""])
def test_a_description_is_read_in_its_own_script(named, scan, write, edit, tmp_path):
    path = write(scan(heights=(0.0,)).with_header(series_description="X" * 8), tmp_path)[0]
    if named:
        edit(path, SpecificCharacterSet=named)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"X" * 8, "头颅平扫".encode("gb18030")))
    (image,) = read_images(path)
    assert image.series_text == "头颅平扫"
    assert image.patient_key == "PID-77"
