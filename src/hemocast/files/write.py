"""Files whole or not at all: under a temporary name first, which is theirs once they are whole."""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hemocast.errors import HemocastError, NoSpace, NotWritable

TEMPORARY = ".hemocast-"
"""How every temporary name begins."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says when a disk or a quota is full."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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


def write_new(path: Path, text: str, *, private: bool = False) -> bool:
    """Write a text file where there is none; of two at once one writes, the other is told.

    Parameters
    ----------
    path : Path
        The file; its folder is made where there is none.
    text : str
        Short: it goes out in one piece, but a reader may come between and find the file empty.
    private : bool
        As for `replacing`.

    Returns
    -------
    bool
        False where there is a file already, which is left as it is.

    Raises
    ------
    NoSpace, NotWritable
        As `writing` does.
    """
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            mode = 0o600 if private else 0o666
            opened = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        except FileExistsError:
            return False
        try:
            with os.fdopen(opened, "wb") as file:
                file.write(text.encode())
        except OSError:
            path.unlink()
            raise
    return True


def append_line(path: Path, line: str, *, private: bool = False, flush: bool = True) -> None:
    """Add a line to a text file; the rest of the file is not written anew.

    Behind a line that a kill tore it goes on a line of its own.

    Parameters
    ----------
    path : Path
        The file; made where there is none.
    line : str
        Without its line feed.
    private : bool
        As for `replacing`, where the file is made.
    flush : bool
        Return only when the line is on the disk.

    Raises
    ------
    NoSpace, NotWritable
        As `writing` does.
    """
    with writing():
        opened = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600 if private else 0o666)
        with os.fdopen(opened, "ab+") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            torn = file.read(1) not in (b"", b"\n")
            file.write(b"\n" * torn + line.encode() + b"\n")
            if flush:
                file.flush()
                os.fsync(file.fileno())


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
