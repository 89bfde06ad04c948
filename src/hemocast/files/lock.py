"""One writer of a folder at a time."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hemocast.errors import InUse
from hemocast.files.write import refusal_of, write_json

_LOCK = ".hemocast.lock"
_HOLDER = ".hemocast.holder.json"
LOCK_FILES = frozenset({_LOCK, _HOLDER})
"""What a lock leaves in its folder."""


@contextmanager
def locked(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder for one writer; the system frees it when the process ends, however it ends.

    Parameters
    ----------
    folder : Path
        That is there.
    what : str
        What is being done, for whoever is refused.

    Raises
    ------
    InUse
        Somebody else holds it; says who, as far as is known.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / _LOCK, timeout=0)
    holder = folder / _HOLDER
    try:
        lock.acquire()
    except Timeout as error:
        raise InUse(
            f"Another run is writing there ({_held_by(holder)})",
            "one writer at a time",
            "Wait until it has ended, or name another folder",
        ) from error
    except OSError as error:
        raise refusal_of(error) from error
    try:
        write_json(holder, {"what": what, "pid": os.getpid(), "host": socket.gethostname()})
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _held_by(holder: Path) -> str:
    try:
        known = json.loads(holder.read_text(encoding="utf-8"))
        return f"{known['what']}, process {known['pid']} on {known['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it does not say which"


def vacate(path: Path) -> None:
    """Empty a folder that holds nothing but a lock, if this process has the lock or nobody."""
    with suppress(FileNotFoundError, NotADirectoryError):
        held = list(path.iterdir())
        if held and all(one.name in LOCK_FILES for one in held) and _is_free(path / _HOLDER):
            for one in held:
                one.unlink(missing_ok=True)


def _is_free(holder: Path) -> bool:
    ours = f"process {os.getpid()} on {socket.gethostname()}"
    return not holder.exists() or ours in _held_by(holder)
