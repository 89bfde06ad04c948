"""The examination: what it finds is what is installed and what the machine has."""

from __future__ import annotations

from collections import namedtuple
from types import SimpleNamespace

import pytest

from hemocast.pipeline import doctor


def test_the_requirements_are_those_of_the_project() -> None:
    core, extras = doctor.requirements()
    assert {"numpy", "pydicom", "onnxruntime"} <= set(core)
    assert "torch" in extras["train"]
    assert not set(core) & set(extras["train"])
    assert set(doctor.EXTRAS) <= set(extras)


def test_a_full_disk_and_a_codec_that_is_gone_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: usage(9e9, 8e9, 1e9))
    gone = doctor.SYNTAXES["JPEG 2000"]
    monkeypatch.setattr(
        "pydicom.pixels.decoders.base.get_decoder",
        lambda uid: SimpleNamespace(is_available=uid != gone),
    )
    found = {one.what: one for one in doctor.examine()}
    assert found["disk, here"].ok is False
    assert found["disk, here"].words == "1.0 GB free"
    assert found["model"].ok
    codecs = found["DICOM compressions"]
    assert (codecs.ok, codecs.words) == (False, "RLE, JPEG lossless, JPEG-LS; not JPEG 2000")
    assert "pylibjpeg-openjpeg" in codecs.remedy
