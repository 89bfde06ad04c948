"""Pages of the reference that are made from the program itself, when the site is built."""

from __future__ import annotations


def literal(text: str) -> str:
    """Keep Markdown from taking stars, underscores, brackets and bars of a text for its own."""
    return text.translate(str.maketrans({mark: f"\\{mark}" for mark in "*_<>[]#|"}))
