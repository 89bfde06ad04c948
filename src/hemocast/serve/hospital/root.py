"""The data root: where everything lies, under names that tell nothing, for its owner alone.

::

    ROOT/
      hospital.sqlite3      state, unless PostgreSQL has it
      key                   secret of the pseudonyms
      incoming/             images that are being received
      members/MEMBER/       the same, of each of several services that share the root
      studies/STUDY/        images as they came; STUDY is the study's keyed hash
      results/STUDY/rN/     what revision N gave
      work/                 folders of jobs under way

A name on the disk is a keyed hash of a UID: who has a list of UIDs cannot tell which were here.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hemocast.dataset.pseudonym import load_key
from hemocast.files import locked, writing
from hemocast.files.lock import LOCK_FILES
from hemocast.readers.store.engine import sqlite_url
from hemocast.serve.hospital.settings import StorageConfig

_PARTS = ("incoming", "studies", "results", "work")


@dataclass(frozen=True, repr=False)
class Root:
    """The data root.

    Parameters
    ----------
    folder : Path
        Where it lies.
    key : bytes
        Makes all names.
    reserve : int
        Bytes that must stay free.
    member : str
        Name of this service among several; "" the only one.
    """

    folder: Path
    key: bytes
    reserve: int = 0
    member: str = ""

    @classmethod
    def open(cls, settings: StorageConfig) -> Root:
        """Make what is missing of it.

        Raises
        ------
        NoSpace, NotWritable
            It cannot be made.
        UsageError
            The key's file holds no key.
        """
        folder = settings.root.absolute()
        own = (f"members/{settings.member}",) if settings.member else ()
        with writing():
            for part in ("", *_PARTS, *own):
                (folder / part).mkdir(mode=0o700, parents=part not in _PARTS, exist_ok=True)
            folder.chmod(0o700)
        # What it hides, the images tell: it may lie beside them, but not among the results.
        key = load_key(settings.key or folder / "key", folder / "results")
        return cls(folder, key, int(settings.reserve_gb * 1e9), settings.member or "")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it for one service, or one member; what it left half received before goes.

        Raises
        ------
        InUse
            Another service holds it.
        """
        with locked(self.incoming if self.member else self.folder, "hemocast serve"):
            for left in self.incoming.iterdir():
                if left.name not in LOCK_FILES:
                    _remove(left)
            yield

    @property
    def incoming(self) -> Path:
        """Images that are being received."""
        return self.folder / (f"members/{self.member}" if self.member else "incoming")

    @property
    def work(self) -> Path:
        """Folders of jobs under way."""
        return self.folder / "work"

    @property
    def database(self) -> str:
        """Address of the SQLite file."""
        return sqlite_url(self.folder / "hospital.sqlite3")

    def name(self, *parts: str) -> str:
        """Give the name of something that identifiers tell of: 32 hexadecimal digits."""
        text = "\x1f".join(parts).encode()
        return hmac.new(self.key, text, hashlib.sha256).hexdigest()[:32]

    def study(self, name: str) -> Path:
        """Folder of a study's images."""
        return self.folder / "studies" / name

    def result(self, name: str, revision: int) -> Path:
        """Folder of what a revision of a study gave."""
        return self.folder / "results" / name / f"r{revision}"

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """Give a new folder for images on their way in; it goes afterwards, or at a restart."""
        folder = self.incoming / secrets.token_hex(8)
        with writing():
            folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def is_full(self) -> bool:
        """Tell whether less is free than must stay so."""
        return shutil.disk_usage(self.folder).free < self.reserve

    @contextmanager
    def working(self, name: str) -> Iterator[Path]:
        """Give a new folder for one job; it goes afterwards."""
        folder = self.work / name
        with writing():
            _remove(folder)
            folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            _remove(folder)


def flush(path: Path) -> None:
    """Return once a file, or a folder's list of names, is on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
