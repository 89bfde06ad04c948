"""Columns of a table, declared once: what a cell may hold, and how its text becomes a value.

Every check runs over a whole column at once, so that 100,000 rows take seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from hemocast.errors import TableError
from hemocast.tables import MISSING, PRINTABLE, PRINTABLE_WORDS, shown, tell

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "number", "whole", "flag", "choice", "choices"]
YES_OR_NO = {
    **dict.fromkeys(("1.0", "true", "yes", "y"), "1"),
    **dict.fromkeys(("0.0", "false", "no", "n"), "0"),
}
"""Words for a flag, in small letters."""
HT_OR_NOT = {
    "ht": "1",
    **dict.fromkeys(("no ht", "non-ht", "nonht", "noht", "no_ht", "non ht", "non_ht"), "0"),
}
"""Words for a label, besides `YES_OR_NO`."""
SEXES = {
    **dict.fromkeys(("f", "female", "woman", "\u5973"), "F"),
    **dict.fromkeys(("m", "male", "man", "\u7537"), "M"),
}
_DAYS = (20_000, 60_000)
"""Dates from 1954 to 2064, as spreadsheets number them."""
_COLUMNS_NAMED = 30
FIRST_ROW = 2  # the header is row 1, as a spreadsheet counts
ROWS_NAMED = 20


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    name : str
        As in the header row.
    kind : str
        ``"text"`` (matching `pattern`), ``"number"``, ``"whole"`` number, ``"flag"`` (0 or 1),
        ``"choice"`` (one of `choices`) or ``"choices"`` (several of them, joined by ``;``).
    required : bool
        The column must be there. A column that is not reads as unknown in every row.
    blank : bool
        A cell may be ``n/a`` or empty.
    low, high : float
        Allowed range of a number, both ends included.
    unit : str
        Of a number.
    choices : tuple of str
        Allowed words.
    pattern : str
        Regular expression the whole text must match.
    hint : str
        What a bad cell probably is; ends the description of what is allowed.
    described : str
        The pattern in words, for messages.
    words : mapping of str to str
        Words in small letters -> what they mean, for cells of others' tables.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    blank: bool = True
    low: float = -np.inf
    high: float = np.inf
    unit: str = ""
    choices: tuple[str, ...] = ()
    pattern: str = r"[^\t\r\n]+"
    hint: str = ""
    described: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def allowed(self) -> str:
        """What a cell may hold, in words."""
        words = {
            "text": self.described or f"text matching {self.pattern}",
            "number": self._range("number"),
            "whole": self._range("whole number"),
            "flag": "0 or 1",
            "choice": f"one of {', '.join(self.choices)}",
            "choices": f"one or more of {', '.join(self.choices)}, joined by ';'",
        }[self.kind]
        blank = f", or {MISSING}" if self.blank else ""
        return words + blank + (f" ({self.hint})" if self.hint else "")

    def _range(self, noun: str) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if np.isinf(self.low) and np.isinf(self.high):
            return f"a {noun}{unit}"
        return f"a {noun} from {self.low:g} to {self.high:g}{unit}"

    def plain(self, cells: pd.Series[str]) -> tuple[pd.Series[str], str]:
        """Write cells as the column takes them, where it is certain what all of them mean.

        Parameters
        ----------
        cells : Series of str
            The column as read.

        Returns
        -------
        cells : Series of str
            The same where nothing is to be changed, or one of them could mean something else.
        note : str
            What was done, for the user; "" for nothing.
        """
        known = {**self.words, **(YES_OR_NO if self.kind == "flag" else {})}
        share_of_one = self.kind == "number" and self.high == 1
        if not known and not share_of_one:
            return cells, ""
        text = cells.str.strip()
        filled = text[~text.isin(["", MISSING])]
        if known and len(filled):
            meant = {word: known.get(word.casefold(), word) for word in filled.unique()}
            allowed = ("0", "1") if self.kind == "flag" else self.choices
            changed = [word for word, to in meant.items() if word != to]
            if changed and set(meant.values()) <= {*allowed}:
                pairs = sorted({f"{known[w.casefold()]} for {w.casefold()}" for w in changed})
                return text.replace(meant), f"was read as {', '.join(pairs)}"
        if share_of_one and filled.str.endswith("%").any():
            share = filled.str.removesuffix("%").str.strip()
            if filled.str.endswith("%").all() and share.str.fullmatch(r"\d+(\.\d+)?").all():
                text = text.copy()
                text[filled.index] = (share.astype(float) / 100).map("{:.12g}".format)
                return text, "was read as percentages"
        return cells, ""

    def explain(self, cells: pd.Series[str]) -> str:
        """Say what cells that cannot be numbers probably are."""
        import pandas as pd

        if self.kind not in ("number", "whole") or self.high > _DAYS[0]:
            return ""
        text = cells.str.strip()
        days = pd.to_numeric(text, errors="coerce").between(*_DAYS).any()
        if days:
            return f"; a number from {_DAYS[0]} to {_DAYS[1]} is how a spreadsheet keeps a date"
        dates = text.str.fullmatch(r"(\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4}).*")
        return "; some cells are dates" if dates.fillna(False).any() else ""

    def parse(self, cells: pd.Series[str]) -> tuple[pd.Series, pd.Series[bool]]:
        """Turn text into values.

        Parameters
        ----------
        cells : Series of str
            The column as read.

        Returns
        -------
        values : Series
            float64 for numbers, Int64 for whole ones, boolean for flags, str otherwise; missing
            where the cell is blank or bad.
        bad : Series of bool
            Cells that hold something not allowed.
        """
        text = cells.str.strip()
        blank = text.isin(["", MISSING])
        values, good = _PARSERS[self.kind](self, text.mask(blank))
        bad = (~blank & ~good) | (blank & (not self.blank))
        return values.mask(bad), bad


def _parse_text(column: Column, text: pd.Series) -> tuple[pd.Series, pd.Series]:
    return text, text.str.fullmatch(column.pattern).fillna(False).astype(bool)


def _parse_number(column: Column, text: pd.Series) -> tuple[pd.Series, pd.Series]:
    import pandas as pd

    values = pd.to_numeric(text, errors="coerce").astype("float64")
    return values, values.between(column.low, column.high) & np.isfinite(values)


def _parse_whole(column: Column, text: pd.Series) -> tuple[pd.Series, pd.Series]:
    values, good = _parse_number(column, text)
    good &= values == np.floor(values)
    return values.where(good).astype("Int64"), good


def _parse_flag(column: Column, text: pd.Series) -> tuple[pd.Series, pd.Series]:
    return text.map({"0": False, "1": True}).astype("boolean"), text.isin(["0", "1"])


def _parse_choice(column: Column, text: pd.Series) -> tuple[pd.Series, pd.Series]:
    return text, text.isin(column.choices)


def _parse_choices(column: Column, text: pd.Series) -> tuple[pd.Series, pd.Series]:
    # Few different cells hold all rows, so each is looked at once.
    canonical = {}
    for cell in text.dropna().unique():
        words = [word.strip() for word in cell.split(";")]
        if set(words) <= set(column.choices) and len(set(words)) == len(words):
            canonical[cell] = ";".join(sorted(words, key=column.choices.index))
    values = text.map(canonical).astype(text.dtype)
    return values, text.isin(list(canonical))


_PARSERS: dict[Kind, Callable[[Column, pd.Series], tuple[pd.Series, pd.Series]]] = {
    "text": _parse_text,
    "number": _parse_number,
    "whole": _parse_whole,
    "flag": _parse_flag,
    "choice": _parse_choice,
    "choices": _parse_choices,
}


@dataclass(frozen=True)
class Rule:
    """A condition over several columns of one row.

    Parameters
    ----------
    columns : tuple of str
        The columns it looks at; a fault names them.
    broken : callable
        Takes the parsed table; True in the rows that break the rule.
    allowed : str
        The rule, in words.
    """

    columns: tuple[str, ...]
    broken: Callable[[pd.DataFrame], pd.Series]
    allowed: str


@dataclass(frozen=True)
class TableSchema:
    """A table: its columns, what identifies a row, and the rules within a row.

    Columns that the schema does not know may be there and are left alone.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...] = ()

    def of_anyone(self, name: str) -> TableSchema:
        """Give the same schema for a table whose participants somebody else named."""
        columns = tuple(
            replace(column, pattern=PRINTABLE, described=PRINTABLE_WORDS)
            if column.name == "participant_id"
            else column
            for column in self.columns
        )
        return replace(self, name=name, columns=columns)


@dataclass(frozen=True)
class Fault:
    """Rows of a table in which one column (or rule) is wrong in the same way.

    Parameters
    ----------
    table, column : str
        Where.
    rows : tuple of int
        Row numbers as a spreadsheet shows them (the header is row 1); empty for a whole column.
    allowed : str
        What would have been accepted.
    """

    table: str
    column: str
    rows: tuple[int, ...]
    allowed: str

    def __str__(self) -> str:
        # A dataset's tables are named without their suffix, tables from elsewhere with it.
        file = self.table if "." in self.table else f"{self.table}.tsv"
        if not self.rows:
            return f"{file}, column {self.column}: {self.allowed}"
        named = ", ".join(str(row) for row in self.rows[:ROWS_NAMED])
        more = len(self.rows) - ROWS_NAMED
        rest = f" and {more} more" if more > 0 else ""
        noun = "row" if len(self.rows) == 1 else "rows"
        return f"{file}, {noun} {named}{rest}, column {self.column}: {self.allowed}"


def rows_of(bad: pd.Series) -> tuple[int, ...]:
    """Spreadsheet row numbers of the rows that are True."""
    return tuple((np.flatnonzero(bad.to_numpy(dtype=bool, na_value=False)) + FIRST_ROW).tolist())


@dataclass(frozen=True)
class Parsed:
    """A table with typed columns (every column of its schema), its cells as text, its faults.

    Parameters
    ----------
    table : DataFrame
        Typed columns, in the schema's order and then the unknown ones as text.
    text : DataFrame of str
        Only the columns that were given, written as `plain` writes them.
    faults : tuple of Fault
        What is wrong.
    """

    table: pd.DataFrame
    text: pd.DataFrame
    faults: tuple[Fault, ...] = ()


def parse_table(schema: TableSchema, text: pd.DataFrame) -> Parsed:
    """Check a table against its schema.

    Parameters
    ----------
    schema : TableSchema
        What is expected.
    text : DataFrame
        All cells as text.

    """
    import pandas as pd

    text = plain(schema, text)
    faults: list[Fault] = []
    parsed: dict[str, pd.Series] = {}
    for column in schema.columns:
        if column.name not in text.columns:
            if column.required:
                why = f"the column is missing; {columns_found(text.columns)}"
                faults.append(Fault(schema.name, column.name, (), why))
            parsed[column.name] = _unknown(column.kind).repeat(len(text)).set_axis(text.index)
            continue
        cells = text[column.name]
        parsed[column.name], bad = column.parse(cells)
        if bad.any():
            why = column.allowed + column.explain(cells[bad])
            faults.append(Fault(schema.name, column.name, rows_of(bad), why))
    table = pd.DataFrame(parsed, index=text.index)
    again = table.duplicated(list(schema.key)) & table[list(schema.key)].notna().all(axis=1)
    if again.any():
        key = " + ".join(schema.key)
        faults.append(Fault(schema.name, key, rows_of(again), "every row once; it came before"))
    for rule in schema.rules:
        broken = rule.broken(table)
        if broken.any():
            where = " + ".join(rule.columns)
            faults.append(Fault(schema.name, where, rows_of(broken), rule.allowed))
    extra = [name for name in text.columns if name not in parsed]
    return Parsed(pd.concat([table, text[extra]], axis=1), text, tuple(faults))


@cache
def _unknown(kind: Kind) -> pd.Series:
    """Parse one cell that is missing: most columns of most tables are, of most patients."""
    import pandas as pd

    return Column("", kind).parse(pd.Series([MISSING], dtype="str"))[0]


def plain(schema: TableSchema, text: pd.DataFrame) -> pd.DataFrame:
    """Write a table as its schema takes it, where it is certain what is meant, and tell.

    A column called alike (``Patient ID`` for ``patient_id``) gets the schema's name; see
    `Column.plain` for cells.

    Parameters
    ----------
    schema : TableSchema
        What is expected.
    text : DataFrame of str
        As read.
    """
    text = named_as(text, [column.name for column in schema.columns], schema.name)
    for column in schema.columns:
        if column.name in text.columns:
            cells, note = column.plain(text[column.name])
            if note:
                tell(f"{schema.name}: column {column.name} {note}")
                text = text.assign(**{column.name: cells})
    return text


def named_as(text: pd.DataFrame, wanted: Sequence[str], table: str) -> pd.DataFrame:
    """Give columns the names wanted where they differ in case, spaces and marks alone."""
    there = {str(name): _letters(str(name)) for name in text.columns}
    names: dict[str, str] = {}
    for name in wanted:
        alike = [one for one, letters in there.items() if letters == _letters(name)]
        if name not in there and len(alike) == 1 and alike[0] not in wanted:
            names[alike[0]] = name
    if names:
        said = ", ".join(f"{shown(was)} was read as {now}" for was, now in names.items())
        tell(f"{table}: column {said}")
    return text.rename(columns=names) if names else text


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def columns_found(names: Iterable[object]) -> str:
    """Say which columns a table has, unless its first row holds cells instead."""
    found = [shown(str(name)) for name in names]
    if any(re.fullmatch(r"[\d.,%/ -]+", name) for name in found):
        return "its first row seems to hold cells, where names of columns are needed"
    more = len(found) - _COLUMNS_NAMED
    return f"it has {', '.join(found[:_COLUMNS_NAMED])}" + (f" and {more} more" * (more > 0))


def refuse(faults: tuple[Fault, ...]) -> None:
    """Raise TableError with every fault, if there is one.

    Cells are not repeated in the message: a cell in the wrong column may identify a patient.
    """
    if not faults:
        return
    count = sum(max(len(fault.rows), 1) for fault in faults)
    raise TableError(
        f"The tables have {count} fault(s): " + "; ".join(str(fault) for fault in faults),
        "tables as the reference describes them",
        "Correct the cells named and run again",
    )
