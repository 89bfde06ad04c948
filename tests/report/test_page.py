import base64
import hashlib
from pathlib import Path

import pytest

from hemocast.report.page import TEMPLATES, own_page, write_text


def test_the_policy_allows_our_own_style_and_script_alone() -> None:
    page = own_page(script=True)
    for kind, text in (("style", page.style), ("script", page.script)):
        digest = base64.b64encode(hashlib.sha256(str(text).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in page.policy
    assert page.policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in page.policy


def test_a_page_without_a_viewer_runs_no_script() -> None:
    page = own_page(script=False)
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


def test_writing_replaces_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old", encoding="utf-8")
    write_text("new", path)
    assert path.read_text(encoding="utf-8") == "new"
    with pytest.raises(FileNotFoundError):
        write_text("new", tmp_path / "nowhere" / "page.html")
    assert list(tmp_path.iterdir()) == [path]
