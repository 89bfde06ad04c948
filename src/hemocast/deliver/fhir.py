"""A result as FHIR: one Bundle of a DiagnosticReport, its Observations and the Device.

R4 (4.0.1) by default; R5 differs in the names of a few elements, and has ImagingSelection. Ids are
derived and every entry is a PUT, so that a result sent twice is there once, and a revision replaces
what was there.
"""

from __future__ import annotations

import uuid
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from hemocast.deliver import codes
from hemocast.deliver.codes import OWN, Concept
from hemocast.deliver.context import MANUFACTURER, PRODUCT, instance_uid, local_time, said
from hemocast.deliver.findings import Answer, Findings, Number, findings_of
from hemocast.deliver.result import Analysed, Kind, Refused, Result
from hemocast.dicom import make_uid
from hemocast.version import VERSION

if TYPE_CHECKING:
    from pydicom import Dataset

Release = Literal["R4", "R5"]
Json = dict[str, Any]

_SYSTEMS = {
    "SCT": "http://snomed.info/sct",
    "LN": "http://loinc.org",
    "UCUM": "http://unitsofmeasure.org",
    OWN: f"urn:oid:{make_uid('hemocast coding scheme')}",
}
_TERMS = "http://terminology.hl7.org/CodeSystem/"
_UIDS = "urn:dicom:uid"


def make_bundle(result: Result, release: Release = "R4") -> Json:
    """Make the bundle, ready for `json.dumps`; holds the patient's identifiers.

    Parameters
    ----------
    result : Result
        What is told.
    release : {"R4", "R5"}
        Of FHIR.
    """
    resources = [_device(result, release)]
    answer = result.answer
    if isinstance(answer, Refused):
        resources.append(_report(result, release, [], _reason(answer)))
    else:
        findings = findings_of(result, answer)
        observations = _observations(result, findings)
        texts = [f"{one.concept.meaning}: {one.text}" for one in findings.remarks]
        summary = _summary(answer)
        report = _report(result, release, observations, ". ".join([summary, *texts]))
        resources += [*observations, report]
        if release == "R5":
            resources.append(_selection(result))
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{one['id']}",
                "resource": one,
                "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
            }
            for one in resources
        ],
    }


def _summary(answer: Analysed) -> str:
    one = answer.prediction
    low, high = one.probability_interval
    return (
        f"Probability of hemorrhagic transformation {100 * one.probability:.0f} % (calibration "
        f"{100 * low:.0f} to {100 * high:.0f} %), threshold {100 * one.threshold:.0f} %"
    )


def _reason(refused: Refused) -> str:
    parts = [f"Not analysed ({refused.code}): {refused.seen}"]
    parts += [f"Expected {refused.expected}"] if refused.expected else []
    parts += [refused.action] if refused.action else []
    return ". ".join([*parts, "Research only, not for clinical use"]) + "."


def _device(result: Result, release: Release) -> Json:
    model = result.model
    name = f"{PRODUCT} {model.name}" if model else PRODUCT
    versions = [{"value": VERSION}, *([{"value": model.version}] if model else [])]
    called = {"name": name, "type": "model-name"}
    if release == "R5":
        called = {"value": name, "type": "user-friendly-name"}
    device: Json = {
        "resourceType": "Device",
        "id": _id(result, "device", result.model.hash if result.model else ""),
        "manufacturer": MANUFACTURER,
        "name" if release == "R5" else "deviceName": [called],
        "version": versions,
        "note": [{"text": "Research only, not for clinical use: no medical device"}],
    }
    if model:
        device["identifier"] = [
            {"system": "urn:ietf:rfc:3986", "value": f"urn:sha256:{model.hash}"}
        ]
    return device


def _observations(result: Result, findings: Findings) -> list[Json]:
    numbers = (*findings.risk, *findings.infarct, *findings.brain)
    answers = (*findings.risk_answers, *findings.infarct_answers, *findings.brain_answers)
    made = [_observation(result, one) | _quantities(one) for one in numbers]
    return made + [
        _observation(result, one) | {"valueCodeableConcept": _concept(one.value)} for one in answers
    ]


def _observation(result: Result, one: Number | Answer) -> Json:
    return _about(result, "Observation", one.concept.value) | {
        "status": "preliminary",
        "category": [_category("observation-category", "imaging", "Imaging")],
        "code": _concept(one.concept),
        "bodySite": _concept(codes.BRAIN),
        "device": _reference(_id(result, "device", result.model.hash if result.model else "")),
        "derivedFrom": [_study(result.first)],
    }


def _quantities(number: Number) -> Json:
    """Give the value, and the ends of its interval as components of their own."""
    ends = ((number.low, False), (number.high, True))
    components = [
        {
            "code": _concept(codes.end_of(number.concept, upper=upper)),
            "valueQuantity": _quantity(value, number.unit),
        }
        for value, upper in ends
        if value is not None
    ]
    value = {"valueQuantity": _quantity(number.value, number.unit)}
    return value | ({"component": components} if components else {})


def _report(result: Result, release: Release, observations: list[Json], text: str) -> Json:
    report = _about(result, "DiagnosticReport", "report") | {
        "identifier": [{"system": _UIDS, "value": f"urn:oid:{instance_uid(result, Kind.REPORT)}"}],
        "status": "preliminary" if observations else "cancelled",
        "category": [_category("v2-0074", "CT", "CAT Scan")],
        "code": _concept(codes.HEAD_CT),
        "study" if release == "R5" else "imagingStudy": [_study(result.first)],
        "conclusion": text,
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{escape(text)}</p></div>',
        },
    }
    if observations:
        report["result"] = [_reference(one["id"]) for one in observations]
    issued = local_time(result)
    if issued.tzinfo is not None:
        report["issued"] = issued.isoformat(timespec="seconds")
    if accession := said(result.first, "AccessionNumber"):
        kind = _category("v2-0203", "ACSN", "Accession ID")
        identifier = {"type": kind, "value": accession}
        report["basedOn"] = [{"type": "ServiceRequest", "identifier": identifier}]
    return report


def _selection(result: Result) -> Json:
    """Say which images the report is of (R5 alone has this resource)."""
    images = [
        {"uid": str(header.SOPInstanceUID), "sopClass": _sop_class(str(header.SOPClassUID))}
        for header in result.headers
    ]
    return _about(result, "ImagingSelection", "selection") | {
        "status": "available",
        "code": {"coding": [_coding(Concept("121322", "DCM", "Source image"))]},
        "derivedFrom": [_study(result.first)],
        "studyUid": said(result.first, "StudyInstanceUID"),
        "seriesUid": said(result.first, "SeriesInstanceUID"),
        "instance": images,
    }


def _sop_class(uid: str) -> Json:
    return {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{uid}"}


def _about(result: Result, kind: str, what: str) -> Json:
    """Begin a resource of the patient; simulated ones are marked as test data."""
    resource: Json = {
        "resourceType": kind,
        "id": _id(result, kind, what),
        "subject": _patient(result.first),
    }
    if result.simulated:
        mark = {"system": f"{_TERMS}v3-ActReason", "code": "HTEST", "display": "test health data"}
        resource["meta"] = {"security": [mark]}
    return resource


def _id(result: Result, *what: str) -> str:
    """Derive an id that all revisions of a result share."""
    first = result.first
    parts = (said(first, "StudyInstanceUID"), said(first, "SeriesInstanceUID"), *what)
    number = int(make_uid("hemocast fhir", *parts).removeprefix("2.25."))
    return str(uuid.UUID(int=number))


def _patient(header: Dataset) -> Json:
    """Refer to the patient by the hospital's identifier: the server has the resource."""
    identifier: Json = {
        "type": _category("v2-0203", "MR", "Medical record number"),
        "value": said(header, "PatientID"),
    }
    if issuer := said(header, "IssuerOfPatientID"):
        identifier["assigner"] = {"display": issuer}
    patient: Json = {"type": "Patient", "identifier": identifier}
    if name := said(header, "PatientName"):
        patient["display"] = name
    return patient


def _study(header: Dataset) -> Json:
    uid = said(header, "StudyInstanceUID")
    return {"type": "ImagingStudy", "identifier": {"system": _UIDS, "value": f"urn:oid:{uid}"}}


def _reference(identifier: str) -> Json:
    return {"reference": f"urn:uuid:{identifier}"}


def _category(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": _TERMS + system, "code": code, "display": display}]}


def _concept(concept: Concept) -> Json:
    return {"coding": [_coding(concept)], "text": concept.meaning}


def _coding(concept: Concept) -> Json:
    system = _SYSTEMS.get(concept.scheme, "http://dicom.nema.org/resources/ontology/DCM")
    return {"system": system, "code": concept.value, "display": concept.meaning}


def _quantity(value: float, unit: Concept) -> Json:
    return {"value": value, "unit": unit.value, "system": _SYSTEMS["UCUM"], "code": unit.value}
