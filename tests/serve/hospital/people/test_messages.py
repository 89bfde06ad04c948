"""Audit messages keep the schema of DICOM PS3.15, whatever people are called."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom.sr.codedict import codes

from hemocast.serve.hospital.people.audit import Act, Entry, Kind, Person
from hemocast.serve.hospital.people.messages import Seen, audit_message

etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
SCHEMA = etree.RelaxNG(etree.parse(str(Path(__file__).with_name("audit_message.rng"))))
AT = datetime(2026, 11, 29, 12, 0, 1, tzinfo=UTC)
STUDIES = (Seen("1.2.3", "MRN-1"), Seen("1.2.4", "MRN-2"), Seen("1.2.5", "MRN-1"))


def message(kind: Kind, who: str = "ann", detail: str = "d", *, success: bool = True) -> object:
    act = Act(kind, Person(who, "10.0.0.7"), (1, 2, 3), detail, success)
    text = audit_message(Entry(1, AT, act), "HEMOCAST", STUDIES)
    root = etree.fromstring(text)
    SCHEMA.assertValid(root)
    return root


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_keeps_the_schema_and_uses_known_codes(kind: Kind) -> None:
    root = message(kind)
    named = (getattr(codes.DCM, name) for name in codes.DCM.dir())
    known = {code.value: code.meaning for code in named}
    coded = root.xpath("//*[@codeSystemName='DCM']")
    assert len(coded) >= 2
    for one in coded:
        assert known[one.get("csd-code")] == one.get("originalText")


def test_who_from_where_when_and_which_patients() -> None:
    root = message(Kind.CASE)
    event = root.find("EventIdentification")
    assert event.get("EventDateTime") == "2026-11-29T12:00:01.000+00:00"
    assert (event.get("EventActionCode"), event.get("EventOutcomeIndicator")) == ("R", "0")
    assert event.find("EventID").get("csd-code") == "110110"
    person = root.find("ActiveParticipant[@UserIsRequestor='true']")
    assert (person.get("UserID"), person.get("NetworkAccessPointID")) == ("ann", "10.0.0.7")
    assert person.get("NetworkAccessPointTypeCode") == "2"
    objects = "ParticipantObjectIdentification[@ParticipantObjectTypeCodeRole='{}']"
    patients = root.findall(objects.format(1))
    assert [one.get("ParticipantObjectID") for one in patients] == ["MRN-1", "MRN-2"]
    studies = root.findall(objects.format(3))
    assert [one.get("ParticipantObjectID") for one in studies] == ["1.2.3", "1.2.4", "1.2.5"]


def test_a_failed_log_in_is_told_as_one() -> None:
    event = message(Kind.LOG_IN, who="", success=False).find("EventIdentification")
    assert event.get("EventOutcomeIndicator") == "4"
    assert event.find("EventTypeCode").get("csd-code") == "110122"


@pytest.mark.parametrize("odd", ['"><x/>', "a\0b\x1f", "\ud800", "&amp;", "]]>", "王\n"])
def test_odd_letters_stay_within_their_place(odd: str) -> None:
    root = message(Kind.ROLE, who=odd, detail=odd)
    assert [one.tag for one in root][:2] == ["EventIdentification", "ActiveParticipant"]
    assert not root.findall(".//x")
