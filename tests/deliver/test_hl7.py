r"""HL7 v2: what separates fields stays within them, whatever a name holds."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.deliver import Result
from hemocast.deliver.hl7 import Receiver, control_id, escaped, make_message

HOSTILE = "A|B^C~D\\E&F\r\nOBX|1|NM|x\x0b\x1c"
SIGNS = {"E": "\\", "F": "|", "S": "^", "T": "&", "R": "~"}


def unescaped(text: str) -> str:
    def letter(found: re.Match[str]) -> str:
        name = found.group(1)
        return SIGNS[name] if name in SIGNS else chr(int(name[1:], 16))

    return re.sub(r"\\([EFSTR]|X[0-9A-F]{2})\\", letter, text)


def segments(message: str) -> list[list[str]]:
    assert message.endswith("\r")
    return [line.split("|") for line in message[:-1].split("\r")]


@settings(max_examples=40)
@given(st.text())
def test_any_text_comes_back_and_separates_nothing(text: str) -> None:
    written = escaped(text)
    assert not {*"|^~&\r\n\x0b\x1c"} & {*written}
    assert unescaped(written) == text


def test_a_message_holds_the_result_under_its_order(result: Result) -> None:
    lines = segments(make_message(result, Receiver("RIS", "KH|NORD")))
    header, patient, order, *rows = lines
    assert header[:2] == ["MSH", "^~\\&"]
    assert header[4:6] == ["RIS", "KH\\F\\NORD"]
    assert header[6] == "20261129031415+0000"
    assert (header[8], header[10], header[11]) == ("ORU^R01^ORU_R01", "T", "2.5.1")
    assert header[17] == "UNICODE UTF-8"
    assert patient[3] == "A 17/β-0042^^^KH NORD^MR"
    assert patient[5].startswith("Müller^Änne^^^^^L^A~田中^花子^^^^^L^I")
    assert (patient[7], patient[8]) == ("19501224", "F")
    assert (order[3], order[18]) == ("ACC\\F\\17\\S\\3",) * 2
    assert order[25] == "P"
    told = {row[3].split("^")[0]: row for row in rows}
    assert {row[0] for row in rows} == {"OBX"}
    assert [row[1] for row in rows] == [str(n) for n in range(1, len(rows) + 1)]
    assert told["HT-RISK"][5:7] == ["37", "%^Percent^UCUM"]
    assert told["HT-RISK"][11] == "P"
    assert told["TERRITORY"][5] == "17232002^Middle Cerebral Artery^SCT"
    assert "c" * 64 in told["ALGORITHM"][5]


def test_a_revision_corrects_and_a_refusal_has_no_result(result: Result, refused: Result) -> None:
    first, second = (make_message(one) for one in (result, replace(result, revision=2)))
    assert first == make_message(result)
    assert control_id(first) != control_id(second)
    assert segments(second)[2][25] == "C"
    rows = segments(make_message(refused))
    assert rows[2][25] == "X"
    assert "Not analysed (HC303)" in make_message(refused)
    assert {row[2] for row in rows[3:]} == {"ST"}


@pytest.mark.parametrize("keyword", ["PatientID", "AccessionNumber", "IssuerOfPatientID"])
def test_a_hostile_identifier_adds_no_field(result: Result, keyword: str) -> None:
    plain = segments(make_message(result))
    header = deepcopy(result.first)
    setattr(header, keyword, HOSTILE[:16])
    hostile = segments(make_message(replace(result, headers=(header,))))
    assert [len(row) for row in hostile] == [len(row) for row in plain]
    assert [row[0] for row in hostile] == [row[0] for row in plain]


def test_a_hostile_name_and_reason_add_no_segment(result: Result, refused: Result) -> None:
    header = deepcopy(result.first)
    header.PatientName = "Evil|X\\&~^Name"
    bad = replace(refused, headers=(header,), answer=replace(refused.answer, seen=HOSTILE))
    rows = segments(make_message(bad))
    names = {row[0] for row in rows}
    assert names == {"MSH", "PID", "OBR", "OBX"}
    assert unescaped(rows[1][5].split("^")[0]) == "Evil|X\\&~"
    assert any(unescaped(row[5]).endswith(HOSTILE) for row in rows[3:] if len(row) > 5)
