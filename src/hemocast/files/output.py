"""What Hemocast wrote in a folder, by its record there: that may be replaced, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hemocast.errors import OutputExists
from hemocast.files.write import append_line, json_text, replacing, table_text, write_text, writing

RECORD = ".hemocast.jsonl"
"""In a claimed folder: its kind, then a line with the hash of every file before it is written."""

SET_ASIDE = "made-before"
"""Folder for what a version that kept no record of its files left: nobody knows who changed it."""


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

    def rename_folders(self, names: Mapping[str, str]) -> None:
        """Give folders in this one other names, also in the record: the old ones are gone then.

        Parameters
        ----------
        names : mapping of str to str
            Old name -> new one. A folder that has its new name already is left as it is, so that a
            run that was killed halfway is gone on with.
        """
        lines = list(record_lines(self.folder))
        for line in lines:
            first, slash, rest = line.get("file", "").partition("/")
            if slash and first in names:
                line["file"] = f"{names[first]}/{rest}"
        write_text(self.folder / RECORD, "".join(json.dumps(line) + "\n" for line in lines))
        vars(self).pop("_written", None)
        with writing():
            for old, new in names.items():
                if (self.folder / old).is_dir() and not (self.folder / new).exists():
                    (self.folder / old).rename(self.folder / new)

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
        self.remove(self._written.keys() - set(kept))

    def remove(self, names: Iterable[str]) -> None:
        """Remove the files of these names that are as Hemocast wrote them."""
        for name in names:
            if _is_written(self.folder / name, self._written.get(name)):
                (self.folder / name).unlink()

    @cached_property
    def _written(self) -> dict[str, set[str]]:
        """The record: file -> hashes that Hemocast gave it; read once, since the folder is held.

        A torn line says nothing, and neither does a name that leads out of the folder: a record
        may come from elsewhere, and what it names may be removed.
        """
        written: dict[str, set[str]] = {}
        for line in record_lines(self.folder):
            name, sha256 = line.get("file"), line.get("sha256")
            if isinstance(name, str) and isinstance(sha256, str) and self._holds(name):
                written.setdefault(name, set()).add(sha256)
        return written

    def _holds(self, name: str) -> bool:
        return (self.folder / name).resolve().is_relative_to(self.folder.resolve())

    def _note(self, name: str, sha256: str) -> None:
        """Add a hash before the file appears, so that a killed run still knows its own."""
        record(self.folder, {"file": name, "sha256": sha256})
        self._written.setdefault(name, set()).add(sha256)


def record(folder: Path, line: Mapping[str, str]) -> None:
    """Add a line to the record."""
    append_line(folder / RECORD, json.dumps(line), flush=False)


def record_lines(folder: Path) -> Iterator[dict[str, str]]:
    """Read the record of a folder; a torn line, or a folder without one, says nothing."""
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
