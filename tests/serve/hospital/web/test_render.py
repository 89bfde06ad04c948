"""Templates: everything is escaped, nothing is loaded from elsewhere, no script runs."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hemocast.report.language import language
from hemocast.serve.hospital.people.settings import WebConfig
from hemocast.serve.hospital.web.app import serving
from hemocast.serve.hospital.web.desk import Desk
from hemocast.serve.hospital.web.render import TEMPLATES, page, style
from hemocast.serve.reading.address import listen

from .conftest import PASSWORD, Hospital

PAGES = ("/", "/case/1", "/case/2", "/outcomes", "/health", "/audit", "/case/99")


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.stem)
def test_no_template_has_a_script_a_style_or_an_address_elsewhere(path: object) -> None:
    text = path.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert not re.search(r"<script|<style|\bon\w+=|style=|https?://|\| *safe", text)
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL)
    for form in forms:
        assert 'name="csrf"' in form or 'action="/login"' in form


def test_the_style_loads_nothing() -> None:
    assert "url(" not in style()
    assert "@import" not in style()


@pytest.mark.parametrize(("code", "word"), [("en", "Log in"), ("zh", "登录")])
def test_a_page_is_in_its_language(code: str, word: str) -> None:
    answer = page("login.html", language(code), 401, failed="wrong", visitor=None, provider=None)
    assert answer.status_code == 401
    assert word in bytes(answer.body).decode()


@pytest.fixture
def served(hospital: Hospital) -> Iterator[str]:
    """Serve the pages with a study of every kind; give their address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    for number in range(1, 61):
        hospital.arrive(number, f"CT-2026-{number:07d}")
    hospital.predict(1, 0.3125)
    hospital.predict(60, 0.071)
    hospital.send(60, "pacs", "sent", "0000 success")
    hospital.send(60, "archive", "failed", "A700 out of resources")
    said = "HC207 Contrast agent was given. Expected a plain scan. Send the plain series."
    hospital.set(2, "refused", "HC207", said)
    hospital.set(59, "refused", "HC207", said)
    hospital.set(58, "refused", "rule", "not a plain scan")
    hospital.set(57, "failed", "HC008", "HC008 The process was ended.")
    desk = Desk.of(hospital.desk.root, hospital.desk.database, WebConfig(port=port))
    with listen("127.0.0.1", port) as listening, serving(desk, listening):
        yield desk.address.origin


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_in_a_browser(served: str, browser: Any, artefacts: Path, scheme: str) -> None:
    """Nothing runs out of them on a phone or a desk, nothing is refused, and axe finds nothing.

    Pictures are kept where HEMOCAST_TEST_LOOK is set.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)
    strict = browser.new_context(color_scheme=scheme)
    faults: list[str] = []
    for each in (context, strict):
        tab = each.new_page()
        tab.goto(f"{served}/login")
        tab.fill("[name=name]", "admin")
        tab.fill("[name=password]", PASSWORD)
        tab.click("button.main")
        tab.wait_for_url(f"{served}/")
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("console", lambda told: told.type == "error" and faults.append(told.text))
    looked = context.pages[0]
    for path in PAGES:
        for width in (390, 1440) if scheme == "light" else (390,):
            tab.set_viewport_size({"width": width, "height": 900})
            tab.goto(served + path)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
            if os.environ.get("HEMOCAST_TEST_LOOK"):
                name = f"hospital{path.replace('/', '-')}-{width}-{scheme}.png"
                tab.screenshot(path=artefacts / name)
        looked.goto(served + path)
        found = axe.Axe().run(looked).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], path
    expected = "status of 404"
    assert [fault for fault in faults if expected not in fault] == []
    context.close()
    strict.close()
