"""What several files of this room refuse in the same words."""

from __future__ import annotations

from hemocast.errors import MalformedFile, TruncatedFile


def truncated() -> TruncatedFile:
    """Say that a file ends before its pixels do."""
    return TruncatedFile(
        "A file of the series ends before its pixel data do",
        "whole files",
        "Copy or export the series again",
    )


def malformed(seen: str) -> MalformedFile:
    """Say what in a file contradicts what."""
    return MalformedFile(seen, "files whose header and pixels agree", "Export the series again")
