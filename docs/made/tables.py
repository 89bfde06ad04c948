"""The page of tables: every column that Hemocast takes, from the schemas, and all that it writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hemocast.classical.scores.inputs import INPUTS
from hemocast.dataset.tables.columns import Column, TableSchema
from hemocast.dataset.tables.labels import GIVEN
from hemocast.dataset.tables.schema import REQUIRED, SCHEMAS
from hemocast.evaluate.inputs.history import HISTORY, OUTCOMES
from hemocast.evaluate.inputs.predictions import PREDICTIONS
from hemocast.evaluate.inputs.readings import READINGS
from hemocast.papercheck.printed import TABLE
from made import literal, written
from made.written import Written

PAGE = "reference/tables.md"
_ANY = Column("any").pattern
_UNIT = re.compile(r"^\[([^]]+)\]")
_HEAD = """# Tables and their columns

Made from the schemas by which Hemocast reads and writes its tables. Tables that you bring are UTF-8 CSV, TSV or Excel with a header row; inside
a dataset they are TSV. Every fraction is in [0, 1]. An empty cell and `n/a` both say "not known". Columns that Hemocast does not know
stay as they are. A bad cell is refused ([HC401](refusals.md#hc401)) by its row and column, all faults at once.

"""
_BROUGHT = (
    (GIVEN, "what `hemocast ingest --labels` takes"),
    (PREDICTIONS, "what [`hemocast evaluate`](evaluation.md) takes, of any model by anyone"),
    (READINGS, "the answers of a [reader study](../how-to/reader-study.md)"),
    (
        HISTORY,
        "a silent trial, scan by scan: what [`hemocast monitor`](../how-to/monitor.md) takes",
    ),
    (OUTCOMES, "what became of the patients of a silent trial"),
    (
        TABLE,
        "a paper's printed numbers: what [`hemocast check-paper`](../how-to/paper-check.md) takes",
    ),
)


def pages() -> dict[str, str]:
    """Give the page."""
    lines = [
        "## In a dataset",
        "",
        "What the folder holds is told in [dataset.md](dataset.md).",
        "",
    ]
    for schema in SCHEMAS:
        needed = " Every dataset has it." if schema.name in REQUIRED else ""
        lines += _schema(f"{schema.name}.tsv", schema, needed.strip())
    lines += ["## That you bring", ""]
    for schema, what in _BROUGHT:
        name = schema.name if "." in schema.name else f"{schema.name}.csv"
        lines += _schema(name, schema, f"{what[0].upper()}{what[1:]}.")
    lines += ["### clinical.csv for scores", "", "What [`hemocast score`](scores.md) takes, besides",
              "`participant_id` or `patient_id`.", ""]  # fmt: skip
    lines += _columns((given.column for given in INPUTS.values()), ())
    lines += ["## That Hemocast writes", ""]
    for table in written.tables():
        lines += _written(table)
    lines += ["## JSON that Hemocast writes", "", "| command | file | holds |", "|---|---|---|"]
    lines += [
        f"| `hemocast {of}` | `{name}` | {what} |"
        for of, files in written.records().items()
        for name, what in files.items()
    ]
    return {PAGE: _HEAD + "\n".join(lines)}


def _schema(name: str, schema: TableSchema, what: str) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    yield f"{what} One row for each {' and '.join(f'`{key}`' for key in schema.key)}.".strip()
    yield ""
    yield from _columns(schema.columns, schema.key)
    for rule in schema.rules:
        yield f"- {', '.join(f'`{column}`' for column in rule.columns)}: {rule.allowed}"
    yield ""


def _written(table: Written) -> Iterator[str]:
    yield f"### {table.name.replace('*', 'NAME')}, of `hemocast {table.of}`"
    yield ""
    yield f"{table.what}{f' Besides these, {table.open}.' * bool(table.open)}"
    yield ""
    if table.columns:
        yield "| column | holds |"
        yield "|---|---|"
    for name, meaning in table.columns:
        what = _UNIT.sub(r"*\1*:", meaning)
        yield f"| `{name.replace('*', '...')}` | {what} |"
    yield ""


def _columns(columns: Iterable[Column], key: tuple[str, ...]) -> Iterator[str]:
    yield "| column | a cell holds | |"
    yield "|---|---|---|"
    for column in columns:
        notes = ["key"] * (column.name in key) + ["must be there"] * column.required
        yield f"| `{column.name}` | {literal(_allowed(column))} | {', '.join(notes)} |"
    yield ""


def _allowed(column: Column) -> str:
    """Say what a cell may hold; a pattern that lets any line pass is plain text."""
    return column.allowed.replace(f"text matching {_ANY}", "text").replace("matching", "like")
