"""What is neither DICOM nor NIfTI is called what it is, with what to do."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from hemocast.dicom import read
from hemocast.dicom.files.formats import Kind, name_of
from hemocast.errors import HemocastError, MalformedFile, NotDicom


def _file(kind, folder):
    path = folder / f"scan.{kind}"
    if kind in ("tar", "tar.gz", "tar.xz", "tgz"):
        inner = folder / "inner"
        inner.write_text("content")
        with tarfile.open(path, {"tar": "w", "tar.xz": "w:xz"}.get(kind, "w:gz")) as archive:
            archive.add(inner, "SMITH^JOHN")
        inner.unlink()
    elif kind in ("png", "jpg", "tif", "bmp", "gif", "pdf"):
        Picture.fromarray(np.zeros((8, 8), np.uint8)).save(path)
    elif kind == "hdr":
        nib.AnalyzeImage(np.zeros((4, 4, 4), np.int16), np.eye(4)).to_filename(path)
        (folder / "scan.img").unlink()
    else:
        path.write_bytes(
            {
                "7z": b"7z\xbc\xaf'\x1c\0\x04" + bytes(600),
                "rar": b"Rar!\x1a\x07\x01\0" + bytes(600),
                "gz": gzip.compress(b"x" * 999),
                "bz2": bz2.compress(b"x" * 999),
                "xz": lzma.compress(b"x" * 999),
                "nrrd": b"NRRD0004\n",
                "mha": b"ObjectType = Image\nNDims = 3\n",
                "mnc": b"\x89HDF\r\n\x1a\n" + bytes(99),
                "json": b'[{"00080005": {"vr": "CS"}}]',
            }[kind]
        )
    return path


@pytest.mark.parametrize(
    ("kind", "seen", "action"),
    [
        ("tar", "tar archive", "Unpack"), ("tar.gz", "tar archive", "Unpack"),
        ("tgz", "tar archive", "Unpack"), ("tar.xz", "tar archive", "Unpack"),
        ("7z", "7z archive", "Unpack"), ("rar", "RAR archive", "Unpack"), ("gz", "gzip", "Unpack"),
        ("bz2", "bzip2", "Unpack"), ("xz", "xz", "Unpack"), ("nrrd", "NRRD", "NIfTI"),
        ("mha", "MetaImage", "NIfTI"), ("mnc", "MINC", "NIfTI"), ("hdr", "Analyze", "NIfTI"),
        ("png", "PNG", "no CT numbers"), ("jpg", "JPEG", "no CT numbers"),
        ("tif", "TIFF", "no CT numbers"), ("bmp", "BMP", "no CT numbers"),
        ("gif", "GIF", "no CT numbers"), ("pdf", "PDF", "no CT numbers"),
        ("json", "DICOM JSON", "themselves"),
    ],
)  # fmt: skip
def test_every_wrapping_is_named_with_what_to_do(kind, seen, action, tmp_path):
    path = _file(kind, tmp_path)
    with pytest.raises(NotDicom) as refusal:
        read(path)
    assert seen in refusal.value.seen
    assert action in refusal.value.action
    assert "SMITH" not in str(refusal.value)
    assert "scan" not in refusal.value.seen


def test_a_folder_of_them_is_counted(tmp_path):
    for kind in ("png", "jpg", "7z"):
        _file(kind, tmp_path)
    (tmp_path / "more.png").write_bytes((tmp_path / "scan.png").read_bytes())
    (tmp_path / "notes.txt").write_text("notes")
    with pytest.raises(NotDicom, match=r"5 files there is DICOM \(2 PNG picture, 1 "):
        read(tmp_path)


def test_what_is_called_nifti_and_is_another_thing_is_named(tmp_path):
    path = tmp_path / "scan.nii"
    path.write_bytes(_file("nrrd", tmp_path).read_bytes() + bytes(600))
    with pytest.raises(MalformedFile, match="NRRD"):
        read(path)


def test_an_unknown_file_stays_not_dicom(tmp_path):
    (tmp_path / "a").write_text("text")
    assert name_of(tmp_path / "a") is None
    assert name_of(tmp_path / "none") is None
    with pytest.raises(NotDicom, match=r"None of the 1 file\(s\)"):
        read(tmp_path)


@given(st.binary(max_size=600))
def test_no_bytes_raise(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(content)
    known = name_of(path)
    assert known is None or isinstance(known[1], Kind)
    with pytest.raises(HemocastError):
        read(path)
