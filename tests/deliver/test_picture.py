"""What is burnt in: the notice first, in the site's language, and no side that is not known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from hemocast.deliver import Analysed, Refused, Result
from hemocast.deliver.picture import WIDTH, _broken, draw_result
from hemocast.report.language import language
from hemocast.report.pictures.frames import font


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is drawn as text."""
    texts: list[str] = []
    draw = ImageDraw.ImageDraw.text

    def kept(self: ImageDraw.ImageDraw, place: object, text: str, *more: object, **options: object):
        texts.append(text)
        return draw(self, place, text, *more, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", kept)
    return texts


def test_the_notice_comes_first_and_no_identifier_at_all(result: Result, said: list[str]) -> None:
    draw_result(replace(result, revision=3))
    words = " ".join(said)
    for text in ("Research only, not for clinical use", "SIMULATED", "Revision 3", "37 %", "21 %"):
        assert text in words
    for text in ("0042", "ACC", "1950", "2026", "ller"):
        assert text not in words


def test_a_side_that_is_not_known_is_not_named(result: Result, said: list[str]) -> None:
    answer = result.answer
    assert isinstance(answer, Analysed)
    draw_result(result)
    assert "R" in said
    said.clear()
    one = answer.prediction
    record = replace(one.stack.record, sides_known=False)
    turned = replace(one, stack=replace(one.stack, record=record))
    draw_result(replace(result, answer=replace(answer, prediction=turned)))
    assert not {"R", "L"} & {*said}


def test_a_text_of_any_length_stays_within_the_picture(refused: Result) -> None:
    long = Refused("HC303", "word " * 300, "x" * 400, "")
    picture = draw_result(replace(refused, answer=long))
    assert picture.width == WIDTH
    edge = np.asarray(picture)[120:-60, -10:]
    assert edge.max() < 60


def test_lines_break_between_words_and_chinese_letters() -> None:
    pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    lines = _broken("one two three", 60, font(16), pen)
    assert lines == ["one two", "three"]
    text = "扫描已显示约 4.5 mL 出血，或为颅骨缺损处的肌肉。"  # noqa: RUF001 - Chinese
    lines = _broken(text, 120, font(16), pen)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert len(lines) > 1
    assert not any(line[0] in "，。" for line in lines)  # noqa: RUF001 - Chinese


def test_chinese_is_said_where_asked(result: Result, said: list[str]) -> None:
    draw_result(replace(result, language=language("zh")))
    if not any("仅供研究" in text for text in said):
        pytest.skip("no Chinese font is installed (fonts-noto-cjk)")
    assert any("模拟数据" in text for text in said)
