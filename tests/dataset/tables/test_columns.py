"""Columns: what a cell may hold, what it becomes, and what is said of a bad one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.dataset.tables.columns import Column, Rule, TableSchema, parse_table, refuse
from hemocast.dataset.tables.schema import CLINICAL
from hemocast.errors import TableError

PEOPLE = TableSchema(
    "people",
    (
        Column("name", required=True, blank=False, pattern="[a-z]+"),
        Column("age", "number", required=True, low=0, high=120, unit="years"),
        Column("points", "whole", low=0, high=42),
        Column("ill", "flag"),
        Column("sex", "choice", choices=("F", "M")),
        Column("drugs", "choices", choices=("a", "b", "none")),
    ),
    ("name",),
    (Rule(("age", "points"), lambda t: t["points"] > t["age"], "points not above age"),),
)


def _parse(**columns: list[str]):
    return parse_table(PEOPLE, pd.DataFrame(columns, dtype="str"))


def test_good_cells_become_values_and_blanks_become_missing() -> None:
    parsed = _parse(
        name=["a", "b"],
        age=[" 70.5 ", "n/a"],
        points=["12", ""],
        ill=["1", "n/a"],
        sex=["F", "n/a"],
        drugs=["b; a", "n/a"],
        colour=["red", "blue"],
    )
    assert not parsed.faults
    first, second = parsed.table.iloc[0], parsed.table.iloc[1]
    assert (first["age"], first["points"], first["ill"], first["sex"]) == (70.5, 12, True, "F")
    assert first["drugs"] == "a;b", "several words come in one order"
    assert second[["age", "points", "ill", "sex", "drugs"]].isna().all()
    assert list(parsed.table["colour"]) == ["red", "blue"], "unknown columns are left alone"


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("name", ""),
        ("name", "n/a"),
        ("name", "A1"),
        ("age", "121"),
        ("age", "-1"),
        ("age", "7,5"),
        ("age", "inf"),
        ("age", "nan"),
        ("age", "NA"),
        ("points", "1.5"),
        ("ill", "maybe"),
        ("sex", "f"),
        ("drugs", "a;c"),
        ("drugs", "a;a"),
        ("drugs", ";"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(column: str, cell: str) -> None:
    good = {"name": ["a", "b"], "age": ["70", "70"], column: ["x", "y"]}
    values = {"name": "abc", "age": "70", "points": "1", "ill": "0", "sex": "F", "drugs": "a"}
    good[column] = [values[column], cell]
    (fault,) = _parse(**good).faults
    assert (fault.table, fault.column, fault.rows) == ("people", column, (3,))
    assert _parse(**good).table[column].isna().iloc[1]


def test_all_faults_come_at_once_with_what_is_allowed_and_without_the_cells() -> None:
    parsed = _parse(name=["a", "a", "b"], age=["70", "999", "2"], sex=["Jane Doe", "M", "F"])
    broken = _parse(name=["a"], age=["3"], points=["4"])
    with pytest.raises(TableError) as refusal:
        refuse(parsed.faults + broken.faults)
    message = str(refusal.value)
    assert "row 3, column age: a number from 0 to 120 years" in message
    assert "row 2, column sex: one of F, M, or n/a" in message
    assert "row 3, column name: every row once" in message
    assert "row 2, column age + points: points not above age" in message
    assert "Jane" not in message


def test_a_missing_column_is_a_fault_where_required_and_unknown_where_not() -> None:
    parsed = _parse(name=["a"])
    assert [fault.column for fault in parsed.faults] == ["age"]
    assert parsed.table["sex"].isna().all()


def test_no_faults_refuse_nothing() -> None:
    assert refuse(()) is None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=20))
def test_no_text_breaks_a_column(cells: list[str]) -> None:
    for column in PEOPLE.columns:
        values, bad = column.parse(pd.Series(cells, dtype="str"))
        assert len(values) == len(bad) == len(cells)
        assert values[bad].isna().all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 120), min_size=1, max_size=20))
def test_numbers_come_back_as_they_were(numbers: list[float]) -> None:
    values, bad = PEOPLE.columns[1].parse(pd.Series([repr(n) for n in numbers], dtype="str"))
    assert not bad.any()
    np.testing.assert_array_equal(values, numbers)


def test_a_schema_for_anyones_names_keeps_its_columns_and_rules() -> None:
    loose = CLINICAL.of_anyone("theirs.csv")
    text = pd.DataFrame({"participant_id": ["Ward 3/7"], "nihss": ["43"]})
    assert [str(fault) for fault in parse_table(loose, text).faults] == [
        "theirs.csv, row 2, column nihss: a whole number from 0 to 42, or n/a"
    ]
    assert len(parse_table(CLINICAL, text).faults) == 2
    assert loose.rules == CLINICAL.rules
