"""Descriptions in the character sets that scanners write, named or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.dicom.words.script import in_script


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        ("头颅平扫", "gb18030", "GB18030"),
        ("头颅平扫", "utf-8", "ISO_IR 192"),
        ("头颅平扫", "utf-8", ""),  # not named, as often
        ("头颅CT平扫", "gb18030", ""),
        ("头颅增强", "gbk", "ISO_IR 100"),  # named wrongly
        ("頭部単純", "iso2022_jp", "\\ISO 2022 IR 87"),
        ("頭部単純", "shift_jis", ""),
        ("두부 조영전", "euc_kr", ""),
        ("Голова без контраста", "cp1251", ""),
        ("Голова без контраста", "iso8859_5", "ISO_IR 144"),
        ("Beyin kontrastsız", "iso8859_9", "ISO_IR 148"),  # noqa: RUF001
        ("Beyin kontrastsız", "iso8859_9", ""),  # noqa: RUF001
        ("Schädel nativ", "latin-1", "ISO_IR 100"),
        ("Schädel nativ", "latin-1", ""),
        ("Tête sans injection", "latin-1", ""),
        ("Crâne", "latin-1", ""),
        ("CABEÇA", "latin-1", "NO SUCH SET"),
        ("głowa natywne", "iso8859_2", ""),
    ],
)
def test_text_comes_back_in_its_script(text: str, encoding: str, named: str) -> None:
    assert in_script(text.encode(encoding), named) == text


@given(st.binary(max_size=40), st.sampled_from(("", "GB18030", "\\ISO 2022 IR 87", "junk\\\\")))
def test_no_bytes_raise(value: bytes, named: str) -> None:
    assert isinstance(in_script(value, named), str)
