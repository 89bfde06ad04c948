"""Pages of the Python API: mkdocstrings fills them from the docstrings."""

from __future__ import annotations

import ast
from pathlib import Path

import hemocast

FOLDER = "reference/python"
_ROOMS = (
    "volume", "dicom", "dataset", "prepare", "anatomy", "signs", "model", "nets", "train",
    "explain", "stats", "simulate", "deliver", "papercheck",
)  # fmt: skip
"""Rooms that are meant to be imported, besides `hemocast` itself."""


def pages() -> dict[str, str]:
    """Give a page for the package and one for each room that is meant to be imported."""
    listed = [
        "# Python", "",
        "Made from the docstrings. What most need is in [`hemocast`](hemocast.md) itself; the rooms below it are for whoever",
        "builds on one of them. Arrays are in (z, y, x), lengths in mm, probabilities in [0, 1].", "",
        "| import | what is there |", "|---|---|",
    ]  # fmt: skip
    made = {}
    for room in ("", *_ROOMS):
        module = f"hemocast.{room}".rstrip(".")
        page = f"{room or 'hemocast'}.md"
        made[f"{FOLDER}/{page}"] = f"# {module}\n\n::: {module}\n"
        listed.append(f"| [`{module}`]({page}) | {_first_line(room)} |")
    return {f"{FOLDER}/index.md": "\n".join([*listed, ""]), **made}


def _first_line(room: str) -> str:
    root = Path(hemocast.__file__).parent
    path = (
        root / f"{room}.py"
        if room and (root / f"{room}.py").is_file()
        else root / room / "__init__.py"
    )
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n")[0].replace("|", "\\|")
