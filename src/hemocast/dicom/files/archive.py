"""A zip from outside -> a temporary folder, or a refusal; never a file outside that folder."""

from __future__ import annotations

import errno
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from hemocast.dicom.refusals import is_denied, reading, unreadable
from hemocast.errors import (
    HemocastError,
    MalformedFile,
    NothingThere,
    UnsafeArchive,
    UnsupportedSyntax,
)
from hemocast.files import FULL, refusal_of

_PIECE = 1 << 20
_ENCRYPTED = 0x1 | 0x40  # the flags of PKWARE's first and of its strong encryption
# Their decoders work in bounded memory; those of LZMA and others obey the file.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


@dataclass(frozen=True)
class ArchiveLimits:
    """How much a zip may unpack to.

    Parameters
    ----------
    members : int
        Files, those of nested zips included.
    total_bytes : int
        Bytes in all.
    ratio : float
        Bytes out per byte in, once more than `ratio_from` bytes come out. Real CT compresses two to
        ten times; deflate reaches 1,000 on zeros.
    ratio_from : int
        Below this many bytes the ratio does not matter.
    depth : int
        Zips within zips.
    """

    members: int = 100_000
    total_bytes: int = 8 * 2**30
    ratio: float = 100.0
    ratio_from: int = 32 * 2**20
    depth: int = 2


@dataclass(frozen=True)
class Opened:
    """A path as files on the disk.

    Parameters
    ----------
    folder : Path
        The path itself, or where a zip was unpacked to.
    names : mapping of Path to str
        What the files of a zip were called in it, which may identify a patient; empty otherwise.
    """

    folder: Path
    names: Mapping[Path, str] = field(default_factory=dict)

    def name(self, path: Path) -> str:
        """What a file was called, with its folders."""
        return self.names.get(path) or path.as_posix()


@contextmanager
def open_path(path: Path, limits: ArchiveLimits | None = None) -> Iterator[Path]:
    """Unpack a zip for as long as the context lasts; anything else passes through.

    Members get names of our own (numbers; a NIfTI keeps its extension), so that neither a path nor
    an identifier from the archive reaches the disk, and two members of one name stay two files.

    Parameters
    ----------
    path : Path
        A zip, or any other file or folder.
    limits : ArchiveLimits, optional
        How much it may unpack to.

    Yields
    ------
    Path
        The temporary folder, removed at the end whatever happens; or `path` itself.

    Raises
    ------
    NothingThere
        The path does not exist.
    UnsafeArchive
        A member's name climbs out of the folder, is absolute or a link, or the whole is a bomb.
    UnsupportedSyntax
        A member is encrypted or compressed in a way that is not read.
    MalformedFile
        The zip is damaged.
    Unreadable
        The system does not let the path be read.
    """
    with open_named(path, limits) as opened:
        yield opened.folder


@contextmanager
def open_named(path: Path, limits: ArchiveLimits | None = None) -> Iterator[Opened]:
    """Do as `open_path` does, and keep what the files of a zip were called."""
    path = Path(path)
    with reading():
        if not path.exists():
            raise NothingThere(
                "The path does not exist", "a folder, a zip or a NIfTI file", "Check the path"
            )
        zipped = is_zip(path)
    if not zipped:
        yield Opened(path)
        return
    with tempfile.TemporaryDirectory(prefix="hemocast-") as name:
        folder = Path(name)
        unpacker = _Unpacker(folder, limits or ArchiveLimits())
        unpacker.unpack(path, depth=1)
        yield Opened(folder, unpacker.names)


def is_zip(path: Path) -> bool:
    """Tell whether a file begins as a zip does."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


class _Unpacker:
    """Counts across all members and nested zips."""

    def __init__(self, folder: Path, limits: ArchiveLimits) -> None:
        self.folder = folder
        self.limits = limits
        self.members = 0
        self.written = 0
        self.total = 0
        self.names: dict[Path, str] = {}

    def unpack(self, archive: Path, depth: int) -> None:
        if depth > self.limits.depth:
            raise _unsafe("The zip holds zips within zips")
        try:
            with zipfile.ZipFile(archive) as opened:
                self._check(opened.infolist(), archive.stat().st_size)
                written = [self._write(opened, member) for member in opened.infolist()]
        except HemocastError:
            raise
        # The library raises whatever its code trips over in a hostile file.
        except Exception as error:
            if is_denied(error):
                ours = error.errno in FULL or error.errno == errno.EROFS
                raise (refusal_of(error) if ours else unreadable([error])) from error
            raise MalformedFile(
                f"The zip is damaged ({type(error).__name__})",
                "a zip that unpacks without errors",
                "Make or download the zip again",
            ) from error
        for inner in written:
            if inner is not None and is_zip(inner):
                self.unpack(inner, depth + 1)
                inner.unlink()

    def _check(self, members: list[zipfile.ZipInfo], packed: int) -> None:
        self.members += len(members)
        if self.members > self.limits.members:
            raise _unsafe(f"The zip holds more than {self.limits.members} files")
        claimed = sum(member.file_size for member in members)
        self._weigh(claimed, packed)
        for member in members:
            if _escapes(member.filename):
                raise _unsafe("The zip holds a name that leads out of its folder")
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _unsafe("The zip holds a link or a special file")
            if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
                raise UnsupportedSyntax(
                    "The zip is encrypted or compressed in a way that is not read",
                    "a plain zip (store or deflate) without a password",
                    "Unpack it yourself and give the folder",
                )

    def _weigh(self, size: int, packed: int) -> None:
        if self.total + size > self.limits.total_bytes:
            raise _unsafe(f"The zip unpacks to more than {self.limits.total_bytes >> 20} MB")
        if size > self.limits.ratio_from and size > self.limits.ratio * max(packed, 1):
            raise _unsafe(f"The zip unpacks to more than {self.limits.ratio:.0f} times its size")

    def _write(self, opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> Path | None:
        if member.is_dir():
            return None
        lower = member.filename.lower()
        ending = next((e for e in (".nii.gz", ".nii") if lower.endswith(e)), "")
        target = self.folder / f"{self.written:06d}{ending}"
        self.written += 1
        self.names[target] = member.filename
        with opened.open(member) as source, target.open("xb") as out:
            size = 0
            while piece := source.read(_PIECE):
                size += len(piece)
                # The directory's sizes are claims; what comes out is counted too.
                self._weigh(size, max(member.compress_size, 1))
                out.write(piece)
        self.total += size
        return target


def _escapes(name: str) -> bool:
    """Tell whether a member's name is absolute or climbs, on any system."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    parts = set(posix.parts) | set(windows.parts)
    return bool(
        posix.is_absolute() or windows.drive or windows.root or ".." in parts or "\0" in name
    )


def _unsafe(seen: str) -> UnsafeArchive:
    return UnsafeArchive(
        seen,
        "a zip of one or more scans",
        "Do not trust it; if it is yours, unpack it and give the folder",
    )
