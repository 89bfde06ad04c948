"""Whose an object is: copied letter by letter, whatever the source's character set."""

from __future__ import annotations

import io
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydicom import Dataset, dcmread

from hemocast.deliver import Kind, Result, make_objects
from hemocast.deliver.context import complete, instance_uid, plain, series_uid
from hemocast.deliver.objects import encoded
from hemocast.report.language import language


def raw_file(charset: bytes, name: bytes, patient: bytes) -> bytes:
    """Write a CT header by hand, as no library would: its bytes are what a scanner sent."""

    def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
        value += b" " * (len(value) % 2)
        head = group.to_bytes(2, "little") + number.to_bytes(2, "little") + vr
        return head + len(value).to_bytes(2, "little") + value

    meta = element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0")
    body = element(8, 5, b"CS", charset) if charset else b""
    body += element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.2\0")
    body += element(8, 0x18, b"UI", b"1.2.3.5")
    body += element(8, 0x50, b"SH", b"ACC 1")
    body += element(0x10, 0x10, b"PN", name) + element(0x10, 0x20, b"LO", patient)
    body += element(0x20, 0xD, b"UI", b"1.2.3") + element(0x20, 0xE, b"UI", b"1.2.3.4")
    length = element(2, 0, b"UL", len(meta).to_bytes(4, "little"))
    return b"\0" * 128 + b"DICM" + length + meta + body


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        (b"ISO_IR 192", "Müller^Änne=田中^花子".encode()),
        (b"ISO_IR 100", "Müller^Änne".encode("latin-1")),
        (b"GB18030", "张^三".encode("gb18030")),
        (b"\\ISO 2022 IR 58", b"Zhang^San=\x1b$)A\xd5\xc5^\x1b$)A\xc8\xfd"),
        (b"\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
        (b"", "张^三".encode("gbk")),  # a set that the file does not say
        (b"ISO_IR 100", b"A^B'; DROP|TABLE~&<b>"),
    ],
)
def test_a_name_keeps_its_bytes(refused: Result, charset: bytes, name: bytes) -> None:
    header = dcmread(io.BytesIO(raw_file(charset, name, b"00 17-\xe4" if charset else b"0017")))
    made = make_objects(replace(refused, headers=(header,)))[Kind.CAPTURE]
    written = encoded(made)
    assert name.rstrip() in written
    assert not charset or charset in written
    if charset in (b"", b"ISO_IR 100"):
        assert (b"00 17-\xe4" if charset else b"0017") in written


def test_what_names_the_patient_and_the_order_is_copied_and_nothing_else(
    result: Result, headers: tuple[Dataset, ...]
) -> None:
    made = make_objects(result)[Kind.CAPTURE]
    for keyword in (
        "PatientID", "IssuerOfPatientID", "AccessionNumber", "StudyInstanceUID", "PatientName",
        "PatientBirthDate", "PatientSex", "StudyDate", "StudyDescription", "SpecificCharacterSet",
    ):  # fmt: skip
        assert made[keyword].value == headers[0][keyword].value, keyword
    assert made.SeriesInstanceUID != headers[0].SeriesInstanceUID
    assert "KVP" not in made


def test_uids_are_the_same_for_the_same_and_differ_for_another(result: Result) -> None:
    again = replace(result, made=datetime(2027, 1, 1, tzinfo=UTC))
    assert instance_uid(result, Kind.REPORT) == instance_uid(again, Kind.REPORT)
    others = [
        replace(result, revision=2),
        replace(result, model=None),
        replace(result, language=language("zh")),
    ]
    uids = {instance_uid(one, kind) for one in (result, *others) for kind in Kind}
    assert len(uids) == 4 * len(Kind)
    assert series_uid(result, Kind.REPORT) == series_uid(others[0], Kind.REPORT)
    assert instance_uid(others[0], Kind.REPORT, 1) == instance_uid(result, Kind.REPORT)


@pytest.mark.parametrize(
    ("offset", "time"), [("+0100", "041415"), ("-0330", "234415"), ("nonsense", "031415")]
)
def test_the_time_is_told_in_the_zone_that_the_object_names(
    result: Result, offset: str, time: str
) -> None:
    header = deepcopy(result.first)
    header.TimezoneOffsetFromUTC = offset
    made = complete(Dataset(), replace(result, headers=(header,)), Kind.CAPTURE)
    assert made.ContentTime == time
    assert made.ContentDate == ("20261128" if offset == "-0330" else "20261129")


def test_text_of_ours_fits_every_character_set() -> None:
    assert plain("a\\b\N{MINUS SIGN}3\n" + "x" * 80) == "a/b-3 " + "x" * 58
    assert plain("ä", 5) == "?"
