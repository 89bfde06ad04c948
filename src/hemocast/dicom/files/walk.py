"""Every file below a path, and what there could not be read: nothing is passed over in silence."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from hemocast.errors import NothingThere

# What systems keep for themselves on every disk; nobody's scans lie there.
_OF_THE_SYSTEM = frozenset({
    "lost+found", "System Volume Information", "$RECYCLE.BIN", ".Trashes", ".Spotlight-V100",
})  # fmt: skip


def files_below(root: Path, unread: MutableMapping[Path, OSError]) -> Iterator[Path]:
    """Give every regular file below a folder, in an order that is the same everywhere.

    Parameters
    ----------
    root : Path
        A folder, searched to the bottom (links to folders are not followed), or one file.
    unread : mutable mapping of Path to OSError
        Takes up folders that cannot be listed, files that cannot be looked at and links that lead
        nowhere, each with the system's reason.

    Raises
    ------
    NothingThere
        The path does not exist, or is neither file nor folder.
    """
    try:
        mode = root.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = 0
    except OSError as error:
        unread[root] = error
        return
    if stat.S_ISREG(mode):
        yield root
        return
    if not stat.S_ISDIR(mode):
        raise NothingThere("The path does not exist", "a folder with a head CT", "Check the path")

    def note(error: OSError) -> None:
        folder = Path(error.filename or root)
        if folder.name not in _OF_THE_SYSTEM:
            unread[folder] = error

    for folder, folders, names in os.walk(root, onerror=note):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            try:
                # Opening a pipe or device would wait for ever.
                if stat.S_ISREG(path.stat().st_mode):
                    yield path
            except OSError as error:
                unread[path] = error
