"""The only writer: files whole or not at all, folders that are ours, one writer at a time.

What the user made is the user's. A command writes into a folder that is new, empty, or that an
earlier run of the same kind left (`claim`), and replaces in it only files that Hemocast wrote and
nobody has changed since (`Output`). Temporary names begin with `TEMPORARY`, so that what a killed
run left can be told from anybody's files. Permissions follow the umask; keys and linkage tables
alone are for their owner only (``private``).
"""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import math
import os
import secrets
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hemocast.errors import HemocastError, InUse, NoSpace, NotWritable, OutputExists

TEMPORARY = ".hemocast-"
"""How every temporary name begins."""

RECORD = ".hemocast.jsonl"
"""In a claimed folder: its kind, then a line with the hash of every file before it is written."""

SET_ASIDE = "made-before"
"""Folder for what a version that kept no record of its files left: nobody knows who changed it."""

_LOCK = ".hemocast.lock"
_HOLDER = ".hemocast.holder.json"
_OURS = frozenset({RECORD, _LOCK, _HOLDER})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says when a disk or a quota is full."""


@contextmanager
def writing() -> Iterator[None]:
    """Turn the system's refusal to write into one of ours; no path, which may name a patient.

    Raises
    ------
    NoSpace
        The disk or a quota is full.
    NotWritable
        Anything else: a file where a folder should be, no permission, a name that cannot be.
    """
    try:
        yield
    except OSError as error:
        raise refusal_of(error) from error


def refusal_of(error: OSError) -> HemocastError:
    """Put the system's refusal to write into one of ours; see `writing`."""
    if error.errno in FULL:
        return NoSpace(
            "The disk is full", "room for the output", "Free some space, then start again"
        )
    return NotWritable(
        f"Nothing can be written to the output ({error.strerror or type(error).__name__})",
        "a folder that can be written to",
        "Choose another place for the output, or change its permissions",
    )


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Give a temporary name beside `path`; it becomes `path` on success and goes otherwise.

    Parameters
    ----------
    path : Path
        The file; its folder is made where there is none.
    private : bool
        Readable by its owner alone. Else the umask decides.

    Raises
    ------
    NoSpace, NotWritable
        As `writing` does.
    """
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(
            f"{TEMPORARY}{secrets.token_hex(6)}{''.join(path.suffixes)[-40:]}"
        )
        os.close(
            os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if private else 0o666)
        )
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; it becomes `path` on success and goes otherwise.

    Raises
    ------
    OutputExists
        `path` is there by then and is not an empty folder.
    NoSpace, NotWritable
        As `writing` does.
    """
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(TEMPORARY + secrets.token_hex(6))
        temporary.mkdir()
        try:
            yield temporary
            _vacate(path)
            try:
                temporary.replace(path)
            except OSError as error:
                if not path.exists():
                    raise
                raise OutputExists(
                    "The output folder holds something",
                    "a new or an empty folder",
                    "Name another one, or move what it holds",
                ) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def reserved(path: Path, what: str) -> Iterator[None]:
    """Hold a new or empty folder for the run that will put a `new_folder` in its place.

    Parameters
    ----------
    path : Path
        The folder; made for the time being, and gone again where the run ends without filling it.
    what : str
        As for `locked`.

    Raises
    ------
    OutputExists
        It holds something.
    NotWritable, InUse
        As `claim` does.
    """
    check_folder(path, what)
    with writing():
        made = not path.exists()
        path.mkdir(parents=True, exist_ok=True)
    try:
        with locked(path, what):
            try:
                yield
            finally:
                _vacate(path)
    finally:
        if made:
            with suppress(OSError):
                path.rmdir()


def _vacate(path: Path) -> None:
    """Empty a folder that holds nothing but a lock, if this process has the lock or nobody."""
    with suppress(FileNotFoundError, NotADirectoryError):
        held = list(path.iterdir())
        if held and all(one.name in (_LOCK, _HOLDER) for one in held) and _is_free(path / _HOLDER):
            for one in held:
                one.unlink(missing_ok=True)


def _is_free(holder: Path) -> bool:
    ours = f"process {os.getpid()} on {socket.gethostname()}"
    return not holder.exists() or ours in _held_by(holder)


def remove_temporary(folder: Path) -> None:
    """Remove the temporary files and folders that a killed run left directly in `folder`."""
    for path in folder.glob(f"{TEMPORARY}*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file whole or not at all."""
    with replacing(path, private=private) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write a text file (UTF-8, line feeds) whole or not at all."""
    write_bytes(path, text.encode(), private=private)


def json_text(content: Mapping[str, Any]) -> str:
    """Give JSON as every file of ours holds it.

    Raises
    ------
    ValueError
        A number is not finite: JSON knows neither NaN nor infinity.
    """
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    write_text(path, json_text(content))


def table_text(
    rows: Iterable[Mapping[str, object]],
    columns: Sequence[str],
    *,
    separator: str = ",",
    missing: str = "",
) -> str:
    """Give rows as CSV or TSV with a header.

    Parameters
    ----------
    rows : iterable of mapping
        Column -> text, number or None. Floats are written with ten significant digits.
    columns : sequence of str
        The header; what else a row holds is left out.
    separator : str
        ``","``, or a tab as in a dataset.
    missing : str
        For what a row lacks, None, and numbers that are not finite.

    Returns
    -------
    str
        With line feeds. In CSV, which spreadsheets open, no cell can act as a formula.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name), separator, missing) for name in columns])
    return text.getvalue()


def _cell(value: object, separator: str, missing: str) -> object:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return missing
    if isinstance(value, float):
        return f"{value:.10g}"
    if not isinstance(value, str):
        return value
    # A carriage return would end the row for some readers.
    text = value.replace("\r", " ")
    formula = separator == "," and text.startswith(_FORMULA) and not _is_number(text)
    return "'" + text if formula else text


def _is_number(text: str) -> bool:
    with suppress(ValueError):
        return math.isfinite(float(text))
    return False


def write_table(
    path: Path,
    rows: Iterable[Mapping[str, object]],
    columns: Sequence[str],
    *,
    missing: str = "",
    private: bool = False,
) -> None:
    """Write a table whole or not at all: TSV where the name ends so, else CSV; see `table_text`."""
    separator = "\t" if path.suffix == ".tsv" else ","
    text = table_text(rows, columns, separator=separator, missing=missing)
    write_text(path, text, private=private)


@dataclass(frozen=True)
class Output:
    """A claimed folder: what Hemocast wrote in it may be replaced, and nothing else.

    Parameters
    ----------
    folder : Path
        As `claim` gives it.
    """

    folder: Path

    def check(self, names: Iterable[str] | None = None) -> None:
        """Refuse if a file of one of these names is not as Hemocast wrote it.

        Parameters
        ----------
        names : iterable of str, optional
            Paths in the folder; by default of all that Hemocast ever wrote there.

        Raises
        ------
        OutputExists
            The user made or changed one; the names are given.
        """
        written = self._written
        foreign = [
            name
            for name in (written if names is None else names)
            if (path := self.folder / name).exists() and not _is_written(path, written.get(name))
        ]
        if foreign:
            raise OutputExists(
                f"The output folder holds {', '.join(foreign[:5])}, which Hemocast did not write "
                "or which was changed since",
                "files of an earlier run, unchanged, or none of these names",
                "Move what is yours, or name another folder",
            )

    @contextmanager
    def replacing(self, name: str) -> Iterator[Path]:
        """Give a temporary name for the file `name` (a path in the folder), as `replacing` does.

        Raises
        ------
        OutputExists
            A file of that name is not as Hemocast wrote it.
        NoSpace, NotWritable
            As `writing` does.
        """
        self.check([name])
        with replacing(self.folder / name) as temporary:
            yield temporary
            self._note(name, _digest(temporary))

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write the file `name` whole or not at all."""
        with self.replacing(name) as temporary:
            temporary.write_bytes(content)

    def write_text(self, name: str, text: str) -> None:
        """Write the text file `name` (UTF-8, line feeds) whole or not at all."""
        self.write_bytes(name, text.encode())

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write the JSON file `name` whole or not at all."""
        self.write_text(name, json_text(content))

    def write_table(
        self, name: str, rows: Iterable[Mapping[str, object]], columns: Sequence[str]
    ) -> None:
        """Write the table `name` whole or not at all; see `table_text`."""
        separator = "\t" if name.endswith(".tsv") else ","
        self.write_text(name, table_text(rows, columns, separator=separator))

    def write_all(self, contents: Mapping[str, str | bytes]) -> None:
        """Write these files, then remove all that an earlier run wrote beside them.

        Parameters
        ----------
        contents : mapping of str to str or bytes
            Name -> what the file holds.

        Raises
        ------
        OutputExists
            A file of one of these names is not as Hemocast wrote it; nothing has changed then.
        """
        self.check(contents)
        for name, content in contents.items():
            self.write_bytes(name, content.encode() if isinstance(content, str) else content)
        self.remove_others(contents)

    def adopt(self, names: Iterable[str]) -> None:
        """Take files as written by Hemocast: those of a version that kept no record.

        Parameters
        ----------
        names : iterable of str
            Paths in the folder, which the caller knows by other means; those not there are skipped.
        """
        for name in names:
            if (self.folder / name).is_file():
                self._note(name, _digest(self.folder / name))

    def set_aside(self, folder: str, names: Iterable[str]) -> None:
        """Move files of a version that kept no record into ``made-before``, never over others.

        Parameters
        ----------
        folder : str
            In this folder; ``"."`` is the folder itself.
        names : iterable of str
            Of files in it; those not there are skipped.
        """
        place = self.folder / folder
        for name in names:
            kept = place / SET_ASIDE / name
            if (place / name).exists() and not kept.exists():
                kept.parent.mkdir(exist_ok=True)
                (place / name).rename(kept)

    def has_record_of(self, name: str) -> bool:
        """Whether Hemocast ever wrote a file of this name here."""
        return name in self._written

    def wrote(self, path: Path) -> bool:
        """Whether this file lies in the folder and is as Hemocast wrote it."""
        folder = self.folder.resolve()
        if not path.resolve().is_relative_to(folder):
            return False
        name = path.resolve().relative_to(folder).as_posix()
        return _is_written(path, self._written.get(name))

    def remove_others(self, kept: Iterable[str]) -> None:
        """Remove every file that an earlier run wrote and this one did not, unless it was changed.

        Parameters
        ----------
        kept : iterable of str
            Names that this run wrote.
        """
        written = self._written
        for name in written.keys() - set(kept):
            path = self.folder / name
            if path.is_file() and _is_written(path, written[name]):
                path.unlink()

    @cached_property
    def _written(self) -> dict[str, set[str]]:
        """The record: file -> hashes that Hemocast gave it; read once, since the folder is held.

        A torn line says nothing, and neither does a name that leads out of the folder: a record
        may come from elsewhere, and what it names may be removed.
        """
        written: dict[str, set[str]] = {}
        for line in _record_lines(self.folder):
            name, sha256 = line.get("file"), line.get("sha256")
            if isinstance(name, str) and isinstance(sha256, str) and self._holds(name):
                written.setdefault(name, set()).add(sha256)
        return written

    def _holds(self, name: str) -> bool:
        return (self.folder / name).resolve().is_relative_to(self.folder.resolve())

    def _note(self, name: str, sha256: str) -> None:
        """Add a hash before the file appears, so that a killed run still knows its own."""
        _append(self.folder, {"file": name, "sha256": sha256})
        self._written.setdefault(name, set()).add(sha256)


def _append(folder: Path, line: Mapping[str, str]) -> None:
    """Add a line to the record; behind one that a kill tore, on a line of its own."""
    with (folder / RECORD).open("ab+") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - 1, 0))
        torn = file.read(1) not in (b"", b"\n")
        file.write(b"\n" * torn + json.dumps(line).encode() + b"\n")


def _record_lines(folder: Path) -> Iterator[dict[str, str]]:
    with suppress(FileNotFoundError, NotADirectoryError):
        for text in (folder / RECORD).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                line = json.loads(text)
                if isinstance(line, dict):
                    yield line


def _is_written(path: Path, hashes: set[str] | None) -> bool:
    return bool(hashes) and path.is_file() and _digest(path) in (hashes or ())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kind_of(folder: Path) -> str | None:
    """Tell what a claimed folder is, or None."""
    return next((line["kind"] for line in _record_lines(folder) if "kind" in line), None)


def check_folder(folder: Path, kind: str, *, also: bool = False) -> None:
    """Refuse a folder that `claim` would refuse; writes nothing that stays.

    Parameters
    ----------
    folder : Path
        New, empty, or claimed for the same kind before.
    kind : str
        What the command makes, such as ``"evaluation"``.
    also : bool
        The caller knows the folder as its own by other means: a dataset's description, say.

    Raises
    ------
    OutputExists
        It holds somebody's files.
    NotWritable
        It is a file, or cannot be made or written to.
    """
    with writing():
        there = folder.is_dir()
    if there:
        found = kind_of(folder)
        holds = any(path.name not in _OURS for path in folder.iterdir())
        if not also and found != kind and (found is not None or holds):
            raise OutputExists(
                "The output folder holds something else" + (f", made as: {found}" if found else ""),
                f"a new or empty folder, or one that an earlier run left (kind: {kind})",
                "Name another folder, or move what it holds",
            )
    with writing():
        above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        trial = above / f"{TEMPORARY}{secrets.token_hex(6)}"
        trial.touch(exist_ok=False)
        trial.unlink()


@contextmanager
def claim(folder: Path, kind: str, *, also: bool = False) -> Iterator[Output]:
    """Make a folder one's own, locked while it is written to.

    Parameters
    ----------
    folder, kind, also
        As for `check_folder`.

    Raises
    ------
    OutputExists, NotWritable
        As `check_folder` does; nothing in the folder has changed then.
    InUse
        Another run is writing there.
    """
    check_folder(folder, kind, also=also)
    with ExitStack() as held:
        made = not folder.exists()
        with writing():
            folder.mkdir(parents=True, exist_ok=True)
        held.enter_context(locked(folder, kind))
        check_folder(folder, kind, also=also)
        if made or kind_of(folder) is None:
            with writing():
                _append(folder, {"kind": kind})
        yield Output(folder)


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


def check_space(folder: Path, needed: int) -> None:
    """Refuse before a long run that would fill the disk.

    Parameters
    ----------
    folder : Path
        Where the output goes; it or a folder above it is there.
    needed : int
        Bytes, estimated.

    Raises
    ------
    NoSpace
        Less is free.
    """
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(above).free
    if free < needed:
        raise NoSpace(
            f"{_size(free)} are free where the output goes",
            f"about {_size(needed)}",
            "Free some space, or name another place",
        )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"
