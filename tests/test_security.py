"""docs/explanation/security.md: the bounds that it names are those that are held."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "security.md"
ROWS = re.findall(
    r"^\| .+ \| ([\d.]+) \| `(hemocast[\w.]+)\.(\w+)` \|$", PAGE.read_text("utf-8"), re.MULTILINE
)


def test_the_page_names_bounds() -> None:
    assert len(ROWS) >= 10


@pytest.mark.parametrize(("value", "module", "name"), ROWS)
def test_a_bound_is_what_the_page_says(value: str, module: str, name: str) -> None:
    assert getattr(import_module(module), name) == float(value)
