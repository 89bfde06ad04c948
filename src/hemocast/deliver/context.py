"""What every object says of patient, study, series, device and itself.

Which attributes: the modules Patient, General Study, Patient Study, General Series, Enhanced
General Equipment and SOP Common of PS3.3 (C.7.1.1, C.7.2.1, C.7.2.2, C.7.3.1, C.7.5.2, C.12.1).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from hemocast.deliver.result import Kind, Result
from hemocast.dicom import make_uid
from hemocast.version import VERSION

if TYPE_CHECKING:
    from pydicom import Dataset

MANUFACTURER = "Hemocast developers"
PRODUCT = "Hemocast"
NOTICE = "Research only, not for clinical use"

COPIED = (
    "SpecificCharacterSet", "TimezoneOffsetFromUTC",
    "PatientName", "PatientID", "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence",
    "TypeOfPatientID", "OtherPatientIDsSequence", "PatientBirthDate", "PatientBirthTime",
    "PatientSex", "PatientIdentityRemoved", "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "StudyInstanceUID", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID",
    "AccessionNumber", "IssuerOfAccessionNumberSequence", "StudyDescription",
    "ProcedureCodeSequence", "ReferencedStudySequence",
    "PatientAge", "PatientSize", "PatientWeight", "AdmissionID", "IssuerOfAdmissionIDSequence",
)  # fmt: skip
"""What is taken from the source images letter by letter."""

# Of type 2: there, if empty.
_NEEDED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "ReferringPhysicianName", "StudyID", "AccessionNumber",
)  # fmt: skip
_IMAGES = (Kind.CAPTURE, Kind.HEATMAP, Kind.INFARCT)


@dataclass(frozen=True)
class _Series:
    """What a kind's series is called."""

    modality: str
    number: int
    description: str


_SERIES = {
    Kind.CAPTURE: _Series("OT", 9601, "Hemocast HT risk, picture (research only)"),
    Kind.REPORT: _Series("SR", 9602, "Hemocast HT risk, report (research only)"),
    Kind.HEATMAP: _Series("CT", 9603, "Hemocast HT evidence map (research only)"),
    Kind.INFARCT: _Series("SEG", 9604, "Hemocast infarct outline (research only)"),
    Kind.DOCUMENT: _Series("DOC", 9605, "Hemocast HT risk, page (research only)"),
}


def series_uid(result: Result, kind: Kind) -> str:
    """Derive the series that all revisions of one kind of object lie in."""
    return make_uid("hemocast series", *_origin(result), kind.value)


def instance_uid(result: Result, kind: Kind, revision: int | None = None) -> str:
    """Derive the object's own UID: made twice, it is the same object.

    Parameters
    ----------
    result : Result
        Its study, series, model, revision, language and what became of it make the UID.
    kind : Kind
        What is made.
    revision : int, optional
        Another than the result's own: of what it replaces.
    """
    number = result.revision if revision is None else revision
    return make_uid("hemocast object", *_origin(result), kind.value, number, result.language.code)


def derived_uid(result: Result, kind: Kind, what: str) -> str:
    """Derive the UID of something within an object: a tracked region, say."""
    return make_uid("hemocast part", *_origin(result), kind.value, result.revision, what)


def device_uid(result: Result) -> str:
    """Derive the UID of the model as a device."""
    return make_uid("hemocast device", VERSION, result.model.hash if result.model else "")


def _origin(result: Result) -> tuple[str, str, str]:
    first = result.first
    return (
        str(first.get("StudyInstanceUID", "")),
        str(first.get("SeriesInstanceUID", "")),
        result.model.hash if result.model else "",
    )


def complete(dataset: Dataset, result: Result, kind: Kind) -> Dataset:
    """Say in an object whose it is, in which study and series, and what made it when.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Holds what is its own; is changed and returned.
    result : Result
        What is told.
    kind : Kind
        What the object is.
    """
    copy_patient(result.first, dataset)
    series = _SERIES[kind]
    moment = local_time(result)
    date, time = moment.strftime("%Y%m%d"), moment.strftime("%H%M%S")
    description = series.description
    if result.revision > 1:
        description += f", revision {result.revision}"
    values: dict[str, object] = {
        "SOPInstanceUID": instance_uid(result, kind),
        "InstanceCreationDate": date,
        "InstanceCreationTime": time,
        "InstanceNumber": result.revision,
        "SeriesInstanceUID": series_uid(result, kind),
        "Modality": series.modality,
        "SeriesNumber": series.number,
        "SeriesDescription": description,
        "SeriesDate": date,
        "SeriesTime": time,
        "ContentDate": date,
        "ContentTime": time,
        "Manufacturer": MANUFACTURER,
        "ManufacturerModelName": PRODUCT,
        "DeviceSerialNumber": (result.model.hash if result.model else VERSION)[:64],
        "SoftwareVersions": _versions(result),
    }
    if kind in _IMAGES:
        values["BodyPartExamined"] = "HEAD"
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    for equipment in dataset.get("ContributingEquipmentSequence", ()):
        equipment.ContributionDateTime = date + time
    return dataset


def copy_patient(header: Dataset, dataset: Dataset) -> None:
    """Copy what says whose the study is, and its character set with it; nothing else of those."""
    for keyword in COPIED:
        if keyword in dataset:
            del dataset[keyword]
        if keyword in header:
            dataset[keyword] = copy.deepcopy(header[keyword])
    for keyword in _NEEDED:
        if keyword not in dataset:
            setattr(dataset, keyword, "")


def said(header: Dataset, keyword: str) -> str:
    """Return what a header says, "" where nothing, as text; several values as they were written."""
    from pydicom.multival import MultiValue

    value = header.get(keyword)
    if isinstance(value, MultiValue):
        return "\\".join(map(str, value))
    return "" if value is None else str(value)


def plain(text: str, most: int = 64) -> str:
    """Return a text as any character set holds it: ASCII, without what separates values.

    Parameters
    ----------
    text : str
        English.
    most : int
        Characters that the value representation has room for.
    """
    kept = text.translate({0x2212: "-", 0x2013: "-", 0xB7: ",", 0x5C: "/"})
    kept = kept.encode("ascii", "replace").decode("ascii")
    return " ".join(kept.split())[:most].rstrip()


def _versions(result: Result) -> list[str]:
    if result.model is None:
        return [VERSION]
    return [VERSION, plain(f"{result.model.name} {result.model.version}")]


def local_time(result: Result) -> datetime:
    """Give the time when it was made as the images' own zone has it, if they say one."""
    offset = str(result.first.get("TimezoneOffsetFromUTC", "") or "").strip()
    if result.made.tzinfo is None or len(offset) != 5 or not offset[1:].isdigit():
        return result.made
    ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
    return result.made.astimezone(timezone(-ahead if offset[0] == "-" else ahead))
