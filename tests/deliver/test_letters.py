"""A picture is drawn in the site's language, or in English: never in boxes."""

from __future__ import annotations

import logging

import pytest
from PIL import ImageFont

from hemocast.deliver import letters
from hemocast.report.language import ENGLISH, language


def test_without_a_chinese_font_a_picture_is_english_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError

    for cached in (letters._chinese, letters._say_that_there_is_none):
        monkeypatch.setattr(letters, cached.__name__, cached.__wrapped__)
    monkeypatch.setattr(ImageFont, "truetype", none)
    with caplog.at_level(logging.WARNING):
        assert letters.drawable(language("zh")) is ENGLISH
    assert "HC009" in caplog.text
    assert letters.drawable(ENGLISH) is ENGLISH


def test_chinese_letters_differ_from_each_other() -> None:
    if letters.drawable(language("zh")).is_english:
        pytest.skip("no Chinese font is installed (fonts-noto-cjk)")
    shape = letters.letters(language("zh"), 20)
    assert bytes(shape.getmask("险")) != bytes(shape.getmask("仅"))
