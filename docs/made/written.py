"""The tables that commands write, as ``written.yaml`` lists them; the tests hold files against it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

REGISTER = Path(__file__).with_name("written.yaml")


@dataclass(frozen=True)
class Written:
    """A table that a command writes.

    Parameters
    ----------
    name : str
        Of the file, with its folder where that is always the same; ``*`` stands for any name.
    of : str
        The command.
    what : str
        What it holds.
    columns : tuple of (str, str)
        Name (``*`` stands for several) and meaning; the unit comes first, in brackets.
    open : str
        What other columns may follow; "" for none.
    printed : bool
        Its columns are the words of a printed table.
    """

    name: str
    of: str
    what: str
    columns: tuple[tuple[str, str], ...] = ()
    open: str = ""
    printed: bool = False

    def is_file(self, path: Path) -> bool:
        """Whether a file of this name may be this table."""
        parts = self.name.count("/") + 1
        return fnmatchcase("/".join(path.parts[-parts:]), self.name)

    def unlisted(self, header: Iterable[str]) -> list[str]:
        """Give the columns of a file that are not listed here."""
        if self.open or self.printed:
            return []
        known = [name for name, _ in self.columns]
        return [one for one in header if not any(fnmatchcase(one, name) for name in known)]


@cache
def tables() -> tuple[Written, ...]:
    """Read the register.

    Raises
    ------
    KeyError
        A column has no meaning, in its table or for all.
    """
    content = yaml.safe_load(REGISTER.read_text(encoding="utf-8"))
    return tuple(_table(entry, content) for entry in content["tables"])


def records() -> dict[str, dict[str, str]]:
    """Give the JSON files: command -> name of the file -> what it holds."""
    found: dict[str, dict[str, str]] = yaml.safe_load(REGISTER.read_text("utf-8"))["records"]
    return found


def _table(entry: Mapping[str, Any], content: Mapping[str, Any]) -> Written:
    given = dict(entry)
    names = given.pop("columns", "")
    for group, members in content["groups"].items():
        names = names.replace(f"@{group}", members)
    meanings = content["columns"] | given.pop("here", {})
    return Written(columns=tuple((name, meanings[name]) for name in names.split()), **given)


def faults(files: Iterable[Path]) -> Iterator[str]:
    """Say which tables, and which of their columns, the register does not list.

    Parameters
    ----------
    files : iterable of Path
        Tables that commands wrote.
    """
    for path in files:
        tab = "\t" if path.suffix == ".tsv" else ","
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file, delimiter=tab), [])
        found = [one.unlisted(header) for one in tables() if one.is_file(path)]
        if not found:
            yield f"{path.name}: no such table"
        elif all(found):
            yield f"{path.name}: {', '.join(min(found, key=len))}"
