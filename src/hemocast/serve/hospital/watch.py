"""A drop folder: files that have come whole are taken, and what is no good image is moved aside.

It is looked through again and again, since shares of other machines tell nobody of changes. A file
leaves it only when its image is durable, or into the folder ``refused`` beside it: a restart loses
nothing. Links are never followed, names (which may name patients) never told, and names that begin
with a dot left alone: programs that copy write under such.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hemocast.dicom.files.archive import ArchiveLimits
from hemocast.errors import InputError, MalformedFile, NothingThere, TooLarge, Unreadable
from hemocast.files import writing
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.store.arrivals import Outcome

_LOG = logging.getLogger(__name__)
REFUSED = "refused"
_SENDER = "watch"
_DEEPEST = 16
_KEPT_OF_NAME = 45


@dataclass(frozen=True, repr=False)
class _Entry:
    """A name in a folder that is open."""

    folder: int
    name: str
    mark: tuple[int, int, int]
    """Changes when the file does: inode, bytes, time of change."""


class Watch:
    """Takes files from a folder.

    Parameters
    ----------
    folder : Path
    stable_s : float
        A file is whole when it has not changed for so long.
    root : Root
    inbox : Inbox
        Takes them.
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(
        self,
        folder: Path,
        stable_s: float,
        root: Root,
        inbox: Inbox,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._stable_s = stable_s
        self._root = root
        self._inbox = inbox
        self._clock = clock
        self._seen: dict[tuple[int, int, int], float] = {}

    def look(self) -> bool:
        """Take what is whole; False: then it rests.

        Raises
        ------
        NothingThere
            The folder is not there: a share that is away, say.
        NoSpace, NotWritable, StoreError
            Nothing can be kept, or moved aside: all stays where it is.
        """
        if not self._folder.is_dir():
            raise NothingThere(
                "The watched folder is not there", "a folder", "Check watch.folder, or mount it"
            )
        seen: dict[tuple[int, int, int], float] = {}
        for entry in _entries(self._folder):
            since = self._seen.get(entry.mark, self._clock())
            if self._clock() - since < self._stable_s:
                seen[entry.mark] = since
            else:
                self._take(entry)
        self._seen = seen
        return False

    def _take(self, entry: _Entry) -> None:
        try:
            with self._root.receiving() as folder:
                if not _copy(entry, folder / "0"):
                    return  # it has changed: another look
                outcome = self._inbox.take(folder / "0", _SENDER)
        except InputError as error:
            _LOG.warning("a file of the watched folder was moved aside: %s", error)
            self._aside(entry, error.code)
            return
        if outcome is Outcome.DIFFERS:
            _LOG.warning("a file of the watched folder was moved aside: another image has its UID")
            self._aside(entry, outcome.value)
        elif _mark(entry.folder, entry.name) == entry.mark:
            with writing():
                os.unlink(entry.name, dir_fd=entry.folder)

    def _aside(self, entry: _Entry, why: str) -> None:
        """Move a file, a link or whatever it is, as it is."""
        with writing():
            (self._folder / REFUSED).mkdir(mode=0o700, exist_ok=True)
            aside = os.open(self._folder / REFUSED, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                name = f"{why}-{secrets.token_hex(4)}-{entry.name[-_KEPT_OF_NAME:]}"
                os.rename(entry.name, name, src_dir_fd=entry.folder, dst_dir_fd=aside)
            finally:
                os.close(aside)


def _entries(folder: Path) -> Iterator[_Entry]:
    for place, folders, files, opened in os.fwalk(folder, follow_symlinks=False):
        depth = len(Path(place).relative_to(folder).parts)
        links = [name for name in folders if stat.S_ISLNK(_mode(opened, name))]
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and depth < _DEEPEST and (depth or name != REFUSED)
        )
        for name in sorted([*files, *links]):
            if not name.startswith(".") and (mark := _mark(opened, name)) is not None:
                yield _Entry(opened, name, mark)


def _mode(folder: int, name: str) -> int:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:  # it has gone
        return 0


def _mark(folder: int, name: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:  # it has gone
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _copy(entry: _Entry, to: Path) -> bool:
    """Copy a file, nothing else and nothing larger than a study; False: it has changed.

    Raises
    ------
    MalformedFile, Unreadable, TooLarge
        It is no file, or not one to be taken.
    """
    if not stat.S_ISREG(_mode(entry.folder, entry.name)):  # opening a device may do something
        raise _no_file()
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # nor is a pipe waited for
    try:
        opened = os.open(entry.name, flags, dir_fd=entry.folder)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Unreadable(
            f"A file of the watched folder cannot be opened ({type(error).__name__})",
            "a file that the service may read, and no link",
            "Look at it in the folder 'refused'",
        ) from None
    with os.fdopen(opened, "rb") as source:
        found = os.fstat(source.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise _no_file()
        if found.st_size > ArchiveLimits().total_bytes:
            raise TooLarge(
                "A file of the watched folder is larger than a study",
                "a CT image",
                "Look at it in the folder 'refused'",
            )
        with writing(), to.open("wb") as target:
            shutil.copyfileobj(source, target, 2**20)
        after = os.fstat(source.fileno())
    return (after.st_ino, after.st_size, after.st_mtime_ns) == entry.mark


def _no_file() -> MalformedFile:
    return MalformedFile(
        "Something in the watched folder is no file",
        "a file, and no link",
        "Look at it in 'refused'",
    )
