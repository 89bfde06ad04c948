"""Header fields: the quick way and the parser say the same; nonsense is nothing, never an error."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.dicom.header.fields import TAGS, Fields, floats, words


@pytest.fixture(scope="module")
def content(write: Callable[..., list[Path]], scan: Any, tmp_path_factory: Any) -> bytes:
    plain = scan(size=8, heights=(0.0,)).with_header(kernel="H30s", padding=-2000, signed=True)
    return write(plain, tmp_path_factory.mktemp("fields"))[0].read_bytes()


def of(**values: bytes) -> Fields:
    return Fields({TAGS[name]: value for name, value in values.items()}, True, False, "", "", 0)


def test_walking_and_parsing_agree(content: bytes) -> None:
    walked, parsed = Fields.walk(content), Fields.parse(io.BytesIO(content))
    assert walked is not None
    assert [walked.text(name) for name in TAGS if name not in ("rows", "columns")] == [
        parsed.text(name) if not isinstance(parsed.raw(name), int) else walked.text(name)
        for name in TAGS
        if name not in ("rows", "columns")
    ]
    for name in ("rows", "columns", "bits_stored", "signed", "padding"):
        assert walked.short(name) == parsed.short(name)
    assert walked.numbers("position", 3) == parsed.numbers("position", 3)
    assert (walked.syntax, walked.sop_class, walked.end) == (
        parsed.syntax,
        parsed.sop_class,
        parsed.end,
    )


def test_the_quick_way_leaves_what_it_does_not_know_to_the_parser(content: bytes) -> None:
    start = 144 + int.from_bytes(content[140:144], "little")
    other = content[:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0")
    assert Fields.walk(other + content[start:]) is None  # big endian, it says
    assert Fields.walk(content[:300]) is None  # cut off
    assert Fields.walk(b"\0" * 400) is None


def test_numbers_are_finite_and_as_many_as_asked() -> None:
    fields = of(position=b"1\\2.5\\-3 ", slope=b"nan", intercept=b"1e999", kvp=b"a", age=b"")
    assert fields.numbers("position", 3) == (1.0, 2.5, -3.0)
    assert fields.numbers("position", 2) is None
    assert [fields.number(name) for name in ("slope", "intercept", "kvp", "age")] == [None] * 4
    assert of(n_frames=b"4294967296").integer("n_frames") is None
    assert of(n_frames=b"12").integer("n_frames") == 12


def test_texts_survive_any_encoding() -> None:
    assert of(kernel=b"H30s\0 ").text("kernel") == "H30s"
    assert of(patient_name="Müller".encode()).text("patient_name") == "Müller"
    assert of(patient_name="Müller".encode("latin-1")).text("patient_name") == "Müller"
    assert of().text("kernel") == ""
    assert words(" original\\ \\primary ") == ("ORIGINAL", "PRIMARY")


def test_sixteen_bits_follow_the_byte_order() -> None:
    value = {TAGS["rows"]: b"\x02\x01"}
    assert Fields(value, True, False, "", "", 0).short("rows") == 0x0102
    assert Fields(value, False, False, "", "", 0).short("rows") == 0x0201
    assert of().short("rows") is None


@given(st.lists(st.one_of(st.floats(), st.text(max_size=5), st.none()), max_size=4))
def test_floats_never_raise(parts: list[Any]) -> None:
    found = floats(parts, 3)
    assert found is None or len(found) == 3
