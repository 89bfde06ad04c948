"""A page printed by the system's Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from hemocast.errors import MissingExtra
from hemocast.report.case import pdf


@pytest.fixture
def chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("playwright", reason="playwright is not installed")
    path = os.environ.get("HEMOCAST_TEST_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed (or name it in HEMOCAST_TEST_CHROMIUM)")
    monkeypatch.setenv(pdf.NAMED, path)


def test_a_page_becomes_a_pdf_on_a4_and_asks_no_network(chromium: None, tmp_path: Path) -> None:
    page, out = tmp_path / "page.html", tmp_path / "page.pdf"
    picture = '<img src="http://127.0.0.1:9/x.png" alt="">'
    page.write_text(f"<style>@page {{ size: A4 }}</style><p>Nothing</p>{picture}")
    pdf.print_page(page, out)
    content = out.read_bytes()
    assert content.startswith(b"%PDF")
    assert content.count(b"/MediaBox [0 0 594.95996 841.91998]") == 1


def test_without_a_browser_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(pdf.NAMED, raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingExtra, match="no browser to print a PDF with") as told:
        pdf.browser_path()
    assert pdf.NAMED in told.value.action
