"""What a PACS answers is looked at again: it may heed no key, or take one for a wildcard."""

from __future__ import annotations

from datetime import datetime

import pytest
from pydicom import Dataset

from hemocast.serve.hospital.pull.wanted import FoundSeries, FoundStudy, Wanted, found_series

NOON = datetime(2026, 3, 1, 12)


def answer(**values: object) -> Dataset:
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("wanted", "said", "fits"),
    [
        (Wanted(patient="*"), {"PatientID": "P1"}, False),
        (Wanted(patient="P1"), {"PatientID": "P1 "}, True),
        (Wanted(accession="A1"), {"AccessionNumber": "A12"}, False),
        (Wanted(study="1.2"), {}, False),
        (Wanted(NOON), {"StudyDate": "20260301", "StudyTime": "115959.9"}, False),
        (Wanted(NOON), {"StudyDate": "20260301", "StudyTime": "1200"}, True),
        (Wanted(NOON), {"StudyDate": "20260302", "StudyTime": "0010"}, True),
        (Wanted(NOON), {"StudyDate": "20260301"}, True),
        (Wanted(NOON), {"StudyDate": "20260228", "StudyTime": ""}, False),
        (Wanted(NOON), {}, True),
    ],
)
def test_a_study_fits_by_what_it_says(wanted: Wanted, said: dict[str, str], fits: bool) -> None:
    assert wanted.fits_study(answer(**said)) is fits


@pytest.mark.parametrize(
    ("series", "fits"),
    [
        ({"Modality": "CT", "BodyPartExamined": "HEAD"}, True),
        ({"Modality": "CT", "BodyPartExamined": "CHEST"}, False),
        ({"Modality": "CT"}, True),
        ({"Modality": "SR", "BodyPartExamined": "HEAD"}, False),
        ({"Modality": "CT", "SeriesDescription": "Angio"}, False),
    ],
)
def test_a_series_fits_by_what_it_and_its_study_say(series: dict[str, str], fits: bool) -> None:
    wanted = Wanted(body_part=("head", "brain"), description=("plain",))
    study = answer(StudyDescription="" if "SeriesDescription" in series else "CT Plain")
    assert wanted.fits_series(answer(**series), study) is fits


def test_only_what_is_asked_for_is_a_key() -> None:
    assert Wanted().keys() == {"ModalitiesInStudy": "CT"}
    assert Wanted(NOON, accession="A").keys() == {
        "ModalitiesInStudy": "CT", "AccessionNumber": "A", "StudyDate": "20260228-",
    }  # fmt: skip


@pytest.mark.parametrize(("told", "images"), [(3, 3), (0, None), (-1, None), (None, None)])
def test_how_many_images_there_are_is_known_where_it_is_told(
    told: int | None, images: int | None
) -> None:
    one = found_series(answer(SeriesInstanceUID="1.2", NumberOfSeriesRelatedInstances=told))
    assert one == FoundSeries("1.2", images)
    study = FoundStudy("1", (one, FoundSeries("1.3", 2)))
    assert study.images == (None if images is None else images + 2)
