from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pydicom import dcmread

from hemocast.deliver import Kind, Result, make_objects, write_objects


def test_a_page_is_encapsulated_whole(
    refused: Result, tmp_path: Path, faults: Callable[..., list[str]]
) -> None:
    pdf = b"%PDF-1.7\nodd\n%%EOF"
    objects = make_objects(replace(refused, pdf=pdf))
    paths = write_objects(objects, tmp_path)
    assert [faults(path) for path in paths] == [[], []]
    read = dcmread(paths[-1])
    assert read.EncapsulatedDocument[: read.EncapsulatedDocumentLength] == pdf
    assert read.BurnedInAnnotation == "NO"
    assert Kind.DOCUMENT not in make_objects(replace(refused, pdf=pdf, wanted=frozenset()))
