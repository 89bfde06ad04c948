"""A page as PDF, printed by a Chromium of the system (extra ``pdf``)."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from hemocast.errors import MissingExtra
from hemocast.files import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
NAMED = "HEMOCAST_CHROMIUM"
"""Environment variable that names the browser where it has another name or place."""

_FLAGS = (
    "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def browser_path() -> str:
    """Find the browser that prints.

    Raises
    ------
    MissingExtra
        There is none, or playwright, which drives it, is not installed.
    """
    from importlib.util import find_spec

    path = os.environ.get(NAMED) or next(filter(None, map(shutil.which, BROWSERS)), None)
    if find_spec("playwright") is None or path is None:
        raise MissingExtra(
            "There is no browser to print a PDF with" if path is None else "PDF needs playwright",
            "playwright, and Chromium, Chrome or Edge",
            "pip install 'hemocast[pdf]'; install Chromium (apt-get install chromium), or name the "
            f"browser in {NAMED}",
        )
    return path


def print_page(page: Path, out: Path) -> None:
    """Print a page on A4, as its style for paper says; nothing is loaded from a network.

    Parameters
    ----------
    page : Path
        A ``.html`` of ours.
    out : Path
        The ``.pdf``.

    Raises
    ------
    MissingExtra
        As `browser_path` does.
    """
    path = browser_path()
    from playwright.sync_api import sync_playwright

    # A browser's sandbox does not start for root; the page is ours and its policy runs one script.
    flags = [*_FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(_FLAGS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=flags)
        try:
            opened = browser.new_page()
            opened.route(lambda address: not address.startswith("file:"), lambda one: one.abort())
            opened.goto(page.resolve().as_uri())
            content = opened.pdf(prefer_css_page_size=True, print_background=False)
        finally:
            browser.close()
    write_bytes(out, content)
