import base64
import hashlib

import pytest
from jinja2 import UndefinedError

from hemocast.report.page import TEMPLATES, own_page, render


def test_the_policy_allows_our_own_style_and_script_alone() -> None:
    page = own_page("quality.css", "viewer.js")
    for kind, text in (("style", page.style), ("script", page.script)):
        digest = base64.b64encode(hashlib.sha256(str(text).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in page.policy
    assert page.policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in page.policy


def test_a_page_without_a_viewer_runs_no_script() -> None:
    page = own_page()
    assert not page.script
    assert "script-src 'none'" in page.policy


def test_style_and_script_ask_for_nothing() -> None:
    for name in ("style.css", "viewer.js"):
        text = (TEMPLATES / name).read_text(encoding="utf-8")
        for word in ("http", "url(", "@import", "fetch", "XMLHttpRequest", "innerHTML", "eval"):
            assert word not in text, (name, word)


def test_nothing_is_marked_safe_in_a_template() -> None:
    for template in TEMPLATES.glob("*.html"):
        assert "| safe" not in template.read_text(encoding="utf-8")


def test_own_styles_add_to_the_common_one() -> None:
    plain, more = own_page(), own_page("evaluation.css")
    assert more.style.startswith(plain.style)
    assert len(more.style) > len(plain.style)


def test_a_value_that_a_template_wants_and_does_not_get_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("paper.html")
