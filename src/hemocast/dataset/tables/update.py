"""How a table that users complete by hand is brought up to date: what they wrote stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hemocast.dataset.layout import Dataset
from hemocast.errors import TableError
from hemocast.tables import MISSING

Row = Mapping[str, object]


def update_table(
    dataset: Dataset,
    name: str,
    made: Sequence[Row],
    columns: Sequence[str],
    *,
    key: str,
    anew: Collection[str] = (),
) -> list[dict[str, object]]:
    """Write a table of the dataset, keeping every column, row and cell that it holds.

    Parameters
    ----------
    dataset : Dataset
        Whose.
    name : str
        ``participants``, ``scans`` ...
    made : sequence of mapping
        What there is to say. A cell that is filled stays as it is.
    columns : sequence of str
        Those that the table must have.
    key : str
        The one that tells its rows apart.
    anew : collection of str
        Columns in which what is made replaces a filled cell, wherever it is known.

    Returns
    -------
    list of dict
        The rows as written: those of `made` in their order, then the user's own.

    Raises
    ------
    TableError
        The table cannot be read, or a row of it is not to be told from another.
    """
    before, header = read_kept(dataset, name, key)
    rows: list[dict[str, object]] = []
    for row in made:
        kept = before.pop(str(row[key]), {})
        filled = {column: cell for column, cell in kept.items() if cell not in ("", MISSING)}
        fresh = {column: row[column] for column in anew if row.get(column) is not None}
        rows.append({**kept, **row, **filled, **fresh})
    rows += before.values()
    names = list(dict.fromkeys([*header, *columns]))
    dataset.write_table(name, rows, names)
    return rows


def read_kept(
    dataset: Dataset, name: str, key: str
) -> tuple[dict[str, dict[str, object]], list[str]]:
    """Read a table that may be there: its rows by their key, and its columns.

    Raises
    ------
    TableError
        As `update_table`.
    """
    if not dataset.path(name).is_file():
        return {}, []
    table = dataset.table(name)
    if key not in table or table[key].duplicated().any():
        raise TableError(
            f"{name}.tsv has no column {key}, or names one twice in it",
            f"one row for every {key}",
            "Correct the table and run again",
        )
    header = [str(column) for column in table.columns]
    rows = (
        dict(zip(header, cells, strict=True)) for cells in table.itertuples(index=False, name=None)
    )
    return {str(row[key]): row for row in rows}, header
