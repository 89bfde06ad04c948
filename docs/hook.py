"""What MkDocs asks of this project while it builds the site: ``make docs``.

Adds the pages that are made from the program (`made`), puts them into the navigation, draws the
picture of the rooms, and turns links to files outside of ``docs/`` into plain names, since the site
goes without the source.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from made import api, commands, notebooks, refusals, rooms, settings, tables
from mkdocs.structure.files import File, Files

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)(#[^)\s]*)?\)")
_DOCS = Path(__file__).parent


@cache
def made_pages() -> dict[str, str]:
    """Give every page that is made, Markdown by its path below ``docs/``."""
    sources = (commands, refusals, tables, settings, api, notebooks)
    return {path: text for source in sources for path, text in source.pages().items()}


def on_config(config: Any) -> Any:
    """Spell out the folders of the navigation that hold made pages."""
    config.nav = [_spelled(item, sorted(made_pages())) for item in config.nav]
    return config


def _spelled(item: Any, paths: list[str]) -> Any:
    if isinstance(item, dict):
        ((title, inner),) = item.items()
        if isinstance(inner, list):
            return {title: [_spelled(one, paths) for one in inner]}
        if inner.endswith("/"):
            inside = [path for path in paths if path.startswith(inner)]
            return {title: sorted(inside, key=lambda path: not path.endswith("index.md"))}
    return item


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages that are made."""
    for path, text in made_pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Draw graphs, and name the files of the repository that a page links to."""
    here = (_DOCS / page.file.src_uri).parent

    def named(found: re.Match[str]) -> str:
        target = (here / found[2]).resolve()
        if target.is_relative_to(_DOCS):
            return found[0]
        path = target.relative_to(_DOCS.parent).as_posix()
        return f"`{path}`" if found[1] in path else f"{found[1]} (`{path}`)"

    return _LINK.sub(named, rooms.drawn(markdown))
