from __future__ import annotations

import ast
import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import hemocast.papercheck
from hemocast.papercheck import PAPER, Finding, check, read_printed
from hemocast.report.language import language
from hemocast.report.letter.page import kinds, letter_page, words_of

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def codes() -> set[str]:
    """Read every code that a check may give from the source."""
    found = set()
    for path in Path(hemocast.papercheck.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                found |= {
                    str(one.value)
                    for one in ast.walk(node.args[0])
                    if isinstance(one, ast.Constant)
                }
    return found


def test_every_code_has_words_in_both_languages() -> None:
    assert codes() == set(kinds())
    for code, told in kinds().items():
        assert set(told) == {"en", "zh"}, code
        assert all(len(said) == 2 for said in told.values()), code
        assert not any(CHINESE.search(text) for text in told["en"]), code
        assert all(CHINESE.search(text) for text in told["zh"]), code


def test_no_string_is_left_untranslated() -> None:
    english, chinese = words_of("en"), words_of("zh")
    assert set(english) == set(chinese)
    same = {key for key in english if english[key] == chinese[key]}
    assert same == {"blank"}
    assert chinese["reviewed"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_letter_tells_every_finding_with_its_numbers(
    lang: str, html_faults: Callable[[str], list[str]]
) -> None:
    printed = read_printed(PAPER)
    findings = check(printed)
    page = letter_page(printed, findings, paper="<MS 12>", lang=lang)  # type: ignore[arg-type]
    assert html_faults(page) == []
    text = html.unescape(page)
    assert text.count("<li>") == len(findings) == 71
    assert all(finding.arithmetic in text for finding in findings)
    assert f'<html lang="{language(lang).tag}">' in text
    assert ("At least 24 patients are in more than one part" in text) is (lang == "en")
    assert ("部分病例同时出现在多个子集中" in text) is (lang == "zh")
    assert ("灵敏度 71.55 %" in text) is (lang == "zh")


def test_texts_of_a_table_are_escaped_and_nothing_found_is_said() -> None:
    printed = read_printed(PAPER)
    bad = Finding("f1", "error", "<script>alert(1)</script>", "1", "2", "3")
    assert "<script" not in letter_page(printed, [bad])
    assert "Nothing was found" in letter_page(printed, [])
