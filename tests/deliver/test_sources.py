from __future__ import annotations

import importlib.util

import pytest
from pydicom import Dataset

from hemocast.deliver import Result, make_objects
from hemocast.deliver.sources import bare
from hemocast.errors import MissingExtra


def test_what_highdicom_is_given_names_nobody(headers: tuple[Dataset, ...]) -> None:
    for image in bare(headers):
        assert not any(
            str(image.get(keyword, ""))
            for keyword in ("PatientName", "PatientID", "AccessionNumber", "StudyDate")
        )
        assert "StudyDescription" not in image


def test_without_its_library_a_report_is_refused_and_a_capture_is_not(
    result: Result, refused: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "highdicom" else found(name)
    )
    assert make_objects(refused)
    with pytest.raises(MissingExtra, match=r"hemocast\[serve\]"):
        make_objects(result)
