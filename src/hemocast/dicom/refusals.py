"""What several files of this room refuse in the same words."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeGuard

from hemocast.errors import MalformedFile, TruncatedFile, Unreadable


def truncated() -> TruncatedFile:
    """Say that a file ends before its pixels do."""
    return TruncatedFile(
        "A file of the series ends before its pixel data do",
        "whole files",
        "Copy or export the series again",
    )


def unreadable(errors: Iterable[OSError]) -> Unreadable:
    """Say that files or folders could not be read, and why; no path, which may name a patient.

    Parameters
    ----------
    errors : iterable of OSError
        The system's reason, one for each file or folder.
    """
    reasons = [error.strerror or type(error).__name__ for error in errors]
    return Unreadable(
        f"{len(reasons)} file(s) or folder(s) could not be read: {', '.join(sorted(set(reasons)))}",
        "files and folders that can all be read, for the scan may be incomplete without them",
        "Give yourself permission to read them, or copy them again; remove links that lead nowhere",
    )


def is_denied(error: BaseException) -> TypeGuard[OSError]:
    """Tell the system's refusal from an error of the same kind that a damaged file leads to."""
    # Libraries raise it without a number; a file that points before its own start gives EINVAL.
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


@contextmanager
def reading() -> Iterator[None]:
    """Turn the system's refusal to read one file into one of ours.

    Raises
    ------
    Unreadable
        With the system's reason.
    """
    try:
        yield
    except OSError as error:
        raise unreadable([error]) from error


def malformed(seen: str) -> MalformedFile:
    """Say what in a file contradicts what."""
    return MalformedFile(seen, "files whose header and pixels agree", "Export the series again")
