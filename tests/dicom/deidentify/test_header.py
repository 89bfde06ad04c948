"""One header in; one that names nobody out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydicom import Dataset

from hemocast.dicom.deidentify.header import Keyed, clean_header


def keyed(days: float = 10.0, key: bytes = b"k" * 32) -> Keyed:
    return Keyed(key, lambda patient: "sub-0123456789ab", lambda patient: timedelta(days=days))


def clean(**fields: object) -> Dataset:
    source = Dataset()
    for keyword, value in fields.items():
        setattr(source, keyword, value)
    return clean_header(source, "P", keyed(), "method")


def test_the_patient_is_a_pseudonym_and_the_method_is_declared() -> None:
    out = clean(PatientName="Doe^Jane", PatientID="MRN-1", OtherPatientIDs="X")
    assert out.PatientID == out.PatientName == "sub-0123456789ab"
    assert out.PatientIdentityRemoved == "YES"
    assert out.DeidentificationMethod == "method"
    assert "OtherPatientIDs" not in out
    assert "Doe" not in str(out)
    assert out.DeidentificationMethodCodeSequence[0].CodeValue == "113100"


def test_dates_move_by_whole_days_and_times_stay() -> None:
    out = clean(StudyDate="20210311", StudyTime="131415.25", AcquisitionDateTime="20210301120000")
    assert (out.StudyDate, out.StudyTime) == ("20210301", "131415.25")
    assert out.AcquisitionDateTime == "20210219120000"
    with pytest.raises(ValueError, match="whole days"):
        clean_header(Dataset(), "P", keyed(days=0.5), "method")


@pytest.mark.parametrize(
    ("fields", "age"),
    [
        ({"PatientAge": "071Y"}, "071Y"), ({"PatientAge": "094Y"}, "090Y"),
        ({"PatientAge": "003M"}, "003M"), ({"PatientAge": "old"}, "041Y"), ({}, "041Y"),
    ],
)  # fmt: skip
def test_ages_are_capped_or_counted_from_birth(fields: dict[str, str], age: str) -> None:
    out = clean(StudyDate="20210311", PatientBirthDate="19790312", **fields)
    assert out.PatientAge == age


def test_words_that_decide_stay_and_names_go() -> None:
    out = clean(SeriesDescription="HEAD SMITH WITH CONTRAST", ContrastBolusAgent="Dr Smith's mix")
    assert "SMITH" not in out.SeriesDescription
    assert "CONTRAST" in out.SeriesDescription
    assert out.ContrastBolusAgent == "CONTRAST"


def test_uids_are_replaced_alike_everywhere_and_by_key() -> None:
    one, again = clean(StudyInstanceUID="1.2.3"), clean(StudyInstanceUID="1.2.3")
    assert one.StudyInstanceUID == again.StudyInstanceUID != "1.2.3"
    assert keyed().uid("1.2.3") != keyed(key=b"o" * 32).uid("1.2.3")
    assert keyed().word("SMITH") == keyed().word("SMITH") != keyed().word("JONES")
