"""Folders that are ours: new, empty, or left by an earlier run of the same kind."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from hemocast.errors import OutputExists
from hemocast.files.lock import LOCK_FILES, locked, vacate
from hemocast.files.output import RECORD, Output, record, record_lines
from hemocast.files.write import TEMPORARY, writing

_OURS = LOCK_FILES | {RECORD}


def kind_of(folder: Path) -> str | None:
    """Tell what a claimed folder is, or None."""
    return next((line["kind"] for line in record_lines(folder) if "kind" in line), None)


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
        holds = any(
            path.name != RECORD and path.name not in LOCK_FILES for path in folder.iterdir()
        )
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
                record(folder, {"kind": kind})
        yield Output(folder)


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
            vacate(path)
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
                vacate(path)
    finally:
        if made:
            with suppress(OSError):
                path.rmdir()
