"""Audit messages as DICOM PS3.15 A.5 defines them, in XML.

The schema is that of PS3.15 A.5.1 (it descends from RFC 3881); codes are those of PS3.16 CID 400
and 401. A message names patients and studies, as the standard asks: it goes to the collector of
audit messages and nowhere else. The patient's name is left empty, which the schema allows.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from xml.etree import ElementTree as ET

from hemocast.serve.hospital.people.audit import Entry, Kind

_DCM = "DCM"
_RFC = "RFC-3881"


@dataclass(frozen=True)
class _Event:
    """How a kind of act is told: EventID, EventActionCode, EventTypeCode."""

    code: str
    meaning: str
    action: str
    type: tuple[str, str] | None = None


_ATTRIBUTES = ("110137", "User Security Attributes Changed")
_EVENTS = {
    Kind.START: _Event("110100", "Application Activity", "E", ("110120", "Application Start")),
    Kind.STOP: _Event("110100", "Application Activity", "E", ("110121", "Application Stop")),
    Kind.LOG_IN: _Event("110114", "User Authentication", "E", ("110122", "Login")),
    Kind.LOG_OUT: _Event("110114", "User Authentication", "E", ("110123", "Logout")),
    Kind.DENIED: _Event("110113", "Security Alert", "E", ("110132", "Use of Restricted Function")),
    Kind.WORKLIST: _Event("110112", "Query", "E"),
    Kind.CASE: _Event("110110", "Patient Record", "R"),
    Kind.RESULT: _Event("110110", "Patient Record", "R"),
    Kind.IMAGES: _Event("110107", "Import", "C"),
    Kind.OUTCOME: _Event("110110", "Patient Record", "U"),
    Kind.ACCOUNT: _Event("110113", "Security Alert", "E", _ATTRIBUTES),
    Kind.ROLE: _Event("110113", "Security Alert", "E", ("110136", "Security Roles Changed")),
    Kind.TOKEN: _Event("110113", "Security Alert", "E", _ATTRIBUTES),
    Kind.DELIVERY: _Event("110113", "Security Alert", "E", ("110131", "Software Configuration")),
    Kind.PULL: _Event("110112", "Query", "E"),
    Kind.EXPORT: _Event("110106", "Export", "R"),
    Kind.AUDIT: _Event("110101", "Audit Log Used", "R"),
}

_SEARCHED = {Kind.WORKLIST: "worklist", Kind.PULL: "pull"}
"""What queries are told to ask; their detail is the query."""


@dataclass(frozen=True, repr=False)
class Seen:
    """A study that an act was about. Protected health information.

    Parameters
    ----------
    study_uid, patient_id : str
    """

    study_uid: str
    patient_id: str


def audit_message(entry: Entry, source: str, studies: Sequence[Seen] = ()) -> bytes:
    """Write an entry of the audit log as an audit message.

    Parameters
    ----------
    entry : Entry
    source : str
        AuditSourceID: the service, by its AE title.
    studies : sequence of Seen
        Those of the entry.

    Returns
    -------
    bytes
        UTF-8, with an XML declaration.
    """
    root = ET.Element("AuditMessage")
    _identify(root, entry)
    _participant(root, entry, source)
    made_by = ET.SubElement(root, "AuditSourceIdentification", AuditSourceID=source)
    ET.SubElement(made_by, "AuditSourceTypeCode", {"csd-code": "4"})
    if entry.act.kind in _SEARCHED:
        _query(root, entry)
    if entry.act.kind is Kind.AUDIT:
        log = _object(root, "audit-log", ("2", "13"), ("12", _RFC, "URI"))
        ET.SubElement(log, "ParticipantObjectName").text = "Security Audit Log"
    for study in studies:
        about = _object(root, study.study_uid, ("2", "3"), ("110180", _DCM, "Study Instance UID"))
        ET.SubElement(about, "ParticipantObjectName")
    for patient in sorted({study.patient_id for study in studies}):
        about = _object(root, patient, ("1", "1"), ("2", _RFC, "Patient Number"))
        ET.SubElement(about, "ParticipantObjectName")
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _identify(root: ET.Element, entry: Entry) -> None:
    told, act = _EVENTS[entry.act.kind], entry.act
    event = ET.SubElement(
        root,
        "EventIdentification",
        EventActionCode=told.action,
        EventDateTime=entry.at.isoformat(timespec="milliseconds"),
        EventOutcomeIndicator="0" if act.success else "4",
    )
    _code(event, "EventID", told.code, _DCM, told.meaning)
    if told.type is not None:
        _code(event, "EventTypeCode", told.type[0], _DCM, told.type[1])
    if act.detail and act.kind not in _SEARCHED:
        ET.SubElement(event, "EventOutcomeDescription").text = _plain(act.detail)


def _participant(root: ET.Element, entry: Entry, source: str) -> None:
    by = entry.act.by
    who = {"UserID": _plain(by.name or "unknown"), "UserIsRequestor": "true"}
    if by.address:
        kind = "2" if _is_ip(by.address) else "1"
        who |= {
            "NetworkAccessPointID": _plain(by.address),
            "NetworkAccessPointTypeCode": kind,
        }
    person = ET.SubElement(root, "ActiveParticipant", who)
    if entry.act.kind in {Kind.START, Kind.STOP}:
        _code(person, "RoleIDCode", "110151", _DCM, "Application Launcher")
    service = ET.SubElement(
        root, "ActiveParticipant", {"UserID": source, "UserIsRequestor": "false"}
    )
    _code(service, "RoleIDCode", "110150", _DCM, "Application")


def _query(root: ET.Element, entry: Entry) -> None:
    about = _object(root, _SEARCHED[entry.act.kind], ("2", "24"), ("10", _RFC, "Search Criteria"))
    query = ET.SubElement(about, "ParticipantObjectQuery")
    query.text = base64.b64encode(entry.act.detail.encode()).decode("ascii")


def _object(
    root: ET.Element, name: str, kind: tuple[str, str], id_type: tuple[str, str, str]
) -> ET.Element:
    about = ET.SubElement(
        root,
        "ParticipantObjectIdentification",
        ParticipantObjectID=_plain(name),
        ParticipantObjectTypeCode=kind[0],
        ParticipantObjectTypeCodeRole=kind[1],
    )
    _code(about, "ParticipantObjectIDTypeCode", *id_type)
    return about


def _code(parent: ET.Element, name: str, code: str, system: str, meaning: str) -> None:
    values = {"csd-code": code, "codeSystemName": system, "originalText": meaning}
    ET.SubElement(parent, name, values)


def _plain(text: str) -> str:
    """Replace what XML cannot hold: control characters, halves of a pair."""
    return "".join(
        letter if letter.isprintable() and not 0xD800 <= ord(letter) <= 0xDFFF else "?"
        for letter in text
    )


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
