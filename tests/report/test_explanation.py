"""The page of several methods on one scan."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from hemocast.explain import METHODS
from hemocast.model.heatmap import NO_PLACES
from hemocast.model.prediction import Prediction
from hemocast.report.explanation import Explained, explained_in_words, explanation_page
from hemocast.report.language import ENGLISH, language

CAM = Explained("cam", "class activation map, per frame", 0.2, 0.8, -1.18, 1.0)
GRAD = Explained("grad-cam++", METHODS["grad-cam++"].words, None, None, 0.5, 0.7)


def page_of(prediction: Prediction, code: str, *methods: Explained) -> str:
    shown = [(one, replace(prediction, heatmap_kind=one.words)) for one in methods]
    return explanation_page(shown, language(code))


def test_each_method_has_its_map_and_what_was_found(
    prediction: Prediction, html_faults: Callable[[str], list[str]]
) -> None:
    page = page_of(prediction, "en", CAM, GRAD)
    assert html_faults(page) == []
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
    assert "evidence right 20 %, left 80 %; insertion minus deletion \N{MINUS SIGN}1.18" in words
    assert "sides not known, or nothing speaks for HT; insertion minus deletion +0.50" in words
    assert "Feature maps weighed place by place." in words
    assert page.count('class="plate"') == 2
    assert words.count("Added up over the brain") == 1, "the model's own map alone adds up"
    assert "not for clinical use" in words


def test_a_model_that_looks_at_no_places_shows_the_scan(prediction: Prediction) -> None:
    bare = replace(prediction, heatmap_kind=NO_PLACES)
    page = explanation_page([(replace(CAM, words=NO_PLACES), bare)], ENGLISH)
    assert "belongs to no place in the scan" in page


@pytest.mark.parametrize("method", METHODS)
def test_it_is_written_in_chinese_too(prediction: Prediction, method: str) -> None:
    """All but names, and what says that nobody reviewed the translation."""
    one = replace(GRAD, method=method, words=METHODS[method].words)
    page = page_of(prediction, "zh", one).partition("<body>")[2]
    assert page.count('lang="en"') == 1
    text = re.sub(r'<span lang="en">.*?</span>|aria-label="[^"]*"|<[^>]*>|&[#\w]+;', " ", page)
    known = {"Hemocast", *re.findall(r"[a-z]+", " ".join(METHODS))}
    assert set(re.findall(r"[A-Za-z]{3,}", text)) <= known
    assert explained_in_words(one, language("zh")).startswith("左右侧未知")
